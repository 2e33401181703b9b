"""Adversarial losses, and the label term of AC-GAN.

A loss is a pair of functions over scores [N] that return values [N], to be averaged over the global minibatch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from pgan_tf.config import Loss


class AdversarialLoss(NamedTuple):
    discriminator: Callable[[tf.Tensor, tf.Tensor, Loss], tf.Tensor]  # (real scores, fake scores, options) -> [N]
    generator: Callable[[tf.Tensor, Loss], tf.Tensor]  # (fake scores, options) -> [N]
    summed: bool = False  # the sum over the global minibatch takes the place of the mean


def _wgan_discriminator(real: tf.Tensor, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    return fake - real


def _wgan_generator(fake: tf.Tensor, options: Loss) -> tf.Tensor:
    return -fake


def _least_squares_discriminator(real: tf.Tensor, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    return 0.5 * tf.square(real - options.lsgan_b) + 0.5 * tf.square(fake - options.lsgan_a)


def _least_squares_generator(fake: tf.Tensor, options: Loss) -> tf.Tensor:
    return 0.5 * tf.square(fake - options.lsgan_c)


# Least squares: Mao et al. 2017, equation 2. Published code of it for this network adds up the minibatch, so that its
# gradients grow with the minibatch: `lsgan_as_coded`.
LOSSES = {
    "wgan": AdversarialLoss(_wgan_discriminator, _wgan_generator),
    "lsgan": AdversarialLoss(_least_squares_discriminator, _least_squares_generator),
    "lsgan_as_coded": AdversarialLoss(_least_squares_discriminator, _least_squares_generator, summed=True),
}


def label_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Cross entropy of one-hot `labels` [N,L] under `logits` [N,L] -> [N]; 0 where L is 0."""
    if labels.shape[-1] == 0:
        return tf.zeros(tf.shape(logits)[:1], logits.dtype)
    return tf.nn.softmax_cross_entropy_with_logits(tf.cast(labels, logits.dtype), logits)
