"""The Kernel Inception Distance: the squared maximum mean discrepancy of two sets of features, without bias."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, reduce

import numpy as np

from .errors import MetricError
from .neighbors import squared_distances

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]


def kernel_inception_distance(
    a: np.ndarray,
    b: np.ndarray,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 2020,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    kernel: str = "polynomial",
    sigma: float = 10.0,
) -> tuple[float, float]:
    """MMD^2 of a and b -> (mean, population std) over random subsets, in float64.

    Binkowski et al. 2018; rule and defaults are torch-fidelity's: one RandomState of this seed draws, for every subset
    in turn, `subset_size` different images of a and as many of b. Two sets of one distribution give about 0, and may
    come out below. Memory: a few matrices [subset_size, subset_size] and two [subset_size, F]; 80 MB at 1000 and 2048.

    Args:
        a, b: features [N,F] and [M,F], any float type.
        degree, gamma, coef0: of the polynomial kernel (gamma x.y + coef0)^degree; gamma None stands for 1 / F.
        kernel: 'polynomial', or 'gaussian' for exp(-|x - y|^2 / (2 sigma^2)), which torch-fidelity calls 'rbf'.

    Raises:
        MetricError: fewer than `subset_size` images, numbers of features that differ, a feature that is not finite.
    """
    kernels: dict[str, Kernel] = {
        "polynomial": partial(polynomial, degree=degree, gamma=gamma, coef0=coef0),
        "gaussian": partial(gaussian, sigma=sigma),
    }
    if kernel not in kernels:
        raise MetricError(f"kernel {kernel!r}: there are {', '.join(kernels)}")
    values = [discrepancy(x, y, kernels[kernel]) for x, y in random_subsets(a, b, subsets, subset_size, seed)]
    return float(np.mean(values)), float(np.std(values))


def random_subsets(
    a: np.ndarray, b: np.ndarray, subsets: int, subset_size: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields `subsets` pairs of float64 [subset_size,F]; checks the input as `kernel_inception_distance` says."""
    a, b = np.asarray(a), np.asarray(b)
    _check(a, b, subset_size)
    random = np.random.RandomState(seed)
    for _ in range(subsets):
        x = a[random.choice(len(a), subset_size, replace=False)]
        y = b[random.choice(len(b), subset_size, replace=False)]
        yield x.astype(np.float64), y.astype(np.float64)


def polynomial(x: np.ndarray, y: np.ndarray, degree: int, gamma: float | None, coef0: float) -> np.ndarray:
    """(gamma x.y + coef0)^degree of all pairs of rows: [N,F], [M,F] -> [N,M]."""
    matrix = x @ y.T  # [N,M]
    matrix *= 1.0 / x.shape[1] if gamma is None else gamma
    matrix += coef0
    return reduce(np.multiply, [matrix] * degree)  # several times as fast as numpy's power


def gaussian(x: np.ndarray, y: np.ndarray, sigma: float) -> np.ndarray:
    """exp(-|x - y|^2 / (2 sigma^2)) of all pairs of rows: [N,F], [M,F] -> [N,M]."""
    return np.exp(squared_distances(x, y) / (-2 * sigma**2))


def discrepancy(x: np.ndarray, y: np.ndarray, kernel: Kernel) -> float:
    """The unbiased estimate of MMD^2 of x [N,F] and y [M,F]."""
    return float(_within(x, kernel) + _within(y, kernel) - 2 * kernel(x, y).mean())


def _within(x: np.ndarray, kernel: Kernel) -> float:
    """The mean of the kernel over pairs of different rows: one against itself would bring the bias."""
    matrix = kernel(x, x)  # [N,N]
    return (matrix.sum() - np.trace(matrix)) / (len(x) * (len(x) - 1))


def _check(a: np.ndarray, b: np.ndarray, subset_size: int) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise MetricError(
            f"features of shapes {a.shape} and {b.shape}: both must be [images, features] of one extractor"
        )
    if subset_size < 2:
        raise MetricError(f"subsets of {subset_size} images: a discrepancy needs at least 2")
    if min(len(a), len(b)) < subset_size:
        raise MetricError(
            f"{len(a)} and {len(b)} images do not fill subsets of {subset_size}: give at least that many of each"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise MetricError("a feature is NaN or infinite: look at the images and at the extractor's weights")
