"""The families of networks: what a run may train, each a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pgan_tf.config import Config
from pgan_tf.networks.base import DiscriminatorNetwork, GeneratorNetwork
from pgan_tf.networks.dcgan import ConvolutionalDiscriminator, ConvolutionalGenerator, check_blocks
from pgan_tf.networks.mlp import DenseDiscriminator, DenseGenerator, check_units
from pgan_tf.networks.progressive import Discriminator, Generator, check_feature_maps
from pgan_tf.option import shown
from pgan_tf.stages import Size


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
    check: Callable[[Config, list[Size]], None] = lambda config, sizes: None  # ConfigError: no networks of these sizes
    tiny: bool = False  # operations so small that --jit compiles whole rounds of them


FAMILIES = {
    "progressive": Family(
        Generator, Discriminator, frozenset({"layers", "latent", "channels"}), check=check_feature_maps
    ),
    "dcgan": Family(
        ConvolutionalGenerator, ConvolutionalDiscriminator, frozenset(), Takes(doubling=False), check_blocks
    ),
    "mlp": Family(
        DenseGenerator,
        DenseDiscriminator,
        frozenset({"latent", "channels"}),
        Takes("points", doubling=False),
        check_units,
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
