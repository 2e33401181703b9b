"""The networks: Keras models of one growth stage each."""

from pgan_tf.networks.progressive import Discriminator, DiscriminatorOutput, Generator

__all__ = ["Discriminator", "DiscriminatorOutput", "Generator"]
