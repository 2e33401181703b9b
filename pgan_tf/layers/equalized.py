"""Dense layers and convolutions, as they are with an equalized learning rate: paper section 4.1.

Weights are drawn from N(0, 1) and multiplied at run time by gain / sqrt(fan-in), He's constant, so that every
weight has the same dynamic range and the optimizer the same speed; the other rows of layers.weights are other ways.
They lie as in the original: convolutions [kh,kw,in,out], up-sampling ones [kh,kw,out,in], dense [in,out].
"""

from __future__ import annotations

import functools
import math

import keras
import numpy as np
import tensorflow as tf

from pgan_tf.layers.fused import FORMS, box_widened
from pgan_tf.layers.weights import INITIALIZERS, WEIGHTS, Start
from pgan_tf.layers.widening import NEW_WEIGHTS, Axis, Part, count, faded, is_wider, length, whole

HE_GAIN = math.sqrt(2.0)


class Equalized(keras.layers.Layer):
    """What the layers below share: the weight with its run-time scale, and the bias.

    `weights` is a name in WEIGHTS, `initializer` one in INITIALIZERS (not used where the former says what the weights
    are drawn from), `stddev` what the normal one takes, `widening` one in NEW_WEIGHTS. `seed` makes the initial values
    reproducible. `bias`: whether there is one. A built layer knows its cost: `flops` of one image's pass, and
    `output_size`, what it puts out for one, such as (H, W, C). `axes` says of each variable what it is made of;
    `widen`, before the layer is built, which of that is new.
    """

    output_axis = -1  # of the weight

    def __init__(
        self,
        gain: float = HE_GAIN,
        weights: str = "equalized",
        initializer: str = "he",
        stddev: float = 0.02,
        seed: int | None = None,
        bias: bool = True,
        widening: str = "all",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.has_bias = bias
        self.gain, self.seed = gain, seed
        self.weights_row, self.initializer, self.stddev = weights, initializer, stddev
        self.widening = widening
        self.input_axis: Axis | None = None
        self.output_part: Part | None = None

    def widen(self, inputs: Axis, outputs: Part) -> None:
        """What the inputs and the outputs are made of, and how much of that was there before."""
        self.input_axis, self.output_part = inputs, outputs

    def parts(self, inputs: int, outputs: int) -> tuple[Axis, Part]:
        """Those of `widen`; without it nothing is new."""
        return self.input_axis or whole(inputs), self.output_part or Part(outputs, outputs)

    def add_parameters(self, weight_axes: tuple[Axis, ...], fan_in: Axis, bias: Part, numbers: int = 0) -> None:
        """`fan_in`: as many entries as enter into one output. `numbers`: see Start; 0 = as many."""
        outputs = weight_axes[self.output_axis]
        self.axes = {"weight": weight_axes, "bias": ((bias,),), "u": (outputs,)}  # u: of the spectral norm
        row, shape = WEIGHTS[self.weights_row], tuple(length(axis) for axis in weight_axes)
        std = self.gain / math.sqrt(length(fan_in))
        # The original holds the constant in float32, and so must whoever wants its numbers.
        self.fan_in, self.scale = fan_in, float(np.float32(std))
        start = Start(std, self.stddev, self.seed, length(fan_in), numbers or length(fan_in))
        initializer = INITIALIZERS[row.initializer or self.initializer](start)
        # No autocast: the scaling happens in float32 also when the layer computes in half precision.
        self.weight = self.add_weight(shape=shape, initializer=initializer, name="weight", autocast=False)
        if self.has_bias:
            self.bias = self.add_weight(shape=(bias.now,), initializer="zeros", name="bias", autocast=False)
        row.start(self, shape)

    @property
    def outputs_per_image(self) -> int:
        return math.prod(self.output_size)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.output_size)

    def scale_at(self, beta) -> tf.Tensor | float:
        """He's constant for the inputs that there are at this moment."""
        if not is_wider([self.fan_in]):
            return self.scale
        return self.gain * tf.math.rsqrt(count(self.fan_in, tf.cast(beta, self.variable_dtype)))

    def scaled_weight(self, beta=1.0, training=False) -> tf.Tensor:
        """The weight as it is used."""
        new_ones = functools.partial(NEW_WEIGHTS[self.widening].of_layer, output_axis=self.output_axis)
        weight = faded(self.weight.value, self.axes["weight"], beta, new_ones)
        effective = WEIGHTS[self.weights_row].effective(self, weight, self.scale_at(beta), training)
        return tf.cast(effective, self.compute_dtype)

    def add_bias(self, x: tf.Tensor, beta=1.0) -> tf.Tensor:
        return biased(x, tf.convert_to_tensor(self.faded_bias(beta))) if self.has_bias else x

    def faded_bias(self, beta=1.0) -> tf.Tensor:
        """The bias as it is used."""
        return faded(self.bias.value, self.axes["bias"], beta)

    def get_config(self):
        own = {"gain": self.gain, "weights": self.weights_row, "initializer": self.initializer, "stddev": self.stddev}
        own |= {"seed": self.seed, "bias": self.has_bias, "widening": self.widening}
        return {**super().get_config(), **own}


@tf.custom_gradient
def biased(x: tf.Tensor, bias: tf.Tensor):
    """[..,C] + [C] -> [..,C] of x's kind. The gradient of the bias is summed in the bias' own kind, float32 or float64.

    TensorFlow's own is not, on CPUs: adding up bfloat16 in bfloat16 stands still at 256 times what is added.
    """

    def gradients(dy: tf.Tensor):
        return dy, tf.reduce_sum(tf.cast(dy, bias.dtype), list(range(dy.shape.rank - 1)))  # [..,C], [C]

    return tf.nn.bias_add(x, tf.cast(bias, x.dtype)), gradients


@keras.saving.register_keras_serializable("pgan_tf")
class EqualizedDense(Equalized):
    """[N,in] -> [N,units]."""

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        inputs, outputs = self.parts(input_shape[-1], self.units)
        self.add_parameters((inputs, (outputs,)), inputs, outputs)
        self.flops, self.output_size = 2 * input_shape[-1] * self.units, (self.units,)

    def call(self, x, beta=1.0, training=False):
        return self.add_bias(tf.matmul(x, self.scaled_weight(beta, training)), beta)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("pgan_tf")
class LatentProjection(Equalized):
    """[N,latent] -> [N,S,S,filters], S = `base`: the generator's first layer, with one bias per feature map."""

    def __init__(self, filters: int, base: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.base = filters, base

    def build(self, input_shape):
        inputs, outputs = self.parts(input_shape[-1], self.filters)
        bias = outputs if NEW_WEIGHTS[self.widening].first_biases else Part(outputs.now, outputs.now)
        self.add_parameters((inputs, (outputs.times(self.base**2),)), inputs, bias, numbers=self.filters)
        self.output_size = (self.base, self.base, self.filters)
        self.flops = 2 * input_shape[-1] * self.outputs_per_image

    def call(self, x, beta=1.0, training=False):
        x = tf.matmul(x, self.scaled_weight(beta, training))
        x = tf.reshape(x, [-1, self.filters, self.base, self.base])  # [N,C,S,S], the original's order
        return self.add_bias(tf.transpose(x, [0, 2, 3, 1]), beta)  # [N,S,S,C]

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "base": self.base}


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
        self.output_axis = -2 if resample == "up" else -1

    def build(self, input_shape):
        size = self.kernel_size
        inputs, outputs = self.parts(input_shape[-1], self.filters)
        channels = ((outputs,), inputs) if self.resample == "up" else (inputs, (outputs,))
        fan_in = tuple(part.times(size * size) for part in inputs)
        _, height, width, features = input_shape
        factor = {"none": 1.0, "up": 2.0, "down": 0.5}[self.resample]
        self.output_size = (int(height * factor), int(width * factor), self.filters)
        numbers = int(height * width * max(factor, 1) ** 2) * features  # up-sampled it is what the convolution sees
        self.add_parameters((whole(size), whole(size), *channels), fan_in, outputs, numbers)
        taps = size**2 if self.resample == "none" else (size + 1) ** 2 * (0.25 if self.resample == "up" else 1)
        self.flops = 2 * taps * input_shape[-1] * self.outputs_per_image

    def call(self, x, beta=1.0, training=False):
        form = FORMS[self.form]
        convolution = {"none": form.same, "up": form.up, "down": form.down}[self.resample]
        return self.add_bias(convolution(x, self.kernel(beta, training)), beta)

    def kernel(self, beta=1.0, training=False) -> tf.Tensor:
        """The weight as it is used, [4,4,..] where it resamples."""
        weight = self.scaled_weight(beta, training)
        if self.resample == "none":
            return weight
        wider = box_widened(weight)
        return wider * 0.25 if self.resample == "down" else wider

    def get_config(self):
        config = {"filters": self.filters, "kernel_size": self.kernel_size, "resample": self.resample}
        return {**super().get_config(), **config}
