"""Reads every byte of a data set and says what is wrong with it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pgan_tf.data import tfrecord
from pgan_tf.data.dataset import RecordDataset, lacks, read_labels, record_files
from pgan_tf.data.errors import DataError
from pgan_tf.data.points import PointDataset, has_points
from pgan_tf.data.pyramid import pyramid, sides
from pgan_tf.data.writer import is_resolution
from pgan_tf.places import place, size_of
from pgan_tf.progress import track


@dataclass
class Verification:
    """The outcome: `problems` is empty for a sound data set, else one line for each file's first bad record."""

    folder: Path
    counts: dict[int, int] = field(default_factory=dict)  # resolution -> sound records
    points: int = 0  # of a set of points, which has no resolutions
    bytes: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        if self.problems:
            advice = f"{len(self.problems)} problems; mend them, or write the data set again"
            return "\n".join([*self.problems, f"{self.folder}: {advice}"])
        found = f"{self.points} points"
        if self.counts:
            resolutions = ", ".join(map(str, self.counts))
            found = f"{next(iter(self.counts.values()))} images at the resolutions {resolutions}"
        return f"{self.folder}: sound; {found}, {self.bytes / 1e6:.1f} MB checked"


def verify(folder: str | os.PathLike, cascade: bool = False) -> Verification:
    """Checks the CRCs, layout and shape of every record, that the resolutions have as many, and the labels; of images
    or of points.

    cascade: also that each lower resolution is what `pyramid` makes of the full one. DataError if there is no data set.
    """
    result = Verification(place(folder))
    if has_points(folder):
        return _verify_points(result)
    name, files = record_files(folder)
    for resolution, paths in files.items():
        for path in paths:  # one, or the shards
            try:
                result.counts[resolution] = result.counts.get(resolution, 0) + _check_file(path, resolution)
                result.bytes += size_of(path)
            except DataError as error:
                result.problems.append(str(error))
    if not result.problems:
        _check_agreement(result, name, files)
    if cascade and len(files) > 1 and not result.problems:
        result.problems += _check_cascade(RecordDataset(folder), files)
    return result


def _verify_points(result: Verification) -> Verification:
    try:
        result.points = PointDataset(result.folder).count
        result.bytes = sum(size_of(path) for path in result.folder.iterdir())
    except DataError as error:
        result.problems.append(str(error))
    return result


def _check_file(path: Path, resolution: int) -> int:
    """The number of records, all of them sound; DataError names the first that is not."""
    content = tfrecord.open_file(path)
    offsets = list(tfrecord.record_offsets(path, content))
    shapes = set()
    for index, offset in enumerate(track(offsets, len(offsets), f"checking {path.name}")):
        with tfrecord.located(path, index, offset):
            shape = tfrecord.image_layout(tfrecord.payload(content, offset))[:3]
            shapes.add(shape[0])
            if shape[1:] != (resolution, resolution) or shape[0] not in (1, 3) or len(shapes) > 1:
                raise DataError(
                    f"shape {list(shape)} (C, H, W); the file's are [{min(shapes)}, {resolution}, {resolution}]"
                )
    return len(offsets)


def _check_agreement(result: Verification, name: str, files: dict[int, list[Path]]) -> None:
    full = max(files)
    count = result.counts[full]
    for resolution, paths in files.items():
        if result.counts[resolution] != count:
            other = f"{_label(files[full]).name} has {count}"
            result.problems.append(f"{_label(paths)}: {result.counts[resolution]} records, but {other}")
    lacking = set(sides(full)) - set(files) if len(files) > 1 and is_resolution(full) else ()  # one: --own_size
    if lacking:
        result.problems.append(lacks(result.folder, min(lacking)))
    try:
        read_labels(result.folder, name, count)
    except DataError as error:
        result.problems.append(str(error))


def _check_cascade(dataset: RecordDataset, files: dict[int, list[Path]]) -> list[str]:
    """One line for each resolution's first picture that is not the mean of the full one's boxes."""
    problems: dict[int, str] = {}
    for index in track(range(dataset.count), dataset.count, "checking means"):
        levels = pyramid(dataset.read(dataset.resolution, np.array([index])))
        for resolution in dataset.resolutions:
            stored = dataset.read(resolution, np.array([index]))
            if resolution not in problems and not np.array_equal(stored, levels.get(resolution, stored)):
                worst = np.abs(stored.astype(int) - levels[resolution]).max()
                problems[resolution] = (
                    f"{_label(files[resolution])}: record {index} is not the full one's means (off by up to {worst})"
                )
    return list(problems.values())


def _label(paths: list[Path]) -> Path:
    """One name for a resolution's file or shards."""
    return paths[0] if len(paths) == 1 else paths[0].with_name(paths[0].name.replace("-00000-of-", "-*-of-"))
