"""DiffAugment: colour, translation, cutout, each applied to every image. Zhao et al. 2020, section 3.2.

`numbers` [n,K] are uniform in 0..1; `p` is the adaptive augmentation's, and not gone by here.
"""

from __future__ import annotations

import tensorflow as tf

from pgan_tf.augment.places import axis, per_image, pick

SHIFT = 1 / 8  # of the image's size, at most
CUT = 1 / 2  # of the image's size


def color(images: tf.Tensor, numbers: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    """Brightness by -0.5..0.5, saturation times 0..2, contrast times 0.5..1.5."""
    brightness, saturation, contrast = (per_image(numbers[:, i]) for i in range(3))
    x = images + (brightness - 0.5)
    gray = tf.reduce_mean(x, axis=-1, keepdims=True)  # [n,R,R,1]
    x = gray + (x - gray) * (2 * saturation)
    mean = tf.reduce_mean(x, axis=[1, 2, 3], keepdims=True)  # [n,1,1,1]
    return mean + (x - mean) * (contrast + 0.5)


def translation(images: tf.Tensor, numbers: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    """By whole pixels, up to an eighth of the image both ways; what comes in is 0."""
    size = images.shape[1]
    most = int(size * SHIFT + 0.5)
    shifts = tf.cast(tf.floor(numbers * (2 * most + 1)), tf.int32) - most  # [n,2]
    rows, columns = (axis(images)[None] - shifts[:, i, None] for i in range(2))  # [n,R] each
    inside = [tf.logical_and(place >= 0, place < size) for place in (rows, columns)]
    kept = tf.logical_and(inside[0][:, :, None], inside[1][:, None, :])[..., None]  # [n,R,R,1]
    whole = tf.zeros([1, size, size], tf.int32)
    moved = pick(images, rows[:, :, None] + whole, columns[:, None, :] + whole)
    return tf.where(kept, moved, tf.zeros_like(moved))


def cutout(images: tf.Tensor, numbers: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
    """A square of half the image's size is 0, its middle anywhere."""
    size = images.shape[1]
    cut = int(size * CUT + 0.5)
    first = tf.cast(tf.floor(numbers * (size + 1 - cut % 2)), tf.int32) - cut // 2  # [n,2]
    rows, columns = (axis(images)[None] - first[:, i, None] for i in range(2))  # [n,R] each
    inside = [tf.logical_and(place >= 0, place < cut) for place in (rows, columns)]
    gone = tf.logical_and(inside[0][:, :, None], inside[1][:, None, :])[..., None]  # [n,R,R,1]
    return tf.where(gone, tf.zeros_like(images), images)
