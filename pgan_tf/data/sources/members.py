"""Files within archives: a list of them that fits in memory, and how to read one from its place."""

from __future__ import annotations

import bz2
import io
import lzma
import os
import struct
import zlib
from array import array
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from pgan_tf.data.errors import DataError
from pgan_tf.data.sources.gzips import SeekableGzip
from pgan_tf.text import shown

_DAMAGED = "damaged or cut off in the archive; download that again"
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a zip's member: signature, lengths of its name and extra field
_LZMA_HEADER = struct.Struct("<2xHBI")  # of its packed bytes: length of what follows, a number of three, a size
_FIRST_BYTES = 2**20  # packed, for the first unpacked ones; bzip2 packs 900,000 bytes at a time
_LEAST_DICTIONARY = 2**12


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
    """Members in the order of their paths, in about 120 bytes and the path each."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}  # of archives and packings
        self._paths: list[str] = []
        self._rows = array("q")  # [members, 6], as they were added: archive, packing, the numbers
        self._order: Sequence[int] = array("q")

    def add(self, member: Member) -> None:
        self._paths.append(member.path)
        names = (self._names.setdefault(name, len(self._names)) for name in (member.archive, member.packing))
        self._rows.extend((*names, *member[2:6]))

    def mark(self) -> int:
        """How many were added so far."""
        return len(self._paths)

    def added(self, first: int) -> list[str]:
        """The paths of those from number `first` on."""
        return self._paths[first:]

    def cut(self, first: int) -> None:
        """Forgets those from number `first` on."""
        del self._paths[first:], self._rows[6 * first :]

    def sort(self, without: Collection[str] = ()) -> tuple[int, int]:
        """Orders all that were added. Returns how many a later one replaces, and how many have a path of `without`.

        One replaces another where it has the same name in the same archive.
        """
        self._lookup = list(self._names)
        rows = [row for row in range(len(self._paths)) if self._paths[row] not in without]
        rows.sort(key=self._paths.__getitem__)  # stable: of one path in the order of the archive
        last = [row for place, row in enumerate(rows) if not self._is_replaced(rows, place)]
        self._order = array("q", last)
        return len(rows) - len(last), len(self._paths) - len(rows)

    def _is_replaced(self, rows: list[int], place: int) -> bool:
        path, later = self._paths[rows[place]], place + 1
        while later < len(rows) and self._paths[rows[later]] == path:
            if _same_file(self._member(rows[place]), self._member(rows[later])):
                return True
            later += 1
        return False

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
        return Member(self._lookup[archive], self._paths[row], *numbers, self._lookup[packing])


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


def read_first(member: Member, count: int) -> bytes:
    """So many of the first bytes, of damaged members fewer or wrong ones. Raises DataError."""
    if count >= member.size:
        return open_member(member, max(member.size, member.stored)).getvalue()
    if member.packing in UNPACKERS:
        return _unpacked(member, min(member.stored, _FIRST_BYTES), count)
    return READERS[member.packing](member._replace(stored=count, size=count))


def member_bytes(member: Member) -> int:
    """What it takes in memory."""
    return member.size


def member_name(member: Member) -> str:
    """What messages call a member."""
    return shown(member.path)


def _same_file(one: Member, other: Member) -> bool:
    """Whether two members of one path have one name: of zips also in bytes, which may be of several encodings."""
    if one.archive != other.archive:
        return False
    return one.start == other.start or one.packing in ("plain", "gzip") or _raw_name(one) == _raw_name(other)


def _raw_name(member: Member) -> list[bytes]:
    """A zip member's name in bytes, without the parts that say nothing."""
    with open(member.archive, "rb") as file:
        file.seek(member.start)
        header = file.read(_LOCAL_HEADER.size)
        name = file.read(_LOCAL_HEADER.unpack(header)[1]) if len(header) == _LOCAL_HEADER.size else b""
    return [part for part in name.split(b"/") if part not in (b"", b".")]


# ---- how members are packed ------------------------------------------------------------------------------------------


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


def _read_zipped(member: Member) -> bytes:
    content = _unpacked(member, member.stored, member.size + 1)
    if zlib.crc32(content) != member.crc:
        raise DataError("damaged in the archive: its checksum is wrong; download that again")
    return content


def _unpacked(member: Member, stored: int, count: int) -> bytes:
    """At most `count` bytes of what the first `stored` bytes of a zip's member unpack to."""
    with open(member.archive, "rb") as file:
        file.seek(member.start)
        header = file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\3\4":
            raise DataError("damaged in the archive: not where its list says; download that again")
        _, name, extra = _LOCAL_HEADER.unpack(header)
        file.seek(name + extra, os.SEEK_CUR)
        packed = file.read(stored)
    try:
        return UNPACKERS[member.packing](packed, count)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, struct.error) as error:
        raise DataError(f"damaged in the archive ({error}); download that again") from error


def _unpack_lzma(packed: bytes, count: int) -> bytes:
    """LZMA as zips have it: a header of four numbers, and no end mark needed."""
    _, three, dictionary = _LZMA_HEADER.unpack_from(packed)
    three, lc = divmod(three, 9)
    pb, lp = divmod(three, 5)
    size = max(_LEAST_DICTIONARY, min(dictionary, count))  # memory; nothing is further back than the beginning
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": lc, "lp": lp, "pb": pb}]
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    return unpacker.decompress(packed[_LZMA_HEADER.size :], count)


UNPACKERS: dict[str, Callable[[bytes, int], bytes]] = {
    "stored": lambda packed, count: packed[:count],
    "deflated": lambda packed, count: zlib.decompressobj(wbits=-15).decompress(packed, count),
    "bzip2": lambda packed, count: bz2.BZ2Decompressor().decompress(packed, count),
    "lzma": _unpack_lzma,
}
# Numbers of zip's methods; those that are not read here are named to the user.
ZIP_METHODS = {0: "stored", 8: "deflated", 12: "bzip2", 14: "lzma"}
_REFUSED = {
    1: "Shrink", 6: "Implode", 9: "Deflate64", 10: "PKWARE's Implode", 16: "IBM's CMPSC", 18: "IBM's TERSE",
    19: "LZ77", 93: "Zstandard", 94: "MP3", 95: "XZ", 96: "JPEG", 97: "WavPack", 98: "PPMd",
}  # fmt: skip
ZIP_METHODS |= _REFUSED | {99: "encrypted"}  # 99: AES, whatever lies under it


def _refuse(method: str) -> Callable[[Member], bytes]:
    def read(member: Member) -> bytes:
        raise DataError(f"packed by {method}, which is not read here; pack the archive again with deflate")

    return read


def _read_encrypted(member: Member) -> bytes:
    raise DataError("encrypted; unpack the archive and pack it again without a password")


READERS: dict[str, Callable[[Member], bytes]] = {
    "plain": _read_plain,
    "gzip": _read_gzip,
    "encrypted": _read_encrypted,
    "unknown": _refuse("an unknown method"),
    **dict.fromkeys(UNPACKERS, _read_zipped),
    **{method: _refuse(method) for method in _REFUSED.values()},
}
