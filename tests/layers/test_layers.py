"""The laws of single layers: scale, resampling, normalisation, minibatch statistics, the order of samples."""

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf

from pgan_tf.layers import (
    EqualizedConv2D,
    EqualizedDense,
    LatentProjection,
    MinibatchStatistics,
    PixelNorm,
    box_downsample,
    detail,
    equalized,
    fade,
    fused,
    nearest_upsample,
)
from pgan_tf.layers.fused import FORMS
from pgan_tf.layers.minibatch import deal, join_batches, split_batches


def normal(*shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape)


@pytest.mark.parametrize("path", reference.files("networks_e_*.npz"))
@pytest.mark.parametrize("batch", [2, 3, 4, 8, 16])
def test_minibatch_stddev_is_the_originals(path, batch):
    data = reference.load(path)
    ours = MinibatchStatistics(4)(reference.nhwc(data[f"mbstd/in_{batch}"]))
    assert reference.deviation(ours, reference.nhwc(data[f"mbstd/out_{batch}"])) < 1e-6


def test_minibatch_stddev_refuses_an_incomplete_group():
    with pytest.raises(Exception, match=r"(?i)reshape|divisible|multiple"):
        MinibatchStatistics(4)(normal(6, 4, 4, 2).astype(np.float32))


@pytest.mark.parametrize(("samples", "group"), [(8, 4), (12, 2), (16, 16)])
def test_sample_i_is_in_group_i_modulo_the_number_of_groups(samples, group):
    """Its own group alone, as a minibatch, gives a sample the same statistic."""
    x = normal(samples, 4, 4, 3)
    whole = MinibatchStatistics(group, dtype="float64")(x).numpy()
    count = samples // group
    for g in range(count):
        alone = MinibatchStatistics(group, dtype="float64")(x[g::count]).numpy()
        np.testing.assert_allclose(whole[g::count], alone, rtol=1e-12)
    assert len(np.unique(whole[:, 0, 0, -1].round(9))) == count


def test_minibatch_stddev_in_half_precision_is_computed_in_float32():
    x = (100 + normal(4, 4, 4, 8) * 0.5).astype(np.float16)
    half = MinibatchStatistics(4, dtype="mixed_float16")(x)
    assert half.dtype == tf.float16
    exact = MinibatchStatistics(4, dtype="float64")(x.astype(np.float64))
    np.testing.assert_allclose(half[..., -1], exact[..., -1], rtol=1e-3)


@pytest.mark.parametrize("resample", ["up", "down"])
@pytest.mark.parametrize("kernel", [1, 3])
def test_fused_resampling_is_the_plain_convolution_beside_a_resampling(resample, kernel):
    x = normal(2, 8, 8, 3)
    fused = EqualizedConv2D(5, kernel, resample=resample, dtype="float64", seed=1)
    plain = EqualizedConv2D(5, kernel, dtype="float64", seed=1)
    fused.build(x.shape), plain.build(x.shape)
    weight = fused.weight.numpy()
    plain.weight.assign(weight[::-1, ::-1].transpose(0, 1, 3, 2) if resample == "up" else weight)
    fused.bias.assign(normal(5)), plain.bias.assign(normal(5))
    expected = plain(nearest_upsample(tf.constant(x))) if resample == "up" else box_downsample(plain(x))
    np.testing.assert_allclose(fused(x), expected, rtol=1e-10, atol=1e-10)


LAYERS = [
    (EqualizedDense(64, seed=1), (256, 1024), 1024),
    (LatentProjection(16, seed=1), (256, 512), 512),
    (EqualizedConv2D(64, seed=1), (4, 16, 16, 64), 9 * 64),
    (EqualizedConv2D(64, 1, seed=1), (16, 16, 16, 64), 64),
]


@pytest.mark.parametrize(("layer", "shape", "fan_in"), LAYERS)
def test_weights_are_unit_normal_and_scaled_by_he(layer, shape, fan_in):
    layer = type(layer).from_config(layer.get_config())
    layer.build(shape)
    assert abs(layer.weight.numpy().std() - 1) < 0.03
    scaled = layer.scaled_weight().numpy()
    np.testing.assert_allclose(scaled, layer.weight.numpy() * np.sqrt(2 / fan_in), rtol=1e-6)
    outputs = layer(normal(*shape).astype(np.float32)).numpy()
    inner = outputs[:, 2:-2, 2:-2] if len(shape) == 4 else outputs
    assert abs(inner.std() / np.sqrt(2) - 1) < 0.1  # unit variance in, gain out


@pytest.mark.parametrize("kind", [EqualizedDense, LatentProjection, EqualizedConv2D])
def test_equalization_scales_the_gradients_and_not_the_function(kind):
    """With and without, from the same seed: the same function, a gradient on the weights times the scale."""
    x = normal(2, *([4, 4] if kind is EqualizedConv2D else []), 8).astype(np.float32)
    layers = [kind(4, weights=row, gain=0.7, seed=5) for row in ("equalized", "plain")]
    outputs, gradients = [], []
    for layer in layers:
        with tf.GradientTape() as tape:
            outputs.append(layer(x))
            total = tf.reduce_sum(outputs[-1] ** 2)
        gradients.append(tape.gradient(total, layer.weight.value))
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradients[0], gradients[1] * layers[0].scale, rtol=1e-4, atol=1e-5)


def test_unknown_resampling_is_refused():
    with pytest.raises(ValueError, match="none, up or down"):
        EqualizedConv2D(4, resample="sideways")


def test_pixel_norm_makes_the_mean_square_one():
    x = normal(2, 4, 4, 16) * 7
    y = PixelNorm(dtype="float64")(x).numpy()
    np.testing.assert_allclose((y**2).mean(-1), 1.0, rtol=1e-8)
    np.testing.assert_allclose(y / x, np.broadcast_to((y / x)[..., :1], y.shape))
    np.testing.assert_array_equal(PixelNorm(dtype="float64")(np.zeros([1, 3])), np.zeros([1, 3]))


@pytest.mark.parametrize("size", [0.0, 1e-3, 1.0, 8.0, 300.0])
@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_pixel_norm_in_half_precision(precision, size):
    """Squares of 300 and of 0.001 are beyond float16."""
    x = size * np.random.default_rng(0).normal(size=[2, 3, 512])
    expected = PixelNorm(dtype="float64")(x).numpy()
    y = PixelNorm(dtype=precision)(x.astype(np.float32)).numpy().astype(np.float64)
    np.testing.assert_allclose(y, expected, rtol=0.02, atol=0.01)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_resampling(factor):
    x = normal(2, 4, 8, 3)
    np.testing.assert_array_equal(nearest_upsample(tf.constant(x), factor), reference.enlarge(x, factor))
    np.testing.assert_allclose(
        box_downsample(tf.constant(x), factor), reference.shrink(x, factor), rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(box_downsample(nearest_upsample(tf.constant(x), factor), factor), x, rtol=1e-12)


@pytest.mark.parametrize("level", [4, 8, 16])
def test_detail_leaves_what_smaller_images_have(level):
    """All of it where they are as large; what is taken away once is away."""
    x = tf.constant(normal(2, 16, 16, 3))
    y = detail(x, level)
    assert y.shape == x.shape
    np.testing.assert_array_equal(y, nearest_upsample(box_downsample(x, 16 // level), 16 // level))
    np.testing.assert_allclose(detail(y, level), y, rtol=1e-12)
    np.testing.assert_allclose(tf.reduce_mean(y, [1, 2]), tf.reduce_mean(x, [1, 2]), rtol=1e-9, atol=1e-12)
    assert np.array_equal(x, y) == (level == 16)


def test_fade_goes_from_old_to_new():
    old, new = tf.constant(normal(3, 2)), tf.constant(normal(3, 2, seed=1))
    np.testing.assert_array_equal(fade(old, new, 0.0), old)
    np.testing.assert_allclose(fade(old, new, 1.0), new)
    np.testing.assert_allclose(fade(old, new, 0.25), 0.75 * old + 0.25 * new)


@pytest.mark.parametrize("group", [1, 2, 4, 8])
def test_split_undoes_join(group):
    a, b = normal(8, 3, 2), normal(8, 3, 2, seed=1)
    joined = join_batches(a, b, group)
    assert sorted(np.asarray(joined).ravel()) == sorted([*a.ravel(), *b.ravel()])
    first, second = split_batches(joined, group)
    np.testing.assert_array_equal(first, a)
    np.testing.assert_array_equal(second, b)


@pytest.mark.parametrize("group", [2, 4, 8])
def test_statistics_of_a_joined_batch_are_those_of_each_half(group):
    a, b = normal(8, 4, 4, 3), 5 * normal(8, 4, 4, 3, seed=1)
    layer = MinibatchStatistics(group, dtype="float64")
    first, second = split_batches(layer(join_batches(a, b, group)), group)
    np.testing.assert_allclose(first, layer(a), rtol=1e-12)
    np.testing.assert_allclose(second, layer(b), rtol=1e-12)


CASES = [
    (16, 1, 4),
    (16, 2, 4),
    (32, 8, 4),
    (12, 3, 4),
    (8, 2, 8),
    (8, 4, 4),
    (6, 3, 0),
    (6, 1, 0),
    (6, 2, 1),
    (4, 2, 16),
    (24, 3, 2),
]


@pytest.mark.parametrize(("minibatch", "replicas", "group"), CASES)
def test_dealing_to_replicas(minibatch, replicas, group):
    shares = deal(minibatch, replicas, group)
    assert shares.shape == (replicas, minibatch // replicas)
    assert sorted(shares.ravel()) == list(range(minibatch))
    if replicas == 1:
        np.testing.assert_array_equal(shares[0], np.arange(minibatch))
    size = min(group, minibatch) or minibatch
    groups = minibatch // size
    if groups % replicas:
        return  # fewer groups than replicas: smaller groups
    for share in shares:
        local = len(share) // size
        for position in range(local):
            members = share[position::local]  # what the layer takes for a group on this replica
            assert len(members) == size
            assert len({i % groups for i in members}) == 1, members


def test_layers_are_registered_with_keras():
    for layer in (
        EqualizedDense(3),
        LatentProjection(3),
        EqualizedConv2D(3, resample="up"),
        PixelNorm(1e-4),
        MinibatchStatistics(2),
    ):
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert type(again) is type(layer)
        assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("resample", ["none", "up", "down"])
def test_the_forms_of_convolutions_are_one_function(resample, monkeypatch):
    """With all gradients, and those of the gradients that a penalty takes."""
    monkeypatch.setattr(fused, "WIDE", 1)  # so products are taken
    layers = {}
    for form in FORMS:
        layers[form] = EqualizedConv2D(5, 3, resample, seed=1, dtype="float64")
        layers[form].build((None, 8, 6, 3))
        layers[form].form = form
    x = tf.constant(normal(2, 8, 6, 3))

    def found(layer):
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(x)
            with tf.GradientTape(persistent=True) as inner:
                inner.watch([x, layer.weight.value])
                y = layer(x)
                score = tf.reduce_sum(tf.square(y))
            norms = [tf.reduce_sum(tf.square(inner.gradient(score, of))) for of in (x, layer.weight.value)]
        return [y, *(g for value in (score, *norms) for g in outer.gradient(value, [x, layer.weight.value]))]

    strided, *others = (found(layer) for layer in layers.values())
    assert others
    for other in others:
        for ours, theirs in zip(other, strided, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10 * np.abs(theirs).max())


@pytest.mark.parametrize("resample", ["none", "up", "down"])
def test_products_are_for_small_images_of_many_maps(resample):
    """What the graph of a layer's gradients has: small means 8x8 pixels on its smaller side."""

    def has_products(side, maps):
        layer = EqualizedConv2D(maps, 3, resample)
        layer.form = "products"
        side *= 2 if resample == "down" else 1
        layer.build((None, side, side, maps))

        @tf.function
        def gradient(x):
            with tf.GradientTape() as tape:
                y = layer(x)
            return tape.gradient(y, layer.weight.value)

        graph = gradient.get_concrete_function(tf.TensorSpec([None, side, side, maps])).graph
        kinds = {operation.type for operation in graph.get_operations()}
        assert ("MatMul" in kinds) != ("Conv2DBackpropFilter" in kinds)
        return "MatMul" in kinds

    assert has_products(8, 64)
    assert not has_products(9, 64)
    assert not has_products(8, 63)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("trace", [tf.function, lambda function: function], ids=["graph", "eager"])
def test_the_gradient_of_a_bias_is_the_sum_of_all_places(dtype, trace):
    """Also of more of them than numbers of this kind can be counted up to: TensorFlow's own gives 256 in bfloat16."""
    x, bias = tf.cast(tf.zeros([16, 32, 32, 3]), dtype), tf.constant([1.0, 2.0, 3.0])

    @trace
    def gradients():
        with tf.GradientTape() as tape:
            tape.watch([x, bias])
            y = equalized.biased(x, bias)
            loss = tf.reduce_sum(tf.cast(y, tf.float32)) / 2
        return y, *tape.gradient(loss, [x, bias])

    y, of_x, of_bias = gradients()
    np.testing.assert_array_equal(tf.cast(y, tf.float32), np.broadcast_to(bias, x.shape))
    np.testing.assert_array_equal(tf.cast(of_x, tf.float32), np.full(x.shape, 0.5))
    np.testing.assert_array_equal(of_bias, np.full(3, 16 * 32 * 32 / 2))


def test_the_gradient_of_a_bias_has_gradients():
    """As a gradient penalty needs them: of the square of a gradient that goes through the bias."""
    x, bias = tf.constant([[1.0, 2.0]]), tf.constant([0.5, -0.5])
    with tf.GradientTape() as outer:
        outer.watch([x, bias])
        with tf.GradientTape() as inner:
            inner.watch(bias)
            y = tf.reduce_sum(tf.square(equalized.biased(x, bias)))
        penalty = tf.reduce_sum(tf.square(inner.gradient(y, bias)))  # sum of (2 (x + b))^2
    for found in outer.gradient(penalty, [x, bias]):
        np.testing.assert_allclose(np.ravel(found), [12.0, 12.0])
