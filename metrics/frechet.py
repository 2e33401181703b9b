"""The Fréchet distance between two sets of features, each taken for a Gaussian: FID."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .errors import MetricError
from .numpy_files import UnpackedTooLarge, check_unpacked

_MOST_UNPACKED = 2**30  # bytes; mean and covariance of 2,048 features have 34 million
_NOT_NUMPY = (
    OSError, ValueError, TypeError, AttributeError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error
)  # what np.load and its files raise  # fmt: skip


class Statistics(NamedTuple):
    """Mean and covariance of a set of features: all that the Fréchet distance needs of it.

    Attributes:
        mu: [F] float64.
        sigma: [F,F] float64, the unbiased covariance (divided by N - 1).
        count: N, the number of images; None in files of other tools, which do not say.
    """

    mu: np.ndarray
    sigma: np.ndarray
    count: int | None = None

    @classmethod
    def of(cls, features: np.ndarray) -> Statistics:
        """Of features [N,F]. MetricError if N < 2 or a feature is not finite."""
        return Moments().add(features).statistics()

    def save(self, path: str | os.PathLike) -> None:
        """Writes `mu`, `sigma` and `count` as .npz, which pytorch-fid reads too; the file appears complete or not."""
        path = Path(path)
        scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        count = {} if self.count is None else {"count": np.int64(self.count)}
        try:
            with open(scratch, "wb") as file:
                np.savez(file, mu=self.mu, sigma=self.sigma, **count)
            os.replace(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Statistics:
        """Reads what `save` or pytorch-fid wrote. MetricError if the file cannot be read or holds something else."""
        try:
            with np.load(path, allow_pickle=False) as file:
                check_unpacked(file, _MOST_UNPACKED)
                mu, sigma = (np.asarray(file[key], np.float64) for key in ("mu", "sigma"))
                count = int(file["count"]) if "count" in file else None
        except KeyError as error:
            raise MetricError(f"{path}: no statistics: it needs the arrays `mu` and `sigma`") from error
        except UnpackedTooLarge as error:
            raise MetricError(f"{path}: {error}: no statistics of features") from error
        except _NOT_NUMPY as error:
            if isinstance(error, OSError) and error.errno:
                raise MetricError(f"{path}: cannot be read: {error.strerror}") from error
            raise MetricError(f"{path}: cannot be read as an .npz file of `mu` and `sigma`; make it again") from error
        if mu.ndim != 1 or sigma.shape != (len(mu), len(mu)):
            raise MetricError(f"{path}: `mu` {mu.shape} and `sigma` {sigma.shape} must be [F] and [F,F]; make it again")
        if not (np.isfinite(mu).all() and np.isfinite(sigma).all()):
            raise MetricError(f"{path}: the statistics hold NaN or infinity; make the file again")
        return cls(mu, sigma, count)


class Moments:
    """Collects features batch by batch; needs memory for three [F,F] matrices, however many images there are.

    Mean and scatter are merged pairwise (Chan, Golub and LeVeque 1979), so a large common offset of the features costs
    no digits: the result agrees with np.cov of all features at once to about 1e-14 of its maximum.
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean: np.ndarray | None = None  # [F]
        self._scatter: np.ndarray | None = None  # [F,F], the sum of (x - mean)(x - mean)^T

    def add(self, features: np.ndarray) -> Moments:
        """Adds [N,F], any N; returns itself. MetricError for another F than before or a feature that is not finite."""
        features = _checked(features)
        if not len(features):
            return self
        mean = features.mean(axis=0)  # [F]
        centred = features - mean  # [N,F]
        if self._mean is None:
            self._mean, self._scatter = np.zeros_like(mean), np.zeros((len(mean), len(mean)))
        if len(mean) != len(self._mean):
            raise MetricError(
                f"{len(mean)} features an image after {len(self._mean)}: all batches need the same extractor"
            )
        total = self.count + len(features)
        step = mean - self._mean  # [F]
        self._scatter += centred.T @ centred  # [F,F]
        self._scatter += np.outer(step, step * (self.count * len(features) / total))
        self._mean = self._mean + step * (len(features) / total)
        self.count = total
        return self

    def statistics(self) -> Statistics:
        """Of everything added so far. MetricError if that is fewer than 2 images."""
        if self.count < 2:
            raise MetricError(f"a covariance needs at least 2 images, there are {self.count}; give more images")
        return Statistics(self._mean.copy(), self._scatter / (self.count - 1), self.count)


def frechet_distance(a: Statistics, b: Statistics) -> float:
    """|mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)), in float64; 0 for equal statistics, symmetric.

    Heusel et al. 2017 (TTUR), equation 6; the covariances as in pytorch-fid and torch-fidelity. The trace of the root
    comes from symmetric matrices only: with S_a = B B^T, S_a S_b and B^T S_b B have the same eigenvalues. At 2048
    features that is several times as fast as the root of the product. Eigenvalues and distances which rounding brought
    below 0 count as 0. MetricError if the numbers of features differ.
    """
    if a.mu.shape != b.mu.shape:
        raise MetricError(
            f"{len(a.mu)} features against {len(b.mu)}: both sets of images need the same extractor; extract again"
        )
    difference = a.mu - b.mu  # [F]
    traces = np.trace(a.sigma) + np.trace(b.sigma) - 2 * _trace_of_root(a.sigma, b.sigma)
    return max(0.0, float(difference @ difference + traces))


def _trace_of_root(a: np.ndarray, b: np.ndarray) -> float:
    """tr((a b)^(1/2)) of two covariances [F,F]."""
    values, vectors = np.linalg.eigh(a)  # [F], [F,F]
    half = vectors * np.sqrt(np.maximum(values, 0))  # [F,F], half @ half.T == a
    product = half.T @ b @ half  # [F,F]
    return float(np.sqrt(np.maximum(np.linalg.eigvalsh(product), 0)).sum())


def _checked(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, np.float64)
    if features.ndim != 2:
        raise MetricError(f"features of shape {features.shape}: they must be [images, features]")
    if not np.isfinite(features).all():
        raise MetricError("a feature is NaN or infinite: look at the images and at the extractor's weights")
    return features
