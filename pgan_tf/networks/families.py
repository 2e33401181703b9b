"""The families of networks: what a run may train, each a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pgan_tf.config import Model
from pgan_tf.networks.base import DiscriminatorNetwork, GeneratorNetwork
from pgan_tf.networks.dcgan import ConvolutionalDiscriminator, ConvolutionalGenerator, check_size
from pgan_tf.networks.mlp import DenseDiscriminator, DenseGenerator
from pgan_tf.networks.progressive import Discriminator, Generator
from pgan_tf.option import shown


class Takes(NamedTuple):
    """What networks can learn from."""

    kind: str = "images"  # or points, those of data.samples; it is what they make
    doubling: bool = True  # layers double the resolution, from 4x4 on


class Family(NamedTuple):
    """Two networks that train against each other, and what can grow in them."""

    generator: type[GeneratorNetwork]
    discriminator: type[DiscriminatorNetwork]
    grows: frozenset[str]  # names of stages.LADDERS
    takes: Takes = Takes()
    check: Callable[[Model, int], None] = lambda model, resolution: None  # ConfigError: cannot make that resolution
    tiny: bool = False  # operations so small that --jit compiles whole rounds of them


FAMILIES = {
    "progressive": Family(Generator, Discriminator, frozenset({"layers", "latent", "channels"})),
    "dcgan": Family(ConvolutionalGenerator, ConvolutionalDiscriminator, frozenset(), Takes(doubling=False), check_size),
    "mlp": Family(
        DenseGenerator,
        DenseDiscriminator,
        frozenset({"latent", "channels"}),
        Takes("points", doubling=False),
        tiny=True,
    ),
}


def of_record(record: dict) -> Family:
    """The family that a file names, which holds a network's `family`; one that does not say is progressive.

    ValueError for one that this version has not.
    """
    name = record.get("family", "progressive")
    if not isinstance(name, str) or name not in FAMILIES:
        raise ValueError(f"family {shown(name)}: this version has {', '.join(FAMILIES)}")
    return FAMILIES[name]
