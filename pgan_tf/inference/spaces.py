"""The latents of a distribution as a place to move in: ways that do not leave it. The rows of SPACES."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf


def slerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """Spherical interpolation of rows [..,L]: on the great circle of the directions, lengths in proportion.

    t = 0 gives `a`, 1 gives `b`. Rows in the same or in opposite directions, or of no length, are interpolated along
    the line.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    length_a = np.linalg.norm(a, axis=-1, keepdims=True)
    length_b = np.linalg.norm(b, axis=-1, keepdims=True)
    unit_a, unit_b = a / np.maximum(length_a, 1e-30), b / np.maximum(length_b, 1e-30)
    angle = np.arccos(np.clip(np.sum(unit_a * unit_b, axis=-1, keepdims=True), -1, 1))  # [..,1]
    flat = (np.sin(angle) < 1e-6) | (length_a == 0) | (length_b == 0)
    sine = np.where(flat, 1.0, np.sin(angle))
    direction = (np.sin((1 - t) * angle) * unit_a + np.sin(t * angle) * unit_b) / sine
    curved = direction * ((1 - t) * length_a + t * length_b)
    return np.where(flat, (1 - t) * a + t * b, curved).astype(np.float32)


def lerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """Interpolation along the line."""
    return ((1 - t) * a + t * b).astype(np.float32)


class Space(NamedTuple):
    """Latents are rows [..,L]."""

    onto: Callable[[tf.Tensor], tf.Tensor]  # any rows -> the nearest that the distribution has
    largest: float  # component of a row
    between: Callable[[np.ndarray, np.ndarray, float], np.ndarray]  # the way from one to another, as slerp
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
    "gaussian": Space(_as_they_are, np.inf, slerp, _as_they_are),
    "uniform": Space(_within_cube, 1.0, lerp, _shares),  # a great circle would leave the cube
    "sphere": Space(_unit, 1.0, slerp, _unit),
}
