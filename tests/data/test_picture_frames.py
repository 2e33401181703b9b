"""Frames of animations and pages: the first of each file, counted; or all, each an item of its own."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.pictures.frames import frames_of
from pgan_tf.data.sources.images import Options, create_from_images

KINDS = [("a.gif", {}), ("a.webp", {"lossless": True}), ("a.png", {}), ("a.tif", {}), ("a.avif", {"quality": 100})]
KINDS += [("a.mpo", {"quality": 100}), ("b.tif", {"compression": "tiff_lzw"})]
ALL = Options(resolution=8, frames="all", output=Output(shuffle=False))


def save(path, values: list[int], **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [Image.new("RGB", (16, 16), (value, value, value)) for value in values]
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)


def values(folder) -> list[int]:
    dataset = RecordDataset(folder)
    return dataset.read(8, np.arange(dataset.count))[:, 0, 0, 0].tolist()


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_first_or_all(tmp_path, name, options):
    save(tmp_path / "in" / name, [10, 100, 200], **options)
    save(tmp_path / "in" / "z.png", [50])
    first = create_from_images(tmp_path / "first", tmp_path / "in", ALL._replace(frames="first"))
    assert np.abs(np.array(values(tmp_path / "first")) - [10, 50]).max() <= 2
    assert "1 files have more frames: 2 left out; --frames=all takes them" in first.notes
    report = create_from_images(tmp_path / "all", tmp_path / "in", ALL)
    assert np.abs(np.array(values(tmp_path / "all")) - [10, 100, 200, 50]).max() <= 2
    assert "4 frames were found in 2 files" in report.notes
    assert "left out" not in str(report)


def test_labels_names_and_processes(tmp_path):
    """Each frame has its file's label; a frame that cannot be read is named; however many processes."""
    save(tmp_path / "in" / "x" / "a.gif", [10, 20, 30])
    save(tmp_path / "in" / "y" / "a.gif", [40])
    tifffile.imwrite(tmp_path / "in" / "y" / "b.tif", np.full((16, 16), 50, np.uint8), photometric="minisblack")
    tifffile.imwrite(tmp_path / "in" / "y" / "b.tif", np.zeros((16, 16), np.float32), append=True)
    (tmp_path / "in" / "y" / "c.png").write_text("no picture")
    for workers in (1, 2):
        out = tmp_path / f"out{workers}"
        report = create_from_images(
            out, tmp_path / "in", ALL._replace(output=Output(shuffle=False, workers=workers)), labels="folders"
        )
        assert values(out) == [10, 20, 30, 40, 50]
        assert RecordDataset(out).labels.argmax(axis=1).tolist() == [0, 0, 0, 1, 1]
        assert [name for name, _ in report.skipped] == ["y/b.tif#2", "y/c.png"]


def test_reduced_copies_are_no_pages(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for value, subfile in ((1, 0), (2, 1), (3, 2)):
            file.write(np.full((16, 16), value, np.uint8), photometric="minisblack", subfiletype=subfile, metadata=None)
    assert list(frames_of(tmp_path / "a.tif", 1000)) == [0, 2]


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def test_what_a_file_claims_is_not_what_it_has(tmp_path):
    """A PNG of two thousand million frames, a TIFF whose pages go in a circle, an animation that breaks off."""
    save(tmp_path / "a.png", [10, 20])
    content = (tmp_path / "a.png").read_bytes()
    at = content.index(b"acTL") - 4
    (tmp_path / "a.png").write_bytes(
        content[:at] + chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)) + content[at + 20 :]
    )
    assert list(frames_of(tmp_path / "a.png", 1000)) == [0, 1]
    page = struct.pack("<H", 2) + struct.pack("<HHII", 256, 4, 1, 8) + struct.pack("<HHII", 257, 4, 1, 8)
    (tmp_path / "b.tif").write_bytes(b"II*\0" + struct.pack("<I", 8) + page + struct.pack("<I", 8))
    assert list(frames_of(tmp_path / "b.tif", 1000)) == [0]
    assert list(frames_of(io.BytesIO(b"no picture"), 1000)) == [0]
    assert list(frames_of(tmp_path / "absent.gif", 1000)) == [0]


def test_refused(tmp_path):
    save(tmp_path / "in" / "a.gif", [10])
    with pytest.raises(DataError, match="--frames=some: must be one of first, all"):
        create_from_images(tmp_path / "out", tmp_path / "in", ALL._replace(frames="some"))
    with pytest.raises(DataError, match="--range=5: give the values of black and white"):
        create_from_images(tmp_path / "out", tmp_path / "in", ALL._replace(range="5"))


def test_a_range_makes_a_set(tmp_path):
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "a.tif", np.full((16, 16), 4095, np.uint16))
    report = create_from_images(tmp_path / "dim", tmp_path / "in", ALL)
    assert values(tmp_path / "dim") == [16]
    assert any("if they are of 12 bits, give --range=0,4095" in note for note in report.notes)
    create_from_images(tmp_path / "out", tmp_path / "in", ALL._replace(range="0,4095"))
    assert values(tmp_path / "out") == [255]
