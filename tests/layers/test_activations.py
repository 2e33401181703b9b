"""The activations and outputs by their formulas, with their gradients and in all precisions."""

import numpy as np
import pytest
import tensorflow as tf

from pgan_tf.layers.activations import ACTIVATIONS, OUTPUTS

X = np.linspace(-3, 3, 25)[np.arange(25) != 12]  # without 0, where some have no derivative
FORMULAS = {  # the function and its derivative
    "leaky_relu": (np.where(X > 0, X, 0.2 * X), np.where(X > 0, 1, 0.2)),
    "relu": (np.where(X > 0, X, 0), np.where(X > 0, 1, 0)),
    "tanh": (np.tanh(X), 1 - np.tanh(X) ** 2),
    "linear": (X, np.ones_like(X)),
}
ROWS = [(table, name) for table in (ACTIVATIONS, OUTPUTS) for name in table]


def test_the_tables():
    assert list(ACTIVATIONS) == list(FORMULAS)
    assert list(OUTPUTS) == ["linear", "tanh"]


@pytest.mark.parametrize(("table", "name"), ROWS, ids=[name for _, name in ROWS])
def test_values_and_derivatives(table, name):
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = table[name](x)
    value, derivative = FORMULAS[name]
    np.testing.assert_allclose(y, value, rtol=1e-7)  # TensorFlow holds the leak in float32
    np.testing.assert_allclose(tape.gradient(y, x), derivative, rtol=1e-7)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize(("table", "name"), ROWS, ids=[name for _, name in ROWS])
def test_precisions(table, name, dtype):
    y = table[name](tf.cast(X, dtype))
    assert y.dtype == dtype
    np.testing.assert_allclose(tf.cast(y, tf.float64), FORMULAS[name][0], rtol=2e-2, atol=1e-2)
