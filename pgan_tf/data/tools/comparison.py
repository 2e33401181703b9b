"""Two data sets, picture by picture."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import numpy as np

from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.errors import DataError
from pgan_tf.data.tools.batches import batches


@dataclass(frozen=True)
class Comparison:
    """Two data sets at full resolution."""

    counts: tuple[int, int]
    differing: int  # of the first min(counts)
    first_differing: int | None
    worst: int  # greatest difference of two pixel values, 0..255
    worst_image: int | None  # where it is
    psnr: float  # dB, over all values of the first min(counts); infinite where they are equal
    same_labels: bool

    @property
    def equal(self) -> bool:
        return self.counts[0] == self.counts[1] and not self.differing and self.same_labels

    def __str__(self) -> str:
        if self.equal:
            return f"equal: {self.counts[0]} images"
        text = f"{self.counts[0]} and {self.counts[1]} images, {self.differing} of the first {min(self.counts)} differ"
        if self.differing:
            text += f" (by up to {self.worst}, in image {self.worst_image}; the first is image {self.first_differing};"
            text += f" PSNR {self.psnr:.2f} dB)"
        return text + ("" if self.same_labels else "; the labels differ")


def compare(folder_a: str | os.PathLike, folder_b: str | os.PathLike) -> Comparison:
    """Compares two data sets picture by picture, a few megabytes at a time.

    PSNR = 10 log10(255^2 / mean squared difference). Raises DataError if their resolutions or channels differ.
    """
    a, b = RecordDataset(folder_a), RecordDataset(folder_b)
    if (a.resolution, a.channels) != (b.resolution, b.channels):
        raise DataError(
            f"{a.folder} has {a.resolution}x{a.resolution}x{a.channels} images, "
            f"{b.folder} {b.resolution}x{b.resolution}x{b.channels}; nothing to compare"
        )
    indices = np.arange(min(a.count, b.count))
    worst = np.zeros(len(indices), np.uint8)  # of each picture
    squares, values = 0, 0
    for chosen, batch_a in batches(a, indices, "comparing"):
        batch_b = b.read(b.resolution, chosen)
        difference = np.maximum(batch_a, batch_b) - np.minimum(batch_a, batch_b)  # uint8 [n,R,R,C]
        worst[chosen] = difference.max(axis=(1, 2, 3))
        counts = np.bincount(difference.ravel(), minlength=256)
        squares += int(counts @ np.arange(256) ** 2)  # exact, in integers
        values += difference.size
    differing = np.flatnonzero(worst)
    return Comparison(
        counts=(a.count, b.count),
        differing=differing.size,
        first_differing=int(differing[0]) if differing.size else None,
        worst=int(worst.max()),
        worst_image=int(worst.argmax()) if differing.size else None,
        psnr=10 * math.log10(255**2 * values / squares) if squares else math.inf,
        same_labels=_same(a.labels, b.labels),
    )


def _same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is b if a is None or b is None else np.array_equal(a, b)
