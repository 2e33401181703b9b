"""The files in an archive one by one, as it lists them."""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import BinaryIO, NamedTuple

from pgan_tf.data.errors import DataError
from pgan_tf.data.sources.members import ZIP_METHODS, Member, read_first, seekable
from pgan_tf.errors import reason

_GREATEST_READ = 2**26  # of a header in a tar: what it claims may be anything
_LONGEST_LINK = 4096  # bytes of a path, as systems have it
_ENCRYPTED, _UTF_8 = 1, 0x800  # bits of a zip member's flags
_MADE_BY_UNIX = 3


class Found(NamedTuple):
    """Something in an archive that is no folder.

    path: with slashes, from the set's first folder on. member: a file's place; None for links, and for all that
    unpacking makes no plain file of. link: where a link leads. hard: whether that is a path from the archive's first
    folder on, of a file before it; else it is a path from where the link lies. read: so many of the first bytes, while
    this is the latest one found.
    """

    path: str
    member: Member | None = None
    link: str | None = None
    hard: bool = False
    read: Callable[[int], bytes] = lambda count: b""


@contextmanager
def reading(archive: str) -> Iterator[None]:
    """Names the archive in all that is raised within the block."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{archive}: {error}") from error
    except OSError as error:
        raise DataError(f"{archive}: {_fault(error)}") from error
    except Exception as error:  # tarfile, zipfile and the decompressors raise anything on damaged archives
        raise DataError(f"{archive}: {_damage(error)}") from error


def _fault(error: OSError) -> str:
    """What the system says of a file has a number; what a decompressor says of its content has none."""
    return _damage(error) if error.errno is None else f"cannot be read: {reason(error)}"


def _damage(error: Exception) -> str:
    return f"cannot be read as an archive: {(str(error).splitlines() or [type(error).__name__])[0]}; download it again"


def inner_path(name: str) -> str:
    """A name as unpacking takes it: no slash at its begin, no parts that say nothing."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _scan_zip(archive: str, prefix: str) -> Iterator[Found]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            name = _zip_name(info).replace("\\", "/")  # Windows tools write these, against the format
            if name.endswith("/"):
                continue
            path = prefix + inner_path(name)
            packing = "encrypted" if info.flag_bits & _ENCRYPTED else ZIP_METHODS.get(info.compress_type, "unknown")
            numbers = info.header_offset, info.compress_size, info.file_size, info.CRC
            yield _found_in_zip(info, Member(archive, path, *numbers, packing))


def _found_in_zip(info: zipfile.ZipInfo, member: Member) -> Found:
    if info.create_system == _MADE_BY_UNIX and stat.S_ISLNK(info.external_attr >> 16):
        with suppress(DataError):  # a link that cannot be read is a file that cannot be read
            target = read_first(member, _LONGEST_LINK)
            return Found(member.path, link=target.decode("utf-8", "surrogateescape"))
    return Found(member.path, member, read=partial(read_first, member))


def _zip_name(info: zipfile.ZipInfo) -> str:
    """What the name's bytes mean: UTF-8 also where that is not said, if they are; else the IBM PC's characters."""
    if info.flag_bits & _UTF_8:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.orig_filename


def _scan_tar(archive: str, prefix: str) -> Iterator[Found]:
    with open(archive, "rb") as file:
        yield from _scan_tar_file(archive, prefix, file, "plain")


def _scan_tar_gz(archive: str, prefix: str) -> Iterator[Found]:
    seekable(archive)  # a damaged one is refused as a whole, before anything is written
    with gzip.open(archive) as file:
        yield from _scan_tar_file(archive, prefix, file, "gzip")


def _scan_tar_file(archive: str, prefix: str, file: BinaryIO, packing: str) -> Iterator[Found]:
    at = -1
    with _open_tar(file) as tar:
        while (info := tar.next()) is not None:
            tar.members.clear()  # it would keep them all
            if tar.offset <= at:  # a size below zero leads back
                raise DataError("damaged: a member ends before it begins; download it again")
            at = tar.offset
            if not info.isdir():
                yield _found_in_tar(info, file, Member(archive, prefix, 0, 0, 0, 0, packing))
        file.seek(tar.offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # tarfile takes an archive that is cut for a whole
            raise DataError("ends without its end mark: it is cut off; download it again")


def _open_tar(file: BinaryIO) -> tarfile.TarFile:
    """Names that are not UTF-8 stay what they are: each of their bytes becomes a character of its own."""
    try:
        return tarfile.open(fileobj=_Careful(file), mode="r:", encoding="utf-8", errors="surrogateescape")
    except tarfile.ReadError as error:
        raise DataError(f"holds no .tar ({error}); if it was packed by something else, unpack that first") from error


def _found_in_tar(info: tarfile.TarInfo, file: BinaryIO, where: Member) -> Found:
    """`where`: a member of this archive, whose path is the prefix of all."""
    path = where.path + inner_path(info.name)
    if info.islnk():
        return Found(path, link=where.path + inner_path(info.linkname), hard=True)
    if info.issym():
        return Found(path, link=info.linkname)
    if not info.isreg() or info.issparse():  # a pipe, a device, or pieces of a file
        return Found(path)

    def read(count: int) -> bytes:
        file.seek(info.offset_data)
        return file.read(min(count, info.size))

    return Found(path, where._replace(path=path, start=info.offset_data, stored=info.size, size=info.size), read=read)


class _Careful:
    """A file that does not read much at once, whatever the headers claim."""

    def __init__(self, file: BinaryIO):
        self._file, self.seek, self.tell = file, file.seek, file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _GREATEST_READ:
            raise DataError(f"a header claims {size} bytes; none is so large")
        return self._file.read(size)


SCANNERS: dict[str, Callable[[str, str], Iterator[Found]]] = {
    "zip": _scan_zip,
    "tar": _scan_tar,
    "gzip": _scan_tar_gz,
}
