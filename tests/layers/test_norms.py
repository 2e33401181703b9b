"""The laws of the norms: closed formulas, gradients, who depends on whom, precisions, what is kept and saved."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from layers.gradients import slope_error, steepness_error

from pgan_tf.layers.norms import NORMS, BatchNorm, LayerNorm, VirtualBatchNorm

EPSILON = 1e-5
SHAPES = {"plane": (6, 5), "image": (6, 3, 2, 4)}
PRECISIONS = {"float16": "mixed_float16", "bfloat16": "mixed_bfloat16", "float32": "float32", "float64": "float64"}
OPTIONS = {"virtual_batch": dict(count=2)}
LAYERS = [name for name, norm in NORMS.items() if norm.layer]


def normal(*shape, seed=0) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal(shape)


def make(name: str, shape: tuple, dtype: str = "float64", **options):
    """A built norm, with a gain and a bias that are not their first values."""
    layer = NORMS[name].layer(**{**OPTIONS.get(name, {}), **options}, dtype=dtype)
    layer.build((None, *shape[1:]))
    for i, variable in enumerate(layer.trainable_variables):
        variable.assign(1 + 0.3 * normal(*variable.shape, seed=100 + i))
    return layer


# ---- the formulas ------------------------------------------------------------------------------------------------


def by(layer, x, mean, variance):
    return (x - mean) / np.sqrt(variance + EPSILON) * layer.gain.numpy() + layer.bias.numpy()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_layer_norm_is_over_all_features_of_a_sample(shape):
    x, layer = 3 + 2 * normal(*shape), make("layer", shape)
    for sample, ours in zip(x, layer(x).numpy(), strict=True):
        np.testing.assert_allclose(ours, by(layer, sample, sample.mean(), sample.var()), rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_batch_norm_is_over_all_of_a_channel(shape):
    x, layer = 3 + 2 * normal(*shape), make("batch", shape)
    ours = layer(x, training=True).numpy()
    for c in range(shape[-1]):
        expected = by(layer, x, x[..., c].mean(), x[..., c].var())[..., c]
        np.testing.assert_allclose(ours[..., c], expected, rtol=1e-10)


def test_batch_norm_follows_with_means_and_unbiased_variances():
    layer, mean, variance = make("batch", (4, 2, 3), momentum=0.8), np.zeros(3), np.ones(3)
    for step in range(5):
        x = normal(4, 2, 3, seed=step) * (1 + step) + step
        layer(x, training=True)
        mean = 0.8 * mean + 0.2 * x.mean((0, 1))
        variance = 0.8 * variance + 0.2 * x.reshape(-1, 3).var(0, ddof=1)
        np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-12)
        np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-12)
    np.testing.assert_allclose(layer(x, training=False), by(layer, x, mean, variance), rtol=1e-10)
    np.testing.assert_array_equal(layer(x), layer(x, training=False))
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-12)  # and nothing has moved


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_batch_norm_in_one_operation_is_the_formula(dtype):
    """TensorFlow's, which takes its place on one replica: values, averages, gradients, and gradients of these."""
    shape, policy = SHAPES["image"], PRECISIONS[dtype]
    one, other = (make("batch", shape, policy, momentum=0.5) for _ in range(2))
    x, weights = (tf.cast(normal(*shape, seed=seed) + mean, dtype) for seed, mean in ((0, 3), (1, 0)))

    def formula(x):
        return tf.cast(other.normalized(tf.cast(x, tf.float32), *other.statistics(tf.cast(x, tf.float32))), dtype)

    results = []
    for layer, norm in ((one, one.fused), (other, formula)):
        inputs = [x, layer.gain.value, layer.bias.value]
        with tf.GradientTape() as outer:
            outer.watch(inputs[:2])
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                y = norm(x)
            gradients = tape.gradient(y, inputs, output_gradients=weights)
            square = tf.reduce_sum(tf.square(gradients[0]))
        second = outer.gradient(square, inputs[:2])
        kept = [layer.moving_mean, layer.moving_variance]
        results.append([np.asarray(value, np.float32) for value in (y, *kept, *gradients, *second)])
    step = {"float32": 2e-5, "bfloat16": 0.03, "float16": 0.004}[dtype]
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=step, atol=step * np.abs(expected).max())
    one.in_one = True
    np.testing.assert_array_equal(np.asarray(one(x, training=True), np.float32), results[0][0])  # and a pass takes it


@pytest.mark.parametrize(("in_one", "jit"), [(False, False), (True, False), (False, True)])
def test_batch_norm_of_numbers_far_from_zero(in_one, jit):
    """The variance is the mean of squared differences, not a difference of means of squares."""
    x = 1000 + normal(64, 4, 4, 3)
    layer = make("batch", x.shape, "float32")
    layer.in_one = in_one
    expected = by(layer, x, x.mean((0, 1, 2)), x.var((0, 1, 2)))
    ours = tf.function(lambda x: layer(x, training=True), jit_compile=jit)(x.astype(np.float32))
    np.testing.assert_allclose(ours, expected, rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize("in_one", [False, True])
def test_batch_norm_of_one_number(in_one):
    """Whose variance is 0, unbiased too."""
    layer = make("batch", (1, 1, 1, 3), "float32")
    layer.in_one = in_one
    ours = layer(np.ones((1, 1, 1, 3), np.float32), training=True)
    np.testing.assert_array_equal(ours[0, 0, 0], layer.bias)
    np.testing.assert_allclose(layer.moving_variance, 0.99, rtol=1e-6)


def reference_statistics(x, count):
    """For each row: mean and mean square of the reference, and of itself unless it belongs to it."""
    for i, row in enumerate(x):
        parts = [(1.0, x[:count])] if i < count else [(count / (count + 1), x[:count]), (1 / (count + 1), row)]
        first = sum(w * part.reshape(-1, x.shape[-1]).mean(0) for w, part in parts)
        second = sum(w * (part.reshape(-1, x.shape[-1]) ** 2).mean(0) for w, part in parts)
        yield first, second - first**2


@pytest.mark.parametrize("count", [1, 2, 5, 6])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_virtual_batch_norm_is_by_the_reference_and_oneself(shape, count):
    x, layer = 3 + 2 * normal(*shape), make("virtual_batch", shape, count=count)
    for row, ours, (mean, variance) in zip(x, layer(x).numpy(), reference_statistics(x, count), strict=True):
        np.testing.assert_allclose(ours, by(layer, row, mean, variance), rtol=1e-9, atol=1e-9)


def test_pixel_norm_is_the_one_there_was_and_none_is_none():
    x = normal(2, 3, 3, 8)
    expected = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-8)
    np.testing.assert_allclose(make("pixel", x.shape)(x, training=True), expected, rtol=1e-12)
    assert set(NORMS) - set(LAYERS) == {"none"}


# ---- who depends on whom -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
def test_a_sample_hears_of_the_others_only_where_the_table_says_so(name):
    """The last sample among others, behind the same reference where there is one."""
    x, layer = normal(8, 3, 3, 4), make(name, (8, 3, 3, 4))
    count = layer.count if NORMS[name].reference else 0
    other = x.copy()
    other[count:-1] = 5 * normal(7 - count, 3, 3, 4, seed=1) + 2
    alone = np.concatenate([x[:count], x[-1:]])
    results = [layer(rows, training=True).numpy()[-1] for rows in (x, other, alone)]
    same = all(np.allclose(results[0], result, rtol=1e-12) for result in results[1:])
    assert same == (NORMS[name].together == 1) == NORMS[name].separable


def test_the_reference_is_blind_to_the_samples_and_they_see_it():
    x, layer = normal(5, 3, 3, 4), make("virtual_batch", (5, 3, 3, 4))
    first, second = layer(x).numpy(), layer(np.concatenate([x[:2], 9 * x[2:]])).numpy()
    np.testing.assert_allclose(first[:2], second[:2], rtol=1e-12)
    np.testing.assert_allclose(first[:2], make("batch", x.shape)(x[:2], training=True), rtol=1e-10)
    moved = layer(np.concatenate([x[:2] + 1, x[2:]])).numpy()
    assert np.abs(moved[2:] - first[2:]).min() > 1e-3


@pytest.mark.parametrize("run", [lambda layer: layer, lambda layer: tf.function(layer)], ids=["eager", "traced"])
def test_a_pass_without_its_whole_reference_is_refused(run):
    layer = run(make("virtual_batch", (4, 3), count=3))
    layer(normal(3, 3))
    with pytest.raises(tf.errors.InvalidArgumentError, match="whole reference batch"):
        layer(normal(2, 3))


# ---- derivatives, precisions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_those_of_differences_also_the_second_ones(name, shape, training):
    layer = make(name, shape)

    def compute(x):
        return layer(x, training=training)

    x = tf.constant(normal(*shape))
    watched = [v.value for v in layer.trainable_variables]
    assert slope_error(compute, x, watched) < 1e-7
    assert steepness_error(compute, x, watched) < 1e-6


@pytest.mark.parametrize("spread", [0.0, 1e-4, 1.0, 20.0])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", LAYERS)
def test_precisions(name, precision, spread):
    """Finite in all, with both derivatives, of equal samples too; half precision is only in the result."""
    far = 1 if name == "pixel" else 40  # pixel norm squares in half precision
    x = tf.cast(far + spread * normal(8, 4, 4, 16), precision)
    layer, exact = (make(name, x.shape, dtype) for dtype in (PRECISIONS[precision], "float64"))
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = layer(x, training=True)
            total = tf.reduce_sum(tf.sin(tf.cast(y, tf.float64))) / 64
        slope = tf.cast(inner.gradient(total, x), tf.float64)
        steepness = tf.reduce_mean(tf.square(slope))
    assert y.dtype == precision
    for value in (y, slope, outer.gradient(steepness, x)):
        assert np.isfinite(tf.cast(value, tf.float64)).all()
    accuracy = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 5e-3, "float64": 1e-12}[precision]
    expected = exact(tf.cast(x, tf.float64), training=True).numpy()
    np.testing.assert_allclose(tf.cast(y, tf.float64), expected, atol=accuracy * (1 + np.abs(expected).max()))


# ---- what is kept ------------------------------------------------------------------------------------------------

VARIABLES = {
    "pixel": ([], []),
    "batch": (["gain", "bias"], ["moving_mean", "moving_variance"]),
    "virtual_batch": (["gain", "bias"], []),
    "layer": (["gain", "bias"], []),
}


@pytest.mark.parametrize("name", LAYERS)
def test_all_that_a_norm_knows_is_listed(name):
    layer, (trained, kept) = make(name, (2, 3, 3, 4), "mixed_bfloat16"), VARIABLES[name]
    assert [v.name for v in layer.trainable_variables] == trained
    assert [v.name for v in layer.non_trainable_variables] == kept
    assert {v.dtype for v in layer.variables} <= {"float32"}
    assert {tuple(v.shape) for v in layer.variables} <= {(4,)}


@pytest.mark.parametrize("name", LAYERS)
def test_a_norm_is_saved_with_all_that_it_knows(name, tmp_path):
    layer = make(name, (8, 4))
    model = keras.Sequential([keras.Input((4,), dtype="float64"), layer])
    layer(3 + normal(8, 4), training=True)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(normal(8, 4, seed=1)), model(normal(8, 4, seed=1)))
    for ours, theirs in zip(again.layers[-1].variables, layer.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "layer", [BatchNorm(epsilon=1e-3, momentum=0.5), LayerNorm(epsilon=1e-2), VirtualBatchNorm(7, epsilon=1e-4)]
)
def test_a_norm_says_what_it_is(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    assert [getattr(again, n, None) for n in ("epsilon", "momentum", "count")] == [
        getattr(layer, n, None) for n in ("epsilon", "momentum", "count")
    ]
    assert layer.compute_output_shape((None, 3, 4)) == (None, 3, 4)


@pytest.mark.parametrize("name", LAYERS)
def test_a_norm_can_be_compiled(name):
    layer, x = make(name, (6, 3, 3, 4)), tf.constant(normal(6, 3, 3, 4))
    compiled = tf.function(lambda x: layer(x, training=True), jit_compile=True)
    np.testing.assert_allclose(compiled(x), layer(x, training=True), rtol=1e-9, atol=1e-9)


def test_what_passes_change_is_changed_in_a_compiled_function_on_a_mirrored_device_too():
    strategy, x = tf.distribute.MirroredStrategy(["CPU:0"]), normal(6, 4)
    with strategy.scope():
        layer = make("batch", x.shape)

    @tf.function(jit_compile=True)
    def compiled():
        return layer(x, training=True)

    def replica():
        return compiled()

    other = make("batch", x.shape)
    np.testing.assert_allclose(tf.function(strategy.run)(replica), other(x, training=True), rtol=1e-9)
    for ours, theirs in zip(layer.variables, other.variables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
