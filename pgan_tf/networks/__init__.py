"""The networks: Keras models of one growth stage each, in families."""

from pgan_tf.networks.base import DiscriminatorOutput, GeneratorOutput, Network
from pgan_tf.networks.families import FAMILIES, Family
from pgan_tf.networks.progressive import Discriminator, Generator

__all__ = ["FAMILIES", "Discriminator", "DiscriminatorOutput", "Family", "Generator", "GeneratorOutput", "Network"]
