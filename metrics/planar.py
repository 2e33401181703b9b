"""Scores for samples in the plane, where the truth is known: Gaussian mixtures and the Swiss roll."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .assignment import assign
from .errors import MetricError
from .modes import mode_statistics

ASSIGNED = 2000  # points of each set between which the exact distance is worked out: a second


class Mixture(NamedTuple):
    """The truth that points are held against: Gaussians about `centres` [K,2] of one standard deviation."""

    centres: np.ndarray
    std: float


class SwissRoll(NamedTuple):
    """The truth that points are held against: `swiss_roll_curve(scale=scale)` about `centre`, with Gaussian `noise`."""

    noise: float
    scale: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)


Truth = Mixture | SwissRoll


def mixture_scores(points: np.ndarray, centres: np.ndarray, std: float, radius: float = 3.0) -> dict[str, float]:
    """Of samples [N,2] and a mixture's centres [K,2] with one `std` -> modes 0..K, high_quality 0..1, kl 0..log K.

    A sample is of high quality if it lies within `radius` x std of its nearest centre, and a mode is covered if it has
    at least one of these. Srivastava et al. 2017 (VEEGAN). The mixture itself has 1 - exp(-radius^2 / 2), 0.989 for 3.
    kl: KL(samples || equal modes), each sample counted to its nearest mode, good or not. Lin et al. 2018 (PacGAN).
    """
    points, centres = _points(points), _points(centres)
    squared = np.square(points[:, None] - centres[None]).sum(axis=-1)  # [N,K]
    near = squared.argmin(axis=1)  # [N]
    good = squared.min(axis=1) <= (radius * std) ** 2  # [N]
    kl = mode_statistics(near, len(centres))["kl"]
    return {"modes": len(np.unique(near[good])), "high_quality": float(good.mean()), "kl": kl}


def swiss_roll_curve(steps: int = 20000, scale: float = 1.0) -> np.ndarray:
    """The roll without noise, [steps,2], evenly in arc length: scale x t (cos t, sin t) for t from 1.5 pi to 4.5 pi.

    scikit-learn's make_swiss_roll, first and third coordinate; its samples are uniform in t, so denser inside.
    """
    t = np.linspace(1.5 * np.pi, 4.5 * np.pi, steps)
    length = 0.5 * (t * np.sqrt(1 + t**2) + np.arcsinh(t))  # of an Archimedean spiral from 0 to t
    even = np.interp(np.linspace(length[0], length[-1], steps), length, t)  # [steps]
    return scale * np.stack([even * np.cos(even), even * np.sin(even)], axis=1)


def swiss_roll_score(
    points: np.ndarray, noise: float, radius: float = 3.0, bins: int = 50, scale: float = 1.0
) -> dict[str, float]:
    """Of samples [N,2] -> {"coverage", "high_quality"}, both 0..1.

    `high_quality` is the share of samples within `radius` x noise of `swiss_roll_curve`; `noise` is the standard
    deviation in the units of the points, the data's own share is near 0.997. `coverage` is the share of `bins` equal
    lengths of the curve that are nearest to at least one of these: a hole in the roll shows.
    """
    from scipy.spatial import cKDTree

    points = _points(points)
    curve = swiss_roll_curve(scale=scale)  # [steps,2]
    distances, places = cKDTree(curve).query(points)  # [N], [N]
    good = distances <= radius * noise
    return {
        "coverage": len(np.unique(places[good] * bins // len(curve))) / bins,
        "high_quality": float(good.mean()),
    }


def wasserstein_2d(a: np.ndarray, b: np.ndarray, sample: int = ASSIGNED, seed: int = 2020) -> float:
    """W1, the earth mover's distance with Euclidean cost, of points [N,2] and [M,2], in their units.

    Exact, by assignment, between random samples of equal size: `sample`, or as many as the smaller set has. It is not 0
    for two samples of one distribution; compare with real points against real points. 2000 points take one or two
    seconds; time grows with the cube, memory with the square.
    """
    a, b = _points(a), _points(b)
    if sample < 1:
        raise MetricError(f"a sample of {sample} points; take at least 1")
    random = np.random.default_rng(seed)
    size = min(sample, len(a), len(b))
    a, b = (points[random.choice(len(points), size, replace=False)] for points in (a, b))  # [size,2]
    costs = np.hypot(*(a[:, None, axis] - b[None, :, axis] for axis in range(2)))  # [size,size]
    return float(costs[np.arange(size), assign(costs)].mean())


def _points(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise MetricError(f"points of shape {points.shape}: they must be [N,2] with at least one point")
    if not np.isfinite(points).all():
        raise MetricError("a point is NaN or infinite: the generator has diverged")
    return points
