"""Random access to a gzip file without unpacking it to disk: places to go on from, remembered on the way."""

from __future__ import annotations

import bisect
import os
import zlib
from typing import BinaryIO

from pgan_tf.data.errors import DataError

_BLOCK = 1 << 16  # packed bytes at a time; deflate makes at most 1032 times as many of them
_MAGIC = b"\x1f\x8b"


class SeekableGzip:
    """Reads anywhere in the unpacked bytes of a gzip file. The first use unpacks it once, keeping nothing.

    Each remembered place takes about 45 kB of memory; reading starts at the last one before what is wanted.
    """

    def __init__(self, path: str | os.PathLike, places: int = 1024, spacing: int = 1 << 20):
        """`places`: at most so many; first they are `spacing` unpacked bytes apart, and twice as far when too many."""
        self._path = path
        stream = _Stream()
        self._places = [stream.copy()]
        with open(path, "rb") as file:
            while stream.next(file):
                if stream.unpacked - self._places[-1].unpacked < spacing:
                    continue
                if len(self._places) == places:
                    self._places, spacing = self._places[::2], 2 * spacing
                self._places.append(stream.copy())
        self._starts = [place.unpacked for place in self._places]

    def read(self, start: int, size: int) -> bytes:
        """`size` unpacked bytes from `start` on, fewer at the end. Raises DataError."""
        stream = self._places[bisect.bisect_right(self._starts, start) - 1].copy()
        parts, wanted = [], start + size
        with open(self._path, "rb") as file:
            while stream.unpacked < wanted:
                at = stream.unpacked
                block = stream.next(file)
                if not block:
                    break
                parts.append(block[max(0, start - at) : wanted - at])
        return b"".join(parts)


class _Stream:
    """A state of unpacking: how far it is, packed and unpacked."""

    def __init__(self) -> None:
        self.packed, self.unpacked = 0, 0
        self._inflate = zlib.decompressobj(wbits=31)  # 31: gzip's header and checksum

    def copy(self) -> _Stream:
        other = _Stream.__new__(_Stream)
        other.packed, other.unpacked, other._inflate = self.packed, self.unpacked, self._inflate.copy()
        return other

    def next(self, file: BinaryIO) -> bytes:
        """The unpacked bytes that come next, b'' at the end. Raises DataError."""
        file.seek(self.packed)
        while block := file.read(_BLOCK):
            if self._inflate.eof:  # a gzip file may be several in a row
                if not block.startswith(_MAGIC):
                    return b""  # padding
                self._inflate = zlib.decompressobj(wbits=31)
            content = self._unpack(block)
            self.packed += len(block) - len(self._inflate.unused_data)
            file.seek(self.packed)
            if content:
                self.unpacked += len(content)
                return content
        if not self._inflate.eof:
            raise DataError("the gzip file is truncated; download it again")
        return b""

    def _unpack(self, block: bytes) -> bytes:
        try:
            return self._inflate.decompress(block)
        except zlib.error as error:
            raise DataError(f"the gzip file is damaged ({error}); download it again") from error
