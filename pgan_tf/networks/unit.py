"""A unit: a convolution or dense layer, its activation and its norm, in the order that the norm's row says.

And networks that are made of units, by the rows that their options name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from pgan_tf.layers import remat
from pgan_tf.layers.activations import ACTIVATIONS
from pgan_tf.layers.norms import NORMS
from pgan_tf.layers.widening import Axis, Part, length
from pgan_tf.networks.base import Network
from pgan_tf.networks.reference import Reference
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


class UnitNetwork(Network):
    """A network of units."""

    def __init__(self, **options):
        super().__init__(**options)
        prefix = self.part[0]
        rows = (getattr(self.options, f"{prefix}_{name}") for name in ("norm", "activation", "weights"))
        self.norm_row, self.activation_row, self.weights_row = rows
        self.units: dict[str, Unit] = {}  # by the names of their layers
        self.norms: list = []

    @property
    def together(self) -> int:
        return NORMS[self.norm_row].together

    def layer(self, kind, name: str, inputs: Axis, outputs: Part, size: int | None = None, dtype=None, **options):
        """A built layer from `inputs` to `outputs` features; `size`: of the images that it takes, None for vectors."""
        layer = kind(outputs.now, name=name, dtype=dtype or self.dtype_policy, **self.drawn(name), **options)
        layer.widen(inputs, outputs)
        features = length(inputs)
        layer.build((None, features) if size is None else (None, size, size, features))
        return layer

    def drawn(self, name: str) -> dict:
        """What the weight of layer `name` is drawn from, and how it is used."""
        options = self.options
        drawn = {"weights": self.weights_row, "initializer": options.initializer, "stddev": options.init_stddev}
        return {**drawn, "seed": self.layer_seed(name), "widening": options.widening}

    def make_reference(self, shape: tuple) -> Reference:
        """The reference batch of samples of that shape, where the norm wants one."""
        count = self.options.reference_batch if NORMS[self.norm_row].reference else 0
        reference = Reference(count, dtype=self.dtype_policy)
        reference.build((None, *shape))
        return reference

    def unit(self, kind, name: str, inputs: Axis, outputs: Part, size: int | None = None, normed=True, **options):
        """The same with what follows on it, which `units` knows by the layer's name: -> the layer."""
        layer = self.layer(kind, name, inputs, outputs, size, **options)
        norm = self.norm(name, outputs, layer.output_size) if normed else None
        self.units[name] = Unit(layer, ACTIVATIONS[self.activation_row], norm, NORMS[self.norm_row].last)
        return layer

    def norm(self, name: str, features: Part, size: tuple):
        """The norm behind layer `name`, which puts out so many features; None without one."""
        row = NORMS[self.norm_row]
        if row.layer is None:
            return None
        options = {argument: getattr(self.options, option) for argument, option in row.options.items()}
        norm = row.layer(axis=(features,), name=f"{name}_norm", dtype=self.dtype_policy, **options)
        norm.build((None, *size))
        self.norms.append(norm)
        return norm

    def block(self, layers, f: Callable, x: tf.Tensor, moment: Fade, noise: Noise | None = None) -> tf.Tensor:
        """f(x, moment, noise), which these layers and their norms compute; with --remat it keeps x alone."""
        if not self.remat:
            return f(x, moment, noise)
        units = [self.units[layer.name] for layer in layers if layer.name in self.units]
        return remat.block([*layers, *(unit.norm for unit in units if unit.norm)], f, x, moment, noise)

    def steps(self, layers, moment, training=False, noise=None):
        """The units of these layers at one moment of their fade: x -> x."""
        return [
            functools.partial(self.units[layer.name], fade=moment, training=training, noise=noise) for layer in layers
        ]
