"""What one replica gets of a minibatch: its share of the data and of the random numbers, asked for in its context."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pgan_tf import augment
from pgan_tf.config import Config
from pgan_tf.latents import Purpose, stream
from pgan_tf.layers import detail, fade
from pgan_tf.layers.minibatch import deal
from pgan_tf.stages import Fade, Stage
from pgan_tf.training.extras import PROBABILITY
from pgan_tf.training.state import StageState


class Batch(NamedTuple):
    """The data of K rounds, S = K * D_repeats discriminator steps, of N images: those that this process trains on."""

    reals: tf.Tensor  # uint8 [S,N,R,R,C], or float32 [S,N,2]: points of the plane
    labels: tf.Tensor  # float32 [S,N,L]
    g_labels: tf.Tensor  # float32 [K,N,L], for the generator's step
    # Random ones, by purpose, [S,M,..] or [K,M,..] for all M images of the minibatch; empty: drawn on the way.
    numbers: dict[str, tf.Tensor] = {}


class Samples(NamedTuple):
    """One replica's part of a step; the generator's own has neither reals nor mixing."""

    labels: tf.Tensor  # [n,L]
    latents: tf.Tensor  # [n,latent]
    reals: tf.Tensor | None = None  # [n,R,R,C] in -1..1, or [n,2]
    mixing: tf.Tensor | None = None  # [n], uniform in 0..1


# What a step draws; the disturbances of a discriminator are drawn by themselves.
_DRAWN = (Purpose.MIRROR, Purpose.MIXING, Purpose.D_LATENTS, Purpose.G_LATENTS)


AUGMENTED = {Purpose.D_NOISE: Purpose.D_AUGMENT, Purpose.G_NOISE: Purpose.G_AUGMENT}


def stored_type(sample_shape: tuple[int, ...]) -> tf.DType:
    """That of samples as they come from the pipeline: images (R,R,C) are uint8, points (2,) float32."""
    return tf.uint8 if len(sample_shape) == 3 else tf.float32


def process_reals(stored: tf.Tensor, mirror: tf.Tensor | None, stage: Stage, alpha, dtype=tf.float32) -> tf.Tensor:
    """uint8 [N,R,R,C] -> [N,R,R,C] in -1..1, mirrored where `mirror` [N] says so, with the detail of the stage.

    Points of the plane, float32 [N,2], are learnt as they are.
    """
    if len(stored.shape) == 2:
        return tf.cast(stored, dtype)
    x = tf.cast(stored, dtype) * (2.0 / 255.0) - 1.0
    if mirror is not None:
        x = tf.where(tf.reshape(mirror, [-1, 1, 1, 1]), x[:, :, ::-1], x)
    x = detail(x, stage.size.level)
    return fade(detail(x, stage.before.level), x, alpha) if stage.before else x


class Feed:
    """The replicas' shares of one stage's minibatches, which they may take in `microbatches`, one after the other."""

    def __init__(
        self, config: Config, state: StageState, replicas: int, minibatch: int, own: range | None = None,
        microbatches: int = 1,
    ):  # fmt: skip
        """own: the replicas of this process, by default all."""
        self.config, self.state, self.minibatch = config, state, minibatch
        self.replicas, self.microbatches = replicas, microbatches
        self.dtype = tf.as_dtype(state.generator.variable_dtype)
        together = state.discriminator.together
        self.shares = deal(minibatch, replicas * microbatches, together)  # [replicas*microbatches, n]
        rows = [i * microbatches + j for i in own or range(replicas) for j in range(microbatches)]  # of own replicas
        self.read = np.sort(self.shares[rows], axis=None)  # [N] of the minibatch, in its order
        # [replicas*microbatches, n] in what is read, of own replicas
        self.places = np.searchsorted(self.read, self.shares)

    def discriminators(self, batch: Batch, index, step, fade: Fade, microbatch=0) -> Samples:
        """This replica's samples of D step `index` of the batch, number `step` of the run."""
        mirror = None
        if self.config.data.mirror_augment:
            mirror = self.numbers(Purpose.MIRROR, batch, index, step, microbatch) < 0.5
        reals = self.own(batch.reals[index], microbatch)
        reals = process_reals(reals, mirror, self.state.stage, fade.alpha, self.dtype)
        labels = tf.cast(self.own(batch.labels[index], microbatch), self.dtype)
        mixing = self.numbers(Purpose.MIXING, batch, index, step, microbatch)
        return Samples(labels, self.numbers(Purpose.D_LATENTS, batch, index, step, microbatch), reals, mixing)

    def generators(self, batch: Batch, index, step, microbatch=0) -> Samples:
        """This replica's samples of the G step of round `index` of the batch, number `step` of the run."""
        labels = tf.cast(self.own(batch.g_labels[index], microbatch), self.dtype)
        return Samples(labels, self.numbers(Purpose.G_LATENTS, batch, index, step, microbatch))

    def ahead(self, first_round: tf.Tensor, rounds: tf.Tensor) -> dict[str, tf.Tensor]:
        """`Batch.numbers` of so many rounds: those that would be drawn on the way, for a program that draws others."""
        repeats, ahead = self.config.growth.D_repeats, {}
        for purpose in (purpose for purpose in _DRAWN if purpose != Purpose.MIRROR or self.config.data.mirror_augment):
            each = 1 if purpose is Purpose.G_LATENTS else repeats
            steps = first_round * each + tf.range(tf.cast(rounds * each, tf.int64))
            ahead[purpose.name] = tf.map_fn(
                lambda step, purpose=purpose: self.draw(purpose, step), steps, fn_output_signature=self.dtype
            )
        return ahead

    def numbers(self, purpose: Purpose, batch: Batch, index, step, microbatch=0) -> tf.Tensor:
        """This replica's share of a step's random numbers, those at `index` where they are drawn ahead."""
        return self.share(batch.numbers[purpose.name][index] if batch.numbers else self.draw(purpose, step), microbatch)

    def draw(self, purpose: Purpose, step) -> tf.Tensor:
        """Of the whole minibatch: latents [N,latent], or for each sample a number in 0..1 [N]."""
        seed = stream(self.config.run.seed, purpose, step)
        if purpose in (Purpose.D_LATENTS, Purpose.G_LATENTS):
            return self.state.generator.draw_latents(self.minibatch, seed, self.dtype)
        return tf.random.stateless_uniform([self.minibatch], seed, dtype=self.dtype)

    def augmentation(self, purpose: Purpose, step, microbatch=0) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
        """What the transforms of --augment follow from in the step whose noise is drawn for `purpose`; {} without.

        augment: this replica's numbers [n,CALLS,K], uniform in 0..1, and the probability [].
        """
        size = sum(transform.numbers for transform in augment.asked(self.config.augment))
        if not size:
            return {}
        seed = stream(self.config.run.seed, AUGMENTED[purpose], step)
        numbers = tf.random.stateless_uniform([self.minibatch, augment.CALLS, size], seed, dtype=self.dtype)
        p = tf.cast(self.state.extras.get(PROBABILITY, 1.0), self.dtype)
        return {"augment": (self.share(numbers, microbatch), p)}

    def microbatch_sizes(self) -> tuple[int, int, int, int]:
        """What a `layers.minibatch.Microbatch` is told beside its index."""
        discriminator, size = self.state.discriminator, self.shares.shape[1]
        first = discriminator.reference.count if discriminator.has_reference else 0
        return self.microbatches, size, max(min(discriminator.together, size), 1), first

    def share(self, x: tf.Tensor, microbatch=0) -> tf.Tensor:
        """This replica's microbatch, [n,...], of something for each sample of the global minibatch [M,...]."""
        return self._take(x, self.shares, microbatch)

    def own(self, x: tf.Tensor, microbatch=0) -> tf.Tensor:
        """The same of something for each sample that this process has read [N,...]."""
        return self._take(x, self.places, microbatch)

    def _take(self, x: tf.Tensor, places: np.ndarray, microbatch) -> tf.Tensor:
        if len(places) == 1:
            return x
        replica = 0 if self.replicas == 1 else tf.distribute.get_replica_context().replica_id_in_sync_group
        return tf.gather(x, tf.gather(tf.constant(places), replica * self.microbatches + microbatch))

    def gather(self, x: tf.Tensor) -> tf.Tensor:
        """The samples of all replicas, [n,...] -> [N,...], with their gradients."""
        if self.replicas == 1:
            return x
        return tf.distribute.get_replica_context().all_gather(x, axis=0)
