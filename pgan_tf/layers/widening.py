"""Layers that become wider: what is new fades in by beta, and at beta = 0 they compute what the narrower ones did.

An axis of a weight is made of parts: that of a convolution's inputs may be feature maps and the maps of the minibatch
statistics behind them. A part grows at its end, so a weight of the narrower layer lies in the wider one in as many
pieces as its axes have parts. New entries are multiplied by beta, numbers of features are those before plus beta times
the new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Part(NamedTuple):
    """Some entries of an axis, of which the first `before` were there before the layer became wider."""

    now: int
    before: int

    def times(self, factor: float) -> Part:
        """Where each entry stands for so many, one beside the other."""
        return Part(self.now * factor, self.before * factor)


Axis = tuple[Part, ...]


def whole(size: int) -> Axis:
    """An axis that does not become wider."""
    return (Part(size, size),)


def length(axis: Axis) -> int:
    return sum(part.now for part in axis)


def is_wider(axes: Sequence[Axis]) -> bool:
    return any(part.now != part.before for axis in axes for part in axis)


def count(axis: Axis, beta: tf.Tensor | float) -> tf.Tensor | float:
    """How many entries an axis has at this moment: the new ones count by beta."""
    before = sum(part.before for part in axis)
    return before + (length(axis) - before) * beta


def is_new(axes: Sequence[Axis]) -> np.ndarray:
    """Which entries of an array with these axes are new, 0 or 1: those that are so on any of them."""
    new = np.zeros([length(axis) for axis in axes], bool)
    for i, axis in enumerate(axes):
        along = np.concatenate([np.arange(part.now) >= part.before for part in axis])
        new |= along.reshape([-1 if i == j else 1 for j in range(len(axes))])
    return new


def is_new_as_coded(axes: Sequence[Axis], output_axis: int = -1) -> np.ndarray:
    """The same as a published code has it: of a convolution with new inputs and no new outputs, the first half of the
    outputs, rounded down; so red alone of three colours."""
    new = is_new(axes)
    if len(axes) == 4 and not is_wider([axes[output_axis]]):
        np.moveaxis(new, output_axis, 0)[length(axes[output_axis]) // 2 :] = False
    return new


class NewWeights(NamedTuple):
    """Which of a wider network's new weights fade in by beta; the others are there from the first moment."""

    of_layer: Callable[..., np.ndarray]  # (axes of a weight, the one of its outputs) -> 0 or 1
    first_biases: bool = True  # whether the new biases of the generator's first layer do
    statistics: bool = False  # whether the weights that read the minibatch statistics do, where no layers grow
    zeros: bool = False  # whether they begin as zeros, and need no fade


# All: Sandstroem 2019, section 6.2.7. As coded: the code that was published with it; by its statistics a stage does not
# begin where the one before ended. Zeros: its section 6.1, for latents; new feature maps of zeros would stay so.
NEW_WEIGHTS = {
    "all": NewWeights(lambda axes, output_axis: is_new(axes)),
    "as_coded": NewWeights(is_new_as_coded, first_biases=False, statistics=True),
    "zeros": NewWeights(lambda axes, output_axis: np.zeros_like(is_new(axes)), zeros=True),
}


def faded(value: tf.Tensor, axes: Sequence[Axis], beta: tf.Tensor | float, new_ones=is_new) -> tf.Tensor:
    """`value`, whose new entries are multiplied by beta; `new_ones(axes)` says which they are."""
    if not is_wider(axes):
        return value
    new = tf.constant(new_ones(axes), value.dtype)
    return value * (1.0 + (tf.cast(beta, value.dtype) - 1.0) * new)


def carried(old: np.ndarray, old_axes: Sequence[Axis], new: np.ndarray, new_axes: Sequence[Axis]) -> np.ndarray:
    """`new` with the entries of the narrower `old` where they belong. ValueError: other parts, or less room."""
    fits = all(
        len(old_axis) == len(new_axis) and all(a.now <= b.now for a, b in zip(old_axis, new_axis, strict=True))
        for old_axis, new_axis in zip(old_axes, new_axes, strict=True)
    )
    if not fits:
        raise ValueError(f"{old.shape} cannot be carried over to {new.shape}")
    places = [_places(new_axis, old_axis) for old_axis, new_axis in zip(old_axes, new_axes, strict=True)]
    result = new.copy()
    result[np.ix_(*places)] = old
    return result


def _places(axis: Axis, old: Axis) -> np.ndarray:
    """Where the entries of the old axis are in the new one."""
    starts = np.cumsum([0, *(part.now for part in axis)])
    return np.concatenate([start + np.arange(part.now) for start, part in zip(starts, old, strict=False)])
