"""Sliced Wasserstein distance between the local structures of two image sets (Karras et al. 2018, section 5).

Every image is split into the levels of a Laplacian pyramid; from every level come 128 random patches of 7x7 pixels.
Per level, the two clouds of patches are projected on 512 random directions, and the distance is the mean over the
directions of the one-dimensional Wasserstein distance, times 1000.

How it is computed. In one dimension the distance is the area between the two cumulative distributions, so there is no
need to keep or sort anything: the projections are counted in narrow bins (`_BINS`, 0.4% wide relative to the value),
one histogram per direction. Two million patches then cost 33 MB per level, whatever the number of images; batches may
have any size, and counts do not depend on their order. The images are read twice: the projection needs the mean and
deviation of the set, which the first reading finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from . import images as image_sets
from .errors import MetricError
from .pyramid import SMALLEST, laplacian_pyramid, levels

PATCH = 7  # pixels
PATCHES = 128  # per image and level
DIRECTIONS = 512  # the paper's 4 x 128
ROLES = {"reals": 0, "fakes": 1}  # each has its own random positions, as two independent draws

_DROPPED_BITS = 2  # of a float16's 10 bits of mantissa
_BINS = 1 << (16 - _DROPPED_BITS)
_PIXELS_AT_A_TIME = 1 << 21  # of images in work: bounds the memory
_IMAGES_AT_A_TIME = 512  # whose patches are projected together: 65,536 share the cost of handling 16,384 bins


@dataclass(frozen=True)
class Projections:
    """What the distance needs to know of one set.

    Attributes:
        shape: of the images, (H, W, C).
        count: how many images.
        seed: of positions and directions.
        counts: {level's resolution: [DIRECTIONS, _BINS] uint32, how many projected patches fell into each bin}.
    """

    shape: tuple[int, int, int]
    count: int
    seed: int
    counts: dict[int, np.ndarray]


def sliced_wasserstein(reals: Iterable, fakes: Iterable, seed: int = 0) -> dict[str, float]:
    """The distance x 1000 per level and on average: {'64': .., '32': .., '16': .., 'avg': ..}.

    Args:
        reals: uint8 images [n,H,W,C] in batches of any size; H = W = a power of two, at least 16; C = 1 or 3.
        fakes: as many of the same shape.
        seed: of the random positions and directions; the same seed gives the same numbers.

    Raises:
        MetricError: the sets differ in size or number, or cannot be compared.
    """
    return distance(project(reals, "reals", seed), project(fakes, "fakes", seed))


def distance(reals: Projections, fakes: Projections) -> dict[str, float]:
    """See `sliced_wasserstein`; for when one of the two sets is used several times."""
    for what in ("shape", "count", "seed"):
        ours, theirs = getattr(reals, what), getattr(fakes, what)
        if ours != theirs:
            raise MetricError(f"SWD compares sets of one {what}; the reals have {ours}, the fakes {theirs}")
    values = {
        str(level): 1e3 * float(np.mean(_area_between(counts, fakes.counts[level])))
        for level, counts in reals.counts.items()
    }
    return {**values, "avg": float(np.mean(list(values.values())))}


def project(images: np.ndarray | Iterable, role: str, seed: int = 0) -> Projections:
    """Counts a set's projected patches. `role`: 'reals' or 'fakes', which get independent random positions."""
    with image_sets.rewindable(images) as again:
        shape = _shape(again)
        reader = _PatchReader(again, shape, [seed, ROLES[role]])
        count, normalisation = _normalisation(reader)
        with _Histograms(shape, normalisation, seed) as histograms:
            for patches in reader.patches(normalisation):
                histograms.add(patches)
            return Projections(shape, count, seed, histograms.finish())


def _shape(images: Iterable) -> tuple[int, int, int]:
    first = next(image_sets.chunks(images, 1), None)
    if first is None:
        raise MetricError("SWD needs images; the set is empty")
    check_shape(first.shape[1:])
    return first.shape[1:]


def check_shape(shape: tuple[int, int, int]) -> None:
    """MetricError unless images (H, W, C) have a pyramid down to 16x16."""
    height, width, _ = shape
    if height != width or height & (height - 1) or height < SMALLEST:
        raise MetricError(f"SWD needs square images of 16, 32, 64, ... pixels, not {height}x{width}")


Normalisation = dict[int, tuple[np.ndarray, np.ndarray]]  # {level: (mean, deviation)}, each float32 [C]


class _PatchReader:
    """Reads a set's patches, at the same positions in every pass."""

    def __init__(self, images: Iterable, shape: tuple[int, int, int], seed: list[int]):
        self.levels, self._seed, self._images, self._channels = levels(shape[0]), seed, images, shape[-1]
        self._size = max(1, min(_IMAGES_AT_A_TIME, _PIXELS_AT_A_TIME // shape[0] ** 2))

    def patches(self, normalisation: Normalisation | None = None) -> Iterator[dict[int, tf.Tensor]]:
        """{level: float32 [n,PATCHES*PATCH*PATCH,C]} of one chunk of images after the other."""
        identity = np.zeros(self._channels, np.float32), np.ones(self._channels, np.float32)
        scales = [(normalisation or {}).get(level, identity) for level in self.levels]
        random = [np.random.default_rng([*self._seed, level]) for level in self.levels]
        for chunk in image_sets.chunks(self._images, self._size):
            corners = [
                source.integers(0, level - PATCH + 1, (len(chunk), PATCHES, 2)).astype(np.int32)
                for source, level in zip(random, self.levels, strict=True)
            ]
            yield dict(zip(self.levels, descriptors(chunk, corners, scales), strict=True))


@tf.function(jit_compile=True)
def descriptors(images: tf.Tensor, corners: list[tf.Tensor], scales: list[tuple]) -> list[tf.Tensor]:
    """Patches of every level of the pyramid.

    Args:
        images: uint8 [n,R,R,C].
        corners: per level int32 [n,PATCHES,2]: (row, column) of every patch's first pixel.
        scales: per level (mean [C], deviation [C]), taken off and divided by.

    Returns:
        Per level float32 [n,PATCHES*PATCH*PATCH,C].
    """
    window = tf.range(PATCH)
    found = []
    pyramid = laplacian_pyramid(tf.cast(images, tf.float32))
    for level, corner, (mean, deviation) in zip(pyramid, corners, scales, strict=True):
        side, channels = level.shape[1], level.shape[3]
        rows = corner[:, :, 0, None, None] + window[:, None]  # [n,PATCHES,7,1]
        pixels = rows * side + corner[:, :, 1, None, None] + window  # [n,PATCHES,7,7]
        flat = tf.reshape((level - mean) / deviation, [-1, side * side, channels])  # [n,R*R,C]
        found.append(tf.gather(flat, tf.reshape(pixels, [-1, corner.shape[1] * PATCH * PATCH]), batch_dims=1))
    return found


def _normalisation(reader: _PatchReader) -> tuple[int, Normalisation]:
    """How many images there are, and each level's mean and deviation per channel over all patches of the set."""
    sums, count = dict.fromkeys(reader.levels, 0), 0
    for patches in reader.patches():
        for level, patch in patches.items():
            per_image = np.stack([part.numpy() for part in _sums(patch)])  # [2,n,C]
            sums[level] += per_image.sum(1, dtype=np.float64)  # [2,C]
        count += len(patch)
    values = count * PATCHES * PATCH * PATCH
    return count, {level: mean_deviation(total, values) for level, total in sums.items()}


def mean_deviation(sums: np.ndarray, values: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums and sums of squares over so many values, float64 [2,C] -> float32 mean [C], deviation [C] (ddof 0)."""
    mean, square = sums / values
    deviation = np.sqrt(np.maximum(square - mean * mean, 0))
    deviation[deviation == 0] = 1  # a channel without any structure stays 0
    return mean.astype(np.float32), deviation.astype(np.float32)


@tf.function
def _sums(patches: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """[n,P,C] -> sums and sums of squares over P, 2 x [n,C]."""
    return tf.reduce_sum(patches, 1), tf.reduce_sum(patches * patches, 1)


def directions(channels: int, level: int, seed: int) -> np.ndarray:
    """Unit vectors in the space of patches: float32 [DIRECTIONS,PATCH*PATCH*channels]."""
    vectors = np.random.default_rng([seed, len(ROLES), level]).standard_normal((DIRECTIONS, PATCH * PATCH * channels))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class _Histograms:
    """Counts patches as they come; a second thread counts while TensorFlow works on the next ones."""

    def __init__(self, shape: tuple[int, int, int], normalisation: Normalisation, seed: int):
        self._directions = {level: directions(shape[-1], level, seed) for level in normalisation}
        self._counts = {level: np.zeros((DIRECTIONS, _BINS), np.uint32) for level in normalisation}
        self._waiting = {level: [] for level in normalisation}
        self._pool, self._job = ThreadPoolExecutor(1), None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._pool.shutdown()

    def add(self, patches: dict[int, tf.Tensor]) -> None:
        for level, patch in patches.items():
            self._waiting[level].append(patch)
            if sum(map(len, self._waiting[level])) >= _IMAGES_AT_A_TIME:
                self._project(level)

    def finish(self) -> dict[int, np.ndarray]:
        for level, waiting in self._waiting.items():
            if waiting:
                self._project(level)
        self._wait()
        return self._counts

    def _project(self, level: int) -> None:
        bins = _projected_bins(tf.concat(self._waiting[level], 0), self._directions[level])
        self._waiting[level] = []
        self._wait()
        self._job = self._pool.submit(_count, self._counts[level], bins)

    def _wait(self) -> None:
        if self._job:
            self._job.result()
            self._job = None


@tf.function(jit_compile=True)
def _projected_bins(patches: tf.Tensor, directions: tf.Tensor) -> tf.Tensor:
    """[n,PATCHES*49,C] -> the bin of every patch's projection, uint16 [DIRECTIONS,n*PATCHES]."""
    patches = tf.reshape(patches, [-1, directions.shape[1]])  # [n*PATCHES,49*C]
    projected = tf.cast(tf.matmul(directions, patches, transpose_b=True), tf.float16)  # [DIRECTIONS,n*PATCHES]
    return tf.bitwise.right_shift(tf.bitcast(projected, tf.uint16), tf.constant(_DROPPED_BITS, tf.uint16))


def _count(counts: np.ndarray, bins: tf.Tensor) -> None:
    for row, found in zip(counts, bins.numpy(), strict=True):
        row += np.bincount(found, minlength=_BINS).astype(np.uint32)


def _bin_values() -> np.ndarray:
    """The value that stands for each bin: float64 [_BINS], the middle of the float16 numbers in it."""
    first = np.arange(_BINS, dtype=np.uint16) << _DROPPED_BITS
    last = first + np.uint16((1 << _DROPPED_BITS) - 1)
    with np.errstate(invalid="ignore"):
        return (first.view(np.float16).astype(np.float64) + last.view(np.float16).astype(np.float64)) / 2


def _area_between(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Wasserstein-1 distances of histograms [D,_BINS] with equal totals -> [D]: the area between their CDFs."""
    values = _bin_values()
    used = np.flatnonzero(ours.any(axis=0) | theirs.any(axis=0))  # between these neither CDF changes
    order = used[np.argsort(values[used])]
    steps = np.diff(values[order])
    total = ours[0].sum(dtype=np.int64)
    changes = (a[order].astype(np.int64) - b[order] for a, b in zip(ours, theirs, strict=True))
    return np.array([np.abs(np.cumsum(change)[:-1]) @ steps / total for change in changes])
