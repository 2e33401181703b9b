"""Precision and recall of generated images: how many are realistic, and how much of the real variety do they cover?"""

from __future__ import annotations

import numpy as np

from .errors import MetricError
from .neighbors import squared_distances


def precision_recall(
    real: np.ndarray, fake: np.ndarray, neighborhood: int = 3, block: int = 2000
) -> tuple[float, float]:
    """Of features [N,F] and [M,F] -> (precision, recall), both in 0..1.

    Kynkäänniemi et al. 2019: around each image of a set lies a ball that reaches to its k-th neighbour in that set, and
    the union of the balls stands for the set. Precision is the share of the fakes within the reals' balls, recall the
    share of the reals within the fakes'. k and the inclusive comparison are torch-fidelity's; distances are in float64.

    Memory, whatever N and M are: 4 float64 matrices [block, block] and two [block, F], 200 MB at 2048 features, beside
    the features themselves. `block` does not change the result. Time grows with (N + M)^2.

    Raises:
        MetricError: not more than `neighborhood` images, numbers of features that differ, values that are not finite.
    """
    real, fake = np.asarray(real), np.asarray(fake)
    _check(real, fake, neighborhood)
    # Distances do not depend on the origin, but their rounding does.
    origin = real.mean(axis=0, dtype=np.float64)  # [F]
    real_radii = squared_radii(real, origin, neighborhood, block)  # [N]
    fake_radii = squared_radii(fake, origin, neighborhood, block)  # [M]
    real_found, fake_found = np.zeros(len(real), bool), np.zeros(len(fake), bool)
    for rows in _slices(len(real), block):
        for columns in _slices(len(fake), block):
            squared = squared_distances(real[rows] - origin, fake[columns] - origin)  # [B,B]
            fake_found[columns] |= (squared <= real_radii[rows, None]).any(axis=0)
            real_found[rows] |= (squared <= fake_radii[columns]).any(axis=1)
    return float(fake_found.mean()), float(real_found.mean())


def squared_radii(features: np.ndarray, origin: np.ndarray, neighborhood: int, block: int) -> np.ndarray:
    """[N,F] -> [N]: the squared distance of each row to its k-th neighbour, which is the (k + 1)-th with itself."""
    best = np.full((len(features), neighborhood + 1), np.inf)  # [N,k+1]
    for rows in _slices(len(features), block):
        for columns in _slices(len(features), block):
            if columns.start < rows.start:
                continue  # seen as [rows, columns] before
            squared = squared_distances(features[rows] - origin, features[columns] - origin)  # [B,B]
            best[rows] = _smallest(best[rows], squared)
            if columns != rows:
                best[columns] = _smallest(best[columns], squared.T)
    return best.max(axis=1)  # [N]


def _smallest(best: np.ndarray, more: np.ndarray) -> np.ndarray:
    """The smallest of each row of both, as many as `best` has and in any order: [B,k+1], [B,N] -> [B,k+1]."""
    count = best.shape[1]
    return np.partition(np.concatenate([best, more], axis=1), count - 1, axis=1)[:, :count]


def _slices(count: int, block: int) -> list[slice]:
    return [slice(i, min(i + block, count)) for i in range(0, count, block)]


def _check(real: np.ndarray, fake: np.ndarray, neighborhood: int) -> None:
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise MetricError(
            f"features of shapes {real.shape} and {fake.shape}: both must be [images, features] of one extractor"
        )
    if min(len(real), len(fake)) <= neighborhood:
        raise MetricError(
            f"{len(real)} reals and {len(fake)} fakes: each set needs at least {neighborhood + 1} images; give more"
        )
    if not (np.isfinite(real).all() and np.isfinite(fake).all()):
        raise MetricError("a feature is NaN or infinite: look at the images and at the extractor's weights")
