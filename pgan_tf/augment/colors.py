"""Adaptive augmentation, which colours pixels have: each part with probability p. Karras et al. 2020, appendix B."""

from __future__ import annotations

import math

import tensorflow as tf

from pgan_tf.augment.geometry import normal
from pgan_tf.augment.places import per_image

BRIGHTNESS = 0.2  # standard deviation of what is added
CONTRAST, SATURATION = 0.5, 1.0  # standard deviations of log2 of a factor


def color(images: tf.Tensor, numbers: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    """Brighter, of more contrast, with dark and bright exchanged; where there are colours, of another hue, of more
    colour."""
    bright, strong, exchanged, hued, vivid = there = [numbers[:, i] < p for i in range(5)]  # [n] each
    two = tf.cast(2, p.dtype)
    added = tf.where(bright, BRIGHTNESS * normal(numbers[:, 5]), 0.0)
    factor = tf.where(strong, tf.pow(two, CONTRAST * normal(numbers[:, 6])), 1.0)
    exchanged = tf.logical_and(exchanged, numbers[:, 7] < 0.5)
    x = (images + per_image(added)) * per_image(factor)
    gray = tf.reduce_mean(x, axis=-1, keepdims=True)  # [n,R,R,1], along the axis on which all colours are the same
    rest, sign = x - gray, per_image(tf.where(exchanged, -tf.ones_like(added), 1.0))
    if images.shape[-1] == 3:
        angle = tf.where(hued, (numbers[:, 8] * 2 - 1) * math.pi, 0.0)
        amount = tf.where(vivid, tf.pow(two, SATURATION * normal(numbers[:, 9])), 1.0)
        # Turned about that axis: the second is at right angles to it and to the rest.
        across = (tf.roll(rest, -1, axis=-1) - tf.roll(rest, 1, axis=-1)) / math.sqrt(3)
        rest = (rest * per_image(tf.cos(angle)) + across * per_image(tf.sin(angle))) * per_image(amount)
    any_there = there[0] | there[1] | there[2] | there[3] | there[4]
    return tf.where(per_image(any_there), gray * sign + rest, images)
