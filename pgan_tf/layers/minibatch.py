"""Minibatch statistics, and the order of samples that keeps their groups together: paper section 3.

Sample i of a minibatch of N belongs to group i mod (N / group_size), as in the original.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("pgan_tf")
class MinibatchStdDev(keras.layers.Layer):
    """[N,H,W,C] -> [N,H,W,C+1]: one more map, the group's standard deviation averaged over features and pixels.

    A minibatch smaller than the group is one group; otherwise N must be a multiple of `group_size`.
    """

    def __init__(self, group_size: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.group_size = group_size

    def call(self, x):
        n, (h, w, c) = tf.shape(x)[0], x.shape[1:]
        size = tf.minimum(self.group_size, n)
        y = tf.reshape(x, [size, -1, h, w, c])  # [G,M,H,W,C], M groups of G samples
        # The statistic is a difference of nearly equal numbers: never in half precision.
        y = tf.cast(y, tf.float32) if y.dtype.size < 4 else y
        y -= tf.reduce_mean(y, axis=0, keepdims=True)
        y = tf.sqrt(tf.reduce_mean(tf.square(y), axis=0) + 1e-8)  # [M,H,W,C]
        y = tf.reduce_mean(y, axis=[1, 2, 3], keepdims=True)  # [M,1,1,1]
        y = tf.tile(tf.cast(y, x.dtype), [size, h, w, 1])  # [N,H,W,1]
        return tf.concat([x, y], axis=-1)

    def get_config(self):
        return {**super().get_config(), "group_size": self.group_size}


def join_batches(a: tf.Tensor, b: tf.Tensor, group_size: int) -> tf.Tensor:
    """Two minibatches [N,...] as one [2N,...] in which no group mixes them, so that one pass serves both.

    N must be a multiple of `group_size`. `split_batches` takes the result apart again.
    """
    a, b = (tf.reshape(x, tf.concat([[group_size, -1], tf.shape(x)[1:]], 0)) for x in (a, b))  # [G,M,...]
    joined = tf.concat([a, b], axis=1)  # [G,2M,...]
    return tf.reshape(joined, tf.concat([[-1], tf.shape(joined)[2:]], 0))


def split_batches(x: tf.Tensor, group_size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The inverse of `join_batches`: [2N,...] -> two of [N,...]."""
    parts = tf.split(tf.reshape(x, tf.concat([[group_size, -1], tf.shape(x)[1:]], 0)), 2, axis=1)
    a, b = (tf.reshape(part, tf.concat([[-1], tf.shape(x)[1:]], 0)) for part in parts)
    return a, b


def deal(minibatch: int, replicas: int, group_size: int) -> np.ndarray:
    """Which samples of a global minibatch each replica takes: indices [replicas, minibatch / replicas].

    Each group of the global minibatch goes to one replica as a whole, so that the statistics, and with them the
    whole step, are those of one device. Where there are fewer groups than replicas the samples are dealt in
    order, and the groups are smaller than on one device, as in the original.
    """
    local = minibatch // replicas
    size = min(group_size, minibatch) or 1
    groups = minibatch // size
    if groups % replicas:
        return np.arange(minibatch).reshape(replicas, local)
    index = np.arange(minibatch).reshape(size, replicas, groups // replicas)  # [G,R,M/R]
    return index.transpose(1, 0, 2).reshape(replicas, local)
