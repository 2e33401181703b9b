"""What one does with a finished data set: look at it, turn it back into picture files, compare it with another."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import new_folder
from pgan_tf.data.progress import track
from pgan_tf.grids import grid, save_png, to_pillow

_BATCH_BYTES = 2**24
_LEAST_TILE = 32  # pixels; smaller pictures are shown enlarged


@dataclass(frozen=True)
class Comparison:
    """Two data sets, picture by picture at full resolution."""

    counts: tuple[int, int]
    differing: int  # of the first min(counts)
    first_differing: int | None
    worst: int  # greatest difference of two pixel values, 0..255
    same_labels: bool

    @property
    def equal(self) -> bool:
        return self.counts[0] == self.counts[1] and not self.differing and self.same_labels

    def __str__(self) -> str:
        if self.equal:
            return f"equal: {self.counts[0]} images"
        text = f"{self.counts[0]} and {self.counts[1]} images, {self.differing} of the first {min(self.counts)} differ"
        if self.differing:
            text += f" (by up to {self.worst}; the first is image {self.first_differing})"
        return text + ("" if self.same_labels else "; the labels differ")


def display(
    folder: str | os.PathLike, output: str | os.PathLike | None = None, resolution: int | None = None, num: int = 64
) -> Path:
    """Writes a PNG of the first `num` pictures of a data set (default: `<name>-<resolution>.png` here); returns it.

    Pictures below 32x32 are shown enlarged, each pixel as a square. Raises DataError.
    """
    if num < 1:
        raise DataError(f"--num={num}: must be 1 or more")
    dataset = RecordDataset(folder)
    resolution = resolution or dataset.resolution
    images = dataset.read(resolution, np.arange(min(num, dataset.count)))
    path = Path(output or f"{dataset.name}-{resolution}.png")
    if path.suffix.lower() != ".png":
        raise DataError(f"--output={path}: the picture is a PNG; give a name that ends with .png")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, grid(images, math.ceil(math.sqrt(len(images))), _LEAST_TILE))
    return path


def extract(folder: str | os.PathLike, out: str | os.PathLike) -> int:
    """Writes the pictures of a data set to `out` as img%08d.png, and its labels as labels.npy; returns how many.

    Making a data set of `out` without shuffling gives the same records again. Raises DataError.
    """
    dataset = RecordDataset(folder)
    with new_folder(out) as temporary:
        images = (image for batch in _batches(dataset) for image in batch)
        for index, image in enumerate(track(images, dataset.count, "extracting")):
            to_pillow(image).save(temporary / f"img{index:08d}.png")
        if dataset.labels is not None:
            np.save(temporary / "labels.npy", dataset.labels)
    return dataset.count


def compare(folder_a: str | os.PathLike, folder_b: str | os.PathLike) -> Comparison:
    """Compares two data sets picture by picture. Raises DataError if their resolutions or channels differ."""
    a, b = RecordDataset(folder_a), RecordDataset(folder_b)
    if (a.resolution, a.channels) != (b.resolution, b.channels):
        raise DataError(
            f"{a.folder} has {a.resolution}x{a.resolution}x{a.channels} images, "
            f"{b.folder} {b.resolution}x{b.resolution}x{b.channels}; nothing to compare"
        )
    count = min(a.count, b.count)
    worst = np.zeros(0, np.uint8)  # of each picture
    for batch_a, batch_b in zip(_batches(a, count), _batches(b, count), strict=True):
        difference = np.maximum(batch_a, batch_b) - np.minimum(batch_a, batch_b)
        worst = np.append(worst, difference.max(axis=(1, 2, 3)))
    differing = np.flatnonzero(worst)
    same_labels = a.labels is b.labels is None or np.array_equal(_or_empty(a.labels), _or_empty(b.labels))
    first = int(differing[0]) if differing.size else None
    return Comparison((a.count, b.count), differing.size, first, int(worst.max()), same_labels)


def _batches(dataset: RecordDataset, count: int | None = None) -> Iterator[np.ndarray]:
    """Yields the first `count` (or all) pictures in order, uint8 [n, R, R, C], a few megabytes at a time."""
    count = dataset.count if count is None else count
    size = max(1, _BATCH_BYTES // (dataset.resolution**2 * dataset.channels))
    for begin in range(0, count, size):
        yield dataset.read(dataset.resolution, np.arange(begin, min(begin + size, count)))


def _or_empty(labels: np.ndarray | None) -> np.ndarray:
    return np.zeros((0, 0), np.float32) if labels is None else labels
