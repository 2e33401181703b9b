"""A file made of parts of another one and of bytes between them, without a copy of it."""

from __future__ import annotations

import bisect
import io
from collections.abc import Sequence
from itertools import accumulate
from typing import BinaryIO

Part = bytes | range  # bytes as they are, or where they lie in the other file


class _Spliced(io.RawIOBase):
    def __init__(self, stream: BinaryIO, parts: Sequence[Part]):
        self._stream, self._parts, self._at = stream, [part for part in parts if part], 0
        self._starts = [0, *accumulate(map(len, self._parts))]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        return self._at

    def readinto(self, buffer) -> int:
        if self._at >= self._starts[-1]:
            return 0
        index = bisect.bisect_right(self._starts, self._at) - 1
        part, skip = self._parts[index], self._at - self._starts[index]
        size = min(len(buffer), len(part) - skip)
        if isinstance(part, bytes):
            piece = part[skip : skip + size]
        else:
            self._stream.seek(part.start + skip)
            piece = self._stream.read(size)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def spliced(stream: BinaryIO, parts: Sequence[Part]) -> BinaryIO:
    """The parts one after another as a file to read."""
    return io.BufferedReader(_Spliced(stream, parts), 2**16)
