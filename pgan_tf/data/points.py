"""A data set of points in the plane: `<name>-points.tfrecords`, `<name>-points.json`, and `<name>-rxx.labels`.

The records hold some thousand points each (tfrecord.py), the JSON says what was drawn, the labels are those of images.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf.data import tfrecord
from pgan_tf.data.dataset import POINTS_SUFFIX, labels_path, positions, read_labels
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_whole, new_folder, storing
from pgan_tf.data.pyramid import LOWEST
from pgan_tf.places import name_of, place

ORIGIN_SUFFIX = "-points.json"
_IN_A_RECORD = 4096


class Origin(NamedTuple):
    """What the points of a set were drawn from."""

    distribution: str
    noise: float  # standard deviation
    seed: int


class PointDataset:
    """A data set folder of points, all of which are read and checked when it is opened.

    Nothing in a point depends on a resolution: it is what a run counts the rungs of its ladder by.

    Attributes:
        folder: Path. name: base name of the files. count: of the points. origin: Origin.
        labels: float32 [count, label_size], or None; label_size: 0 without labels.
        channels: 2, a point's components. resolution, resolutions: the rung that a run has by default, and all it may.
    """

    kind, dtype, channels = "points", np.float32, 2
    resolution, resolutions = LOWEST, tuple(2**n for n in range(2, 15))

    def __init__(self, folder: str | os.PathLike):
        """Raises DataError where there is none, or a file is missing or damaged."""
        self.folder = place(folder)
        self.name = _name(self.folder)
        self.points = _read(self.folder / f"{self.name}{POINTS_SUFFIX}")  # [count,2]
        self.count = len(self.points)
        self.origin = _read_origin(self.folder / f"{self.name}{ORIGIN_SUFFIX}")
        self.labels = read_labels(folder, self.name, self.count)
        self.label_size = 0 if self.labels is None else self.labels.shape[1]

    def content(self) -> str:
        """What is in it, in words."""
        return f"{self.count:,} points in the plane, {self.origin.distribution}"

    def shape(self, resolution: int) -> tuple[int]:
        """(2,), whatever the resolution."""
        return (2,)

    def read(self, resolution: int, indices: np.ndarray) -> np.ndarray:
        """Points at `indices` [n] -> float32 [n, 2] in that order; repeats allowed. See `dataset.positions`."""
        chosen = positions(indices, self.count)
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < self.count:
            raise IndexError(f"indices {chosen.min()}..{chosen.max()} of {self.count} points")
        return self.points[chosen]


def has_points(folder: str | os.PathLike) -> bool:
    """Whether there is such a folder, and it is a data set of points."""
    folder = place(folder)
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return any(name.endswith(POINTS_SUFFIX) and not name.startswith(".") for name in names)


def write_points(
    folder: str | os.PathLike, points: np.ndarray, labels: np.ndarray | None, names: list[str], origin: Origin
) -> None:
    """Makes a data set of points [N,2] and their labels [N,L], whose classes have names; complete or not at all.

    Raises DataError.
    """
    name = name_of(folder)
    with new_folder(folder) as temporary, storing(folder):
        with open(temporary / f"{name}{POINTS_SUFFIX}", "wb") as file:
            for begin in range(0, len(points), _IN_A_RECORD):
                file.write(tfrecord.frame(tfrecord.encode_points(points[begin : begin + _IN_A_RECORD])))
        (temporary / f"{name}{ORIGIN_SUFFIX}").write_text(json.dumps(origin._asdict(), indent=2) + "\n")
        if labels is not None:
            with open(labels_path(temporary, name), "wb") as file:
                np.save(file, labels.astype(np.float32))
            (temporary / f"{name}-labels.txt").write_text("".join(f"{line}\n" for line in names))
        try:
            PointDataset(temporary)
        except DataError as error:
            raise DataError(f"{folder}: the disk has not kept what was written ({error}); check it") from error


def _name(folder: Path) -> str:
    """The base name of a set's files. DataError unless there is one set of points."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; make a data set with dataset_tool.py first")
    check_whole(folder)
    found = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    names = [name.removesuffix(POINTS_SUFFIX) for name in found if name.endswith(POINTS_SUFFIX)]
    if not names and any(name.endswith(".tfrecords") for name in found):
        raise DataError(
            f"{folder}: holds images, and this takes points in the plane; make some: "
            "python dataset_tool.py create_planar datasets/NAME swissroll"
        )
    if not names:
        raise DataError(f"{folder}: holds no *{POINTS_SUFFIX}; make it: python dataset_tool.py create_planar")
    if len([name for name in found if name.endswith(".tfrecords")]) > 1:
        raise DataError(f"{folder}: holds several data sets; give each a folder of its own")
    return names[0]


def _read(path: Path) -> np.ndarray:
    """The points of a record file, float32 [N,2]."""
    content, parts = tfrecord.open_file(path), []
    for index, offset in enumerate(tfrecord.record_offsets(path, content)):
        with tfrecord.located(path, index, offset):
            parts.append(tfrecord.decode_points(tfrecord.payload(content, offset)))
    points = np.concatenate(parts)
    if not len(points):
        raise DataError(f"{path}: holds no point; write the data set again")
    return points


def _read_origin(path: Path) -> Origin:
    try:
        found = json.loads(path.read_bytes())
        return Origin(str(found["distribution"]), float(found["noise"]), int(found["seed"]))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; write the data set again") from error
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise DataError(f"{path}: does not say what the points were drawn from; write the data set again") from error
