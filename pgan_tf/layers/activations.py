"""What follows a unit's convolution, and what becomes of a generator's last layer: functions of single numbers."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

LEAK = 0.2
Activation = Callable[[tf.Tensor], tf.Tensor]


def leaky_relu(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(x, LEAK)


ACTIVATIONS: dict[str, Activation] = {
    "leaky_relu": leaky_relu,
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
    "linear": tf.identity,
}
OUTPUTS: dict[str, Activation] = {"linear": tf.identity, "tanh": tf.tanh}
