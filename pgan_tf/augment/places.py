"""Taking each pixel of an image from another place, with gradients of any order."""

from __future__ import annotations

import tensorflow as tf


def per_image(x: tf.Tensor) -> tf.Tensor:
    """[n] -> [n,1,1,1]."""
    return x[:, None, None, None]


def axis(images: tf.Tensor) -> tf.Tensor:
    """The numbers of an image's rows, and of its columns: [R]."""
    return tf.range(images.shape[1])


def reflected(index: tf.Tensor, size: int) -> tf.Tensor:
    """Places on a line of `size` pixels for any whole numbers: beyond its ends it goes on mirrored."""
    place = tf.math.floormod(index, 2 * size)
    return tf.minimum(place, 2 * size - 1 - place)


def pick(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """The pixels of images [n,R,R,C] at the places rows, columns, int32 [n,R,R] -> [n,R,R,C]."""
    size, channels = images.shape[1], images.shape[-1]
    places = reflected(rows, size) * size + reflected(columns, size)  # [n,R,R]
    flat = tf.reshape(images, [-1, size * size, channels])  # [n,R*R,C]
    return tf.reshape(tf.gather(flat, tf.reshape(places, [-1, size * size]), batch_dims=1), tf.shape(images))


def between(images: tf.Tensor, y: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Images [n,R,R,C] at places between pixels, y and x [n,R,R]: bilinear -> [n,R,R,C]."""
    top, left = tf.floor(y), tf.floor(x)
    down, right = (y - top)[..., None], (x - left)[..., None]  # [n,R,R,1], in 0..1
    rows, columns = tf.cast(top, tf.int32), tf.cast(left, tf.int32)
    upper = pick(images, rows, columns) * (1 - right) + pick(images, rows, columns + 1) * right
    lower = pick(images, rows + 1, columns) * (1 - right) + pick(images, rows + 1, columns + 1) * right
    return upper * (1 - down) + lower * down
