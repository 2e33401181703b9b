"""Convolutions with stride 2 and their transposes: Keras' own, in all forms of the resampling."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pgan_tf.layers import StridedConv2D, fused
from pgan_tf.layers.fused import FORMS

KERAS = {"down": keras.layers.Conv2D, "up": keras.layers.Conv2DTranspose}


def layers(resample: str, shape: tuple, filters=3):
    ours = StridedConv2D(filters, resample, weights="plain", seed=1, dtype="float64")
    theirs = KERAS[resample](filters, 4, strides=2, padding="same", dtype="float64")
    for layer in (ours, theirs):
        layer.build(shape)
    ours.bias.assign(np.arange(filters) - 1.0)
    theirs.set_weights([ours.weight.numpy(), ours.bias.numpy()])
    return ours, theirs


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("resample", KERAS)
@pytest.mark.parametrize("size", [2, 6, 14])
def test_it_is_that_of_keras(resample, form, size, monkeypatch):
    monkeypatch.setattr(fused, "WIDE", 1)  # so products are taken
    shape = (2, size, size + 2, 5)
    ours, theirs = layers(resample, shape)
    ours.form = form
    x = np.random.RandomState(0).standard_normal(shape)
    with tf.GradientTape(persistent=True) as tape:
        expected, found = theirs(x), ours(x)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    weights = tape.gradient(found, ours.weight.value), tape.gradient(expected, theirs.trainable_variables[0].value)
    np.testing.assert_allclose(*weights, rtol=1e-10, atol=1e-10)
    assert ours.compute_output_shape(shape) == tuple(expected.shape)


@pytest.mark.parametrize("resample", KERAS)
def test_he_s_constant_keeps_the_mean_square(resample):
    """What fan-in means: as many inputs as enter into a pixel, a quarter of the kernel's where it is transposed."""
    ours = StridedConv2D(200, resample, gain=1.0, weights="equalized", seed=1)
    y = ours(np.random.RandomState(0).standard_normal((8, 16, 16, 50)).astype(np.float32)).numpy()[:, 2:-2, 2:-2]
    assert 0.9 < np.mean(np.square(y)) < 1.1


@pytest.mark.parametrize("resample", KERAS)
def test_flops_are_those_of_the_sums(resample):
    """Twice the products that enter; at a border some of them are with padding."""
    ours, _ = layers(resample, (1, 8, 8, 5))
    pixels, taps = {"down": (16, 16), "up": (256, 4)}[resample]
    assert ours.flops == 2 * pixels * taps * 5 * 3


def test_without_a_bias_there_is_none():
    layer = StridedConv2D(3, "down", bias=False)
    assert not layer(np.zeros((1, 4, 4, 2))).numpy().any()
    assert [variable.name for variable in layer.variables] == ["weight"]
    again = StridedConv2D.from_config(layer.get_config())
    again.build((None, 4, 4, 2))
    assert [variable.name for variable in again.variables] == ["weight"]


def test_another_direction_is_refused():
    with pytest.raises(ValueError, match="resample='none': choose down or up"):
        StridedConv2D(3, "none")
