"""The laws of weights: what they are multiplied or divided by, what spectral norm keeps, what they are drawn from."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from layers.gradients import slope_error

from pgan_tf.layers.weights import INITIALIZERS, WEIGHTS, Start

SHAPES = {"dense": (7, 5), "convolution": (3, 3, 4, 6), "tall": (2, 9), "one": (8, 1)}


class Weighted(keras.layers.Layer):
    """The smallest layer that has a weight of the table; calling it gives the weight that would be used."""

    def __init__(self, weights: str, output_axis: int = -1, seed: int | None = 3, std: float = 0.25, **kwargs):
        super().__init__(**kwargs)
        self.row, self.output_axis, self.seed, self.std = WEIGHTS[weights], output_axis, seed, std

    def build(self, shape):
        initializer = INITIALIZERS[self.row.initializer or "he"](Start(self.std, 0.02, self.seed))
        self.weight = self.add_weight(shape=shape, initializer=initializer, name="weight", autocast=False)
        self.row.start(self, shape)

    def call(self, weight, training=False):
        return self.row.effective(self, weight, self.std, training)


def make(name: str, shape=(3, 3, 4, 6), **options) -> Weighted:
    layer = Weighted(name, **{"dtype": "float64", **options})
    layer.build(shape)
    return layer


@tf.function
def train(layer: Weighted, passes: int) -> tf.Tensor:
    """The weight in use after so many passes."""
    used = layer(layer.weight, training=True)
    for _ in tf.range(passes - 1):
        used = layer(layer.weight, training=True)
    return used


def singular(weight, axis: int = -1) -> np.ndarray:
    """The singular values of a weight as a matrix of its outputs."""
    weight = np.moveaxis(np.asarray(weight, np.float64), axis, -1)
    return np.linalg.svd(weight.reshape(-1, weight.shape[-1]), compute_uv=False)


@pytest.mark.parametrize("training", [True, False])
def test_equalized_is_times_the_constant_and_plain_is_itself(training):
    for name, factor in (("equalized", 0.25), ("plain", 1.0)):
        layer = make(name)
        np.testing.assert_array_equal(layer(layer.weight, training=training), layer.weight.numpy() * factor)
        assert [v.name for v in layer.variables] == ["weight"]


def test_equalized_weights_are_drawn_from_the_unit_normal():
    assert {name for name, row in WEIGHTS.items() if row.initializer == "unit"} == {"equalized"}
    assert {row.initializer for row in WEIGHTS.values()} <= {"", *INITIALIZERS}


# ---- spectral norm -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [-1, -2])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_after_enough_steps_the_norm_is_one(shape, axis):
    layer = make("spectral", shape, output_axis=axis)
    used = train(layer, 400)
    assert singular(used, axis)[0] == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(used * singular(layer.weight, axis)[0], layer.weight, rtol=1e-6)
    assert layer.singular_vector.shape == (shape[axis],)


def test_while_it_trains_one_step_a_pass_follows():
    """A weight that moves as an optimizer moves it: after a while the norm is right to 1e-3."""
    layer, random = make("spectral", (3, 3, 8, 16)), np.random.RandomState(0)
    train(layer, 200)
    for _ in range(30):
        layer(layer.weight, training=True)
        layer.weight.assign_add(1e-3 * np.sign(random.standard_normal(layer.weight.shape)))
    assert singular(layer(layer.weight))[0] == pytest.approx(1, abs=1e-3)


def test_a_step_is_the_papers():
    layer = make("spectral", (3, 3, 4, 6))
    matrix, u = layer.weight.numpy().reshape(-1, 6), layer.singular_vector.numpy()
    v = matrix @ u / np.linalg.norm(matrix @ u)
    after = matrix.T @ v / np.linalg.norm(matrix.T @ v)
    np.testing.assert_allclose(layer(layer.weight, training=True), layer.weight / (v @ matrix @ after), rtol=1e-12)
    np.testing.assert_allclose(layer.singular_vector, after, rtol=1e-12)


def test_nothing_is_kept_while_it_does_not_train():
    layer = make("spectral")
    u, first = layer.singular_vector.numpy(), layer(layer.weight).numpy()
    np.testing.assert_array_equal(layer(layer.weight), first)
    np.testing.assert_array_equal(layer.singular_vector, u)
    np.testing.assert_array_equal(layer(layer.weight, training=True), first)  # the estimate of the next step
    assert np.abs(layer.singular_vector.numpy() - u).max() > 1e-3


@pytest.mark.parametrize("factor", [1e-9, 1e6])
def test_the_size_of_a_weight_does_not_matter(factor):
    layer, other = make("spectral"), make("spectral")
    for _ in range(3):
        used, same = layer(layer.weight, training=True), other(layer.weight * factor, training=True)
    np.testing.assert_allclose(same, used, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_weight_of_zeros_stays_zero_and_loses_nothing(dtype):
    layer = make("spectral", dtype=dtype)
    u = layer.singular_vector.numpy()
    np.testing.assert_array_equal(layer(tf.zeros_like(layer.weight), training=True), np.zeros(layer.weight.shape))
    np.testing.assert_array_equal(layer.singular_vector, u)


def test_the_vectors_are_constants_to_the_gradient():
    """d(W / s)/dW = (dW - v u^T <dW, W / s>) / s for s = v^T W u."""
    layer = make("spectral", (7, 5))
    weight, coefficients = layer.weight.numpy(), np.random.RandomState(1).standard_normal((7, 5))
    u = layer.singular_vector.numpy()
    v = weight @ u / np.linalg.norm(weight @ u)
    u = weight.T @ v / np.linalg.norm(weight.T @ v)
    s = v @ weight @ u
    expected = (coefficients - np.outer(v, u) * (coefficients * weight / s).sum()) / s
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(layer.weight.value, training=True) * coefficients)
    np.testing.assert_allclose(tape.gradient(total, layer.weight.value), expected, rtol=1e-10)


def test_at_the_fixed_point_gradients_are_those_of_differences():
    """There the true derivatives of the vectors do not count: they are orthogonal to them."""
    layer = make("spectral", (7, 5))
    train(layer, 500)
    assert (
        slope_error(lambda x: layer(layer.weight.value) * x, tf.ones([7, 5], tf.float64), [layer.weight.value]) < 1e-6
    )


def test_u_is_of_the_seed_and_of_nothing_else():
    first, again, other = (make("spectral", seed=seed).singular_vector.numpy() for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.99
    assert make("spectral", seed=None).singular_vector.shape == (6,)


@pytest.mark.parametrize("name", WEIGHTS)
def test_all_that_is_known_is_listed(name):
    layer = make(name, dtype="mixed_bfloat16")
    assert [v.name for v in layer.trainable_variables] == ["weight"]
    assert [v.name for v in layer.non_trainable_variables] == (["u"] if name == "spectral" else [])
    assert {v.dtype for v in layer.variables} == {"float32"}


# ---- what weights are drawn from ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "deviation", "kurtosis"),
    [
        ("he", 0.25, 3), ("he_2015", math.sqrt(2 / 8), 3), ("he_as_coded", math.sqrt(2 / 50), 3), ("normal", 0.02, 3),
        ("glorot", math.sqrt(2 / (9 * 32 + 9 * 64)), 1.8), ("unit", 1, 3),
    ],
)  # fmt: skip
def test_initial_weights(name, deviation, kurtosis):
    starts = [Start(0.25, 0.02, seed, fan_in=8, numbers=50) for seed in (1, 1, 2)]
    draws = [np.asarray(INITIALIZERS[name](start)((3, 3, 32, 64)), np.float64) for start in starts]
    assert draws[0].std() == pytest.approx(deviation, rel=0.02)
    assert (draws[0] ** 4).mean() / draws[0].std() ** 4 == pytest.approx(kurtosis, rel=0.1)
    np.testing.assert_array_equal(draws[0], draws[1])
    assert abs(np.corrcoef(draws[0].ravel(), draws[2].ravel())[0, 1]) < 0.05


def test_the_table_of_initial_weights_is_tested():
    assert list(INITIALIZERS) == ["he", "he_2015", "he_as_coded", "normal", "glorot", "unit"]
