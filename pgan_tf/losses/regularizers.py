"""Regularizers of the generator: terms on features of its fakes, one value per sample.

All have the signature (features [n,F], gather) -> [n]: `features` are those of the samples of one replica, and
`gather` turns a tensor [n,F] into that of all replicas, [N,F]. The mean over all N samples is the term.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

Gather = Callable[[tf.Tensor], tf.Tensor]


def repelling(features: tf.Tensor, gather: Gather) -> tf.Tensor:
    """How alike a sample is to the others: the mean of cos^2 over the N - 1 others, in 0..1 -> [n].

    Its mean over the N samples is the mean over all pairs i != j, the pulling-away term of Zhao et al. 2017
    (energy-based GANs), section 2.4. A minibatch of one sample has no pairs: 0.
    """
    unit = tf.math.l2_normalize(features, axis=1)  # [n,F]
    everyone = gather(unit)  # [N,F]
    cosines = tf.matmul(unit, everyone, transpose_b=True)  # [n,N]
    # A sample's product with itself, 1 or (where all its features are 0) 0, is no pair.
    itself = tf.square(tf.reduce_sum(tf.square(unit), axis=1))  # [n]
    others = tf.maximum(tf.shape(everyone)[0] - 1, 1)
    return (tf.reduce_sum(tf.square(cosines), axis=1) - itself) / tf.cast(others, unit.dtype)  # [n]


def no_regularizer(features: tf.Tensor, gather: Gather) -> tf.Tensor:
    return tf.zeros(tf.shape(features)[:1], features.dtype)


# The published code of the repelling regularizer throws its sum away: what it adds is exactly 0, and all gradients
# are the baseline's. `repelling_as_coded` is that run under its own name.
REGULARIZERS = {"none": no_regularizer, "repelling": repelling, "repelling_as_coded": no_regularizer}
