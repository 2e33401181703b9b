"""The families of networks: what a run may train, each a row."""

from __future__ import annotations

from typing import NamedTuple

from pgan_tf.networks.base import DiscriminatorNetwork, GeneratorNetwork
from pgan_tf.networks.progressive import Discriminator, Generator


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


FAMILIES = {
    "progressive": Family(Generator, Discriminator, frozenset({"layers", "latent", "channels"})),
}
