"""Points in the plane, drawn from known distributions: a Swiss roll, mixtures of Gaussians, two lines.

All are centred at the origin. What is learnt of them can be seen whole, and be held against the truth.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.points import Origin, write_points
from pgan_tf.metrics.planar import Mixture, SwissRoll, Truth

POINTS = 10_000  # by default
# The mean of t (cos t, sin t) for t from 1.5 pi to 4.5 pi.
ROLL_CENTRE = np.array([2.0, 2 / (3 * np.pi)])
EIGHT = 2 * np.array([(np.cos(a), np.sin(a)) for a in np.arange(8) * np.pi / 4])  # on a circle: Metz et al. 2016
TWENTY_FIVE = np.array([(x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)], float)  # Dumoulin et al. 2017
LINES = np.array([(-1.0, 0.0), (1.0, 0.0)])  # the middles of two upright ones of length 2


class Distribution(NamedTuple):
    """A row of DISTRIBUTIONS."""

    draw: Callable[[np.random.RandomState, int, float], np.ndarray]  # random numbers, count, noise -> float64 [count,2]
    noise: float  # by default: the standard deviation of what is added to each component
    centres: np.ndarray | None = None  # of the modes, [K,2]: point i is of mode i % K; None: there are no modes
    truth: Callable[[float], Truth] | None = None  # noise -> what metrics hold points against, where one is made for it


def create_planar(
    out: str | os.PathLike, distribution: str, points: int = POINTS, noise: float | None = None, seed: int = 0
) -> str:
    """Makes the data set `out` of so many points of a key of DISTRIBUTIONS; returns what to tell the user.

    noise: None for the distribution's own. Labels are the modes, one-hot. Raises DataError.
    """
    check_new_folder(out)
    if distribution not in DISTRIBUTIONS:
        raise DataError(f"{distribution}: no such distribution; choose one of {', '.join(DISTRIBUTIONS)}")
    row = DISTRIBUTIONS[distribution]
    noise = row.noise if noise is None else noise
    drawn = row.draw(np.random.RandomState(seed), points, noise)  # [points,2]
    labels, modes = None, 0 if row.centres is None else len(row.centres)
    if modes:
        labels = np.eye(modes, dtype=np.float32)[np.arange(points) % modes]  # [points,modes]
    names = [f"{x:g} {y:g}" for x, y in row.centres.round(3) + 0.0] if modes else []  # -0 is 0
    write_points(out, drawn.astype(np.float32), labels, names, Origin(distribution, noise, seed))
    return (
        f"{out}: {points:,} points in the plane\n"
        f"  source       {distribution}, noise {noise:g}, seed {seed}\n"
        f"  labels       {f'{modes} modes' if modes else 'none'}\n"
        f"  mean         {_pair(drawn.mean(axis=0))}  std {_pair(drawn.std(axis=0))}"
    )


def _pair(values: np.ndarray) -> str:
    return "({:.3g}, {:.3g})".format(*values)


# ---- the distributions -----------------------------------------------------------------------------------------------


def swiss_roll(random: np.random.RandomState, count: int, noise: float) -> np.ndarray:
    """scikit-learn's make_swiss_roll from above, its first and third coordinate: [count,2], bit for bit.

    t (cos t, sin t), t uniform from 1.5 pi to 4.5 pi: denser inside. The spiral's own centre is the origin.
    """
    t = 1.5 * np.pi * (1 + 2 * random.uniform(size=count))  # [count]
    random.uniform(size=count)  # heights, which are not seen
    added = noise * random.standard_normal(size=(3, count))
    return (np.array([t * np.cos(t), t * np.sin(t)]) + added[[0, 2]]).T


def _centred_roll(random: np.random.RandomState, count: int, noise: float) -> np.ndarray:
    """The roll with its mean at the origin."""
    return swiss_roll(random, count, noise) - ROLL_CENTRE


def _mixture(random: np.random.RandomState, count: int, noise: float, centres: np.ndarray) -> np.ndarray:
    """As many points of each Gaussian."""
    return centres[np.arange(count) % len(centres)] + noise * random.standard_normal((count, 2))


def _gaussians(centres: np.ndarray, noise: float) -> Distribution:
    return Distribution(partial(_mixture, centres=centres), noise, centres, partial(Mixture, centres))


def _lines(random: np.random.RandomState, count: int, noise: float) -> np.ndarray:
    points = LINES[np.arange(count) % 2] + noise * random.standard_normal((count, 2))
    return points + np.stack([np.zeros(count), random.uniform(-1, 1, count)], axis=1)


DISTRIBUTIONS = {
    "swissroll": Distribution(_centred_roll, 0.2, truth=partial(SwissRoll, centre=tuple(-ROLL_CENTRE))),
    "swissroll_uncentred": Distribution(swiss_roll, 0.5, truth=SwissRoll),
    "gaussians8": _gaussians(EIGHT, 0.02),
    "gaussians25": _gaussians(TWENTY_FIVE, 0.05),
    "two_lines": Distribution(_lines, 0.02, LINES),
}
