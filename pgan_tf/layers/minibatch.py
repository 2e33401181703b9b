"""Minibatch statistics, and the order of samples that keeps their groups together: paper section 3.

Sample i of a minibatch of N belongs to group i mod (N / group_size), as in the original. A statistic says one number
of each group, which becomes one more feature map of its samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from pgan_tf.layers.widening import Axis, is_new, is_wider

EPSILON = 1e-8  # added to variances before their roots are taken
# And where it is divided by them: the derivatives of nearly equal samples, also the second ones, must fit float16.
DIVISOR_EPSILON = 1e-6
LARGEST = 65504.0  # float16's largest number


class Statistics(NamedTuple):
    """Statistics of M groups of G samples each.

    `compute` takes them less the mean of their group, float32 or float64 [G,M,H,W,C], and how much each feature map
    counts in an average over them, [C] (None: all alike), and returns [M,1,1,maps].
    `mixes_groups` says that other groups of the minibatch enter into a group's numbers.
    """

    maps: int
    compute: Callable[[tf.Tensor, tf.Tensor | None], tf.Tensor]
    mixes_groups: bool = False


def weighted(y: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
    """[..,C], each feature map as much as it counts."""
    return y if weights is None else y * weights


def stddev(y: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """The standard deviation, averaged over features and pixels: the original's. [G,M,H,W,C] -> [M,1,1,1]."""
    y = weighted(tf.sqrt(tf.reduce_mean(tf.square(y), axis=0) + EPSILON), weights)  # [M,H,W,C]
    return tf.reduce_mean(y, axis=[1, 2, 3], keepdims=True)  # [M,1,1,1]


def moments(y: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """Standard deviation, skewness, kurtosis, each averaged over features and pixels. [G,M,H,W,C] -> [M,1,1,3].

    Skewness and kurtosis are the means of z^3 and z^4 with z = y / standard deviation. As |z| <= sqrt(G) they are
    finite in every precision, and 0 in a group whose samples are all equal.
    """
    z = y * tf.math.rsqrt(tf.reduce_mean(tf.square(y), axis=0, keepdims=True) + DIVISOR_EPSILON)  # [G,M,H,W,C]
    square = tf.square(z)
    powers = [weighted(power, weights) for power in (square * z, square * square)]
    higher = [tf.reduce_mean(power, axis=[0, 2, 3, 4]) for power in powers]  # two of [M]
    return tf.concat([stddev(y, weights), tf.stack(higher, axis=-1)[:, tf.newaxis, tf.newaxis]], axis=-1)  # [M,1,1,3]


def moments_as_coded(y: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """What a published code computes for standard deviation, 'kurtosis' and 'skewness'. [G,M,H,W,C] -> [M,1,1,3].

    It has no third or fourth moment: with v the variance over a group, plus epsilon, and m the mean of the groups'
    variances, these are the averages of m^4 / v^2 and m^3 / v^3. The groups are those on one device, as published;
    with one group the latter is always 1. Beside a group of equal samples they reach 1e23 there; here they end at
    LARGEST, with gradient 0. In between their derivatives exceed float16, in which nothing is trained with them; in
    the other precisions they are finite.
    """
    # Float64, as the derivatives on the way exceed float32 also where the limit makes 0 of them.
    y = tf.cast(y, tf.float64)
    weights = None if weights is None else tf.cast(weights, tf.float64)
    variance = tf.reduce_mean(tf.square(y), axis=0)  # [M,H,W,C]
    mean = tf.reduce_mean(variance, axis=0)  # [H,W,C]
    ratios = [mean**4 / (variance + EPSILON) ** 2, mean**3 / (variance + EPSILON) ** 3]  # two of [M,H,W,C]
    averages = [
        tf.reduce_mean(weighted(ratio, weights), axis=[1, 2, 3], keepdims=True) for ratio in ratios
    ]  # two of [M,1,1,1]
    return tf.concat(
        [stddev(y, weights), *(tf.minimum(average, LARGEST) for average in averages)], axis=-1
    )  # [M,1,1,3]


MINIBATCH_STATISTICS = {
    "stddev": Statistics(1, stddev),
    "moments": Statistics(3, moments),
    "moments_as_coded": Statistics(3, moments_as_coded, mixes_groups=True),
}


@keras.saving.register_keras_serializable("pgan_tf")
class MinibatchStatistics(keras.layers.Layer):
    """[N,H,W,C] -> [N,H,W,C+maps]: more maps, the statistics of each sample's group.

    `statistics` is one of MINIBATCH_STATISTICS. A minibatch smaller than the group is one group; otherwise N must be
    a multiple of `group_size`.
    """

    def __init__(self, group_size: int = 4, statistics: str = "stddev", axis: Axis = (), **kwargs):
        """`axis` says which feature maps are new where the discriminator becomes wider: tau is their weight."""
        super().__init__(**kwargs)
        self.axis = axis
        if statistics not in MINIBATCH_STATISTICS:
            raise ValueError(f"minibatch statistics {statistics!r}: choose one of {', '.join(MINIBATCH_STATISTICS)}")
        self.group_size, self.statistics = group_size, statistics

    @property
    def maps(self) -> int:
        return MINIBATCH_STATISTICS[self.statistics].maps

    @property
    def mixes_groups(self) -> bool:
        return MINIBATCH_STATISTICS[self.statistics].mixes_groups

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.maps)

    def map_weights(self, tau, dtype) -> tf.Tensor | None:
        """How much each feature map counts in an average, [C], 1 in the mean: 2 tau times their share for the new."""
        if not is_wider([self.axis]):
            return None
        new = is_new([self.axis])
        share = new.mean()
        part = 2.0 * share * tf.cast(tau, dtype)  # of the new ones in the average
        return tf.where(new, part / share, (1.0 - part) / (1.0 - share))

    def call(self, x, beta=1.0, tau=0.5):
        n, (h, w, c) = tf.shape(x)[0], x.shape[1:]
        size = tf.minimum(self.group_size, n)
        y = tf.reshape(x, [size, -1, h, w, c])  # [G,M,H,W,C], M groups of G samples
        # The statistics are differences of nearly equal numbers: never in half precision.
        y = tf.cast(y, tf.float32) if y.dtype.size < 4 else y
        y -= tf.reduce_mean(y, axis=0, keepdims=True)
        y = MINIBATCH_STATISTICS[self.statistics].compute(y, self.map_weights(tau, y.dtype))  # [M,1,1,S]
        y = tf.tile(tf.cast(y, x.dtype), [size, h, w, 1])  # [N,H,W,S]
        return tf.concat([x, y], axis=-1)

    def get_config(self):
        return {**super().get_config(), "group_size": self.group_size, "statistics": self.statistics}


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


class Microbatch(NamedTuple):
    """Where the samples of a microbatch are in a pass of a device's whole share.

    The share is `count` microbatches of `size` samples, dealt in groups of `group`; a pass has `first` other rows, then
    the share, or two shares joined by `join_batches`.
    """

    index: tf.Tensor  # []
    count: int
    size: int
    group: int
    first: int = 0

    def of_whole(self, shape: tf.Tensor, draw: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
        """The rows, `shape`, for a pass of this microbatch, of what `draw(shape)` gives for that of the whole share."""
        copies, rest, each = (shape[0] - self.first) // self.size, shape[1:], self.size // self.group
        rows = self.first + copies * self.count * self.size
        whole = draw(tf.concat([[rows], rest], 0))
        own = tf.reshape(whole[self.first :], tf.concat([[self.group, copies, self.count, each], rest], 0))
        own = tf.reshape(tf.gather(own, self.index, axis=2), tf.concat([[shape[0] - self.first], rest], 0))
        return tf.concat([whole[: self.first], own], axis=0)


def deal(minibatch: int, replicas: int, together: int) -> np.ndarray:
    """Which samples of a global minibatch each replica takes: indices [replicas, minibatch / replicas].

    `together`: how many samples a network must see together, 1, the size of a group, or 0 = the whole minibatch. Each
    group of the global minibatch goes to one replica as a whole, so that the statistics, and with them the
    whole step, are those of one device. Where there are fewer groups than replicas the samples are dealt in
    order, and the groups are smaller than on one device, as in the original.
    """
    local = minibatch // replicas
    size = min(together, minibatch) or minibatch
    groups = minibatch // size
    if groups % replicas:
        return np.arange(minibatch).reshape(replicas, local)
    index = np.arange(minibatch).reshape(size, replicas, groups // replicas)  # [G,R,M/R]
    return index.transpose(1, 0, 2).reshape(replicas, local)
