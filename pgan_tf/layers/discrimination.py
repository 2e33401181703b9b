"""Minibatch discrimination, and the table of what a discriminator can be told of the minibatch."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import keras
import tensorflow as tf

from pgan_tf.layers.equalized import Equalized
from pgan_tf.layers.minibatch import MINIBATCH_STATISTICS, MinibatchStatistics
from pgan_tf.layers.norms import precise
from pgan_tf.layers.widening import Axis, Part, length, whole


@keras.saving.register_keras_serializable("pgan_tf")
class MinibatchDiscrimination(Equalized):
    """[N,...,C] -> [N,...,C+kernels]: how near each sample is to those of its group. Salimans et al. 2016, section 3.2.

    A sample's features, all of them, are multiplied by a weight [features, kernels * dimensions], which makes one
    vector of each kernel; what is said of kernel b is the sum over the group, the sample itself too, of
    exp(-L1 distance of the vectors b), at every place the same. (The published code leaves the sample itself out and
    adds a bias, as here; this makes it the same function.) Groups are those of the minibatch statistics: sample i of N
    is in group i mod (N / group_size). With a `group_size` of N or more, the minibatch is one group, as published.
    `axis` says which of the C features are new where the discriminator becomes wider: they count by beta.
    """

    mixes_groups = False

    def __init__(self, kernels: int = 100, group_size: int = 4, dimensions: int = 5, axis: Axis = (), **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.kernels, self.group_size, self.dimensions = kernels, group_size, dimensions

    @property
    def maps(self) -> int:
        return self.kernels

    def build(self, input_shape):
        features = (self.axis or whole(input_shape[-1])) * math.prod(input_shape[1:-1])
        said = Part(self.kernels, self.kernels)
        self.add_parameters((features, (said.times(self.dimensions),)), features, said)
        self.flops = 2 * length(features) * self.kernels * self.dimensions
        self.output_size = (*input_shape[1:-1], input_shape[-1] + self.kernels)

    def call(self, x, beta=1.0, tau=0.5, training=False):
        n, features = tf.shape(x)[0], math.prod(x.shape[1:])
        size = tf.minimum(self.group_size, n)
        y = tf.reshape(precise(x), [size, -1, features])  # [G,M,F], M groups of G samples
        y -= tf.reduce_mean(y, axis=0, keepdims=True)  # distances do not change, and their rounding errors shrink
        weight = precise(self.scaled_weight(beta, training))
        y = tf.matmul(tf.reshape(y, [-1, features]), weight)  # [N,kernels*dimensions]
        y = tf.reshape(y, [size, -1, self.kernels, self.dimensions])
        distances = tf.reduce_sum(tf.abs(y[:, tf.newaxis] - y), axis=-1)  # [G,G,M,kernels]
        said = tf.reshape(tf.reduce_sum(tf.exp(-distances), axis=1), [-1, self.kernels])  # [N,kernels]
        said = tf.cast(self.add_bias(said), x.dtype)
        said = tf.reshape(said, [-1, *[1] * (len(x.shape) - 2), self.kernels])  # [N,1,..,1,kernels]
        said = tf.broadcast_to(said, tf.concat([tf.shape(x)[:-1], [self.kernels]], axis=0))
        return tf.concat([x, said], axis=-1)

    def get_config(self):
        config = {"kernels": self.kernels, "group_size": self.group_size, "dimensions": self.dimensions}
        return {**super().get_config(), **config}


def _statistics(drawn: dict, **options) -> MinibatchStatistics:
    """For rows that have no weight."""
    return MinibatchStatistics(**options)


# What a discriminator is told of a group: (drawn, group_size=, axis=, name=, dtype=) -> a layer, called `layer(x, beta,
# tau, training)`, that adds `maps` features to each sample; its `mixes_groups` says whether other groups of the
# minibatch enter too. `drawn`: the options of a weight, which discrimination has.
MINIBATCH: dict[str, Callable[..., keras.layers.Layer]] = {
    **{name: functools.partial(_statistics, statistics=name) for name in MINIBATCH_STATISTICS},
    "discrimination": lambda drawn, **options: MinibatchDiscrimination(**drawn, **options),
}
