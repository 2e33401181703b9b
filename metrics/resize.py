"""The ways to make images a network's size. Which one it is changes a score, so each extractor names its own.

Images are [N,H,W,3] uint8 or float; the result is float32 [N,size,size,3] in the same range.
"""

from __future__ import annotations

import tensorflow as tf


def to_rgb(images: tf.Tensor) -> tf.Tensor:
    """[N,H,W,C], C = 1 or 3 -> [N,H,W,3]: grey is repeated."""
    return tf.repeat(images, 3, axis=3) if images.shape[3] == 1 else images  # [N,H,W,3]


def bilinear_tf1(images: tf.Tensor, size: int) -> tf.Tensor:
    """Bilinear as TensorFlow 1 did it: coordinates are scaled from the corner, pixels have no centres, no antialias."""
    return tf.raw_ops.ResizeBilinear(images=images, size=[size, size])  # [N,size,size,3]


def bilinear(images: tf.Tensor, size: int) -> tf.Tensor:
    """Bilinear by pixel centres without antialias, as torch.nn.functional.interpolate does it."""
    return tf.raw_ops.ResizeBilinear(images=images, size=[size, size], half_pixel_centers=True)  # [N,size,size,3]


def bilinear_antialiased(images: tf.Tensor, size: int) -> tf.Tensor:
    """Bilinear by pixel centres; when it shrinks, each pixel averages all that it covers, as Pillow does it."""
    return tf.image.resize(images, [size, size], method="bilinear", antialias=True)  # [N,size,size,3]
