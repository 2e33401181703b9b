"""Pixelwise feature vector normalisation: paper section 4.2."""

from __future__ import annotations

import keras
import tensorflow as tf

from pgan_tf.layers.widening import Axis, count, faded, is_wider, length


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
        dtype = x.dtype
        x = tf.cast(x, tf.float32) if dtype == tf.float16 else x  # whose squares are soon 0, or beyond it
        square, weights = tf.square(x), self.feature_weights(beta, x.dtype)
        square = square if weights is None else square * weights
        mean_square = tf.reduce_mean(square, axis=-1, keepdims=True)  # [N,..,1]
        return tf.cast(x * tf.math.rsqrt(mean_square + tf.cast(self.epsilon, x.dtype)), dtype)

    def feature_weights(self, beta, dtype) -> tf.Tensor | None:
        """How much each feature counts in the mean, [C]; None: all alike."""
        if not is_wider([self.axis]):
            return None
        beta = tf.cast(beta, dtype)
        return faded(tf.ones([length(self.axis)], dtype), [self.axis], beta) * (
            length(self.axis) / count(self.axis, beta)
        )

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
