"""Which training images does each generated one resemble most? The check whether a network has learned them by heart.

Pixels find copies; the features of a network also find the same thing moved, or in another shade. Both are only an aid
to the eye: lay them side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from pgan_tf.evaluation.sets import ImageSet
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors.base import Extractor
from pgan_tf.metrics.images import chunks
from pgan_tf.metrics.neighbors import Neighbors, nearest
from pgan_tf.metrics.progress import progress

CHUNK = 256  # images whose features are worked out and compared at a time
SAMPLE = 64  # training images that are looked up in their own set; fewer above 128x128, where each costs more


class Measure(NamedTuple):
    """How alike two images are: the distance of what `describe` makes of them, pixels or vectors."""

    name: str
    describe: Callable[[Iterable[np.ndarray]], Iterator[np.ndarray]]  # batches uint8 [n,H,W,C] -> what `nearest` takes


class Neighborhood(NamedTuple):
    """The k training images most like each of Q images, the nearest first.

    Distances of pixels are the root of the mean squared difference, where 1 is black against white; distances of
    features are Euclidean and comparable only within one extractor.
    """

    measure: str
    indices: np.ndarray  # [Q,k] int64, positions in the data set
    distances: np.ndarray  # [Q,k] float64
    mirrored: np.ndarray  # [Q,k] bool: the mirror image of the query is what comes so near
    usual: float  # median distance of a training image to the nearest other one

    @property
    def copies(self) -> int:
        """How many of the Q images are training images, or mirrored ones, to the last bit."""
        return int((self.distances[:, 0] == 0).sum())

    def images(self, reals: ImageSet) -> np.ndarray:
        """The neighbours as they were compared, mirrored or not: uint8 [Q,k,H,W,C]."""
        there = reals.read(self.indices.ravel()).reshape(*self.indices.shape, *reals.shape)
        return np.where(self.mirrored[..., None, None, None], there[:, :, :, ::-1], there)  # [Q,k,1,1,1] chooses


def pixels() -> Measure:
    """Pixel by pixel."""
    return Measure("pixels", iter)


def features(extractor: Extractor) -> Measure:
    """By the vectors that a network makes of the images; bears the extractor's name."""
    from pgan_tf.metrics.features import extract

    def describe(batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for chunk in chunks(batches, CHUNK):
            yield extract(extractor, chunk, progress=False).features  # [n,F]

    return Measure(extractor.name, describe)


def neighborhood(
    images: np.ndarray, reals: ImageSet, k: int, measure: Measure, mirror: bool = False, seed: int = 0,
    shown: bool = True,
) -> Neighborhood:  # fmt: skip
    """The k images of `reals` nearest to each of `images`, uint8 [Q,H,W,C].

    The set is read once, in batches; memory does not grow with it.

    Args:
        images: what to look up.
        reals: the training set, of the same shape.
        k: how many neighbours; fewer than there are reals.
        measure: `pixels()` or `features(extractor)`.
        mirror: also compare the mirror image of each query, and count each real at the smaller distance. For runs that
            were trained with mirrored images: a mirrored copy is a copy.
        seed: chooses the training images that are looked up among the others.
        shown: whether to show the progress on stderr.

    Raises:
        MetricError: sets of different shapes, not more than k reals.
    """
    if tuple(images.shape[1:]) != tuple(reals.shape):
        ours, theirs = list(images.shape[1:]), list(reals.shape)
        raise MetricError(f"{reals.name}: its images are {theirs} (height, width, channels), the generated ones {ours}")
    if not 1 <= k < reals.count:
        raise MetricError(f"{k} neighbours asked of {reals.name}: give 1 to {reals.count - 1}")
    chosen = np.random.default_rng(seed).choice(reals.count, min(sample(reals.shape[0]), reals.count), replace=False)
    queries = np.concatenate([images, reals.read(chosen)])  # [Q+S,H,W,C]
    if mirror:
        queries = np.concatenate([queries, queries[:, :, ::-1]])  # [2(Q+S),H,W,C]
    described = np.concatenate(list(measure.describe([queries])))
    with progress(f"{measure.name} of the training images", reals.count, shown) as advance:
        # Each sample finds itself, so one more is asked for.
        neighbors = nearest(described, measure.describe(_counted(reals, advance)), k + 1)
    neighbors, mirrored = _distinct(neighbors, k + 1, halves=2 if mirror else 1)
    q = len(images)
    return Neighborhood(
        measure.name, neighbors.indices[:q, :k], neighbors.distances[:q, :k], mirrored[:q, :k],
        _usual(Neighbors(neighbors.indices[q:], neighbors.distances[q:]), chosen),
    )  # fmt: skip


def sample(resolution: int) -> int:
    """How many training images are looked up in their own set."""
    return max(8, min(SAMPLE, SAMPLE * 128**2 // resolution**2))


def _counted(reals: ImageSet, advance: Callable[[int], None]) -> Iterator[np.ndarray]:
    for batch in reals:
        yield batch
        advance(len(batch))


def _distinct(found: Neighbors, k: int, halves: int) -> tuple[Neighbors, np.ndarray]:
    """Joins what images and their mirror images found: each reference once, at its smaller distance.

    The k nearest of both are among the k nearest of either. -> neighbours [Q,k], and which are mirrored [Q,k].
    """
    indices, distances = (np.concatenate(np.split(part, halves), axis=1) for part in found)  # [Q,halves*k]
    order = np.argsort(distances, axis=1, kind="stable")
    rows = []
    for ranked, row in zip(order, indices, strict=True):
        first = np.unique(row[ranked], return_index=True)[1]  # where each reference comes first
        rows.append(ranked[np.sort(first)[:k]])
    chosen = np.stack(rows)  # [Q,k]
    take = np.take_along_axis
    return Neighbors(take(indices, chosen, axis=1), take(distances, chosen, axis=1)), chosen >= k


def _usual(found: Neighbors, chosen: np.ndarray) -> float:
    """Median distance of the training images `chosen` [S] to the nearest one that is not themselves."""
    others = np.where(found.indices == chosen[:, None], np.inf, found.distances)  # [S,k+1]
    return float(np.median(others.min(axis=1)))
