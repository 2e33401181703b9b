"""Adversarial losses, and the label term of AC-GAN.

A loss is a pair of functions of the scores [N] of reals and fakes that return values [N], to be averaged over the
global minibatch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from pgan_tf.config import Loss

Formula = Callable[[tf.Tensor, tf.Tensor, Loss], tf.Tensor]  # (real scores, fake scores, options) -> [N]

Report = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # (real scores, fake scores) -> [N]


class AdversarialLoss(NamedTuple):
    discriminator: Formula
    generator: Formula  # knows no real scores (None), unless it is `paired`
    summed: bool = False  # the sum over the global minibatch takes the place of the mean
    paired: bool = False  # the generator's loss compares fakes with reals
    report: dict[str, Report] = {}  # of the scores in D's pass
    margin: Callable[[tf.Tensor, Loss], tf.Tensor] | None = None  # of a score: above 0 where D says "real"


def _wgan_discriminator(real: tf.Tensor, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    return fake - real


def _wgan_generator(real: None, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    return -fake


def _least_squares_discriminator(real: tf.Tensor, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    return 0.5 * tf.square(real - options.lsgan_b) + 0.5 * tf.square(fake - options.lsgan_a)


def _least_squares_generator(real: None, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    return 0.5 * tf.square(fake - options.lsgan_c)


def _cross_entropy_discriminator(real: tf.Tensor, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    """-log D(real) - log(1 - D(fake)), where D = sigmoid(score), and `real_target` takes the place of 1."""
    target = tf.fill(tf.shape(real), tf.constant(options.real_target, real.dtype))
    return tf.nn.sigmoid_cross_entropy_with_logits(target, real) + tf.nn.softplus(fake)


def _minimax_generator(real: None, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    """log(1 - D(fake))"""
    return -tf.nn.softplus(fake)


def _non_saturating_generator(real: None, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    """-log D(fake)"""
    return tf.nn.softplus(-fake)


def _hinge_discriminator(real: tf.Tensor, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    return tf.nn.relu(1 - real) + tf.nn.relu(1 + fake)


def _relativistic_discriminator(real: tf.Tensor, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    """-log D, where D = sigmoid(real - fake) is how much more real a real is than the fake beside it."""
    return tf.nn.softplus(fake - real)


def _relativistic_generator(real: tf.Tensor, fake: tf.Tensor, options: Loss) -> tf.Tensor:
    return tf.nn.softplus(real - fake)


# Where a score is the logit of "real": what the discriminator takes for the probability of it.
PROBABILITIES = {
    "probability/real": lambda real, fake: tf.sigmoid(real),
    "probability/fake": lambda real, fake: tf.sigmoid(fake),
}


def r_v(held_out: float, trained: float, fakes: float, options: Loss) -> float | None:
    """Of mean scores: how much of the way from the trained reals to the fakes the held-out ones are.

    0 where the discriminator does not know which reals it has seen, 1 where others are fakes to it; None where it tells
    no fakes from reals. Karras et al. 2020 (StyleGAN2-ADA), equation 1.
    """
    upside_down = options.loss.startswith("lsgan") and options.lsgan_b < options.lsgan_a
    gap = fakes - trained if upside_down else trained - fakes
    return (trained - held_out) / (trained - fakes) if gap > 0 else None


def _beyond_middle(score: tf.Tensor, options: Loss) -> tf.Tensor:
    """Reals may be the lower side: lsgan_b below lsgan_a."""
    return (score - (options.lsgan_a + options.lsgan_b) / 2) * (options.lsgan_b - options.lsgan_a)


def _logit(score: tf.Tensor, options: Loss) -> tf.Tensor:
    return score


# Least squares: Mao et al. 2017, equation 2. Published code of it for this network adds up the minibatch, so that its
# gradients grow with the minibatch: `lsgan_as_coded`. Minimax and non-saturating: Goodfellow et al. 2014, section 3.
# Hinge: Lim and Ye 2017, Miyato et al. 2018, equations 16 and 17. Relativistic, paired: Jolicoeur-Martineau 2018.
LOSSES = {
    "wgan": AdversarialLoss(_wgan_discriminator, _wgan_generator),
    "lsgan": AdversarialLoss(_least_squares_discriminator, _least_squares_generator, margin=_beyond_middle),
    "lsgan_as_coded": AdversarialLoss(
        _least_squares_discriminator, _least_squares_generator, summed=True, margin=_beyond_middle
    ),
    "minimax": AdversarialLoss(_cross_entropy_discriminator, _minimax_generator, report=PROBABILITIES, margin=_logit),
    "non_saturating": AdversarialLoss(
        _cross_entropy_discriminator, _non_saturating_generator, report=PROBABILITIES, margin=_logit
    ),
    "hinge": AdversarialLoss(_hinge_discriminator, _wgan_generator, margin=_logit),
    "relativistic": AdversarialLoss(_relativistic_discriminator, _relativistic_generator, paired=True),
}

SIGN = "overfitting/r_t"


def reported(options: Loss) -> dict[str, Report]:
    """What is reported of the scores in D's pass, by its tag.

    r_t is the mean side of the border that D puts reals on: 0 where it cannot tell, 1 where it knows them all.
    Karras et al. 2020 (StyleGAN2-ADA), section 3.
    """
    loss = LOSSES[options.loss]
    if loss.margin is None:
        return loss.report
    return {**loss.report, SIGN: lambda real, fake: tf.sign(loss.margin(real, options))}


def label_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Cross entropy of one-hot `labels` [N,L] under `logits` [N,L] -> [N]; 0 where L is 0."""
    if labels.shape[-1] == 0:
        return tf.zeros(tf.shape(logits)[:1], logits.dtype)
    return tf.nn.softmax_cross_entropy_with_logits(tf.cast(labels, logits.dtype), logits)
