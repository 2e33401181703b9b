"""Files on a store, read in ranges. Each request waits long for its answer, so that many are under way at once.

What is read in no order is read exactly, what is read from front to back in windows that grow. A file of a small
resolution is kept in memory once a good part of it has been asked for: a run will ask for all of it, many times.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.errors import reason
from pgan_tf.places import AT_ONCE, Ranges, place, size_of

KEPT = 2**29  # bytes of a resolution, of all its files, that may be kept in memory
_PART = 2**19  # bytes of a request: what TensorFlow's reader takes from a store in one
_WINDOW, _LARGEST = 2**12, 2**24  # bytes read ahead of who reads on
_LOADING = threading.Semaphore(8)  # files at a time
_SHARE = 16  # a file is kept when one in so many of its bytes was asked for


@functools.cache
def _requests() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="range")


class RemoteBytes:
    """A file on a store, open for reading at any place of it: what StoredBytes is to one on the disk.

    Attributes: path; size, in bytes; keep: whether all of it may be in memory; loading: the thread that brings it.
    """

    def __init__(self, path: str):
        """Raises DataError, one line, unless there is such a file."""
        self.path, self.keep = place(path), False
        try:
            self.size = size_of(self.path)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {reason(error)}") from error
        self._ranges, self._lock = Ranges(self.path), threading.Lock()
        self._window, self._begin, self._next = b"", 0, _WINDOW  # what was read ahead, from where on; how much next
        self._asked, self._whole, self.loading = 0, None, None

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on. DataError: they are not there, or the store fails."""
        with self._lock:
            end = self._begin + len(self._window)
            if not self._begin <= offset <= offset + length <= end:
                on = self._begin <= offset <= end
                self._next = min(2 * self._next, _LARGEST) if on else _WINDOW
                begin = self._begin if on and offset - self._begin <= _WINDOW else offset  # the header stays at hand
                size = max(offset + length - begin, min(self._next, self.size - begin))
                self._window, self._begin = self._fetch([begin], size)[0].tobytes(), begin
            return self._window[offset - self._begin : offset - self._begin + length]

    def read_rows(self, rows: Sequence[int], length: int, begin: int = 0) -> np.ndarray:
        """Rows of a file that from `begin` on has rows of `length` bytes: uint8 [n, length]. DataError as in `read`."""
        rows = np.asarray(rows, np.int64)
        whole = self._kept(len(rows) * length)
        if whole is None:
            return self._fetch((begin + rows * length).tolist(), length)
        count = (self.size - begin) // length
        return whole[begin : begin + count * length].reshape(count, length)[rows]  # [n,length]

    def _kept(self, more: int) -> np.ndarray | None:
        """All of the file, uint8 [size], where it is kept; `more`: bytes that are asked for now."""
        with self._lock:
            self._asked += more
            if self.loading is None and self.keep and self._asked * _SHARE >= self.size:
                self.loading = threading.Thread(target=self._load, name="whole", daemon=True)
                self.loading.start()
            return self._whole

    def _load(self) -> None:
        """Brings all of the file, request after request: meanwhile others go on asking for what they need now."""
        whole = np.empty(self.size, np.uint8)
        with _LOADING, suppress(DataError):  # whoever needs what cannot be read will hear of it
            for begin in range(0, self.size, _PART):
                length = min(_PART, self.size - begin)
                whole[begin : begin + length] = self._fetch([begin], length)[0]
            self._whole = whole

    def _fetch(self, offsets: list[int], length: int) -> np.ndarray:
        """uint8 [n, length]: what begins at each of the offsets."""
        into = np.empty((len(offsets), length), np.uint8)

        def part(where: tuple[int, int]) -> None:
            row, at = where
            size = min(_PART, length - at)
            try:
                content = self._ranges.read(offsets[row] + at, size)
            except OSError as error:
                raise DataError(f"{self.path}: cannot be read: {reason(error)}") from error
            if len(content) != size:
                end = offsets[row] + at + len(content)
                raise DataError(f"{self.path}: ends at byte {end}; {size - len(content)} more were expected")
            into[row, at : at + size] = np.frombuffer(content, np.uint8)

        parts = [(row, at) for row in range(len(offsets)) for at in range(0, length, _PART)]
        list(_requests().map(part, parts))  # which raises what one of them has met
        return into


def keep_small(files: Iterable[object]) -> None:
    """Lets the files of a resolution be kept in memory if they are small together; those on the disk are not ours."""
    remote = [file for file in files if isinstance(file, RemoteBytes)]
    small = sum(file.size for file in remote) <= KEPT
    for file in remote:
        file.keep = small
