"""Layers with an equalized learning rate: paper section 4.1.

Weights are drawn from N(0, 1) and multiplied at run time by gain / sqrt(fan-in), He's constant, so that every
weight has the same dynamic range and the optimizer the same speed. They lie as in the original: convolutions
[kh,kw,in,out], up-sampling ones [kh,kw,out,in], dense [in,out].
"""

from __future__ import annotations

import math

import keras
import numpy as np
import tensorflow as tf

from pgan_tf.layers.fused import FORMS, box_widened

HE_GAIN = math.sqrt(2.0)


class Equalized(keras.layers.Layer):
    """What the layers below share: the weight with its run-time scale, and the bias.

    `use_wscale=False` puts the scale into the initial values instead. `seed` makes these reproducible. A built layer
    knows its cost: `flops` of one image's pass, and `output_size`, what it puts out for one, such as (H, W, C).
    """

    def __init__(self, gain: float = HE_GAIN, use_wscale: bool = True, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.gain, self.use_wscale, self.seed = gain, use_wscale, seed

    def add_parameters(self, weight_shape, fan_in: int, bias_size: int) -> None:
        std = self.gain / math.sqrt(fan_in)
        # The original holds the constant in float32, and so must whoever wants its numbers.
        self.scale = float(np.float32(std)) if self.use_wscale else 1.0
        initializer = keras.initializers.RandomNormal(stddev=1.0 if self.use_wscale else std, seed=self.seed)
        # No autocast: the scaling happens in float32 also when the layer computes in half precision.
        self.weight = self.add_weight(shape=weight_shape, initializer=initializer, name="weight", autocast=False)
        self.bias = self.add_weight(shape=(bias_size,), initializer="zeros", name="bias", autocast=False)

    @property
    def outputs_per_image(self) -> int:
        return math.prod(self.output_size)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.output_size)

    def scaled_weight(self) -> tf.Tensor:
        return tf.cast(self.weight.value * self.scale, self.compute_dtype)

    def add_bias(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.bias_add(x, tf.cast(self.bias.value, x.dtype))

    def get_config(self):
        return {**super().get_config(), "gain": self.gain, "use_wscale": self.use_wscale, "seed": self.seed}


@keras.saving.register_keras_serializable("pgan_tf")
class EqualizedDense(Equalized):
    """[N,in] -> [N,units]."""

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.add_parameters((input_shape[-1], self.units), input_shape[-1], self.units)
        self.flops, self.output_size = 2 * input_shape[-1] * self.units, (self.units,)

    def call(self, x):
        return self.add_bias(tf.matmul(x, self.scaled_weight()))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("pgan_tf")
class LatentProjection(Equalized):
    """[N,latent] -> [N,4,4,filters]: the generator's first layer, with one bias per feature map."""

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters

    def build(self, input_shape):
        self.add_parameters((input_shape[-1], self.filters * 16), input_shape[-1], self.filters)
        self.flops, self.output_size = 32 * input_shape[-1] * self.filters, (4, 4, self.filters)

    def call(self, x):
        x = tf.reshape(tf.matmul(x, self.scaled_weight()), [-1, self.filters, 4, 4])  # [N,C,4,4], the original's order
        return self.add_bias(tf.transpose(x, [0, 2, 3, 1]))  # [N,4,4,C]

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


@keras.saving.register_keras_serializable("pgan_tf")
class EqualizedConv2D(Equalized):
    """[N,H,W,in] -> [N,H,W,filters], or resampled by two: resample = 'none', 'up' (before), 'down' (after).

    The resampling is fused with the convolution: nearest up-sampling followed by a 3x3 convolution equals one
    transposed convolution with a 4x4 kernel, and the mean of four neighbours of a 3x3 convolution equals one
    strided convolution with a 4x4 kernel. `form`, a name of layers.fused.FORMS, says how these are computed; it changes
    the speed, not the function, and is no part of the saved layer.
    """

    form = "strided"

    def __init__(self, filters: int, kernel_size: int = 3, resample: str = "none", **kwargs):
        super().__init__(**kwargs)
        if resample not in ("none", "up", "down"):
            raise ValueError(f"resample={resample!r}: choose none, up or down")
        self.filters, self.kernel_size, self.resample = filters, kernel_size, resample

    def build(self, input_shape):
        size, inputs = self.kernel_size, input_shape[-1]
        channels = (self.filters, inputs) if self.resample == "up" else (inputs, self.filters)
        self.add_parameters((size, size, *channels), size * size * inputs, self.filters)
        _, height, width, _ = input_shape
        factor = {"none": 1.0, "up": 2.0, "down": 0.5}[self.resample]
        self.output_size = (int(height * factor), int(width * factor), self.filters)
        taps = size**2 if self.resample == "none" else (size + 1) ** 2 * (0.25 if self.resample == "up" else 1)
        self.flops = 2 * taps * inputs * self.outputs_per_image

    def call(self, x):
        weight = self.scaled_weight()
        if self.resample == "none":
            x = tf.nn.conv2d(x, weight, 1, "SAME")
        elif self.resample == "down":
            x = FORMS[self.form].down(x, box_widened(weight) * 0.25)
        else:
            x = FORMS[self.form].up(x, box_widened(weight))
        return self.add_bias(x)

    def get_config(self):
        config = {"filters": self.filters, "kernel_size": self.kernel_size, "resample": self.resample}
        return {**super().get_config(), **config}
