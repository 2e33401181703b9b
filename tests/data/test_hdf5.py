"""The archives of ProGAN's first version: the highest level, with its labels."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.pyramid import pyramid
from pgan_tf.data.sources import hdf5
from pgan_tf.data.writer import order

h5py = pytest.importorskip("h5py", reason="h5py is not installed")

IMAGES = np.random.RandomState(0).randint(0, 256, (11, 16, 16, 3)).astype(np.uint8)
PLAIN = Output()


def write(path, images=IMAGES, lowest=1, labels=None):
    """A level for each power of two, [N,C,H,W], gzip-compressed in chunks; labels beside it."""
    with h5py.File(path, "w") as file:
        for side, level in pyramid(images).items():
            data = level.transpose(0, 3, 1, 2)
            file.create_dataset(f"data{side}x{side}", data=data, compression="gzip", chunks=(4, *data.shape[1:]))
        for side in (2, 1):
            if side >= lowest:
                file[f"data{side}x{side}"] = np.zeros((len(images), images.shape[3], side, side), np.uint8)
    if labels is not None:
        np.save(path.with_name(f"{path.stem}-labels.npy"), labels)
    return path


@pytest.mark.parametrize("lowest", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_highest_level_and_its_pyramid(tmp_path, lowest, channels):
    images = np.ascontiguousarray(IMAGES[..., :channels])
    report = hdf5.create_from_hdf5(tmp_path / "out", write(tmp_path / "set.h5", images, lowest), PLAIN)
    dataset = RecordDataset(tmp_path / "out")
    assert dataset.resolutions == [4, 8, 16]
    for side, level in pyramid(images[order(11)]).items():
        np.testing.assert_array_equal(dataset.read(side, np.arange(11)), level)
    assert dataset.labels is None
    assert "no labels: there is no set-labels.npy" in str(report)


@pytest.mark.parametrize("one_hot", [True, False])
def test_labels_beside_it(tmp_path, one_hot):
    classes = np.arange(11) % 3
    path = write(tmp_path / "set.h5", labels=np.eye(3)[classes] if one_hot else classes)
    hdf5.create_from_hdf5(tmp_path / "out", path, PLAIN)
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").labels, np.eye(3)[classes[order(11)]])


def test_unshuffled_by_worker_processes(tmp_path):
    images = np.random.RandomState(1).randint(0, 256, (40, 8, 8, 3)).astype(np.uint8)
    hdf5.create_from_hdf5(tmp_path / "out", write(tmp_path / "set.h5", images), Output(shuffle=False, workers=2))
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").read(8, np.arange(40)), images)


def test_the_archive_is_closed_and_opened_anew(tmp_path):
    for number, images in enumerate((IMAGES, 255 - IMAGES)):
        hdf5.create_from_hdf5(tmp_path / f"out{number}", write(tmp_path / "set.h5", images), Output(shuffle=False))
        np.testing.assert_array_equal(RecordDataset(tmp_path / f"out{number}").read(16, np.arange(11)), images)


def test_a_damaged_chunk_costs_its_pictures_only(tmp_path):
    """Chunks of four pictures: the second one is overwritten."""
    path = write(tmp_path / "set.h5")
    with h5py.File(path) as file:
        chunk = file["data16x16"].id.get_chunk_info(1)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + 64] = b"\x00" * 64
    path.write_bytes(content)
    report = hdf5.create_from_hdf5(tmp_path / "out", path, Output(shuffle=False))
    kept = [0, 1, 2, 3, 8, 9, 10]
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").read(16, np.arange(7)), IMAGES[kept])
    assert [name for name, _ in report.skipped] == [f"data16x16[{row}]" for row in (4, 5, 6, 7)]
    with pytest.raises(DataError, match=r"data16x16\[4\]: .*--strict"):
        hdf5.create_from_hdf5(tmp_path / "out2", path, Output(shuffle=False, strict=True))
    assert not (tmp_path / "out2").exists()


def test_refusals(tmp_path):
    def refused(path, reason: str) -> None:
        with pytest.raises(DataError, match=reason) as info:
            hdf5.create_from_hdf5(tmp_path / "out", path, PLAIN)
        assert "\n" not in str(info.value)
        assert not (tmp_path / "out").exists()

    def one(**arrays):
        with h5py.File(tmp_path / "set.h5", "w") as file:
            for name, array in arrays.items():
                file[name] = array
        return tmp_path / "set.h5"

    refused(tmp_path / "absent.h5", "no such file")
    refused(tmp_path, "not a file; give an .h5")
    refused(one(), "set.h5: has nothing; a ProGAN archive has data4x4")
    refused(one(other=np.zeros(3)), "has other; a ProGAN archive")
    refused(one(data8x8=np.zeros((2, 3, 8, 8))), r"data8x8 is float64 \[2, 3, 8, 8\]")
    refused(one(data8x8=np.zeros((2, 8, 8, 3), np.uint8)), r"data8x8 is uint8 \[2, 8, 8, 3\]")
    refused(one(data6x6=np.zeros((2, 3, 6, 6), np.uint8)), "power of two")
    refused(one(data8x8=np.zeros((0, 3, 8, 8), np.uint8)), r"\[0, 3, 8, 8\]")
    refused(write(tmp_path / "set.h5", labels=np.arange(10)), r"set-labels.npy: labels are int64 of shape \[10\]")
    (tmp_path / "set-labels.npy").write_bytes(b"text")
    refused(tmp_path / "set.h5", "set-labels.npy: not an .npy")
    (tmp_path / "set-labels.npy").unlink()
    whole = write(tmp_path / "set.h5").read_bytes()
    for content in (b"", b"text", whole[:100], whole[:-1000]):
        (tmp_path / "set.h5").write_bytes(content)
        refused(tmp_path / "set.h5", "set.h5: not an HDF5 file, or damaged|set.h5: damaged")


SHAPE = (3, 3, 8, 8)


def _external_link(file, other):
    file["data8x8"] = h5py.ExternalLink(other, "data8x8")


def _deep_link(file, other):
    file["data8x8"] = np.zeros(SHAPE, np.uint8)
    file["more/of/it"] = h5py.ExternalLink(other, "data8x8")


def _external_storage(file, other):
    file.create_dataset("data8x8", SHAPE, np.uint8, external=[(other, 0, 3 * 3 * 64)])


def _virtual(file, other):
    layout = h5py.VirtualLayout(SHAPE, np.uint8)
    layout[...] = h5py.VirtualSource(other, "data8x8", SHAPE)
    file.create_virtual_dataset("data8x8", layout)


def _lower_level(file, other):
    file["data8x8"] = np.zeros(SHAPE, np.uint8)
    file.create_dataset("data4x4", (3, 3, 4, 4), np.uint8, external=[(other, 0, 3 * 3 * 16)])


def _soft_link_to_a_link(file, other):
    file["other"] = h5py.ExternalLink(other, "data8x8")
    file["data8x8"] = h5py.SoftLink("/other")


def _never_written(file, other):
    file.create_dataset("data8x8", (10**12, 3, 8, 8), np.uint8, chunks=(64, 3, 8, 8), compression="gzip")


def _huge_pieces(file, other):
    """One row asks for a piece of 1.5 GB, which is a megabyte here."""
    data = file.create_dataset("data8x8", (2**23, 3, 8, 8), np.uint8, chunks=(2**23, 3, 8, 8), compression="gzip")
    data.id.write_direct_chunk((0, 0, 0, 0), b"x" * 100)


FOREIGN = {
    "a link": (_external_link, "'data8x8' is a link to another file"),
    "a link below": (_deep_link, "'more/of/it' is a link to another file"),
    "storage": (_external_storage, "'data8x8' has its numbers in another file"),
    "virtual": (_virtual, "'data8x8' is virtual"),
    "of a lower level": (_lower_level, "'data4x4' has its numbers in another file"),
    "a link to a link": (_soft_link_to_a_link, "'other' is a link to another file"),
    "not there at all": (_never_written, "has less numbers than it declares"),
    "in pieces of gigabytes": (_huge_pieces, "is packed in pieces"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_numbers_of_other_files_are_not_taken(case, tmp_path):
    """Whoever gets the data set would get the file of ours that the archive names."""
    change, words = FOREIGN[case]
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data8x8"] = np.full(SHAPE, 7, np.uint8)
    with h5py.File(tmp_path / "set.h5", "w") as file:
        change(file, str(tmp_path / "other.h5"))
    with pytest.raises(DataError) as info:
        hdf5.create_from_hdf5(tmp_path / "out", tmp_path / "set.h5", PLAIN)
    assert words in str(info.value)
    assert str(info.value).startswith(f"{tmp_path / 'set.h5'}: ")
    assert "\n" not in str(info.value)
    assert not (tmp_path / "out").exists()


def test_groups_that_hold_themselves_and_soft_links_within_are_harmless(tmp_path):
    with h5py.File(write(tmp_path / "set.h5"), "a") as file:
        file["group/again"] = file.create_group("group/inner")
        file["group/inner/outer"] = file["group"]
        file["soft"] = h5py.SoftLink("/data16x16")
        file["gone"] = h5py.SoftLink("/nowhere")
        file["names"] = ["text", "of", "any", "length"]
    hdf5.create_from_hdf5(tmp_path / "out", tmp_path / "set.h5", Output(shuffle=False))
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").read(16, np.arange(11)), IMAGES)


def test_without_h5py(tmp_path, monkeypatch):
    path, real = write(tmp_path / "set.h5"), builtins.__import__

    def no_h5py(name, *arguments):
        if name == "h5py":
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", no_h5py)
    with pytest.raises(DataError, match="pip install h5py"):
        hdf5.create_from_hdf5(tmp_path / "out", path, PLAIN)
