"""Adaptive augmentation, where pixels go: each part is there with probability p. Karras et al. 2020, appendix B.

Each pixel of the result looks back to where it comes from, through the parts in reverse order. An image with no part
there stays what it is, to the last bit. Places between pixels are interpolated linearly, at the image's own resolution;
the original works at twice that, behind a wavelet filter. Beyond its edges an image goes on mirrored.
"""

from __future__ import annotations

import math

import tensorflow as tf

from pgan_tf.augment.places import axis, between, per_image, pick

SHIFT = 1 / 8  # of the image's size: the most in whole pixels, the standard deviation between them
SCALE = 0.2  # standard deviation of log2 of a factor


def normal(numbers: tf.Tensor) -> tf.Tensor:
    """Uniform numbers in 0..1 as standard normal ones."""
    return tf.math.ndtri(tf.clip_by_value(numbers, 1e-6, 1 - 1e-6))


def pixels(images: tf.Tensor, numbers: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    """Mirrored, turned by quarters, moved by whole pixels."""
    flip, turn, move = (numbers[:, i] < p for i in range(3))  # [n] each
    size = images.shape[1]
    flip = tf.logical_and(flip, numbers[:, 3] < 0.5)
    quarters = tf.where(turn, tf.cast(tf.floor(numbers[:, 4] * 4), tf.int32), 0)  # [n]
    shifts = tf.cast(tf.round((numbers[:, 5:7] * 2 - 1) * (SHIFT * size)), tf.int32)
    shifts = tf.where(move[:, None], shifts, 0)  # [n,2]
    # Twice the distance from the middle is a whole number.
    line = 2 * axis(images) - (size - 1)  # [R]
    y = line[None, :, None] - 2 * shifts[:, 0, None, None] + tf.zeros([1, 1, size], tf.int32)  # [n,R,R]
    x = line[None, None, :] - 2 * shifts[:, 1, None, None] + tf.zeros([1, size, 1], tf.int32)
    cosine, sine = (tf.gather(values, quarters)[:, None, None] for values in ([1, 0, -1, 0], [0, 1, 0, -1]))
    y, x = cosine * y - sine * x, sine * y + cosine * x
    x = tf.where(flip[:, None, None], -x, x)
    moved = pick(images, (y + size - 1) // 2, (x + size - 1) // 2)
    return tf.where(per_image(flip | turn | move), moved, images)


def geometry(images: tf.Tensor, numbers: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    """Scaled, turned, stretched, turned again, moved between pixels."""
    scaled, stretched, moved = (numbers[:, i] < p for i in range(3))  # [n] each
    once = 1 - tf.sqrt(1 - tf.minimum(p, 1.0))  # so that with probability p it is turned at all
    turned = [numbers[:, i] < once for i in (3, 4)]
    scale = tf.where(scaled, tf.pow(tf.cast(2, p.dtype), SCALE * normal(numbers[:, 5])), 1.0)
    stretch = tf.where(stretched, tf.pow(tf.cast(2, p.dtype), SCALE * normal(numbers[:, 6])), 1.0)
    angles = [tf.where(there, (numbers[:, 7 + i] * 2 - 1) * math.pi, 0.0) for i, there in enumerate(turned)]
    shifts = tf.where(moved[:, None], normal(numbers[:, 9:11]) * (SHIFT * images.shape[1]), 0.0)  # [n,2]
    middle = (images.shape[1] - 1) / 2
    line = tf.cast(axis(images), p.dtype) - middle  # [R]
    y, x = line[None, :, None] - shifts[:, 0, None, None], line[None, None, :] - shifts[:, 1, None, None]
    y, x = _turned(y, x, angles[1])  # [n,R,R]
    y, x = y * stretch[:, None, None], x / stretch[:, None, None]
    y, x = _turned(y, x, angles[0])
    y, x = y / scale[:, None, None], x / scale[:, None, None]
    there = scaled | stretched | moved | turned[0] | turned[1]
    return tf.where(per_image(there), between(images, y + middle, x + middle), images)


def _turned(y: tf.Tensor, x: tf.Tensor, angle: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Places turned about the middle by an angle [n]."""
    cosine, sine = tf.cos(angle)[:, None, None], tf.sin(angle)[:, None, None]
    return cosine * y - sine * x, sine * y + cosine * x
