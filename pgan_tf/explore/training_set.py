"""The training pictures nearest to generated ones, at once: small copies of all of them say which few to look at.

The mean squared difference of two pictures is never below that of their means over squares of pixels. So whoever is
further away by the small copies than the k-th best by the pixels need not be read: what is found is exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pgan_tf.data import identity
from pgan_tf.evaluation.sets import ImageSet, open_set
from pgan_tf.explore.engine import Engine
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.search.overfitting import Searched
from pgan_tf.networks.saved import folder_of
from pgan_tf.places import place

SMALL = 16  # pixels a side of the copies
MOST_BYTES = 2**30  # of all copies
READ = 32  # pictures at a time


class Near(NamedTuple):
    """The k training pictures nearest to one, the nearest first."""

    pictures: np.ndarray  # uint8 [k,R,R,C]
    indices: np.ndarray  # int64 [k], in the set
    distances: np.ndarray  # float64 [k]: the root of the mean squared difference, 1 is black against white


class TrainingSet:
    """Takes the time of reading the set once, and 3 kB of memory for each picture in colour.

    `holdout`: the share that the run has not learned from, which is not searched.
    """

    def __init__(self, reals: ImageSet, holdout: float = 0.0):
        searched = Searched.learned(reals, holdout)
        reals = self._reals = searched.part
        self._positions = searched.positions
        bytes_needed = reals.count * _side(reals.shape[0]) ** 2 * reals.shape[-1] * 4
        if bytes_needed > MOST_BYTES:
            raise GenerateError(f"{reals.name}: {reals.count} pictures are too many to search while one waits")
        self._small = np.concatenate([_small(batch) for batch in reals])  # [N,D]
        self._squares = np.einsum("nd,nd->n", self._small, self._small)  # [N]

    def nearest(self, picture: np.ndarray, k: int) -> Near:
        """Of uint8 [R,R,C]."""
        k = min(k, self._reals.count)
        small = _small(picture[None])[0]  # [D]
        bounds = np.maximum(self._squares - 2 * self._small @ small + small @ small, 0)  # [N]
        order = np.argsort(bounds, kind="stable")
        indices, distances = np.zeros(0, np.int64), np.zeros(0)
        for begin in range(0, len(order), READ):
            part = order[begin : begin + READ]
            if len(distances) >= k and bounds[part[0]] * (1 - 1e-3) > distances[k - 1]:
                break
            indices = np.concatenate([indices, part])
            distances = np.concatenate([distances, _squared(self._reals.read(part), picture)])
            best = np.lexsort([indices, distances])[:k]
            indices, distances = indices[best], distances[best]
        return Near(self._reals.read(indices), self._positions[indices], np.sqrt(distances))


def open_training_set(engine: Engine) -> TrainingSet:
    """Reads the pictures that a network was trained on. GenerateError, DataError or MetricError; no paths of others."""
    if engine.config is None:
        raise GenerateError("an exported or imported network does not say what it was trained on")
    path = identity.find(folder_of(engine.path), engine.config.data.dataset)
    if not path or not place(path).exists():
        raise GenerateError("the run's training pictures are not where they were")
    reals = open_set(path, engine.resolution)
    if not isinstance(reals, ImageSet):
        raise GenerateError("of the training pictures there are only statistics")
    return TrainingSet(reals, engine.config.data.holdout)


def _side(resolution: int) -> int:
    """Of a picture's small copy."""
    return SMALL if resolution % SMALL == 0 else resolution


def _small(pictures: np.ndarray) -> np.ndarray:
    """uint8 [n,R,R,C] -> means of squares of pixels as rows whose squared distances are mean squared differences."""
    n, resolution, _, channels = pictures.shape
    side, square = _side(resolution), resolution // _side(resolution)
    means = pictures.reshape(n, side, square, side, square, channels).mean(axis=(2, 4), dtype=np.float32)
    return means.reshape(n, -1) / np.float32(255 * np.sqrt(means[0].size))  # [n,D]


def _squared(reals: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Mean squared differences [n] of uint8 [n,R,R,C] from [R,R,C], 1 is black against white."""
    return np.square((reals.astype(np.float64) - picture) / 255).mean(axis=(1, 2, 3))
