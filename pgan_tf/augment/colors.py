"""Adaptive augmentation, which colours pixels have: each part with probability p. Karras et al. 2020, appendix B."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from pgan_tf.augment.geometry import normal
from pgan_tf.augment.places import per_image

BRIGHTNESS = 0.2  # standard deviation of what is added
CONTRAST, SATURATION = 0.5, 1.0  # standard deviations of log2 of a factor


def color(images: tf.Tensor, numbers: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    """Brighter, of more contrast, with dark and bright exchanged; where there are colours, of another hue, of more
    colour. All of it is linear in the colours of a pixel, so each image gets one matrix [C,C] and an offset."""
    bright, strong, exchanged, hued, vivid = there = [numbers[:, i] < p for i in range(5)]  # [n] each
    two = tf.cast(2, p.dtype)
    added = tf.where(bright, BRIGHTNESS * normal(numbers[:, 5]), 0.0)
    factor = tf.where(strong, tf.pow(two, CONTRAST * normal(numbers[:, 6])), 1.0)
    sign = tf.where(tf.logical_and(exchanged, numbers[:, 7] < 0.5), -tf.ones_like(added), 1.0)
    angle = tf.where(hued, (numbers[:, 8] * 2 - 1) * math.pi, 0.0)
    amount = tf.where(vivid, tf.pow(two, SATURATION * normal(numbers[:, 9])), 1.0)
    if images.shape[-1] == 3:
        matrix = _matrix(sign, amount * tf.cos(angle), amount * tf.sin(angle))  # [n,3,3]
    else:
        matrix = sign[:, None, None]  # [n,1,1]
    pixels = tf.reshape(images, [-1, images.shape[1] * images.shape[2], images.shape[3]])  # [n,R*R,C]
    changed = tf.matmul(pixels, matrix * factor[:, None, None]) + (sign * factor * added)[:, None, None]
    any_there = there[0] | there[1] | there[2] | there[3] | there[4]
    return tf.where(per_image(any_there), tf.reshape(changed, tf.shape(images)), images)


def _matrix(gray: tf.Tensor, along: tf.Tensor, across: tf.Tensor) -> tf.Tensor:
    """What changes colours by a factor on the gray axis, and beside it by a factor along and one across: [n,3,3].

    Across is at right angles to the gray axis and to the rest of the colour; cos and sin of an angle turn it.
    """
    mean = np.full([3, 3], 1 / 3)
    right = (np.roll(np.eye(3), 1, axis=0) - np.roll(np.eye(3), -1, axis=0)) / math.sqrt(3)
    parts = tf.constant(np.stack([mean, np.eye(3) - mean, right]), gray.dtype)  # [3,3,3]
    return tf.einsum("nk,kij->nij", tf.stack([gray, along, across], axis=1), parts)
