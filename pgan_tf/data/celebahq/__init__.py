"""CelebA-HQ: bit for bit as its makers made it from CelebA, or from ready-made pictures."""

from pgan_tf.data.celebahq.create import Options, create_celebahq
from pgan_tf.data.celebahq.ready import create_celebahq_from_images

__all__ = ["Options", "create_celebahq", "create_celebahq_from_images"]
