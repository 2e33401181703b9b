"""Files within archives: a list of them that fits in memory, and how to read one from its place."""

from __future__ import annotations

import io
import os
import struct
import zlib
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from pgan_tf.data.errors import DataError
from pgan_tf.data.sources.gzips import SeekableGzip

_DAMAGED = "damaged or cut off in the archive; download that again"
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a zip's member: signature, lengths of its name and extra field


class Member(NamedTuple):
    """A file in an archive. path: within the set. start: where its bytes begin, or in a zip its local header."""

    archive: str
    path: str
    start: int
    stored: int  # bytes in the archive
    size: int  # bytes unpacked
    crc: int
    packing: str  # a row of READERS


class Members(Sequence):
    """Members sorted by path, in about 120 bytes and the path each; of two with one path the later counts."""

    def __init__(self, archives: Sequence[str]):
        self._archives, self._packings = list(archives), list(READERS)
        self._codes = {name: code for names in (archives, READERS) for code, name in enumerate(names)}
        self._paths: list[str] = []
        self._rows = array("q")  # [members, 6], as they were added: archive, packing, the numbers
        self._order: Sequence[int] = array("q")

    def add(self, member: Member) -> None:
        self._paths.append(member.path)
        self._rows.extend((self._codes[member.archive], self._codes[member.packing], *member[2:6]))

    def sort(self) -> None:
        rows = sorted(range(len(self._paths)), key=self._paths.__getitem__)
        following = [*(self._paths[row] for row in rows[1:]), None]  # the path after each
        self._order = array(
            "q", (row for row, after in zip(rows, following, strict=False) if self._paths[row] != after)
        )

    def paths(self) -> list[str]:
        return [self._paths[i] for i in self._order]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, where):
        if isinstance(where, slice):
            return [self._member(row) for row in self._order[where]]
        return self._member(self._order[where])

    def _member(self, row: int) -> Member:
        archive, packing, *numbers = self._rows[6 * row : 6 * row + 6]
        return Member(self._archives[archive], self._paths[row], *numbers, self._packings[packing])


def open_member(member: Member, max_bytes: int) -> BinaryIO:
    """The member as an open file in memory. DataError where it is larger than `max_bytes`, or damaged."""
    if max(member.size, member.stored) > max_bytes:
        raise DataError(f"unpacks to {member.size} bytes, more than --max_file_bytes={max_bytes}")
    if min(member.start, member.size, member.stored) < 0:
        raise DataError(_DAMAGED)
    content = READERS[member.packing](member)
    if len(content) != member.size:
        raise DataError(_DAMAGED)
    return io.BytesIO(content)


def member_name(member: Member) -> str:
    """What messages call a member."""
    return member.path


def _read_plain(member: Member) -> bytes:
    with open(member.archive, "rb") as file:
        file.seek(member.start)
        return file.read(member.stored)


def _read_gzip(member: Member) -> bytes:
    return seekable(member.archive).read(member.start, member.size)


@lru_cache(maxsize=1)
def seekable(archive: str) -> SeekableGzip:
    """Made once in each process. DataError where any byte of the archive is damaged."""
    return SeekableGzip(archive)


def _read_stored(member: Member) -> bytes:
    return _checked(member, _packed(member))


def _read_deflated(member: Member) -> bytes:
    try:
        content = zlib.decompressobj(wbits=-15).decompress(_packed(member), member.size + 1)
    except zlib.error as error:
        raise DataError(f"damaged in the archive ({error}); download that again") from error
    return _checked(member, content)


def _packed(member: Member) -> bytes:
    """The bytes of a zip's member, behind its local header."""
    with open(member.archive, "rb") as file:
        file.seek(member.start)
        header = file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\3\4":
            raise DataError("damaged in the archive: not where its list says; download that again")
        _, name, extra = _LOCAL_HEADER.unpack(header)
        file.seek(name + extra, os.SEEK_CUR)
        return file.read(member.stored)


def _checked(member: Member, content: bytes) -> bytes:
    if zlib.crc32(content) != member.crc:
        raise DataError("damaged in the archive: its checksum is wrong; download that again")
    return content


def _read_encrypted(member: Member) -> bytes:
    raise DataError("encrypted; unpack the archive and pack it again without a password")


def _read_unknown(member: Member) -> bytes:
    raise DataError("packed in a way that is not read here; pack the archive again with deflate")


READERS: dict[str, Callable[[Member], bytes]] = {
    "plain": _read_plain,
    "gzip": _read_gzip,
    "stored": _read_stored,
    "deflated": _read_deflated,
    "encrypted": _read_encrypted,
    "unknown": _read_unknown,
}
