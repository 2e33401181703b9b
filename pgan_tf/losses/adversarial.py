"""Adversarial losses, and the label term of AC-GAN.

A loss is a pair of functions over scores [N] that return values [N], to be averaged over the global minibatch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class AdversarialLoss(NamedTuple):
    discriminator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # (real scores, fake scores) -> [N]
    generator: Callable[[tf.Tensor], tf.Tensor]  # fake scores -> [N]


def _wgan_discriminator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    return fake - real


def _wgan_generator(fake: tf.Tensor) -> tf.Tensor:
    return -fake


LOSSES = {"wgan": AdversarialLoss(_wgan_discriminator, _wgan_generator)}


def label_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Cross entropy of one-hot `labels` [N,L] under `logits` [N,L] -> [N]; 0 where L is 0."""
    if labels.shape[-1] == 0:
        return tf.zeros(tf.shape(logits)[:1], logits.dtype)
    return tf.nn.softmax_cross_entropy_with_logits(tf.cast(labels, logits.dtype), logits)
