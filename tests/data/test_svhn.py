"""SVHN's cropped digits: MATLAB's axes and its ten for nought."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources import svhn
from pgan_tf.data.writer import order

scipy_io = pytest.importorskip("scipy.io", reason="scipy is not installed")

IMAGES = np.random.RandomState(0).randint(0, 256, (12, 32, 32, 3)).astype(np.uint8)
DIGITS = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 9])


def write(folder, name="train_32x32.mat", compressed=True, **arrays):
    """As distributed: X [32,32,3,N] uint8, y [N,1] uint8, 10 for the digit 0; MATLAB 5."""
    folder.mkdir(exist_ok=True)
    y = np.where(DIGITS == 0, 10, DIGITS).astype(np.uint8)[:, None]
    content = {"X": IMAGES.transpose(1, 2, 3, 0), "y": y, **arrays}
    scipy_io.savemat(folder / name, {key: value for key, value in content.items() if value is not None},
                     do_compression=compressed)  # fmt: skip
    return folder


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_images_and_labels(tmp_path, compressed, named):
    folder = write(tmp_path / "in", compressed=compressed)
    path = folder / "train_32x32.mat" if named else folder
    report = svhn.create_svhn(tmp_path / "out", path, Output(), allow_partial=True)
    dataset = RecordDataset(tmp_path / "out")
    np.testing.assert_array_equal(dataset.read(32, np.arange(12)), IMAGES[order(12)])
    np.testing.assert_array_equal(dataset.labels, np.eye(10)[DIGITS[order(12)]])
    assert "12 of the set's 73257 images" in str(report)


def test_the_whole_set_needs_no_flag(tmp_path, monkeypatch):
    monkeypatch.setitem(svhn.COUNTS, "test", 12)
    folder = write(tmp_path / "in", "test_32x32.mat")
    report = svhn.create_svhn(tmp_path / "out", folder, Output(shuffle=False), split="test")
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").read(32, np.arange(12)), IMAGES)
    assert report.notes == []


def test_the_counts_are_those_of_the_set():
    assert svhn.COUNTS == {"train": 73_257, "test": 26_032}


def test_refusals(tmp_path, monkeypatch):
    def refused(path, reason: str, allow_partial: bool = True) -> None:
        with pytest.raises(DataError, match=reason) as info:
            svhn.create_svhn(tmp_path / "out", path, Output(), allow_partial=allow_partial)
        assert "\n" not in str(info.value)
        assert not (tmp_path / "out").exists()

    folder = write(tmp_path / "in")
    refused(folder, "12 images of 73257.*--allow_partial", allow_partial=False)
    refused(tmp_path / "absent", "no such file; download it")
    refused(tmp_path, "no such file; download it")
    refused(write(folder, y=None), "has no X and y")
    refused(write(folder, X=IMAGES.astype(float).transpose(1, 2, 3, 0)), r"X is float64 \[32, 32, 3, 12\]")
    refused(write(folder, X=IMAGES), r"X is uint8 \[12, 32, 32, 3\]")
    refused(write(folder, y=np.ones((11, 1), np.uint8)), r"y is uint8 \[11, 1\] for 12 images")
    refused(write(folder, y=DIGITS[:, None]), "labels other than 1 to 10")
    file = write(folder) / "train_32x32.mat"
    whole = file.read_bytes()
    for content in (b"", b"text", whole[:-100], whole[:200]):
        file.write_bytes(content)
        refused(file, "not a .mat file, or damaged|has no X and y")


def test_without_scipy(tmp_path, monkeypatch):
    real = builtins.__import__

    def no_scipy(name, *arguments):
        if name.startswith("scipy"):
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", no_scipy)
    with pytest.raises(DataError, match="pip install scipy"):
        svhn.create_svhn(tmp_path / "out", tmp_path, Output())


def test_a_shape_that_no_memory_holds_is_refused_by_its_header(tmp_path):
    """A file of a kilobyte that declares a terabyte."""
    folder = write(tmp_path / "in", compressed=False)
    file = folder / "train_32x32.mat"
    content = file.read_bytes()
    dims = np.array([32, 32, 3, 12], "<i4").tobytes()
    assert content.count(dims) == 1
    file.write_bytes(content.replace(dims, np.array([32, 32, 3, 2**28], "<i4").tobytes()))
    with pytest.raises(DataError, match=r"X is uint8 \[32, 32, 3, 268435456\]; cropped digits are uint8"):
        svhn.create_svhn(tmp_path / "out", folder, Output())


def test_cells_are_no_numbers(tmp_path):
    cells = np.empty((1, 1), object)
    cells[0, 0] = "text"
    folder = write(tmp_path / "in", X=cells)
    with pytest.raises(DataError, match=r"X is (cell|object)"):
        svhn.create_svhn(tmp_path / "out", folder, Output())
