"""Resampling by two, in forms whose gradients have gradients (tf.image.resize's have not)."""

from __future__ import annotations

import tensorflow as tf


def nearest_upsample(x: tf.Tensor, factor: int = 2) -> tf.Tensor:
    """[N,H,W,C] -> [N,fH,fW,C], each pixel repeated factor x factor times."""
    if factor == 1:
        return x
    _, h, w, c = x.shape
    x = tf.reshape(x, [-1, h, 1, w, 1, c])
    x = tf.broadcast_to(x, tf.concat([tf.shape(x)[:2], [factor, w, factor, c]], 0))  # [N,H,f,W,f,C]
    return tf.reshape(x, [-1, h * factor, w * factor, c])


def box_downsample(x: tf.Tensor, factor: int = 2) -> tf.Tensor:
    """[N,H,W,C] -> [N,H/f,W/f,C], the mean of each factor x factor box."""
    return x if factor == 1 else tf.nn.avg_pool2d(x, factor, factor, "VALID")


def detail(x: tf.Tensor, level: int) -> tf.Tensor:
    """[N,R,R,C] -> [N,R,R,C] with no more detail than images of level x level have: boxes of R / level are even."""
    factor = x.shape[1] // level
    return nearest_upsample(box_downsample(x, factor), factor)
