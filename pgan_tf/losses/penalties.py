"""Penalties on the discriminator."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from pgan_tf.config import Loss
from pgan_tf.layers.remat import constant_weights


def gradient_penalty(
    critic: Callable[[tf.Tensor], tf.Tensor],
    real: tf.Tensor,
    fake: tf.Tensor,
    mixing: tf.Tensor,
    options: Loss,
    upscale: int = 1,
    loss_scale: tf.Tensor | float = 1.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """WGAN-GP's penalty (norm - target)^2 * lambda / target^2 per sample -> (penalty [N], gradient norm [N]).

    `critic` maps images [N,H,W,C], or points [N,2], to scores [N]; the gradient is taken at
    real + (fake - real) * mixing, with `mixing` [N] in 0..1. `loss_scale` keeps the inner gradient
    representable in float16.

    The original shows its discriminator images of the final resolution at every stage, enlarged by `upscale` = final /
    current resolution. With respect to these the same gradient is shorter by that factor: each pixel stands
    upscale^2 times and takes that part of the derivative.
    Gulrajani et al. 2017, equation 3; the target is the paper's appendix on CIFAR-10.
    """
    t = tf.cast(tf.reshape(mixing, [-1, *(1 for _ in real.shape[1:])]), real.dtype)  # [N,1,1,1], or [N,1]
    # A root has no derivative at 0: below the smallest float32 square the gradient is taken as constant.
    norm = tf.sqrt(tf.maximum(_slopes(critic, real + (fake - real) * t, loss_scale), 1e-37)) / upscale  # [N]
    return tf.square(norm - options.wgan_target) * (options.wgan_lambda / options.wgan_target**2), norm


def _slopes(critic: Callable[[tf.Tensor], tf.Tensor], samples: tf.Tensor, loss_scale: tf.Tensor | float) -> tf.Tensor:
    """The squared norms [N] of the gradients of the scores with respect to the samples."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(samples)
        total = tf.reduce_sum(critic(samples)) * tf.cast(loss_scale, samples.dtype)
    with constant_weights():
        gradient = tape.gradient(total, samples)
    gradient /= tf.cast(loss_scale, samples.dtype)  # [N,H,W,C], or [N,2]
    return tf.reduce_sum(tf.square(gradient), axis=list(range(1, len(samples.shape))))


def _at_samples(*kinds: str):
    """Half of gamma times the squared norm of the gradient at the reals, at the fakes, or the sum of both.

    Mescheder et al. 2018, equations 9 and 10; both together: Huang et al. 2024 (R3GAN), section 2. The gradient is with
    respect to images of the final resolution, as above.
    """

    def penalty(critic, real, fake, mixing, options, upscale=1, loss_scale=1.0) -> tuple[tf.Tensor, tf.Tensor]:
        samples = {"real": real, "fake": fake}
        squares = [_slopes(critic, samples[kind], loss_scale) / upscale**2 for kind in kinds]  # [N] each
        norms = [tf.sqrt(square) for square in squares]  # reported, not learnt by
        return options.penalty_gamma / 2 * tf.add_n(squares), tf.stop_gradient(tf.add_n(norms) / len(norms))

    return penalty


def no_penalty(critic, real, fake, mixing, options, upscale=1, loss_scale=1.0) -> tuple[tf.Tensor, tf.Tensor]:
    zeros = tf.zeros(tf.shape(real)[:1], real.dtype)
    return zeros, zeros


PENALTIES = {
    "gradient": gradient_penalty,
    "r1": _at_samples("real"),
    "r2": _at_samples("fake"),
    "r1_r2": _at_samples("real", "fake"),
    "none": no_penalty,
}


def drift(real_scores: tf.Tensor) -> tf.Tensor:
    """Keeps the scores near zero: real scores^2 -> [N]. Paper appendix A.1."""
    return tf.square(real_scores)
