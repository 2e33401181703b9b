"""The latents of a distribution as a place to move in: ways that do not leave it. The rows of SPACES."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pgan_tf.inference.pictures import walks


class Space(NamedTuple):
    """Latents are rows [..,L]."""

    onto: Callable[[tf.Tensor], tf.Tensor]  # any rows -> the nearest that the distribution has
    largest: float  # component of a row
    between: Callable[[np.ndarray, np.ndarray, float], np.ndarray]  # the way from one to another, as walks.slerp
    of_normal: Callable[[tf.Tensor], tf.Tensor]  # standard normal rows -> rows of the distribution, continuously


def _as_they_are(rows: tf.Tensor) -> tf.Tensor:
    return rows


def _within_cube(rows: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(rows, -1, 1)


def _unit(rows: tf.Tensor) -> tf.Tensor:
    return tf.math.l2_normalize(rows, axis=-1, epsilon=1e-30)


def _shares(rows: tf.Tensor) -> tf.Tensor:
    """The part of all normal numbers that lie between -x and x, with the sign of x: uniform in -1..1."""
    return tf.math.erf(rows / 2**0.5)


SPACES = {  # by the names of LATENTS
    "gaussian": Space(_as_they_are, np.inf, walks.slerp, _as_they_are),
    "uniform": Space(_within_cube, 1.0, walks.lerp, _shares),  # a great circle would leave the cube
    "sphere": Space(_unit, 1.0, walks.slerp, _unit),
}
