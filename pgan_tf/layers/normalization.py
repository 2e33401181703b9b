"""Pixelwise feature vector normalisation: paper section 4.2."""

from __future__ import annotations

import keras
import tensorflow as tf

from pgan_tf.layers.widening import Axis, count, faded, is_wider


@keras.saving.register_keras_serializable("pgan_tf")
class PixelNorm(keras.layers.Layer):
    """Divides each feature vector (the last axis) by its root mean square: x / sqrt(mean(x^2) + epsilon).

    Where some features are new in a layer that becomes wider, `axis` says so: they count by beta in the mean.
    """

    def __init__(self, epsilon: float = 1e-8, axis: Axis = (), **kwargs):
        super().__init__(**kwargs)
        self.epsilon, self.axis = epsilon, axis

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def call(self, x, beta=1.0):
        return x * tf.math.rsqrt(self.mean_square(x, beta) + tf.cast(self.epsilon, x.dtype))

    def mean_square(self, x, beta):
        """[N,..,C] -> [N,..,1]."""
        if not is_wider([self.axis]):
            return tf.reduce_mean(tf.square(x), axis=-1, keepdims=True)
        total = tf.reduce_sum(faded(tf.square(x), [self.axis], beta), axis=-1, keepdims=True)
        return total / tf.cast(count(self.axis, tf.cast(beta, x.dtype)), x.dtype)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
