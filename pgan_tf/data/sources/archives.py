"""Pictures in .zip, .tar and .tar.gz files and webdataset shards, read where they are: nothing is unpacked to disk.

An archive is listed once; then each picture is read from its place in the file, in any order, by any process. No name
in an archive becomes the name of a file, so none can lead outside of anything.
"""

from __future__ import annotations

import gzip
import os
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from pgan_tf.data.errors import DataError
from pgan_tf.data.sources.labels import key_of
from pgan_tf.data.sources.members import Member, Members, open_member, seekable
from pgan_tf.data.sources.picture import EXTENSIONS

_GREATEST_READ = 2**26  # of a file with labels, or of a header in a tar: what they claim may be anything
_ENCRYPTED = 1  # a bit of a zip member's flags
_ZIP_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
_RANGE = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}")


def find_archives(path: str | os.PathLike) -> list[str]:
    """The archives that `path` means: itself, a pattern a-{000..123}.tar, or a folder of nothing but archives.

    Empty where it means a folder of pictures. Raises DataError.
    """
    text = os.fspath(path)
    archives = _expand(text)
    if os.path.isdir(text):
        archives = _archives_in(text)
    elif len(archives) == 1 and not os.path.exists(text):
        return []
    for archive in archives:
        if not os.path.isfile(archive):
            raise DataError(f"{archive}: no such file")
        if _suffix(archive) is None:
            raise DataError(f"{archive}: neither a folder nor an archive ({' '.join(SCANNERS)})")
        if len(archives) > 1 and SCANNERS[_suffix(archive)] is _scan_tar_gz:
            raise DataError(
                f"{archive}: of several archives none may be gzipped, reading them would take ages; gunzip it"
            )
    return archives


def list_members(archives: Sequence[str], sides: str = "") -> tuple[Members, dict[str, bytes], Counter]:
    """The pictures in the archives, small files beside them, and all others counted by extension.

    Of several archives, a path begins with the archive's name without extension, as if that were a folder. `sides`:
    what the files with labels end in, which are read. With them, and in several archives, only KEY.EXT is a picture,
    KEY.more.EXT is not. Hidden files are left out. Raises DataError.
    """
    members, texts, others = Members(archives), {}, Counter()
    keyed = len(archives) > 1 or bool(sides)
    for archive in archives:
        prefix = f"{_stem(archive)}/" if len(archives) > 1 else ""
        with _reading(archive):
            for found, read in SCANNERS[_suffix(archive)](archive):
                path = _clean(found.path)
                key = key_of(path) if keyed else os.path.splitext(path)[0]
                extension = path[len(key) :].lower()
                if _hidden(path):
                    continue
                if extension in EXTENSIONS:
                    members.add(found._replace(path=prefix + path))
                elif sides and extension == sides:
                    texts[prefix + key + extension] = read()
                else:
                    others[extension] += 1
    members.sort()
    return members, texts, others


# ---- which archives --------------------------------------------------------------------------------------------------


def _expand(text: str) -> list[str]:
    """a-{08..11}.tar -> a-08.tar, a-09.tar, a-10.tar, a-11.tar; as a shell with braces does."""
    match = _RANGE.search(text)
    if match is None:
        return [text]
    low, high = match.groups()
    numbers = range(int(low), int(high) + 1)
    if not 0 < len(numbers) <= 10**6:
        raise DataError(f"{text}: {match[0]} must rise, by a million at most")
    names = (f"{text[: match.start()]}{n:0{len(low)}d}{text[match.end() :]}" for n in numbers)
    return [name for partly in names for name in _expand(partly)]


def _archives_in(folder: str) -> list[str]:
    """The archives in a folder that has neither pictures nor folders; else none."""
    entries = [entry for entry in sorted(os.scandir(folder), key=lambda entry: entry.name) if entry.name[0] != "."]
    pictures = any(entry.is_dir() or os.path.splitext(entry.name)[1].lower() in EXTENSIONS for entry in entries)
    return [] if pictures else [entry.path for entry in entries if _suffix(entry.name)]


def _suffix(name: str) -> str | None:
    return next((suffix for suffix in SCANNERS if name.lower().endswith(suffix)), None)


def _stem(archive: str) -> str:
    name = os.path.basename(archive)
    return name[: -len(_suffix(name))]


def _clean(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _hidden(path: str) -> bool:
    """macOS puts `__MACOSX/._name.jpg` beside every file."""
    return any((part[0] == "." and part != "..") or part == "__MACOSX" for part in path.split("/") if part)


# ---- listing ---------------------------------------------------------------------------------------------------------

Found = Iterator[tuple[Member, Callable[[], bytes]]]  # each member, and a way to read it at once


@contextmanager
def _reading(archive: str) -> Iterator[None]:
    """Names the archive in all that is raised within the block."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{archive}: {error}") from error
    except Exception as error:  # tarfile and zipfile raise anything on damaged archives
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{archive}: cannot be read as an archive: {reason}; download it again") from error


def _scan_zip(archive: str) -> Found:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if info.is_dir():
                continue
            packing = "encrypted" if info.flag_bits & _ENCRYPTED else _ZIP_METHODS.get(info.compress_type, "unknown")
            numbers = info.header_offset, info.compress_size, info.file_size, info.CRC
            member = Member(archive, info.filename.replace("\\", "/"), *numbers, packing)
            yield member, lambda member=member: open_member(member, _GREATEST_READ).read()


def _scan_tar(archive: str) -> Found:
    with open(archive, "rb") as file:
        yield from _scan_tar_file(archive, file, "plain")


def _scan_tar_gz(archive: str) -> Found:
    seekable(archive)  # a damaged one is refused as a whole, before anything is written
    with gzip.open(archive) as file:
        yield from _scan_tar_file(archive, file, "gzip")


def _scan_tar_file(archive: str, file: BinaryIO, packing: str) -> Found:
    at = -1
    with tarfile.open(fileobj=_Careful(file), mode="r:", errors="replace") as tar:
        while (info := tar.next()) is not None:
            tar.members.clear()  # it would keep them all
            if tar.offset <= at:  # a size below zero leads back
                raise DataError("damaged: a member ends before it begins; download it again")
            at = tar.offset
            if info.isreg():
                member = Member(archive, info.name, info.offset_data, info.size, info.size, 0, packing)
                yield member, lambda info=info: tar.extractfile(info).read()
        file.seek(tar.offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # tarfile takes an archive that is cut for a whole
            raise DataError("ends without its end mark: it is cut off; download it again")


class _Careful:
    """A file that does not read much at once, whatever the headers claim."""

    def __init__(self, file: BinaryIO):
        self._file, self.seek, self.tell = file, file.seek, file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _GREATEST_READ:
            raise DataError(f"a header or a file with labels claims {size} bytes; no picture needs that")
        return self._file.read(size)


SCANNERS: dict[str, Callable[[str], Found]] = {
    ".zip": _scan_zip,
    ".tar": _scan_tar,
    ".tar.gz": _scan_tar_gz,
    ".tgz": _scan_tar_gz,
}
