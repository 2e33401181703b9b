"""The reference batch of virtual batch norm: samples that go first in every pass of a network.

Salimans et al. 2016, section 3.5. It is chosen once, at the beginning of a stage, and belongs to the network: saved,
resumed and exported like a weight that is not trained.
"""

from __future__ import annotations

import keras
import tensorflow as tf

NAME = "reference"


@keras.saving.register_keras_serializable("pgan_tf")
class Reference(keras.layers.Layer):
    """[N,...] -> [count+N,...]: the reference batch, then the samples. Without a count nothing goes first."""

    def __init__(self, count: int, **kwargs):
        super().__init__(**{"name": NAME, **kwargs})
        self.count = count

    def build(self, input_shape):
        if self.count:
            shape = (self.count, *input_shape[1:])
            self.samples = self.add_weight(
                shape=shape, initializer="zeros", trainable=False, name="samples", autocast=False
            )

    def compute_output_shape(self, input_shape):
        return (None, *input_shape[1:])

    def call(self, x):
        return tf.concat([self.alone(x.dtype), x], axis=0) if self.count else x

    def alone(self, dtype) -> tf.Tensor:
        """[count,...]."""
        return tf.cast(self.samples.value, dtype)

    def behind(self, x: tf.Tensor) -> tf.Tensor:
        """[count+N,...] -> [N,...]: what became of the samples."""
        return x[self.count :] if self.count else x

    def get_config(self):
        return {**super().get_config(), "count": self.count}
