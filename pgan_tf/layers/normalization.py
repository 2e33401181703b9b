"""Pixelwise feature vector normalisation: paper section 4.2."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("pgan_tf")
class PixelNorm(keras.layers.Layer):
    """Divides each feature vector (the last axis) by its root mean square: x / sqrt(mean(x^2) + epsilon)."""

    def __init__(self, epsilon: float = 1e-8, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def call(self, x):
        mean_square = tf.reduce_mean(tf.square(x), axis=-1, keepdims=True)
        return x * tf.math.rsqrt(mean_square + tf.cast(self.epsilon, x.dtype))

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
