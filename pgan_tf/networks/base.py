"""What the networks of all families share: their options, sizes and names, and how they are called.

A network's options are those fields of config.Model that name it as their part; here they are one frozen value,
`network.options`, and in a saved file each stands by its name. Beside them a network has what no growth changes
(`channels`, labels, seed), its size, and the size that fades out.
"""

from __future__ import annotations

import dataclasses
import zlib
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from pgan_tf import former
from pgan_tf.config import Model, network_options
from pgan_tf.latents import LATENTS
from pgan_tf.layers.widening import Axis, Part
from pgan_tf.networks.reference import Reference
from pgan_tf.stages import Fade, narrowed

PLACE = {  # what is no option of a run: {name: default}. A size of 0 is the whole, or for `before` that nothing fades
    "resolution": 32, "fading": False, "num_channels": 3, "label_size": 0, "seed": 0,
    "narrower": 1, "narrower_before": 0, "capped": False, "latents_used": 0, "latents_before": 0,
    "alpha": 1.0, "beta": 1.0, "tau": 0.5,  # the fade used where a call gives none: that of the moment of saving
}  # fmt: skip


class GeneratorOutput(NamedTuple):
    """What the generator makes of N latents."""

    samples: tf.Tensor  # [N, *sample_shape]
    features: tf.Tensor  # [N, ...], the last hidden layer


class DiscriminatorOutput(NamedTuple):
    """What the discriminator says of N samples."""

    scores: tf.Tensor  # [N], higher = more real
    labels: tf.Tensor  # [N, label_size] logits; label_size may be 0
    features: tf.Tensor  # [N, F], the last hidden layer


class Network(keras.Model):
    """A generator or a discriminator: its options, reproducible layers, names that stay the same at every stage."""

    family = "progressive"  # of networks.families: with the part it says which options it has
    part = ""  # generator or discriminator
    sample_shape: tuple[int, ...]  # of one sample
    together: int = 1  # samples that must stay in one pass: a group's, or all of the minibatch (0)
    separable = True  # whether it says the same of a group of samples whatever else is in the pass
    remat = False  # no part of the saved network
    reference: Reference | None = None  # what goes first in every pass, in networks that know of it

    def __init__(self, **options):
        """`options`: those of PLACE, of config.Model for this part, and Keras' own. ValueError for one out of range."""
        names = network_options(self.part, self.family)
        options = former.translated(options, names)
        # Keras would number the networks of a process, and a run that goes on has made fewer: its files would differ.
        keras_options = {name: value for name, value in options.items() if name not in (*names, *PLACE)}
        super().__init__(**{"name": type(self).__name__.lower(), **keras_options})
        for name, default in PLACE.items():
            setattr(self, name, options.get(name, default))
        self.options = Model(family=self.family, **{name: options[name] for name in names if name in options})

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """{option: default} of all that a saved network has, less what Keras adds."""
        model = Model()
        return {**PLACE, **{name: getattr(model, name) for name in network_options(cls.part, cls.family)}}

    def get_config(self):
        place = {name: type(default)(getattr(self, name)) for name, default in PLACE.items()}
        options = {name: getattr(self.options, name) for name in network_options(self.part, self.family)}
        return {**super().get_config(), **place, **options}

    # ---- sizes -----------------------------------------------------------------------------------------------------

    def wide(self, size: int) -> Part:
        """So many features of the whole networks, as this stage and the one before have them."""
        widest = self.widest if self.capped else 0
        return Part(*(narrowed(size, by, widest) for by in (self.narrower, self.narrower_before or self.narrower)))

    @property
    def widest(self) -> int:
        """The features of the widest layer of the whole networks; 0 where all layers are alike."""
        return 0

    def latent_part(self) -> Part:
        """The components of a latent that are used."""
        now = self.latents_used or self.latent_size
        return Part(now, self.latents_before or now)

    def fade(self, alpha=None, beta=None, tau=None) -> Fade:
        """What a call goes by: what it says, or else the network's own."""
        given = zip((alpha, beta, tau), (self.alpha, self.beta, self.tau), strict=True)
        return Fade(*(own if value is None else value for value, own in given))

    def fade_as(self, fade: Fade) -> None:
        """The fade where a call gives none, from now on."""
        self.alpha, self.beta, self.tau = (float(value) for value in fade)

    @property
    def has_reference(self) -> bool:
        return self.reference is not None and self.reference.count > 0

    # ---- layers ----------------------------------------------------------------------------------------------------

    def layer_seed(self, name: str) -> int:
        """Initial weights follow from the network's seed and the layer's name."""
        return zlib.crc32(f"{self.seed}/{type(self).__name__}/{name}".encode())

    def parameters_by_name(self) -> dict[str, keras.Variable]:
        """{'8x8_Conv1/weight': variable, ...} of what is trained: the same name means the same at every stage."""
        return {f"{layer.name}/{v.name}": v for layer in self.layers for v in layer.trainable_variables}

    def variables_by_name(self) -> dict[str, keras.Variable]:
        """All that the network knows, trained or not: what is saved, carried over and resumed."""
        return {f"{layer.name}/{v.name}": v for layer in self.layers for v in layer.variables}

    def axes_by_name(self) -> dict[str, tuple[Axis, ...]]:
        """What the axes of the variables are made of, where a layer says so."""
        return {
            f"{layer.name}/{name}": axes for layer in self.layers for name, axes in getattr(layer, "axes", {}).items()
        }

    def compute_by(self, resampling: str, compiled: bool, remat: bool = False) -> None:
        """How layers compute from now on; what they compute stays.

        resampling: the form of layers.fused.FORMS. compiled: whether XLA compiles them, as --jit asks for. remat:
        whether blocks keep nothing for gradients, as --remat asks for.
        """
        self.remat = remat
        for layer in self.layers:
            if hasattr(layer, "form"):
                layer.form = resampling
            if hasattr(layer, "in_one"):
                layer.in_one = not compiled

    def block_layers(self) -> list[list[keras.layers.Layer]]:
        """The layers of each block, in order, between which --remat keeps what it keeps."""
        return []

    # ---- how it is called ------------------------------------------------------------------------------------------

    def __call__(self, inputs, *args, **kwargs):
        """Keras' call, with one line for inputs of other shapes. ValueError."""
        given = _shapes(inputs)
        if not self.takes(given):
            names = " and ".join(f"{name} {_shown(shape)}" for name, shape in self.wanted_inputs().items())
            raise ValueError(f"{self.name}: this network wants {names}, not {' and '.join(map(_shown, given))}")
        return super().__call__(inputs, *args, **kwargs)

    def wanted_inputs(self) -> dict[str, tuple]:
        """{what an input is called: its shape}, None for the number of samples."""
        raise NotImplementedError

    def takes(self, shapes: list[tuple]) -> bool:
        """Whether inputs of these shapes are what it wants."""
        wanted = list(self.wanted_inputs().values())
        return len(shapes) == len(wanted) and all(map(_fits, shapes, wanted))

    def build_from_config(self, config):
        """Nothing: a network is built when it is made, by its options, whatever shape a file says."""

    def export(self, *args, **kwargs):
        """Keras' export, which wants a network that has been called."""
        zeros = [tf.zeros([1, *shape[1:]], self.input_dtype) for shape in self.wanted_inputs().values()]
        self(zeros if len(zeros) > 1 else zeros[0])
        super().export(*args, **kwargs)


class GeneratorNetwork(Network):
    """Latents [N, latent_size], or (latents, labels [N, label_size]) -> samples [N, *sample_shape].

    Latents have the size that they have at the end of growth; the first components of them are used.
    """

    part = "generator"

    def __init__(self, **options):
        super().__init__(**options)
        self.latent_size = self.options.latent_components
        self.options = dataclasses.replace(self.options, latent_size=self.latent_size)
        if self.options.latents not in LATENTS:
            raise ValueError(f"latents={self.options.latents!r}: choose one of {', '.join(LATENTS)}")

    def draw_latents(self, count: int, seed: tf.Tensor, dtype=tf.float32) -> tf.Tensor:
        """Latents of the distribution that it learns from, [count,latent_size]; the same for a stateless seed [2]."""
        return LATENTS[self.options.latents]([count, self.latent_size], seed, dtype=dtype)

    def wanted_inputs(self) -> dict[str, tuple]:
        shapes = {"latents": (None, self.latent_size), "labels": (None, self.label_size)}
        return {name: shape for name, shape in shapes.items() if shape[1]}

    def takes(self, shapes: list[tuple]) -> bool:
        joined = (None, self.latent_size + self.label_size)  # as the first layer has them
        return super().takes(shapes) or (len(shapes) == 1 and _fits(shapes[0], joined))

    def input_axis(self) -> Axis:
        """What the first layer sees: latents, then labels."""
        return (self.latent_part(), Part(self.label_size, self.label_size))

    def used(self, inputs) -> tf.Tensor:
        """Latents and labels as the first layer sees them, [N, latents used + labels]."""
        x = tf.concat(inputs, axis=-1) if isinstance(inputs, (tuple, list)) else inputs  # [N,latent+labels]
        now = self.latent_part().now
        return x if now == self.latent_size else tf.concat([x[:, :now], x[:, self.latent_size :]], axis=-1)


class DiscriminatorNetwork(Network):
    """Samples [N, *sample_shape] -> DiscriminatorOutput."""

    part = "discriminator"
    input_name = "images"

    def wanted_inputs(self) -> dict[str, tuple]:
        return {self.input_name: (None, *self.sample_shape)}


def _shapes(inputs) -> list[tuple]:
    """The shape of each tensor or array of a call; labels of no components are none."""
    inputs = inputs if isinstance(inputs, (tuple, list)) else [inputs]
    shapes = [tuple(x.shape) if hasattr(x, "shape") else np.shape(x) for x in inputs]
    return [shape for shape in shapes if shape != (*shape[:1], 0)]


def _fits(given: tuple, wanted: tuple) -> bool:
    return len(given) == len(wanted) and all(
        a is None or b is None or a == b for a, b in zip(given, wanted, strict=True)
    )


def _shown(shape: tuple) -> str:
    return "[" + ",".join("N" if size is None else str(size) for size in shape) + "]"
