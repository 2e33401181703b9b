"""What follows a unit's convolution, and what becomes of a generator's last layer: functions of single numbers."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

LEAK = 0.2
Activation = Callable[[tf.Tensor], tf.Tensor]


@tf.autograph.experimental.do_not_convert  # which would take the functions out of their gradients
@tf.custom_gradient
def leaky_relu(x: tf.Tensor):
    """tf.nn.leaky_relu(x, LEAK), of any shape, whose gradients go by what it puts out: the sign is the input's.

    So nothing keeps the input, and oneDNN computes convolution, bias and this in one operation.
    """
    y = tf.nn.leaky_relu(x, LEAK)
    return y, lambda gradient: _leaky_relu_gradient(gradient, y)


@tf.custom_gradient
def _leaky_relu_gradient(gradient: tf.Tensor, y: tf.Tensor):
    """Linear in the gradient, and constant in y wherever it has a derivative."""
    pulled = tf.raw_ops.LeakyReluGrad(gradients=gradient, features=y, alpha=LEAK)
    return pulled, lambda further: (_leaky_relu_gradient(further, y), None)


ACTIVATIONS: dict[str, Activation] = {
    "leaky_relu": leaky_relu,
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
    "linear": tf.identity,
}
OUTPUTS: dict[str, Activation] = {"linear": tf.identity, "tanh": tf.tanh}
