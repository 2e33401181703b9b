"""The laws of minibatch discrimination: the paper's formula, groups, derivatives, precisions, what is saved."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from layers.gradients import slope_error, steepness_error

from pgan_tf.layers.discrimination import MINIBATCH, MinibatchDiscrimination
from pgan_tf.layers.minibatch import MINIBATCH_STATISTICS, deal, join_batches, split_batches
from pgan_tf.layers.widening import Part, carried, whole

SHAPES = {"plane": (8, 5), "image": (8, 2, 3, 4)}
PRECISIONS = {"float16": "mixed_float16", "bfloat16": "mixed_bfloat16", "float32": "float32", "float64": "float64"}


def normal(*shape, seed=0) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal(shape)


def make(shape: tuple, group: int = 4, dtype: str = "float64") -> MinibatchDiscrimination:
    layer = MinibatchDiscrimination(6, group, 3, gain=0.5, seed=1, dtype=dtype)
    layer.build((None, *shape[1:]))
    layer.bias.assign(0.1 * normal(6, seed=9))
    return layer


def said(layer, x) -> np.ndarray:
    """What each sample hears [N,kernels], taken from one place."""
    y = np.asarray(tf.cast(layer(x), tf.float64))
    return y.reshape(len(y), -1, y.shape[-1])[:, 0, -6:]


def formula(layer, x: np.ndarray) -> np.ndarray:
    """Section 3.2, sample by sample, with all of x as one group."""
    weight = layer.weight.numpy() * layer.scale
    vectors = [(row.ravel() @ weight).reshape(6, 3) for row in x]
    return np.array([sum(np.exp(-np.abs(m - other).sum(1)) for other in vectors) for m in vectors])


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_formula_is_the_papers(shape):
    x, layer = normal(*shape), make(shape, group=8)
    np.testing.assert_allclose(said(layer, x) - layer.bias.numpy(), formula(layer, x), rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_samples_pass_unchanged_and_every_place_hears_the_same(shape):
    x, layer = normal(*shape), make(shape)
    y = layer(x).numpy()
    assert y.shape == (*shape[:-1], shape[-1] + 6) == layer.compute_output_shape(shape)
    np.testing.assert_array_equal(y[..., :-6], x)
    first = y.reshape(8, -1, y.shape[-1])[:, :1, -6:].reshape(8, *[1] * (len(shape) - 2), 6)
    np.testing.assert_array_equal(y[..., -6:], np.broadcast_to(first, y[..., -6:].shape))


@pytest.mark.parametrize("group", [1, 2, 4, 8, 16])
def test_a_sample_hears_of_its_group_and_of_nobody_else(group):
    x, layer = normal(8, 2, 3, 4), make(SHAPES["image"], group)
    whole, groups = said(layer, x), max(8 // group, 1)
    for g in range(groups):
        np.testing.assert_allclose(whole[g::groups] - layer.bias.numpy(), formula(layer, x[g::groups]), rtol=1e-9)


def test_what_is_said_does_not_depend_on_the_order_of_a_group_nor_on_where_it_is():
    x, layer = normal(8, 5), make(SHAPES["plane"], 8)
    order = np.random.RandomState(0).permutation(8)
    np.testing.assert_allclose(said(layer, x[order]), said(layer, x)[order], rtol=1e-9)
    np.testing.assert_allclose(said(layer, x + 100), said(layer, x), rtol=1e-9)


def test_equal_samples_are_as_near_as_can_be_and_far_ones_hear_of_themselves():
    layer = make(SHAPES["plane"])
    layer.bias.assign(np.zeros(6))
    np.testing.assert_allclose(said(layer, np.ones([4, 5])), 4, rtol=1e-12)
    np.testing.assert_allclose(said(layer, 1e4 * normal(4, 5)), 1, rtol=1e-12)


def test_groups_stay_together_in_joined_passes_and_on_several_devices():
    a, b, layer = normal(8, 2, 3, 4), normal(8, 2, 3, 4, seed=1), make(SHAPES["image"])
    assert not layer.mixes_groups
    for ours, x in zip(split_batches(layer(join_batches(a, b, 4)), 4), (a, b), strict=True):
        np.testing.assert_allclose(ours, layer(x), rtol=1e-9)
    for share in deal(8, 2, 4):
        np.testing.assert_allclose(layer(a[share]), layer(a).numpy()[share], rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_gradients_are_those_of_differences_also_the_second_ones(shape):
    layer = make(shape)
    x, watched = tf.constant(normal(*shape)), [layer.weight.value, layer.bias.value]
    assert slope_error(layer, x, watched) < 1e-6
    assert steepness_error(layer, x, watched) < 1e-5


@pytest.mark.parametrize("spread", [0.0, 1e-3, 1.0, 100.0])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_precisions(precision, spread):
    """Finite in all, with both derivatives, of equal samples too; half precision is only in weight and result."""
    x = tf.cast(1 + spread * normal(8, 2, 3, 4), precision)
    layer, exact = make(x.shape, dtype=PRECISIONS[precision]), make(x.shape)
    exact.weight.assign(tf.cast(layer.weight.value, tf.float64))
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = layer(x)
            total = tf.reduce_sum(tf.square(tf.cast(y, tf.float64)))
        slope = tf.cast(inner.gradient(total, x), tf.float64)
        steepness = tf.reduce_mean(tf.square(slope))
    assert y.dtype == precision
    for value in (y, slope, outer.gradient(steepness, x)):
        assert np.isfinite(tf.cast(value, tf.float64)).all()
    accuracy = {"float16": 5e-3, "bfloat16": 4e-2, "float32": 1e-5, "float64": 1e-12}[precision]
    np.testing.assert_allclose(said(layer, x), said(exact, tf.cast(x, tf.float64)), atol=accuracy)


def test_samples_that_are_far_from_zero_are_told_apart_in_float32():
    x = (1e4 + normal(8, 5)).astype(np.float32)
    layer, exact = make(x.shape, dtype="float32"), make(x.shape)
    exact.weight.assign(tf.cast(layer.weight.value, tf.float64))
    np.testing.assert_allclose(said(layer, x), said(exact, x.astype(np.float64)), atol=1e-5)


def test_the_layer_says_what_it_is_and_what_it_costs():
    layer = MinibatchDiscrimination(
        7, 2, 3, gain=0.3, weights="plain", initializer="normal", stddev=0.1, seed=5, name="near"
    )
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    assert (again.kernels, again.group_size, again.dimensions, again.maps) == (7, 2, 3, 7)
    again.build((None, 4, 4, 10))
    assert again.flops == 2 * 160 * 21
    assert again.outputs_per_image == 16 * 17
    assert [(v.name, tuple(v.shape)) for v in again.trainable_variables] == [("weight", (160, 21)), ("bias", (7,))]


def test_features_that_are_new_count_by_beta():
    """At 0 the wider layer says what the narrower one said, whatever is in its new features; at 1 what a whole one."""
    narrow, wide = make((8, 2, 3, 4)), MinibatchDiscrimination(6, 4, 3, (Part(5, 4),), gain=0.5, dtype="float64")
    x = normal(8, 2, 3, 5)
    wide.build((None, 2, 3, 5))
    for name, variable in (("weight", wide.weight), ("bias", wide.bias)):
        axes = {"weight": (whole(4) * 6, whole(18)), "bias": (whole(6),)}[name]
        variable.assign(carried(getattr(narrow, name).numpy(), axes, variable.numpy(), wide.axes[name]))
    y = wide(x, beta=tf.constant(0.0, tf.float64)).numpy()
    np.testing.assert_allclose(y[..., 5:], narrow(x[..., :4]).numpy()[..., 4:], rtol=1e-6)
    whole_layer = make((8, 2, 3, 5))
    whole_layer.weight.assign(wide.weight)
    whole_layer.bias.assign(wide.bias)
    np.testing.assert_allclose(wide(x, beta=1.0), whole_layer(x), rtol=1e-6)
    assert np.abs(wide(x, beta=0.5).numpy() - y).max() > 1e-3


@pytest.mark.parametrize("name", MINIBATCH)
def test_the_table(name):
    """Every row makes a layer that adds its maps and says whether groups mix."""
    layer = MINIBATCH[name]({"seed": 1}, group_size=4, axis=whole(3), name="told", dtype="float64")
    assert layer(normal(8, 4, 4, 3), beta=1.0, tau=0.5, training=True).shape[-1] == 3 + layer.maps
    assert (layer.name, layer.group_size) == ("told", 4)
    assert layer.mixes_groups == (name == "moments_as_coded")
    assert list(MINIBATCH) == [*MINIBATCH_STATISTICS, "discrimination"]
