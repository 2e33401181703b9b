"""Distributions of latents, and random numbers that are a pure function of the step.

Nothing here keeps a state: the same (seed, purpose, step) gives the same numbers on every replica, after every
resume. (keras.random with a seed generator repeats its numbers on each replica.)
"""

from __future__ import annotations

import enum
import itertools

import tensorflow as tf


class Purpose(enum.IntEnum):
    """What a random number is for: two purposes never share a stream."""

    D_LATENTS = 0
    G_LATENTS = 1
    MIXING = 2
    MIRROR = 3
    SHUFFLE = 4
    G_LABELS = 5
    GRID = 6
    EVALUATION = 7
    GENERATE = 8
    WALK = 9
    CENTRE = 10
    PROJECTION = 11
    D_NOISE = 12  # in the discriminator, during its own steps
    G_NOISE = 13  # and during the generator's
    REFERENCE = 14  # batch of virtual batch norm
    SALIENCY = 15  # samples that differ in some components
    D_AUGMENT = 16  # of reals and fakes, in the discriminator's steps
    G_AUGMENT = 17  # and in the generator's
    GAUGE = 18  # fakes beside held-out reals


def stream(seed: int, purpose: Purpose, step: tf.Tensor | int) -> tf.Tensor:
    """The stateless seed [2] of one purpose at one step: another for each (seed, purpose, step).

    seed: 0 .. 2^63 - 1; step: 0 .. 2^52 - 1.
    """
    seed %= 2**63  # of larger ones, which a clock or a hash may give, what fits
    first = (seed % 2**59) * 16 + purpose % 16
    # Above the steps there is room: for the purposes from 16 on, and for what is left of the largest seeds.
    second = (purpose // 16 * 16 + seed // 2**59) * 2**52
    return tf.stack([tf.constant(first, tf.int64), tf.cast(step, tf.int64) + second])


def gaussian(shape, seed: tf.Tensor, dtype=tf.float32) -> tf.Tensor:
    """Standard normal latents; the generator's own normalisation puts them on the hypersphere."""
    return tf.random.stateless_normal(shape, seed, dtype=dtype)


def uniform(shape, seed: tf.Tensor, dtype=tf.float32) -> tf.Tensor:
    """Each component in -1..1."""
    return tf.random.stateless_uniform(shape, seed, minval=-1, maxval=1, dtype=dtype)


def sphere(shape, seed: tf.Tensor, dtype=tf.float32) -> tf.Tensor:
    """Uniform on the sphere of radius 1: rows [.,L] of unit length."""
    return tf.math.l2_normalize(gaussian(shape, seed, dtype), axis=-1, epsilon=1e-30)


LATENTS = {"gaussian": gaussian, "uniform": uniform, "sphere": sphere}


# ---- sets of components ----------------------------------------------------------------------------------------------


def doubling_dims(size: int) -> list[range]:
    """1-8, 9-16, 17-32, .. up to the last dimension: the sets in which a growing latent space grows."""
    ends = [0, 8]
    while ends[-1] < size:
        ends.append(ends[-1] * 2)
    return [range(begin, min(end, size)) for begin, end in itertools.pairwise(ends)]


def dims_name(dims: range) -> str:
    """'1-8', or '5' for a single dimension; counted from 1."""
    return f"{dims.start + 1}-{dims.stop}" if len(dims) > 1 else f"{dims.start + 1}"
