"""Numpy arrays as data sets: every layout, every kind of label, files read in place, one line for what is wrong."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources import arrays
from pgan_tf.data.writer import order

RNG = np.random.RandomState(0)
RGB = RNG.randint(0, 256, (9, 8, 8, 3)).astype(np.uint8)
GREY = RNG.randint(0, 256, (9, 8, 8)).astype(np.uint8)
CLASSES = np.arange(9) % 4
PLAIN = Output()


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (RGB, RGB),
        (RGB.transpose(0, 3, 1, 2), RGB),
        (np.asfortranarray(RGB), RGB),
        (GREY, GREY[..., None]),
        (GREY[..., None], GREY[..., None]),
        (GREY[:, None], GREY[..., None]),
    ],
    ids=["NHWC", "NCHW", "Fortran order", "NHW", "NHW1", "N1HW"],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_layouts(tmp_path, stored, expected, suffix):
    file = tmp_path / f"file{suffix}"
    np.save(file, stored) if suffix == ".npy" else np.savez(file, images=stored)
    arrays.create_from_numpy(tmp_path / "out", file, PLAIN)
    dataset = RecordDataset(tmp_path / "out")
    np.testing.assert_array_equal(dataset.read(8, np.arange(9)), expected[order(9)])
    assert dataset.labels is None


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (CLASSES, np.eye(4)[CLASSES]),
        (CLASSES[:, None].astype(np.uint8), np.eye(4)[CLASSES]),
        (np.eye(5)[CLASSES], np.eye(5)[CLASSES]),
        (CLASSES[:, None] / 8, CLASSES[:, None] / 8),
        (np.eye(5, dtype=bool)[CLASSES], np.eye(5)[CLASSES]),
    ],
    ids=["classes", "a column", "one-hot", "one number", "flags"],
)
def test_labels(tmp_path, save, labels, expected):
    save(tmp_path / "file.npz", images=RGB, labels=labels, other=np.arange(3))
    report = arrays.create_from_numpy(tmp_path / "out", tmp_path / "file.npz", PLAIN)
    dataset = RecordDataset(tmp_path / "out")
    np.testing.assert_array_equal(dataset.labels, expected[order(9)])
    np.testing.assert_array_equal(dataset.read(8, np.arange(9)), RGB[order(9)])
    assert "labels from labels" in str(report)
    assert "left alone the arrays other" in str(report)


@pytest.mark.parametrize(
    ("names", "labelled"),
    [(("x_train", "y_train"), True), (("x", "y"), True), (("arr_0", "labels"), True), (("faces", "note"), None),
     (("faces", "y"), True)],
)  # fmt: skip
def test_names_in_an_npz(tmp_path, names, labelled):
    """Those of Keras and others; one array of any name; two of unknown names are a question, not a guess."""
    np.savez(tmp_path / "file.npz", **{names[0]: RGB, names[1]: CLASSES})
    if labelled is None:
        with pytest.raises(DataError, match="has the arrays faces, note; call the images `images`"):
            arrays.create_from_numpy(tmp_path / "out", tmp_path / "file.npz", PLAIN)
    else:
        assert arrays.create_from_numpy(tmp_path / "out", tmp_path / "file.npz", PLAIN).label_size == 4


def test_unshuffled_by_worker_processes(tmp_path):
    images = RNG.randint(0, 256, (30, 4, 4, 3)).astype(np.uint8)
    np.save(tmp_path / "file.npy", images)
    arrays.create_from_numpy(tmp_path / "out", tmp_path / "file.npy", Output(shuffle=False, workers=2))
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").read(4, np.arange(30)), images)


def test_the_file_is_read_anew_each_time(tmp_path):
    for number, images in enumerate((RGB, 255 - RGB)):
        (tmp_path / "file.npy").unlink(missing_ok=True)
        np.save(tmp_path / "file.npy", images)
        arrays.create_from_numpy(tmp_path / f"out{number}", tmp_path / "file.npy", Output(shuffle=False))
        np.testing.assert_array_equal(RecordDataset(tmp_path / f"out{number}").read(8, np.arange(9)), images)


def test_stored_arrays_are_read_in_place(tmp_path, monkeypatch):
    """So the limit is for compressed ones only."""
    monkeypatch.setattr(arrays, "_COMPRESSED_LIMIT", 1000)
    np.savez(tmp_path / "stored.npz", labels=CLASSES, images=RGB)
    arrays.create_from_numpy(tmp_path / "out", tmp_path / "stored.npz", PLAIN)
    assert isinstance(arrays._read(tmp_path / "stored.npz")[0], np.memmap)
    monkeypatch.setattr(arrays, "write", lambda out, source, output: source)
    source = arrays.create_from_numpy(tmp_path / "none", tmp_path / "stored.npz", PLAIN)
    assert source.items == range(9)  # no pixels go to the workers
    np.savez_compressed(tmp_path / "compressed.npz", images=RGB)
    with pytest.raises(DataError, match=r"1728 bytes when unpacked, more than 1000; save it by np\.savez"):
        arrays.create_from_numpy(tmp_path / "out2", tmp_path / "compressed.npz", PLAIN)


ORDERS = {"rows": RGB, "fortran": np.asfortranarray(RGB), "grey": GREY, "channels first": RGB.transpose(0, 3, 1, 2)}


@pytest.mark.parametrize("images", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_a_file_cut_short_under_the_workers_is_a_reason_and_no_signal(tmp_path, images, suffix, monkeypatch):
    """A memory map of it would end the process."""
    file = tmp_path / f"file.{suffix}"
    np.save(file, images) if suffix == "npy" else np.savez(file, images=images)
    monkeypatch.setattr(arrays, "write", lambda out, source, output: source)
    source = arrays.create_from_numpy(tmp_path / "none", file, PLAIN)
    whole = [source.load(row).pixels for row in source.items]
    np.testing.assert_array_equal(np.stack(whole), arrays.to_nhwc(images, ""))
    arrays._whole.cache_clear()
    file.write_bytes(b"")
    with pytest.raises(DataError, match=r"file\..*was written to while it was being read"):
        source.load(3)
    arrays._opened.cache_clear()


def test_a_changed_pixel_in_an_npz_is_found(tmp_path):
    images = np.zeros((300, 16, 16), np.uint8)  # more than is read at once
    np.savez(tmp_path / "file.npz", images=images)
    content = bytearray((tmp_path / "file.npz").read_bytes())
    content[70_000] ^= 1
    (tmp_path / "file.npz").write_bytes(content)
    refused(tmp_path, tmp_path / "file.npz", "damaged .Bad CRC-32 for file 'images.npy'")


REFUSED = {
    "float": (RGB / 255, "pixels of type float64; give uint8"),
    "int": (RGB.astype(np.int64), "pixels of type int64"),
    "RGBA": (np.zeros((2, 8, 8, 4), np.uint8), r"shape \[2, 8, 8, 4\]; give"),
    "flat": (np.zeros((2, 192), np.uint8), r"shape \[2, 192\]"),
    "none": (np.zeros((0, 8, 8, 3), np.uint8), "holds no images"),
    "oblong": (np.zeros((2, 8, 16, 3), np.uint8), "images of 16x8; they must be square.*create_from_images"),
    "28 pixels": (np.zeros((2, 28, 28), np.uint8), "images of 28x28.*create_from_images"),
    "one image": (np.zeros((8, 8, 3), np.uint8), "images of 3x8"),
    "objects": (np.array([{}, {}]), "not an .npy or .npz file of numbers|object"),
}


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("case", REFUSED)
def test_images_refused(tmp_path, case, suffix):
    stored, reason = REFUSED[case]
    file = tmp_path / f"file{suffix}"
    np.save(file, stored) if suffix == ".npy" else np.savez(file, stored)
    refused(tmp_path, file, reason)


def refused(tmp_path, file, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as info:
        arrays.create_from_numpy(tmp_path / "out", file, PLAIN)
    assert "\n" not in str(info.value)
    assert str(info.value).startswith(str(file))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (CLASSES[:8], r"int64 of shape \[8\]; 9 images need numbers \[9\]"),
        (CLASSES - 1, "labels from -1 to 2, but classes are numbered from 0 up"),
        (CLASSES / 2, r"float64 of shape \[9\]; classes are integers"),
        (np.full((9, 2), np.nan), "not all finite"),
        (np.full((9, 2), 1e300), "not all finite"),
        (np.array(list("abcdefghi")), "<U1; only plain numbers"),
        (CLASSES * 10**9, "labels of 3000000001 classes for 9 images are too many"),
        (np.zeros((9, 2, 2)), r"shape \[9, 2, 2\]"),
        (np.zeros((9, 0)), r"shape \[9, 0\]"),
    ],
    ids=["too few", "negative", "fractions", "nan", "overflow", "text", "identities", "three axes", "empty"],
)
def test_labels_refused(tmp_path, labels, reason):
    np.savez(tmp_path / "file.npz", images=RGB, labels=labels)
    refused(tmp_path, tmp_path / "file.npz", reason)


class Runs:
    def __reduce__(self):
        return (open, ("ran", "w"))


def test_files_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(tmp_path, tmp_path / "absent.npy", "no such file")
    refused(tmp_path, tmp_path, "not a file; give an .npy")
    (tmp_path / "cat.npy").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    refused(tmp_path, tmp_path / "cat.npy", "not an .npy or .npz file; pictures are for create_from_images")
    file = tmp_path / "file.npy"
    np.save(file, RGB)
    whole = file.read_bytes()
    for content in (b"", b"text", whole[:50], whole[:-1], pickle.dumps(Runs())):
        file.write_bytes(content)
        refused(tmp_path, file, "not an .npy or .npz file|cannot be read")
    np.savez(tmp_path / "file.npz", images=np.array([Runs()], object))
    refused(tmp_path, tmp_path / "file.npz", "object; only plain numbers can be read")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").touch()
    with pytest.raises(DataError, match="exists already"):
        arrays.create_from_numpy(tmp_path / "taken", file, PLAIN)


def test_a_header_that_lies_is_found_out(tmp_path):
    """Before memory is taken for the shape that it names."""
    import zipfile

    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        content = io.BytesIO()
        np.lib.format.write_array_header_1_0(content, {"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 8)})
        with zipfile.ZipFile(tmp_path / "file.npz", "w", compression) as archive:
            archive.writestr("images.npy", content.getvalue() + b"x" * 64)
        refused(tmp_path, tmp_path / "file.npz", "images.npy: damaged: 64 bytes for shape")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed, None])
def test_damage_anywhere_is_one_clear_line_or_other_pixels(tmp_path, save):
    file = tmp_path / "file.npz"
    np.save(tmp_path / "file.npy", RGB) if save is None else save(file, images=RGB, labels=CLASSES)
    file = tmp_path / "file.npy" if save is None else file
    whole, rng = file.read_bytes(), np.random.RandomState(1)
    for case in range(120):
        content = bytearray(whole)
        content[rng.randint(len(content) if case % 2 else 128)] ^= 1 << rng.randint(8)
        file.write_bytes(content[: rng.randint(1, len(content))] if case % 3 == 0 else content)
        assert "\n" not in complaint(file)


def complaint(file) -> str:
    """What is said about a file, nothing if it can be read; any other error is the test's failure."""
    try:
        images, labels, _ = arrays._read(file)
        arrays.to_nhwc(images, "file")
        if labels is not None:
            arrays.label_matrix(labels, len(images), "file")
    except DataError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("found", "partial", "reason"),
    [(10, False, None), (10, True, None), (9, True, None), (9, False, "--allow_partial"), (0, True, "no images"),
     (11, True, "this is another one"), (11, False, "this is another one")],
)  # fmt: skip
def test_counts(found, partial, reason):
    if reason:
        with pytest.raises(DataError, match=reason):
            arrays.check_count("set", found, 10, partial)
    else:
        notes = arrays.check_count("set", found, 10, partial)
        assert notes == ([] if found == 10 else ["9 of the set's 10 images (--allow_partial)"])


def test_a_size_that_is_no_power_of_two_is_kept_where_it_is_asked_for(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 3), np.uint8)
    np.save(tmp_path / "a.npy", images)
    with pytest.raises(DataError, match=r"images of 28x28.*; or keep their size by --own_size"):
        arrays.create_from_numpy(tmp_path / "out", tmp_path / "a.npy", Output(shuffle=False))
    arrays.create_from_numpy(tmp_path / "out", tmp_path / "a.npy", Output(shuffle=False), own_size=True)
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").read(28, np.arange(5)), images)


def test_one_number_a_picture_is_said_to_be_no_class(tmp_path):
    images = np.zeros((3, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.array([[0.0], [1.0], [2.0]]))
    report = arrays.create_from_numpy(tmp_path / "out", tmp_path / "a.npz", Output())
    assert "labels are one number each, stored as they are; not one class a picture" in str(report)
