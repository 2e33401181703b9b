"""A unit: a convolution or dense layer, its activation and its norm, in the order that the norm's row says."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from pgan_tf.stages import Fade

Noise = Callable[[tf.Tensor], tf.Tensor]


class Unit:
    """x -> activation and norm of layer(x). The network keeps the layers; a unit only says what follows on what."""

    def __init__(self, layer: keras.layers.Layer, activation: Callable, norm: keras.layers.Layer | None, last: bool):
        """`last`: the norm comes behind the activation, not between."""
        self.layer, self.activation, self.norm, self.norm_last = layer, activation, norm, last

    def __call__(self, x: tf.Tensor, fade: Fade, training: bool = False, noise: Noise | None = None) -> tf.Tensor:
        """`noise` takes the input of the layer, of any shape, and returns one of the same shape."""
        x = self.layer(x if noise is None else noise(x), beta=fade.beta, training=training)
        if self.norm is None:
            return self.activation(x)
        if self.norm_last:
            return self.norm(self.activation(x), beta=fade.beta, training=training)
        return self.activation(self.norm(x, beta=fade.beta, training=training))
