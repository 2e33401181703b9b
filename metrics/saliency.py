"""How much of what a generator makes hangs on which components of its latents. Sandstroem 2019, section 9.

The samples of a group differ in some components alone. Their spread is the minibatch standard deviation: over the group
for each number of a sample, then the mean over the numbers (Karras et al. 2018, section 3, without an epsilon).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from . import features
from .errors import MetricError
from .extractors.base import Extractor

SAMPLES = 16  # in a group: the thesis' minibatch
ALL = "all"  # the name of the set of all components


class Varied(NamedTuple):
    """Samples of a generator, by the set of components that they differ in.

    Attributes:
        sets: the names of the sets, the first components first.
        groups: (a set's name or ALL, how many groups, samples in each) -> that many groups [S,...]. Group i of every
            set varies the same reference, and by the same draws.
        pictures: samples -> uint8.
    """

    sets: tuple[str, ...]
    groups: Callable[[str, int, int], Iterable[np.ndarray]]
    pictures: Callable[[np.ndarray], np.ndarray]


def spread(group: np.ndarray) -> float:
    """[S,...] -> the minibatch standard deviation."""
    return float(np.std(group, axis=0, dtype=np.float64).mean())


def spreads(varied: Varied, count: int) -> dict[str, np.ndarray]:
    """{set: [references]} of the samples themselves; `count`: samples of each set."""
    return {name: np.array([spread(group) for group in _groups(varied, name, count)]) for name in _names(varied)}


def feature_spreads(varied: Varied, count: int, extractor: Extractor, progress: bool = True) -> dict[str, np.ndarray]:
    """The same of the extractor's features."""

    def of_set(name: str) -> np.ndarray:
        images = (varied.pictures(group) for group in _groups(varied, name, count))
        found = features.extract(extractor, images, what=f"features of varied {name}", progress=progress).features
        return np.array([spread(group) for group in found.reshape(-1, SAMPLES, found.shape[-1])])

    return {name: of_set(name) for name in _names(varied)}


def summary(found: dict[str, np.ndarray], prefix: str) -> dict[str, float]:
    """Of each set the mean over the references and its standard error; and what says how they are ordered.

    `first`: the first set's spread as a share of that of all components together. `ordered`: in how many of the pairs
    of neighbouring sets, over all references, the former spreads more; 1/2 where nothing orders sets of one size.
    """
    values: dict[str, float] = {}
    for name, spreads_of in found.items():
        values |= _mean_and_error(f"{prefix}_{name}", spreads_of)
    *sets, whole = found.values()
    values |= _mean_and_error(f"{prefix}_first", sets[0] / np.maximum(whole, 1e-30))
    pairs = [former > later for former, later in itertools.pairwise(sets)]
    return values | {f"{prefix}_ordered": float(np.mean(pairs)) if pairs else 1.0}


def first_share(varied: Varied, count: int) -> dict[str, float]:
    """Of points: the share of their variation that the first component has.

    The variance that is left when one set alone varies, averaged over references (a total-effect index, Sobol 2001);
    the first set's divided by the sum over all sets.
    """
    variances = np.array(
        [
            [np.var(group, axis=0, dtype=np.float64).sum() for group in _groups(varied, name, count)]
            for name in varied.sets
        ]
    )  # fmt: skip  [sets,R]
    means, references = variances.mean(axis=1), variances.shape[1]
    share = means[0] / max(means.sum(), 1e-300)
    # Of a ratio of means: the spread of the residuals over the references.
    residuals = (variances[0] - share * variances.sum(axis=0)) / max(means.sum(), 1e-300)
    return {"first": float(share), "first_se": float(residuals.std(ddof=1) / np.sqrt(references))}


def _names(varied: Varied) -> tuple[str, ...]:
    return (*varied.sets, ALL)


def _groups(varied: Varied, name: str, count: int) -> Iterator[np.ndarray]:
    """Two at least: there is no error without."""
    if count < 2 * SAMPLES:
        raise MetricError(f"saliency of {count} samples: it takes {2 * SAMPLES}, two groups, at least; ask for more")
    yield from varied.groups(name, count // SAMPLES, SAMPLES)


def _mean_and_error(name: str, values: np.ndarray) -> dict[str, float]:
    return {name: float(values.mean()), f"{name}_se": float(values.std(ddof=1) / np.sqrt(len(values)))}
