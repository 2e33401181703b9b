"""Terms that go by what a network has learnt, not by its samples: weight decay, and historical averaging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf


def decay(weights: Sequence[tf.Tensor]) -> tf.Tensor:
    """Half the sum of all squares [], whose gradient is each weight itself."""
    return tf.add_n([tf.nn.l2_loss(weight) for weight in weights])


def steps_name(player: str) -> str:
    """The name of the number of steps over which a history was taken."""
    return f"{player}_history/steps"


def mean_name(player: str, index: int) -> str:
    """The name of the mean of a network's weight `index`."""
    return f"{player}_history/{index:03d}"


def distance_from_history(player: str, weights: Sequence[tf.Tensor], extras: Mapping[str, tf.Variable]) -> tf.Tensor:
    """The sum of squared distances [] of all weights from their means over the steps before; 0 before the first.

    player: "g" or "d". Salimans et al. 2016, section 3.3.
    """
    means = [extras[mean_name(player, i)] for i in range(len(weights))]
    squares = [tf.reduce_sum(tf.square(weight - mean)) for weight, mean in zip(weights, means, strict=True)]
    return tf.add_n(squares) * tf.cast(extras[steps_name(player)] > 0, squares[0].dtype)
