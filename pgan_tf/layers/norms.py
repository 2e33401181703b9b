"""The norms of units. All are called `norm(x, beta, training)` on [N,...,C] and compute in float32 at least;
pixelwise normalization alone in bfloat16 where the network does.

`axis` says which channels are new where a network becomes wider, `beta` how far these have faded in.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf

from pgan_tf.layers.normalization import PixelNorm
from pgan_tf.layers.replicas import add_state, global_mean, replicas
from pgan_tf.layers.widening import Axis

FUSED = (tf.float32, tf.bfloat16, tf.float16)  # what TensorFlow's batch norm computes in, with float32 statistics


def precise(x: tf.Tensor) -> tf.Tensor:
    """x in float32 where it is in half precision: what statistics are taken of."""
    return tf.cast(x, tf.float32) if x.dtype.size < 4 else x


class ChannelNorm(keras.layers.Layer):
    """What the norms below share: (x - mean) / sqrt(variance + epsilon) * gain + bias, these two for each channel."""

    def __init__(self, epsilon: float = 1e-5, axis: Axis = (), **kwargs):
        super().__init__(**kwargs)
        self.epsilon, self.axis = epsilon, axis

    @property
    def axes(self) -> dict[str, tuple[Axis, ...]]:
        """What the axes of the variables are made of."""
        return {variable.name: (self.axis,) for variable in self.variables} if self.axis else {}

    def build(self, input_shape):
        channels = (input_shape[-1],)
        self.gain = self.add_weight(shape=channels, initializer="ones", name="gain", autocast=False)
        self.bias = self.add_weight(shape=channels, initializer="zeros", name="bias", autocast=False)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def normalized(self, x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
        return (x - mean) * (tf.math.rsqrt(variance + self.epsilon) * self.gain.value) + self.bias.value

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("pgan_tf")
class LayerNorm(ChannelNorm):
    """By mean and variance of all of a sample's features. Ba et al. 2016, equation 3; gain and bias per channel."""

    def call(self, x, beta=1.0, training=False):
        y = precise(x)
        axes = list(range(1, len(x.shape)))
        mean = tf.reduce_mean(y, axes, keepdims=True)  # [N,1,..,1]
        variance = tf.reduce_mean(tf.square(y - mean), axes, keepdims=True)
        return tf.cast(self.normalized(y, mean, variance), x.dtype)


@keras.saving.register_keras_serializable("pgan_tf")
class BatchNorm(ChannelNorm):
    """By mean and variance of each channel. Ioffe & Szegedy 2015, algorithms 1 and 2.

    While `training` these are the minibatch's, of all replicas, and the moving averages follow them with `momentum`;
    otherwise they are the moving averages, of means and of unbiased variances. `in_one` says whether TensorFlow's own
    operation may take the place of the formula; it is no part of the saved layer.
    """

    in_one = False

    def __init__(self, momentum: float = 0.99, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape):
        super().build(input_shape)
        self.moving_mean = add_state(self, "moving_mean", (input_shape[-1],), "zeros")
        self.moving_variance = add_state(self, "moving_variance", (input_shape[-1],), "ones")

    def call(self, x, beta=1.0, training=False):
        if training and self.in_one and x.dtype in FUSED and len(x.shape) == 4 and replicas() == 1:
            return self.fused(x)
        y = precise(x)
        mean, variance = self.statistics(y) if training else (self.moving_mean.value, self.moving_variance.value)
        return tf.cast(self.normalized(y, mean, variance), x.dtype)

    def fused(self, x: tf.Tensor) -> tf.Tensor:
        """The same of images in one operation, in half the time, where the whole minibatch is in one place.

        Not where XLA compiles it, whose own has the variance as E[x^2] - E[x]^2.
        """
        nothing = tf.zeros([0], self.gain.dtype)
        result = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=self.gain.value, offset=self.bias.value, mean=nothing, variance=nothing,
            epsilon=self.epsilon, is_training=True,
        )  # fmt: skip
        self.take_note(result.batch_mean, result.batch_variance)
        return result.y

    def statistics(self, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and variance [C] of the global minibatch."""
        axes = list(range(len(y.shape) - 1))
        mean, count = global_mean(y, axes)
        # Of the differences, not as E[x^2] - E[x]^2, a difference of nearly equal numbers.
        variance, _ = global_mean(tf.square(y - mean), axes)
        self.take_note(mean, variance * count / tf.maximum(count - 1, 1))
        return mean, variance

    def take_note(self, mean: tf.Tensor, unbiased: tf.Tensor) -> None:
        """The moving averages follow a minibatch's mean and unbiased variance [C]."""
        for average, value in ((self.moving_mean, mean), (self.moving_variance, unbiased)):
            average.assign(average.value + (value - average.value) * (1 - self.momentum))

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


@keras.saving.register_keras_serializable("pgan_tf")
class VirtualBatchNorm(ChannelNorm):
    """By the statistics of a reference batch, the first `count` rows of every pass. Salimans et al. 2016, section 3.5.

    A sample is normalised by those of the reference batch and itself as one more sample; a row of the reference by
    the reference alone. So what becomes of a sample does not depend on the other samples. InvalidArgumentError where a
    pass has fewer rows than the reference.
    """

    def __init__(self, count: int, **kwargs):
        super().__init__(**kwargs)
        self.count = count

    def call(self, x, beta=1.0, training=False):
        y, rows = precise(x), tf.shape(x)[0]
        tf.debugging.assert_greater_equal(rows, self.count, "a pass without its whole reference batch")
        places = list(range(1, len(x.shape) - 1))
        means = tf.reduce_mean(y, places, keepdims=True)  # [N,1,..,C], of each row
        variances = tf.reduce_mean(tf.square(y - means), places, keepdims=True)
        mean = tf.reduce_mean(means[: self.count], axis=0, keepdims=True)  # [1,1,..,C], of the reference
        spread = tf.square(means - mean)  # [N,1,..,C]
        variance = tf.reduce_mean(variances[: self.count] + spread[: self.count], axis=0, keepdims=True)
        # Each row's own share in its statistics, which are those of a mixture of two parts.
        share = tf.cast(tf.range(rows) >= self.count, y.dtype) / (self.count + 1)  # [N]
        share = tf.reshape(share, [-1, *[1] * (len(x.shape) - 1)])  # [N,1,..,1]
        mixed = (1 - share) * variance + share * variances + share * (1 - share) * spread
        return tf.cast(self.normalized(y, mean + share * (means - mean), mixed), x.dtype)

    def get_config(self):
        return {**super().get_config(), "count": self.count}


class Norm(NamedTuple):
    """A norm, and what whoever deals samples to passes must know of it.

    `together`: how many samples must stay in one pass while training, 1 or 0 = the whole minibatch (which several
    replicas may share all the same). `separable`: reals and fakes of a joined pass are normalised as they are in
    passes of their own. `reference`: each pass begins with a reference batch, whose size is the layer's `count`.
    `last`: it comes behind the activation. `options`: {argument of the layer: option of the network}. `widens`: it can
    leave out features that are new in a network that becomes wider. `centres`: it takes each channel's mean away, so
    that a bias before it would say nothing.
    """

    layer: type[keras.layers.Layer] | None
    options: dict[str, str] = {}
    last: bool = False
    widens: bool = True
    together: int = 1
    separable: bool = True
    reference: bool = False
    centres: bool = False


NORMS = {
    "none": Norm(None),
    "pixel": Norm(PixelNorm, {"epsilon": "pixelnorm_epsilon"}, last=True),
    "batch": Norm(BatchNorm, together=0, separable=False, centres=True),
    "virtual_batch": Norm(VirtualBatchNorm, {"count": "reference_batch"}, reference=True, centres=True),
    "layer": Norm(LayerNorm, widens=False),
}
