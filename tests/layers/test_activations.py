"""The activations and outputs by their formulas, with their gradients and in all precisions."""

import numpy as np
import pytest
import tensorflow as tf

from pgan_tf.layers.activations import ACTIVATIONS, LEAK, OUTPUTS, leaky_relu

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


# ---- the leaky ReLU, whose gradients go by what it puts out -------------------------------------------------------


def derivatives(activation, x, first, second):
    """Of a network of two layers: output, its gradient in x, and gradients of that one's square, a penalty."""
    with tf.GradientTape() as outer:
        outer.watch([x, first, second])
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = activation(activation(x @ first) @ second)
        pulled = inner.gradient(y, x)
        penalty = tf.reduce_sum(pulled**2) + tf.reduce_sum(y**2)
    return [y, pulled, *outer.gradient(penalty, [x, first, second])]


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("graph", [False, True])
def test_leaky_relu_is_tensorflows_to_its_second_derivatives(dtype, graph):
    rng = np.random.default_rng(0)
    x, first, second = (tf.cast(rng.standard_normal([8, 8]), dtype) for _ in range(3))
    x = tf.concat([x, tf.zeros([1, 8], dtype), -tf.zeros([1, 8], dtype)], axis=0)  # [10,8], at the bend too
    run = tf.function(derivatives) if graph else derivatives
    ours = run(leaky_relu, x, first, second)
    for own, theirs in zip(ours, run(lambda x: tf.nn.leaky_relu(x, LEAK), x, first, second), strict=True):
        np.testing.assert_array_equal(tf.cast(own, "float64"), tf.cast(theirs, "float64"))


def test_no_gradient_keeps_the_input_of_leaky_relu():
    """Of each layer a step then keeps one tensor in place of two."""
    spec = tf.TensorSpec([4, 8])
    weight = tf.TensorSpec([8, 8])
    graph = tf.function(derivatives).get_concrete_function(leaky_relu, spec, weight, weight).graph
    pulls = [op for op in graph.get_operations() if op.type == "LeakyReluGrad"]
    assert len(pulls) >= 4  # of two layers, in either derivative
    for op in pulls:
        source = op.inputs[1].op
        while source.type in ("Identity", "IdentityN"):
            source = source.inputs[op.inputs[1].value_index].op
        assert source.type == "LeakyRelu"
