"""Derivatives against differences: of a sum of weighted outputs, and of its squared gradient, as a penalty takes it."""

import numpy as np
import tensorflow as tf

STEP = 1e-5


def _objective(compute, x: tf.Tensor) -> tf.Tensor:
    """A number in which every output has a weight of its own, and which is not linear in them."""
    y = compute(x)
    weights = np.random.RandomState(7).standard_normal(y.shape)
    return tf.reduce_sum(tf.sin(y) * weights)


def _steepness(compute, x: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = _objective(compute, x)
    return tf.reduce_sum(tf.square(tape.gradient(value, x)))


def _error(function, x: tf.Tensor, variables: list) -> float:
    """The greatest distance between gradient and central difference along a few directions, relative to these."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    gradients = tape.gradient(value, [x, *variables], unconnected_gradients="zero")
    errors = []
    for i, (at, gradient) in enumerate(zip([x, *variables], gradients, strict=True)):
        for k in range(3):
            direction = np.random.RandomState(10 * i + k).standard_normal(at.shape)
            slope = float(tf.reduce_sum(gradient * direction))
            difference = _difference(function, x, at, direction)
            errors.append(abs(slope - difference) / (1 + abs(difference)))
    return max(errors)


def _difference(function, x: tf.Tensor, at, direction: np.ndarray) -> float:
    """The central difference of function(x) as `at`, x itself or a variable, moves along `direction`."""
    if at is x:
        up, down = (float(function(x + sign * STEP * direction)) for sign in (1, -1))
    else:
        start, values = at.numpy(), []
        for sign in (1, -1):
            at.assign(start + sign * STEP * direction)
            values.append(float(function(x)))
        at.assign(start)
        up, down = values
    return (up - down) / (2 * STEP)


def slope_error(compute, x: tf.Tensor, variables: list) -> float:
    """How far the gradient of compute's outputs is from their differences; float64."""
    return _error(lambda x: _objective(compute, x), x, variables)


def steepness_error(compute, x: tf.Tensor, variables: list) -> float:
    """The same for the gradient of the squared gradient by x."""
    return _error(lambda x: _steepness(compute, x), x, variables)
