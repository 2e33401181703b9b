"""What becomes of a unit's weight before it is used, and what it is drawn from."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from pgan_tf.layers.replicas import add_state

TINY = 1e-12  # what norms are divided by at least


class Weights(NamedTuple):
    """A way from the weight that is trained to the one that is used.

    `start(layer, shape)` is called once, when the layer is built and its weight made, and adds what it keeps to the
    layer. `effective(layer, weight, std, training)` is the weight to use: `weight` is a tensor in float32 or float64,
    `std` He's constant gain / sqrt(fan-in), a number or a tensor. The layer has a `seed` and an `output_axis`, the axis
    of its weight that counts outputs. `initializer`: what of INITIALIZERS the weight must be drawn from, '' = any.
    """

    start: Callable[[keras.layers.Layer, tuple], None]
    effective: Callable[..., tf.Tensor]
    initializer: str = ""


def keep_nothing(layer: keras.layers.Layer, shape: tuple) -> None:
    """For weights that are a function of themselves alone."""


def equalized(layer, weight: tf.Tensor, std: float | tf.Tensor, training: bool = False) -> tf.Tensor:
    """Multiplied by He's constant. Karras et al. 2018, section 4.1."""
    return weight * std


def plain(layer, weight: tf.Tensor, std: float | tf.Tensor, training: bool = False) -> tf.Tensor:
    """As it is."""
    return weight * 1.0  # without the product gradients are added up in another order: not the bits of older runs


def start_spectral(layer: keras.layers.Layer, shape: tuple) -> None:
    """Gives the layer u [outputs], the estimate of the first right singular vector; another for each seed."""
    seed = None if layer.seed is None else zlib.crc32(f"{layer.seed}/u".encode())
    initializer = keras.initializers.RandomNormal(stddev=1.0, seed=seed)
    layer.singular_vector = add_state(layer, "u", (shape[layer.output_axis],), initializer)


def spectral(layer, weight: tf.Tensor, std: float | tf.Tensor, training: bool = False) -> tf.Tensor:
    """Divided by its spectral norm, as a matrix [.., outputs]. Miyato et al. 2018, algorithm 1.

    The norm is estimated by one step of the power iteration from u, which is kept while `training` and forgotten
    otherwise. The vectors count as constants: the gradient of the norm is that of v^T W u.
    """
    outputs = weight.shape[layer.output_axis]
    matrix = tf.reshape(tf.experimental.numpy.moveaxis(weight, layer.output_axis, -1), [-1, outputs])
    constant, u = tf.stop_gradient(matrix), layer.singular_vector.value
    v = _unit(tf.linalg.matvec(constant, u))  # [..]
    product = tf.linalg.matvec(constant, v, transpose_a=True)  # [outputs]
    if training:  # a weight of zeros has no direction, and does not take the old one away
        layer.singular_vector.assign(tf.where(tf.norm(product) > 0, _unit(product), u))
    norm = tf.tensordot(tf.linalg.matvec(matrix, _unit(product)), v, 1)
    return weight / tf.maximum(norm, TINY)


def _unit(x: tf.Tensor) -> tf.Tensor:
    return x / tf.maximum(tf.norm(x), TINY)


WEIGHTS = {
    "equalized": Weights(keep_nothing, equalized, initializer="unit"),
    "plain": Weights(keep_nothing, plain),
    "spectral": Weights(start_spectral, spectral),
}


class Start(NamedTuple):
    """What a layer says of a weight that is to be drawn."""

    std: float  # He's constant with the layer's own gain
    stddev: float  # the user's choice
    seed: int | None
    fan_in: int = 1  # entries that enter into one output
    numbers: int = 1  # in the map that it works on; of a generator's first layer, the maps that it makes


def _normal(stddev: float, start: Start) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=stddev, seed=start.seed)


# What a weight is drawn from. He et al. 2015: the same constant in every layer. As coded: what a published code of
# networks that grow in latents (Sandstroem 2019) takes for it, which goes by the size of the map, not of the kernel.
INITIALIZERS: dict[str, Callable[[Start], keras.initializers.Initializer]] = {
    "he": lambda start: _normal(start.std, start),
    "he_2015": lambda start: _normal(math.sqrt(2.0 / start.fan_in), start),
    "he_as_coded": lambda start: _normal(math.sqrt(2.0 / start.numbers), start),
    "normal": lambda start: _normal(start.stddev, start),
    "glorot": lambda start: keras.initializers.GlorotUniform(seed=start.seed),
    "unit": lambda start: _normal(1.0, start),
}
