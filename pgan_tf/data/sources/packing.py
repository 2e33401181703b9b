"""What a file is packed by, told by its first bytes, and archives that must be unpacked before they can be read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pgan_tf.data.errors import DataError
from pgan_tf.data.files import beside, storing
from pgan_tf.files import temporary_name
from pgan_tf.places import name_of

_SUFFIXES = {
    ".zip": "zip",
    ".tar": "tar",
    ".tar.gz": "gzip", ".tgz": "gzip",
    ".tar.bz2": "bzip2", ".tbz2": "bzip2", ".tbz": "bzip2",
    ".tar.xz": "xz", ".txz": "xz",
    ".tar.zst": "zstd", ".tzst": "zstd",
}  # fmt: skip
_MAGICS = {
    b"PK\3\4": "zip", b"PK\5\6": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}  # fmt: skip
_OTHERS = {b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!\x1a\7": "RAR", b"\x1f\x9d": "compress (.Z)", b"\4\x22\x4d\x18": "LZ4"}
_COPY_BYTES = 2**22
_SHARE_OF_DISK = 0.9  # of what is free, that an archive may unpack to


def packing_of(archive: str) -> str | None:
    """zip, tar, gzip, bzip2, xz or zstd; None where the file is nothing of these."""
    with open(archive, "rb") as file:
        head = file.read(tarfile.BLOCKSIZE)
    found = next((packing for magic, packing in _MAGICS.items() if head.startswith(magic)), None)
    if found is None and _is_tar_header(head):
        return "tar"
    if found is None and zipfile.is_zipfile(archive):  # one that begins with something else: a program that unpacks it
        return "zip"
    return found or _SUFFIXES.get(_suffix(archive) or "")  # damaged: what its name says will say how


def check_archive(path: str) -> None:
    """Raises DataError unless the file is an archive of a kind that is read here."""
    if packing_of(path) is not None:
        return
    with open(path, "rb") as file:
        head = file.read(16)
    other = next((name for magic, name in _OTHERS.items() if head.startswith(magic)), None)
    if other:
        raise DataError(f"{path}: an archive of {other}, which is not read here; unpack it and give the folder")
    raise DataError(f"{path}: neither a folder nor an archive ({' '.join(_SUFFIXES)})")


def is_archive_name(name: str) -> bool:
    return _suffix(name) is not None


def stem_of(archive: str) -> str:
    """The file's name without an archive's extension."""
    name = os.path.basename(archive)
    return name[: -len(_suffix(name) or "")] or name


def _suffix(name: str) -> str | None:
    suffixes = [suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)]
    return max(suffixes, key=len, default=None)


def _is_tar_header(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:  # its checksum is wrong, or there are no 512 bytes
        return False
    return True


class Scratch:
    """A hidden folder beside an output, for archives that must be unpacked to be read; it goes when the block ends."""

    def __init__(self, out: str | os.PathLike):
        self._out = out
        self._folder = temporary_name(beside(out, f"{name_of(out)}.unpacked"))

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *error) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def readable(self, archive: str, several: bool) -> tuple[str, str]:
        """Where the archive can be read in any order, and how: a key of SCANNERS. Raises DataError.

        Places within a .tar.gz can be remembered, of one archive at a time; all other packed tars are unpacked.
        """
        packing = packing_of(archive)
        if packing in ("zip", "tar") or (packing == "gzip" and not several):
            return archive, packing
        with storing(self._out):
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(self._folder)
            self._folder.mkdir(exist_ok=True)
        place = self._folder / f"{len(os.listdir(self._folder))}.tar"
        with _OPENERS[packing](archive) as packed, place.open("wb") as plain:
            self._copy(packed, plain)
        return str(place), "tar"

    def _copy(self, packed: BinaryIO, plain: BinaryIO) -> None:
        left = int(_SHARE_OF_DISK * shutil.disk_usage(self._folder).free)
        head = packed.read(tarfile.BLOCKSIZE)
        if not _is_tar_header(head) and head != bytes(tarfile.BLOCKSIZE):
            raise DataError("holds no .tar, or a damaged one: unpack it, and give what was in it, or download it again")
        while head:
            left -= len(head)
            if left < 0:
                raise DataError(f"unpacks to more than there is room for beside {self._out}; make room, or unpack it")
            with storing(self._out):
                plain.write(head)
            head = packed.read(_COPY_BYTES)


def _open_zstd(archive: str) -> BinaryIO:
    try:
        import zstandard
    except ImportError as error:
        raise DataError("is packed by zstd, which needs a package: pip install zstandard; or unzstd it") from error
    return zstandard.open(archive, "rb")


_OPENERS: dict[str, Callable[[str], BinaryIO]] = {
    "gzip": gzip.open,
    "bzip2": bz2.open,
    "xz": lzma.open,
    "zstd": _open_zstd,
}


def _remove_leftovers(folder: Path) -> None:
    """Removes what killed processes left of the same output."""
    ours = re.compile(rf"\.tmp(\d+)-{re.escape(folder.name.partition('-')[2])}")
    for entry in folder.parent.iterdir():
        match = ours.fullmatch(entry.name)
        if match and not _runs(int(match[1])):
            shutil.rmtree(entry, ignore_errors=True)


def _runs(process: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(process, 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True
