"""Random access to a data set folder: `<name>-rNN.tfrecords`, NN = log2 of the resolution, and `<name>-rxx.labels`.

Images of another size than a power of two are in `<name>-28x28.tfrecords`, and of no other size beside that. A
resolution may be cut into shards, `<name>-rNN-00000-of-00128.tfrecords` and so on: shard after shard they hold the
records that the one file would hold, in the same order.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from pgan_tf.data import tfrecord
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_whole
from pgan_tf.data.label_rows import vectors
from pgan_tf.data.remote import keep_small
from pgan_tf.errors import reason
from pgan_tf.places import for_each, is_stored, place

_RECORD_NAME = re.compile(
    r"(?P<name>.+)-(?P<level>r(?P<log2>\d\d)|(?P<side>[1-9]\d{0,3})x(?P=side))"
    r"(?:-(?P<shard>\d{5})-of-(?P<shards>\d{5}))?\.tfrecords",
    re.ASCII,
)

POINTS_SUFFIX = "-points.tfrecords"  # of the file of a set of points in the plane


class RecordFile:
    """The pictures of one record file, all of one resolution, read where they lie; each one's CRC is compared.

    Our files and NVIDIA's hold records of one length, so record i is at i * length and a batch is read as rows. A file
    whose records differ in length gets a list of offsets, scanned once; its pictures are decoded one at a time.

    Attributes: path, count, and shape, the (C, H, W) of every picture; content, the open file.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = place(path)
        self.content = tfrecord.open_file(path)
        with tfrecord.located(path, 0, 0):
            self._layout = tfrecord.image_layout(tfrecord.payload(self.content, 0))
            length = tfrecord.payload_length(self.content, 0)
        self.shape = self._layout[:3]
        self._stride = tfrecord.HEADER_BYTES + length + tfrecord.FOOTER_BYTES
        self._prefix = tfrecord.HEADER_BYTES + self._layout.offset  # bytes of a record before its pixels
        self._first = np.frombuffer(self.content.read(0, self._prefix), np.uint8)  # [prefix]
        if self._has_one_length():
            self._offsets = None
            self.count = self.content.size // self._stride
        else:
            self._offsets = np.fromiter(tfrecord.record_offsets(path, self.content), np.int64)
            self.count = len(self._offsets)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Pictures at `indices` [n] -> uint8 [n, H, W, C]. IndexError beyond 0..count-1, DataError for a bad record."""
        indices = _checked(indices, self.count)
        if self._offsets is not None:
            images = np.empty((len(indices), *self.shape), np.uint8)  # [n,C,H,W]
            odd = range(len(indices))
        else:
            rows = self.content.read_rows(indices, self._stride)  # [n,stride]
            images = rows[:, self._prefix : self._prefix + self._layout.size].reshape(-1, *self.shape)  # [n,C,H,W]
            odd = np.flatnonzero(~self._is_as_expected(rows))
        for i in odd:
            images[i] = self._decode(int(indices[i]))
        return np.ascontiguousarray(images.transpose(0, 2, 3, 1))

    def _is_as_expected(self, rows: np.ndarray) -> np.ndarray:
        """Which records [n, stride] have their pixels where the first has them, and are what was written: bool [n].

        Others are no error yet: protocol buffers promise no order of features.
        """
        same = (rows[:, : self._prefix] == self._first).all(axis=1)
        begin, end = tfrecord.HEADER_BYTES, self._stride - tfrecord.FOOTER_BYTES
        stored = np.ascontiguousarray(rows[:, end:]).view("<u4")[:, 0]  # [n]
        return same & (stored == tfrecord.masked_crcs(rows[:, begin:end]))

    def _has_one_length(self) -> bool:
        """Tells from the size and the last record, reading nothing between: a wrong guess is found out by `read`."""
        if self.content.size % self._stride:
            return False
        first = self.content.read(0, tfrecord.HEADER_BYTES)
        return first == self.content.read(self.content.size - self._stride, tfrecord.HEADER_BYTES)

    def _decode(self, index: int) -> np.ndarray:
        offset = index * self._stride if self._offsets is None else int(self._offsets[index])
        with tfrecord.located(self.path, index, offset):
            data = tfrecord.payload(self.content, offset)
            layout = tfrecord.image_layout(data)
            if layout[:3] != self.shape:
                raise DataError(f"shape {list(layout[:3])}, but the first record has {list(self.shape)}")
            return np.frombuffer(data, np.uint8, layout.size, layout.offset).reshape(self.shape)


class RecordLevel:
    """One resolution of a data set: its record file, or its shards read as one.

    Attributes: label, its file or files in messages; count; and shape, the (C, H, W) of every picture.
    """

    def __init__(self, paths: list[Path]):
        """`paths`: as `record_files` returns them. DataError: a file is damaged, or the shards' shapes differ."""
        self._each = for_each if is_stored(paths[0]) else _in_turn
        self._files = self._each(RecordFile, paths)
        keep_small(file.content for file in self._files)
        first = self._files[0]
        self.label, self.shape = _label(paths), first.shape
        for file in self._files:
            if file.shape != self.shape:
                other = f"{first.path.name} has {list(self.shape)} (C, H, W)"
                raise DataError(f"{file.path}: pictures of shape {list(file.shape)}, but {other}")
        self._ends = np.cumsum([file.count for file in self._files])
        self.count = int(self._ends[-1])

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Pictures at `indices` [n] -> uint8 [n, H, W, C]. IndexError beyond 0..count-1, DataError for a bad record."""
        indices = _checked(indices, self.count)
        channels, height, width = self.shape
        images = np.empty((len(indices), height, width, channels), np.uint8)
        shards = np.searchsorted(self._ends, indices, side="right")

        def read(shard: int) -> None:
            here, file = shards == shard, self._files[shard]
            images[here] = file.read(indices[here] - (self._ends[shard] - file.count))

        self._each(read, np.unique(shards))
        return images


def _in_turn(function: Callable, items: Iterable) -> list:
    return [function(item) for item in items]


class RecordDataset:
    """A data set folder, opened and checked.

    Attributes:
        folder: Path. name: base name of the files.
        resolution: the highest. resolutions: all of them, rising.
        channels: 1 or 3. count: number of pictures, the same at every resolution.
        labels: float32 [count, label_size], or None; label_size: 0 without labels.
    """

    kind, dtype = "images", np.uint8

    def __init__(self, folder: str | os.PathLike):
        """Raises DataError when a file is missing, damaged, or disagrees with the others."""
        self.folder = place(folder)
        self.name, paths = record_files(folder)
        self._levels = {resolution: RecordLevel(files) for resolution, files in paths.items()}
        self.resolutions = sorted(self._levels)
        self.resolution = self.resolutions[-1]
        full = self._levels[self.resolution]
        self.channels, self.count = full.shape[0], full.count
        for resolution, level in self._levels.items():
            _check_shape(self.folder / level.label, level.shape, resolution, self.channels)
            if level.count != self.count:
                where, other = self.folder / level.label, f"{full.label} has {self.count}"
                raise DataError(f"{where}: {level.count} pictures, but {other}; write the data set again")
        self.labels = read_labels(folder, self.name, self.count)
        self.label_size = 0 if self.labels is None else self.labels.shape[1]

    def content(self) -> str:
        """What is in it, in words."""
        colours = "grey" if self.channels == 1 else "RGB"
        return f"{self.count:,} image{'s' if self.count > 1 else ''} of {self.resolution}x{self.resolution}, {colours}"

    def shape(self, resolution: int) -> tuple[int, int, int]:
        """(R, R, C) of a picture at a resolution."""
        return resolution, resolution, self.channels

    def read(self, resolution: int, indices: np.ndarray) -> np.ndarray:
        """Pictures at `indices` [n] -> uint8 [n, resolution, resolution, channels] in that order; repeats allowed.

        See `positions`. IndexError beyond 0..count-1, DataError for a bad record.
        """
        if resolution not in self._levels:
            known = ", ".join(map(str, self.resolutions))
            raise DataError(f"{self.folder}: has no resolution {resolution}; it has {known}")
        return self._levels[resolution].read(positions(indices, self.count))


def positions(indices: np.ndarray, count: int) -> np.ndarray:
    """Which of `count` samples are meant, int64 [n]: by their positions, or by a mask, bool [count], as in numpy.

    DataError for a mask of another length, and for numbers that are not whole, which numpy would cut off.
    """
    given = np.asarray(indices)
    if given.dtype == bool and given.shape == (count,):
        return np.flatnonzero(given)
    if given.size and (given.dtype.kind not in "iu" or given.ndim != 1):
        form = f"{given.dtype} {list(given.shape)}"
        raise DataError(f"indices are {form}; give positions [n] from 0 to {count - 1}, or a mask bool [{count}]")
    return given.astype(np.int64)


def _checked(indices: np.ndarray, count: int) -> np.ndarray:
    """Positions, int64 [n]. IndexError for one beyond 0..count-1."""
    indices = np.asarray(indices, np.int64)
    if indices.size and not 0 <= indices.min() <= indices.max() < count:
        raise IndexError(f"indices {indices.min()}..{indices.max()} of {count} pictures")
    return indices


def has_records(folder: str | os.PathLike) -> bool:
    """Whether a folder is a data set, or was meant to be one."""
    names = (path.name for path in place(folder).iterdir())
    return any(name.endswith(".tfrecords") and not name.startswith(".") for name in names)


def lacks(folder: Path, resolution: int) -> str:
    """What a user reads of a data set without one of its lower resolutions."""
    way = f"dataset_tool.py create_from_tfrecords NEW_FOLDER {folder}"
    return f"{folder}: lacks resolution {resolution}; complete it: {way}"


def record_files(folder: str | os.PathLike) -> tuple[str, dict[int, list[Path]]]:
    """The base name of a data set's files and {resolution: its file, or its shards in order}, resolutions rising.

    Raises DataError unless there is one set, and all its shards.
    """
    folder = place(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; make a data set with dataset_tool.py first")
    check_whole(folder)
    files = [path.name for path in sorted(folder.iterdir()) if not path.name.startswith(".")]  # macOS leaves ._name
    matches = [match for match in map(_RECORD_NAME.fullmatch, files) if match]
    names = sorted({match["name"] for match in matches})
    points = [name.removesuffix(POINTS_SUFFIX) for name in files if name.endswith(POINTS_SUFFIX)]
    if points and not names:
        raise DataError(
            f"{folder}: holds points in the plane, and this takes images; give a data set of images, or with points "
            "what goes with them (display, stats, verify)"
        )
    if not names:
        raise DataError(
            f"{folder}: holds no *-rNN.tfrecords files; make a data set of its pictures: "
            f"python dataset_tool.py create_from_images datasets/NAME {shlex.quote(str(folder))}"
        )
    if len(names) + len(points) > 1:
        raise DataError(
            f"{folder}: holds several data sets ({', '.join([*names, *points])}); give each a folder of its own"
        )
    levels: dict[int, list[re.Match]] = {}
    for match in matches:
        levels.setdefault(int(match["side"] or 2 ** int(match["log2"] or 0)), []).append(match)
    for shards in levels.values():
        _check_shards(folder, shards)
    return names[0], {resolution: [folder / match.string for match in shards] for resolution, shards in levels.items()}


def labels_path(folder: str | os.PathLike, name: str) -> Path:
    """Where the labels of the data set called `name` are: a .npy file of float32 [N, L]."""
    return place(folder) / f"{name}-rxx.labels"


def read_labels(folder: str | os.PathLike, name: str, count: int) -> np.ndarray | None:
    """The labels float32 [count, L] of a data set, None where it has none. Raises DataError."""
    path = labels_path(folder, name)
    if not path.exists():
        return None
    if not path.is_file():  # opening a pipe would wait for its other end
        raise DataError(f"{path}: not a file; write the data set again")
    try:
        labels = _load(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    except Exception as error:  # numpy evaluates a header that may be anything
        raise DataError(f"{path}: not a .npy file of numbers; write the data set again") from error
    if not isinstance(labels, np.ndarray) or labels.ndim != 2 or labels.dtype.kind not in "biuf":
        raise DataError(f"{path}: must be one array of numbers [pictures, label size]; write the data set again")
    if len(labels) != count:
        raise DataError(f"{path}: {len(labels)} labels for {count} pictures; write the data set again")
    return vectors(labels, path)


def _load(path: Path) -> np.ndarray:
    """What a .npy file holds; of the disk by a map, which takes no memory for what the file does not have."""
    if is_stored(path):
        return np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _check_shards(folder: Path, shards: list[re.Match]) -> None:
    """Raises DataError unless the files of one resolution are one file, or shard 0 to the last one."""
    first = shards[0]
    level = f"{folder}: {first['name']}-{first['level']}"
    if len({(match["shards"], match["level"]) for match in shards}) > 1:
        raise DataError(f"{level} is there twice, as one file or in other shards; remove what does not belong")
    expected = range(int(first["shards"] or 1))
    there = {int(match["shard"] or 0) for match in shards}
    missing = [str(shard) for shard in expected if shard not in there]
    if missing or len(shards) != len(expected):
        some = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
        raise DataError(f"{level} should have {len(expected)} shards; missing: {some or 'none'}; copy the whole set")


def _label(paths: list[Path]) -> str:
    return paths[0].name.replace("-00000-of-", "-*-of-") if len(paths) > 1 else paths[0].name


def _check_shape(path: Path, shape: tuple[int, int, int], resolution: int, channels: int) -> None:
    if shape[1:] != (resolution, resolution):
        raise DataError(
            f"{path}: pictures of shape {list(shape)} (C, H, W); the name promises {resolution}x{resolution}"
        )
    if shape[0] not in (1, 3) or shape[0] != channels:
        raise DataError(f"{path}: {shape[0]} channels; all files of a set must have 1 (grey) or 3 (RGB)")
