"""What a call of the step is given: the data of its rounds, and what the schedule sets for them."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.data.pipeline import Rounds
from pgan_tf.schedule import Progress
from pgan_tf.stages import Fade
from pgan_tf.training.blocks import Piece
from pgan_tf.training.feed import Batch
from pgan_tf.training.step import Controls


def concatenate(pieces: list[Rounds]) -> Batch:
    """The data of several pieces as one."""
    return Batch(*(tf.constant(np.concatenate(parts)) for parts in zip(*pieces, strict=True)))


def controls(config: Config, parts: list[Piece], first_round: int, dtype: tf.DType) -> Controls:
    """For some pieces of one stage, of K rounds together; the run has had `first_round` rounds before them."""
    counts, fades = [part.rounds for part in parts], [part.progress.fade for part in parts]

    def series(values) -> tf.Tensor:
        """Of one number of each piece: of each of its rounds [K]."""
        return tf.constant(np.repeat(list(values), counts), dtype)

    return Controls(
        fade=Fade(*(series(values) for values in zip(*fades, strict=True))),
        ema_decay=series(ema_decay(config, part.progress) for part in parts),
        g_lrate=series(part.progress.g_lrate for part in parts),
        d_lrate=series(part.progress.d_lrate for part in parts),
        first_round=tf.constant(first_round, tf.int64),
    )


def ema_decay(config: Config, progress: Progress) -> float:
    """Decay per step of the averaged generator: the original's constant, or by half-life in real images.

    The half-life is at most `ema_rampup` of the images that the stage has seen, so that the average of a short
    stage follows what is learnt (Karras et al. 2020, StyleGAN2-ADA, training loop).
    """
    options = config.optim
    if not options.ema_halflife_kimg:
        return options.G_smoothing
    halflife = min(options.ema_halflife_kimg * 1000, max(progress.stage_images * options.ema_rampup, 1e-8))
    return math.pow(0.5, progress.minibatch / halflife)
