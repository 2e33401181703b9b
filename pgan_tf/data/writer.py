"""Writes data set folders: every resolution from the full one down to 4x4, labels, complete or not at all."""

from __future__ import annotations

import math
import os
import shutil
import sys
from bisect import bisect_right
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, final

import numpy as np

from pgan_tf.data.dataset import RecordDataset, labels_path
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder, new_folder, storing
from pgan_tf.data.pyramid import LOWEST, pyramid, sides
from pgan_tf.data.tfrecord import encode_image, frame, located, open_file, payload, record_bytes
from pgan_tf.places import is_stored, name_of, place
from pgan_tf.text import shown

HIGHEST = 8192
MOST_SHARDS = 99_999  # five digits in the names
_BUFFER_BYTES = 2**20
_ORDER_SEED = 123  # the one of NVIDIA's tool, so that the same pictures give the same files


def order(count: int, shuffle: bool = True) -> np.ndarray:
    """The order in which pictures 0..count-1 are written, int64 [count]: shuffled by a fixed seed, or as they are."""
    indices = np.arange(count)
    if shuffle:
        np.random.RandomState(_ORDER_SEED).shuffle(indices)
    return indices


def is_resolution(value: int) -> bool:
    """Whether pictures can have this size: a power of two from 4 to 8192."""
    return LOWEST <= value <= HIGHEST and value & (value - 1) == 0


def encode_levels(image: np.ndarray, own_size: bool = False) -> list[bytes]:
    """uint8 [R, R, C] -> its records, ready to append to the files, from R down to 4. DataError for another shape.

    own_size: R may be any size, and there is the one record of it.
    """
    shape = image.shape
    if len(shape) != 3 or shape[0] != shape[1] or shape[2] not in (1, 3) or not (own_size or is_resolution(shape[0])):
        raise DataError(
            f"a picture of shape {list(shape)}; it must be [R, R, C], R a power of two >= {LOWEST}, C 1 or 3"
        )
    if image.dtype != np.uint8:
        raise DataError(f"a picture of type {image.dtype}; it must be uint8")
    return [frame(encode_image(level)) for level in ([image] if own_size else pyramid(image).values())]


@final
class DatasetWriter:
    """Writes a new data set folder: `with DatasetWriter(folder) as writer: writer.add(image); ...`.

    The files are named after the folder. Everything goes to a hidden folder beside it, which gets the final name when
    the block ends well and all files are as they should be, and is removed when not. Pictures not of `resolution` and
    `channels` are refused. With `shards`, every resolution is cut into so many files: contiguous blocks of `total`
    pictures in order, of equal length but for one picture. Pictures that are left out shorten their own block.
    With `own_size` the resolution need be no power of two, and no lower ones are stored.

    Attributes: folder; name, base name of the files; channels; count, pictures so far; bytes, of records so far;
        bytes_each, of a picture's records.
    """

    def __init__(
        self, folder: str | os.PathLike, resolution: int, channels: int, shards: int = 1, total: int | None = None,
        own_size: bool = False,
    ):  # fmt: skip
        """`total`: how many pictures will come at most; needed for `shards`, and checked against the free disk space.

        Raises DataError if `folder` exists and is not empty, no data set has such pictures, or a shard would be empty.
        """
        if not ((own_size and 1 <= resolution <= HIGHEST) or is_resolution(resolution)) or channels not in (1, 3):
            raise DataError(
                f"{resolution}x{resolution}x{channels}: the resolution must be a power of two"
                f" from {LOWEST} to {HIGHEST}, with 1 or 3 channels"
            )
        if not 1 <= shards <= MOST_SHARDS:
            raise DataError(f"--shards={shards}: must be 1 to {MOST_SHARDS}")
        if shards > 1 and total is None:
            raise ValueError("shards need the total number of pictures")
        if total is not None and shards > total > 0:
            raise DataError(f"--shards={shards}: there are only {total} pictures; give {total} or less")
        self.folder = place(folder)
        self.name = name_of(folder)
        self.channels = channels
        self._shape, self.own_size = (resolution, resolution, channels), own_size
        self._total = total
        self.bytes_each = sum(record_bytes(side, side, channels) for side in self.resolutions)
        self._ends = [(shard + 1) * total // shards for shard in range(shards)] if shards > 1 else [sys.maxsize]
        self._counts = [0] * shards
        self._shard, self._files = -1, []  # the one being written, and its files
        self._labels: np.ndarray | None = None
        check_new_folder(folder)  # before any work; new_folder looks again

    @property
    def resolutions(self) -> list[int]:
        """Those being written, falling: the order of `encode_levels`."""
        if self.own_size:
            return [self._shape[0]]
        return sides(self._shape[0])

    @property
    def count(self) -> int:
        return sum(self._counts)

    @property
    def bytes(self) -> int:
        return self.count * self.bytes_each

    @property
    def blocks(self) -> list[range]:
        """The places that each shard is for, of `total` pictures."""
        ends = [min(end, self._total) for end in self._ends]
        return [range(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]

    def paths(self, shard: int) -> list[Path]:
        """Where the records of a shard go until the set is complete, one file for each of `resolutions`."""
        suffix = f"-{shard:05d}-of-{len(self._ends):05d}" if len(self._ends) > 1 else ""
        return [self._temporary / f"{self.name}-{_level(side)}{suffix}.tfrecords" for side in self.resolutions]

    def add(self, image: np.ndarray) -> None:
        """Appends a picture, uint8 [resolution, resolution, channels]."""
        if image.shape != self._shape:
            raise DataError(f"picture {self.count} has shape {list(image.shape)}, the data set {list(self._shape)}")
        self.add_records(encode_levels(image, self.own_size))

    def add_records(self, records: list[bytes], place: int | None = None) -> None:
        """Appends a picture that `encode_levels` has prepared, perhaps in another process.

        place: its number among the pictures, those that were left out included; they must come in order.
        """
        place = self.count if place is None else place
        shard = bisect_right(self._ends, place)
        with storing(self.folder):
            if shard != self._shard:
                self._close()
                self._shard, self._files = shard, [path.open("wb", _BUFFER_BYTES) for path in self.paths(shard)]
            for file, record in zip(self._files, records, strict=True):
                file.write(record)
        self.add_written(place)

    def add_written(self, place: int) -> None:
        """Counts a picture whose records another process has put into `paths`."""
        self._counts[bisect_right(self._ends, place)] += 1

    def add_labels(self, labels: np.ndarray) -> None:
        """Sets the labels, [pictures, label size] in the order of `add`; stored as float32."""
        self._labels = np.asarray(labels, np.float32)

    def add_text(self, suffix: str, lines: list[str]) -> None:
        """Writes `<folder>/<name><suffix>` as UTF-8; what is no text in a name, or would break its line, is escaped."""
        text = "".join(f"{shown(line)}\n" for line in lines)
        with storing(self.folder):
            (self._temporary / f"{self.name}{suffix}").write_text(text, encoding="utf-8", errors="backslashreplace")

    def __enter__(self) -> DatasetWriter:
        with ExitStack() as stack:
            self._temporary = stack.enter_context(new_folder(self.folder))
            stack.callback(self._abandon)
            self._check_space()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind, error, traceback) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, traceback)
            return
        with self._stack:
            self._finish()

    def _finish(self) -> None:
        if self.count == 0:
            raise DataError(f"{self.name}: no picture was added; a data set needs one at least")
        if 0 in self._counts:
            empty = self._counts.index(0)
            raise DataError(f"{self.name}: no picture of shard {empty} can be read; run it again with fewer --shards")
        if self._labels is not None and (self._labels.ndim != 2 or len(self._labels) != self.count):
            raise DataError(f"{self.name}: labels of shape {list(self._labels.shape)} for {self.count} pictures")
        with storing(self.folder):
            self._close()
            if self._labels is not None:
                with open(labels_path(self._temporary, self.name), "wb") as file:
                    np.save(file, self._labels)
                    _to_disk(file)
            self._check_kept()

    def _check_space(self) -> None:
        """Before any work. A file system that does not tell its size is trusted."""
        needed = (self._total or 0) * self.bytes_each
        usage = shutil.disk_usage(self._temporary)
        if usage.total and usage.free < needed:
            free = f"{math.floor(usage.free / 1e6):,} MB are free"  # the need up, this down: never alike
            if is_stored(self.folder):
                free += f" in {self._temporary.parent.parent}, where it is made before it is copied (TMPDIR says where)"
            raise DataError(
                f"{self.folder}: needs {math.ceil(needed / 1e6):,} MB, {free}; make room or choose another place"
            )

    def _check_kept(self) -> None:
        """That the disk has what was written: the size and the last record of each file, and all that a reader asks."""
        try:
            for shard, count in enumerate(self._counts):
                for path, resolution in zip(self.paths(shard), self.resolutions, strict=True):
                    length = record_bytes(resolution, resolution, self.channels)
                    content = open_file(path)
                    if content.size != count * length:
                        raise DataError(f"{path.name} has {content.size} bytes instead of {count * length}")
                    with located(path.name, count - 1, (count - 1) * length):
                        payload(content, (count - 1) * length)
            RecordDataset(self._temporary)
        except DataError as error:
            raise DataError(f"{self.folder}: the disk has not kept what was written ({error}); check it") from error

    def _close(self) -> None:
        for file in self._files:
            _to_disk(file)
            file.close()
        self._files = []

    def _abandon(self) -> None:
        for file in self._files:
            with suppress(OSError):  # a full disk refuses what is still in the buffer once more
                file.close()


def _level(side: int) -> str:
    """What the name of a resolution's files says of it."""
    return f"r{side.bit_length() - 1:02d}" if is_resolution(side) else f"{side}x{side}"


def _to_disk(file: BinaryIO) -> None:
    """Waits for the disk: network drives tell only now that they are full or gone."""
    file.flush()
    os.fsync(file.fileno())
