"""Every way to pack pictures gives the same set; what a file is its first bytes say; nothing is left behind."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import sys
import tarfile
import zipfile

import numpy as np
import pytest
import zstandard
from PIL import Image

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources import packing
from pgan_tf.data.sources.images import Options, create_from_images
from pgan_tf.data.sources.members import UNPACKERS

AS_IS = Options(resolution=8, output=Output(shuffle=False))


def png(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(buffer, "png")
    return buffer.getvalue()


def style_gan(root: str = "") -> dict[str, bytes]:
    """Pictures in folders, and labels of them beside, some in the way of Windows."""
    names = [f"0000{i % 2}/img{i}.png" for i in range(6)]
    labels = [[name.replace("/", "\\" if i % 2 else "/"), i % 3] for i, name in enumerate(names)]
    files = {name: png(i) for i, name in enumerate(names)}
    files |= {"dataset.json": b"\xef\xbb\xbf" + json.dumps({"labels": labels}).encode(), "notes.txt": b"?"}
    return {root + name: content for name, content in files.items()}


def folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def tar(files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zipped(method):
    def write(path, files):
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(name, content)

    return write


def packed(pack):
    return lambda path, files: path.write_bytes(pack(tar(files)))


FORMATS = {
    "folder": folder,
    "stored.zip": zipped(zipfile.ZIP_STORED),
    "deflated.zip": zipped(zipfile.ZIP_DEFLATED),
    "bzip2.zip": zipped(zipfile.ZIP_BZIP2),
    "lzma.zip": zipped(zipfile.ZIP_LZMA),
    "set.tar": packed(bytes),
    "set.tar.gz": packed(gzip.compress),
    "set.tar.bz2": packed(bz2.compress),
    "set.tar.xz": packed(lzma.compress),
    "set.tar.zst": packed(zstandard.compress),
}
OUTER = {"": "at the root", "set/": "one level down", "a/b/": "deeper"}


def values(place) -> list[int]:
    dataset = RecordDataset(place)
    return dataset.read(8, np.arange(dataset.count))[:, 0, 0, 0].tolist()


def refused(tmp_path, source, **more) -> str:
    with pytest.raises(DataError) as info:
        create_from_images(tmp_path / "out", source, AS_IS, **more)
    assert "\n" not in str(info.value)
    assert not [name for name in os.listdir(tmp_path) if name.startswith((".tmp", "out"))]
    return str(info.value)


@pytest.mark.parametrize("root", OUTER, ids=OUTER.values())
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_the_same_set(name, root, tmp_path):
    """Pictures, order, labels and the report's counts; beside the set there is nothing afterwards."""
    FORMATS[name](tmp_path / name, style_gan(root))
    report = create_from_images(tmp_path / "out", tmp_path / name, AS_IS, "json")
    assert values(tmp_path / "out") == [0, 2, 4, 1, 3, 5]
    assert RecordDataset(tmp_path / "out").labels.argmax(axis=1).tolist() == [0, 2, 1, 1, 0, 2]
    assert "listed       8 = 6 written + 0 skipped + 2 files besides" in str(report)
    assert sorted(os.listdir(tmp_path)) == sorted(["out", name])


@pytest.mark.parametrize("name", FORMATS)
def test_workers_read_every_format(name, tmp_path):
    FORMATS[name](tmp_path / name, style_gan())
    create_from_images(tmp_path / "out", tmp_path / name, Options(8, output=Output(shuffle=False, workers=2)))
    assert values(tmp_path / "out") == [0, 2, 4, 1, 3, 5]


@pytest.mark.parametrize("called", ["set.tar", "set.zip", "set.tar.gz", "set", "set.tar.zst"])
@pytest.mark.parametrize("is_really", [name for name in FORMATS if name != "folder"])
def test_the_name_does_not_matter(is_really, called, tmp_path):
    FORMATS[is_really](tmp_path / called, {"1.png": png(1)})
    create_from_images(tmp_path / "out", tmp_path / called, AS_IS)
    assert values(tmp_path / "out") == [1]


@pytest.mark.parametrize("name", [name for name in FORMATS if ".tar" in name])
def test_several_packed_archives(name, tmp_path):
    (tmp_path / "in").mkdir()
    for i in range(3):
        FORMATS[name](tmp_path / "in" / f"{i}-{name}", {"1.png": png(i)})
    create_from_images(tmp_path / "out", tmp_path / "in", AS_IS)
    assert values(tmp_path / "out") == [0, 1, 2]
    assert sorted(os.listdir(tmp_path)) == ["in", "out"]


@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith("set.tar.")])
@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_packed_archives_that_are_cut_off(name, part, tmp_path):
    files = {f"{i}.png": png(i) + np.random.RandomState(i).bytes(5000) for i in range(9)}
    FORMATS[name](tmp_path / name, files)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(part * len(content))])
    assert name in refused(tmp_path, tmp_path / name)


@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith("set.tar.")])
def test_what_is_packed_and_no_tar(name, tmp_path):
    pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard.compress}
    (tmp_path / name).write_bytes(pack[os.path.splitext(name)[1]](png(1)))
    assert "holds no .tar" in refused(tmp_path, tmp_path / name)


def test_without_the_package_for_zstd(tmp_path, monkeypatch):
    FORMATS["set.tar.zst"](tmp_path / "set.tar.zst", style_gan())
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert "pip install zstandard" in refused(tmp_path, tmp_path / "set.tar.zst")


def test_an_archive_that_unpacks_to_more_than_there_is_room(tmp_path, monkeypatch):
    """Found out on the way, and what was written so far goes."""
    (tmp_path / "set.tar.xz").write_bytes(lzma.compress(tar({"0.png": bytes(10**7)})))
    monkeypatch.setattr(packing.shutil, "disk_usage", lambda place: Usage())
    assert "more than there is room for" in refused(tmp_path, tmp_path / "set.tar.xz")


class Usage:
    free = 10**6


@pytest.mark.parametrize("method", ["bzip2", "lzma", "deflated"])
def test_unpacking_stops_where_it_was_told(method):
    """A small file that unpacks to much, or claims a huge dictionary, takes no memory for it."""
    buffer = io.BytesIO()
    kinds = {"bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA, "deflated": zipfile.ZIP_DEFLATED}
    with zipfile.ZipFile(buffer, "w", kinds[method]) as archive:
        archive.writestr("0", bytes(10**6))
        info = archive.infolist()[0]
    start = info.header_offset + 30 + len(info.filename)
    content = bytearray(buffer.getvalue()[start : start + info.compress_size])
    assert UNPACKERS[method](bytes(content), 1000) == bytes(1000)
    if method == "lzma":
        content[5:9] = b"\xff\xff\xff\xff"  # the dictionary's size
        assert UNPACKERS[method](bytes(content), 10**6) == bytes(10**6)


def test_leftovers_of_killed_processes_go(tmp_path):
    FORMATS["set.tar.xz"](tmp_path / "set.tar.xz", {"1.png": png(1)})
    (tmp_path / ".tmp999999999-out.unpacked").mkdir()
    (tmp_path / f".tmp{os.getppid()}-out.unpacked").mkdir()  # of one that lives
    (tmp_path / ".tmp999999999-other.unpacked").mkdir()
    create_from_images(tmp_path / "out", tmp_path / "set.tar.xz", AS_IS)
    left = {name for name in os.listdir(tmp_path) if name.startswith(".tmp")}
    assert left == {f".tmp{os.getppid()}-out.unpacked", ".tmp999999999-other.unpacked"}
