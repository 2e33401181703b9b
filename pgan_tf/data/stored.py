"""Files that are read anywhere, for as long as a run takes, while others may cut them short or write over them."""

from __future__ import annotations

import os
import stat
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.data.remote import RemoteBytes
from pgan_tf.errors import reason
from pgan_tf.places import is_stored

_CALL = 2**13  # bytes that are copied while the system is called once
_AT = hasattr(os, "preadv")  # not on Windows
_lock = threading.Lock()


def open_bytes(path: str | os.PathLike) -> StoredBytes | RemoteBytes:
    """A file of the disk or of a store. DataError."""
    return RemoteBytes(path) if is_stored(path) else StoredBytes(path)


class StoredBytes:
    """A file, open for reading at any place of it.

    By system calls and not through a memory map: where a file is shorter than its map, the system ends the process. A
    file that is removed or replaced under its name stays readable; one that has changed itself is found out.

    Attributes: path; size, in bytes.
    """

    def __init__(self, path: str | os.PathLike):
        """Raises DataError, one line, unless `path` is a regular file that can be read."""
        self.path = Path(path)
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for its other end
                raise DataError(f"{path}: not a file; write the data set again")
            self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {reason(error)}") from error
        weakref.finalize(self, os.close, self._file)
        self._state = self._look()
        self.size = self._state[0]

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on. DataError: they are not there, or the file has changed since it was opened.

        The end of the file as it was opened is the caller's to know.
        """
        content = np.empty(length, np.uint8)
        self._fill(content, offset)
        self.check_unchanged()
        return content.tobytes()

    def read_rows(self, rows: Sequence[int], length: int, begin: int = 0) -> np.ndarray:
        """Rows of a file that from `begin` on has rows of `length` bytes: uint8 [n, length]. DataError as in `read`."""
        rows = np.asarray(rows, np.int64)
        first = int(rows.min()) if len(rows) else 0
        span = int(rows.max()) + 1 - first if len(rows) else 0
        if span * length <= _CALL * len(rows):
            piece = np.empty((span, length), np.uint8)
            self._fill(piece, begin + first * length)
            content = piece[rows - first]  # [n,length]
        else:
            content = np.empty((len(rows), length), np.uint8)
            for row, into in zip(rows.tolist(), content, strict=True):
                self._fill(into, begin + row * length)
        self.check_unchanged()
        return content

    def check_unchanged(self) -> None:
        """Raises DataError if someone has written to the file since it was opened."""
        if self._look() != self._state:
            raise DataError(
                f"{self.path}: was written to while it was being read (it has {self._look()[0]:,} bytes and had "
                f"{self.size:,}); bring back what it was, or use a copy of the data set that nobody changes"
            )

    def _look(self) -> tuple[int, int]:
        status = os.fstat(self._file)
        return status.st_size, status.st_mtime_ns

    def _fill(self, into: np.ndarray, offset: int) -> None:
        """Fills a contiguous array with what begins at `offset`."""
        left = memoryview(into.reshape(-1))
        while left:
            try:
                count = _read_at(self._file, left, offset)
            except OSError as error:  # a bad sector, a network drive that is gone
                raise DataError(f"{self.path}: cannot be read: {reason(error)}") from error
            if count == 0:
                self.check_unchanged()
                raise DataError(f"{self.path}: ends at byte {offset}; {len(left)} more were expected")
            left, offset = left[count:], offset + count


def _read_at(file: int, into: memoryview, offset: int) -> int:
    """Reads some bytes -> how many; 0 at the end of the file."""
    if _AT:
        return os.preadv(file, [into], offset)
    with _lock:
        os.lseek(file, offset, os.SEEK_SET)
        content = os.read(file, len(into))
    into[: len(content)] = content
    return len(content)
