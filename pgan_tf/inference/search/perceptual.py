"""How unlike two images look to a network that knows pictures: its activations compared place by place.

The distance of Zhang et al. 2018, 'The Unreasonable Effectiveness of Deep Features', equation 1, with all weights 1
and efficientnet-lite0, whose weights come by pip. Its numbers are comparable only among images of one size.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from pgan_tf.metrics.extractors import efficientnet_lite0

NAME = efficientnet_lite0.NAME
EPSILON = 1e-8  # keeps the gradient finite where all activations are 0


def input_size(resolution: int) -> int:
    """Side that the network is shown images at: twice their own, from 64 up to its own 224."""
    return min(max(64, 2 * resolution), efficientnet_lite0.SIZE)


def feature_loss(target: np.ndarray, file: str | os.PathLike | None = None) -> Callable[[tf.Tensor], tf.Tensor]:
    """images float32 [N,R,R,C], -1..1 -> distances [N] from `target` float32 [R,R,C]; differentiable.

    `file`: of the network's weights, by default those that come by pip. MetricError if they are not there.
    """
    network = efficientnet_lite0.load_maps(input_size(target.shape[0]), file)

    def directions(images: tf.Tensor) -> list[tf.Tensor]:
        """Activations [N,S,S,F] as unit vectors, one for each place."""
        return [maps * tf.math.rsqrt(_squared(maps)[..., None] + EPSILON) for maps in network((images + 1.0) * 127.5)]

    wanted = directions(tf.constant(target[None]))

    def loss(images: tf.Tensor) -> tf.Tensor:
        pairs = zip(directions(images), wanted, strict=True)
        return tf.add_n([tf.reduce_mean(_squared(ours - theirs), axis=[1, 2]) for ours, theirs in pairs]) / len(wanted)

    return loss


def _squared(maps: tf.Tensor) -> tf.Tensor:
    """[N,S,S,F] -> squared lengths [N,S,S]."""
    return tf.reduce_sum(tf.square(maps), axis=-1)
