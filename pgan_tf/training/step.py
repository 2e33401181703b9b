"""The training step: rounds of [D step and EMA update], [G step], several to a call.

All that changes while a stage lasts (alpha, learning rates, EMA decay) enters as tensors: one trace per stage.
Replicas compute gradients of the loss summed over their share and divided by the GLOBAL minibatch; these are summed
over the replicas, checked, and applied once, outside of the replicas' context: a gradient that is not finite on one
replica skips the update on all of them.
"""

from __future__ import annotations

import contextlib
import math
from typing import NamedTuple

import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.latents import LATENTS, Purpose, stream
from pgan_tf.layers import box_downsample, fade, nearest_upsample
from pgan_tf.layers.minibatch import deal, join_batches, split_batches
from pgan_tf.layers.noise import Noise, follow
from pgan_tf.losses import LOSSES, PENALTIES, REGULARIZERS, drift, label_loss
from pgan_tf.training.state import StageState
from pgan_tf.training.unroll import unroll, weights_as

METRICS = (
    "loss/D", "loss/G", "scores/real", "scores/fake", "penalty/value", "penalty/norm",
    "gradient_norm/D", "gradient_norm/G", "label_loss/real", "label_loss/fake", "regularizer/value", "nonfinite",
)  # fmt: skip


class Batch(NamedTuple):
    """The data of K rounds, S = K * D_repeats discriminator steps, of N images over all replicas."""

    reals: tf.Tensor  # uint8 [S,N,R,R,C]
    labels: tf.Tensor  # float32 [S,N,L]
    g_labels: tf.Tensor  # float32 [K,N,L], for the generator's step


class Controls(NamedTuple):
    """What the schedule sets for some rounds."""

    alpha: tf.Tensor  # [K]
    ema_decay: tf.Tensor  # [K]
    g_lrate: tf.Tensor  # []
    d_lrate: tf.Tensor  # []
    first_round: tf.Tensor  # int64 []


def process_reals(images: tf.Tensor, mirror: tf.Tensor | None, alpha, fading: bool, dtype=tf.float32) -> tf.Tensor:
    """uint8 [N,R,R,C] -> [N,R,R,C] in -1..1, mirrored where `mirror` [N] says so, faded like the network."""
    x = tf.cast(images, dtype) * (2.0 / 255.0) - 1.0
    if mirror is not None:
        x = tf.where(tf.reshape(mirror, [-1, 1, 1, 1]), x[:, :, ::-1], x)
    if fading:
        x = fade(nearest_upsample(box_downsample(x)), x, alpha)
    return x


class TrainStep:
    """The traced step of one stage at one global minibatch; `resolution` is the final one of the run."""

    def __init__(
        self, config: Config, state: StageState, strategy: tf.distribute.Strategy, minibatch: int, resolution: int
    ):
        self.config, self.state, self.strategy, self.minibatch = config, state, strategy, minibatch
        self.upscale = resolution // state.stage.resolution
        self.fading = state.stage.fading
        self.dtype = tf.as_dtype(state.generator.variable_dtype)
        self.group = state.discriminator.mbstd_group_size
        self.shares = deal(minibatch, strategy.num_replicas_in_sync, self.group)  # [replicas, n]
        self.loss = LOSSES[config.loss.loss]
        self.summands = minibatch if self.loss.summed else 1  # a sum is so many times the mean
        self.unroll_steps = config.loss.unroll_steps
        self.scaled = state.scaled
        jit = config.optim.jit
        self._d_gradients = tf.function(self.d_gradients, jit_compile=True) if jit else self.d_gradients
        self._g_gradients = tf.function(self.g_gradients, jit_compile=True) if jit else self.g_gradients
        self.rounds = tf.function(self._rounds, input_signature=self._signature())

    def _signature(self):
        """One trace for any number of rounds."""
        n, res, channels = self.minibatch, self.state.stage.resolution, self.state.generator.num_channels
        labels = tf.TensorSpec([None, n, self.state.generator.label_size], tf.float32)
        reals = tf.TensorSpec([None, n, res, res, channels], tf.uint8)
        series, scalar = tf.TensorSpec([None], self.dtype), tf.TensorSpec([], self.dtype)
        return Batch(reals, labels, labels), Controls(series, series, scalar, scalar, tf.TensorSpec([], tf.int64))

    # ---- gradients on one replica ------------------------------------------------------------------------------

    def d_gradients(self, reals, labels, latents, mixing, alpha, scale, noise=None):
        """One replica's share of the discriminator's gradients, and what to report, summed over the samples.

        reals [n,R,R,C] in -1..1, labels [n,L], latents [n,latent], mixing [n]; `noise` as of `self.noise`.
        """
        noise = Noise(*noise) if noise else None
        fakes = tf.cast(self.state.generator((latents, labels), alpha=alpha), self.dtype)
        with tf.GradientTape() as tape:
            loss, report = self.d_loss(reals, fakes, labels, mixing, alpha, scale, noise)
            objective = tf.reduce_sum(loss) / self.minibatch * tf.cast(scale, self.dtype)
        gradients = tape.gradient(objective, values(self.state.discriminator))
        return gradients, tf.reduce_sum(report, axis=1)

    def d_loss(self, reals, fakes, labels, mixing, alpha, scale, noise=None):
        """The discriminator's loss [n], and what to report of it [7,n]. `noise` is in the penalty's pass too."""
        discriminator, options = self.state.discriminator, self.config.loss
        real, fake = self.score_pair(reals, fakes, alpha, noise)
        penalty, norm = PENALTIES[options.penalty](
            lambda x: discriminator(x, alpha=alpha, noise=noise).scores,
            reals, fakes, mixing, options, self.upscale, scale,
        )  # fmt: skip
        real_labels, fake_labels = label_loss(labels, real.labels), label_loss(labels, fake.labels)
        loss = self.loss.discriminator(real.scores, fake.scores, options) * self.summands
        loss = loss + penalty + drift(real.scores, options)
        loss += (real_labels + fake_labels) * options.cond_weight  # [n]
        return loss, tf.stack([loss, real.scores, fake.scores, penalty, norm, real_labels, fake_labels])

    def score_pair(self, reals, fakes, alpha, noise=None):
        """The discriminator's outputs for reals and fakes, in one pass where their groups can be kept apart."""
        discriminator, group = self.state.discriminator, max(self.group, 1)
        if reals.shape[0] % group or not discriminator.separable:
            return tuple(discriminator(images, alpha=alpha, noise=noise) for images in (reals, fakes))
        both = discriminator(join_batches(reals, fakes, group), alpha=alpha, noise=noise)
        pairs = [split_batches(tensor, group) for tensor in both]
        return type(both)(*(a for a, _ in pairs)), type(both)(*(b for _, b in pairs))

    def g_gradients(self, labels, latents, alpha, scale, d_data=None, d_lrate=None, noise=None):
        """One replica's share of the generator's gradients; reports [loss, regularizer] summed over the samples.

        labels [n,L], latents [n,latent]. With --unroll_steps also the reals, labels, latents and mixing of a
        discriminator step, and its learning rate. `noise` as of `self.noise`.
        """
        state, options = self.state, self.config.loss
        noise = Noise(*noise) if noise else None
        with tf.GradientTape() as tape:
            fakes, hidden = state.generator((latents, labels), alpha=alpha, with_features=True)
            with self.discriminator_ahead(d_data, d_lrate, alpha, noise):
                fake = state.discriminator(tf.cast(fakes, self.dtype), alpha=alpha, noise=noise)
            loss = self.loss.generator(fake.scores, options) * self.summands
            loss += label_loss(labels, fake.labels) * options.cond_weight  # [n]
            features = {"critic": fake.features, "generator": hidden}[options.repelling_features]
            features = tf.cast(tf.reshape(features, [-1, math.prod(features.shape[1:])]), self.dtype)  # [n,F]
            regularizer = REGULARIZERS[options.regularizer](features, self.gather)  # [n]
            loss += regularizer * options.repelling_weight
            objective = tf.reduce_sum(loss) / self.minibatch * tf.cast(scale, self.dtype)
        gradients = tape.gradient(objective, values(state.generator))
        return gradients, tf.stack([tf.reduce_sum(loss), tf.reduce_sum(regularizer)])

    def discriminator_ahead(self, d_data, d_lrate, alpha, noise=None):
        """A scope in which the discriminator is as --unroll_steps more steps on `d_data` would make it."""
        if not self.unroll_steps:
            return contextlib.nullcontext()
        state, (reals, labels, latents, mixing) = self.state, d_data
        fakes = tf.cast(state.generator((latents, labels), alpha=alpha), self.dtype)

        def objective():
            return tf.reduce_mean(self.d_loss(reals, fakes, labels, mixing, alpha, 1.0, noise)[0])

        ahead = unroll(state.discriminator, state.d_optimizer, objective, d_lrate, self.unroll_steps)
        return weights_as(state.discriminator, ahead)

    # ---- what the replicas run -----------------------------------------------------------------------------------

    def random(self, purpose: Purpose, step, shape, sampler) -> tf.Tensor:
        """This replica's share of random numbers that are drawn for the whole minibatch."""
        return self.share(
            sampler([self.minibatch, *shape], stream(self.config.run.seed, purpose, step), dtype=self.dtype)
        )

    def share(self, x: tf.Tensor) -> tf.Tensor:
        """The samples of the global minibatch [N,...] that this replica takes, [n,...]."""
        if len(self.shares) == 1:
            return x
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return tf.gather(x, tf.gather(tf.constant(self.shares), replica))

    def gather(self, x: tf.Tensor) -> tf.Tensor:
        """The samples of all replicas, [n,...] -> [N,...], with their gradients."""
        if len(self.shares) == 1:
            return x
        return tf.distribute.get_replica_context().all_gather(x, axis=0)

    def latents(self, purpose: Purpose, step) -> tf.Tensor:
        return self.random(purpose, step, [self.state.generator.latent_size], LATENTS[self.config.model.latents])

    def noise(self, purpose: Purpose, step):
        """What this replica's noise in the discriminator follows from: magnitude [], seed [2]. None without --d_noise.

        Drawn for the replica's own samples, other than the numbers above: those of all samples and layers would cost
        every replica as much as the whole minibatch. So several devices train as one does, but not to its numbers; and
        with --jit they are XLA's, which are others.
        """
        if not self.state.d_noise:
            return None
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        seed = stream(self.config.run.seed, purpose, step)
        return self.state.noise_magnitude(), tf.random.experimental.stateless_fold_in(seed, tf.cast(replica, tf.int64))

    def d_replica(self, batch: Batch, index, step, alpha, scale):
        """Gradients and report of D step `index` of the batch, summed over the replicas."""
        noise = self.noise(Purpose.D_NOISE, step)
        return all_reduce(*self._d_gradients(*self.d_data(batch, index, step, alpha), alpha, scale, noise))

    def d_data(self, batch: Batch, index, step, alpha):
        """This replica's reals [n,R,R,C], labels [n,L], latents [n,latent] and mixing [n] of a D step."""
        mirror = None
        if self.config.data.mirror_augment:
            mirror = self.random(Purpose.MIRROR, step, [], tf.random.stateless_uniform) < 0.5
        reals = process_reals(self.share(batch.reals[index]), mirror, alpha, self.fading, self.dtype)
        labels = tf.cast(self.share(batch.labels[index]), self.dtype)
        mixing = self.random(Purpose.MIXING, step, [], tf.random.stateless_uniform)
        return reals, labels, self.latents(Purpose.D_LATENTS, step), mixing

    def g_replica(self, batch: Batch, index, step, alpha, d_lrate, scale):
        """Gradients and report of the G step of round `index` of the batch, summed over the replicas."""
        latents, noise = self.latents(Purpose.G_LATENTS, step), self.noise(Purpose.G_NOISE, step)
        labels = tf.cast(self.share(batch.g_labels[index]), self.dtype)
        if not self.unroll_steps:
            return all_reduce(*self._g_gradients(labels, latents, alpha, scale, None, None, noise))
        repeats = self.config.growth.D_repeats  # the data of the round's last discriminator step
        d_data = self.d_data(batch, (index + 1) * repeats - 1, (step + 1) * repeats - 1, alpha)
        return all_reduce(*self._g_gradients(labels, latents, alpha, scale, d_data, d_lrate, noise))

    # ---- one round, all rounds ---------------------------------------------------------------------------------

    def play(self, replica, network, optimizer, log_scale, lrate, *data):
        """One step of D or G: -> (report averaged over the global minibatch, gradient norm, whether all is finite)."""
        scale = self.loss_scale(log_scale)
        grads, report = self.strategy.run(replica, args=(*data, scale))
        report, norm, finite = self.inspect(grads, report, scale)
        self.update(network, optimizer, grads, lrate, finite, log_scale)
        return report / self.minibatch, norm, finite

    def round(self, batch: Batch, controls: Controls, k) -> tf.Tensor:
        """Round k of a call: the discriminator's step(s), each followed by the EMA's, then the generator's."""
        step, alpha = controls.first_round + tf.cast(k, tf.int64), controls.alpha[k]
        state = self.state
        d, d_norm, d_finite = self.d_steps(batch, controls, k, step, alpha)
        g, g_norm, g_finite = self.play(
            self.g_replica, state.generator, state.g_optimizer, state.g_log_scale, controls.g_lrate,
            batch, k, step, alpha, controls.d_lrate,
        )  # fmt: skip
        bad = tf.cast(tf.logical_not(tf.logical_and(d_finite, g_finite)), self.dtype)
        loss, real, fake, penalty, norm, real_labels, fake_labels = tf.unstack(d)
        return tf.stack([loss, g[0], real, fake, penalty, norm, d_norm, g_norm, real_labels, fake_labels, g[1], bad])

    def d_steps(self, batch: Batch, controls: Controls, k, step, alpha):
        """The discriminator's steps of a round: -> (report and gradient norm of the last, whether all were finite)."""
        repeats = self.config.growth.D_repeats
        d, norm, finite = self.d_step(batch, controls, k, k * repeats, step * repeats, alpha)
        if repeats > 1:  # traced once, however many they are
            for i in tf.range(1, repeats):
                at = step * repeats + tf.cast(i, tf.int64)
                d, norm, fine = self.d_step(batch, controls, k, k * repeats + i, at, alpha)
                finite = tf.logical_and(finite, fine)
        return d, norm, finite

    def d_step(self, batch: Batch, controls: Controls, k, index, step, alpha):
        """D step `index` of the batch, in round k of the call, and the EMA's: -> what `play` returns."""
        state = self.state
        d, norm, finite = self.play(
            self.d_replica, state.discriminator, state.d_optimizer, state.d_log_scale, controls.d_lrate,
            batch, index, step, alpha,
        )  # fmt: skip
        self.update_ema(controls.ema_decay[k])
        self.update_running_score(d[1], finite)
        return d, norm, finite

    def _rounds(self, batch: Batch, controls: Controls) -> tf.Tensor:
        """All rounds of a call -> METRICS of each round [K, len(METRICS)], means over the global minibatch."""
        count = tf.shape(controls.alpha)[0]
        results = tf.TensorArray(self.dtype, size=count, element_shape=[len(METRICS)])
        for k in tf.range(count):
            results = results.write(k, self.round(batch, controls, k))
        return results.stack()

    # ---- updates, in the cross-replica context -------------------------------------------------------------------

    def loss_scale(self, log_scale: tf.Variable):
        return tf.pow(2.0, log_scale) if self.scaled else 1.0

    def inspect(self, grads, report, scale):
        """What all replicas agree on: (report, gradient norm without the loss scale, whether all is finite)."""
        first = [self.strategy.experimental_local_results(g)[0] for g in grads]
        report = self.strategy.experimental_local_results(report)[0]
        norm = tf.linalg.global_norm(first) / tf.cast(scale, self.dtype)
        return report, norm, tf.reduce_all(tf.math.is_finite(tf.concat([[norm], report], 0)))

    def update(self, network, optimizer, grads, lrate, finite, log_scale) -> None:
        """Applies the summed gradients on every replica, or nothing at all if one of them is not finite."""
        inverse = 1.0 / self.loss_scale(log_scale)

        def apply(variable, grad):
            optimizer.update_step(grad * tf.cast(inverse, grad.dtype) if self.scaled else grad, variable, lrate)

        def apply_all():
            for variable, grad in zip(values(network), grads, strict=True):
                self.strategy.extended.update(variable, apply, args=(grad,), group=False)
            optimizer.iterations.assign_add(1)
            return tf.constant(True)

        tf.cond(finite, apply_all, lambda: tf.constant(False))
        if self.scaled:  # a step up in 2000 good rounds, one down at each overflow, as in the original
            log_scale.assign_add(tf.where(finite, 0.0005, -1.0))

    def update_running_score(self, real_score, finite) -> None:
        """What --d_noise goes by, after a discriminator step that was not skipped."""
        if self.state.d_noise:
            score = self.state.running_score
            score.assign(tf.where(finite, follow(score, real_score), score))

    def update_ema(self, decay) -> None:
        """ema = generator + (ema - generator) * decay."""

        def assign(average, value):
            average.assign(value + (average - value) * tf.cast(decay, value.dtype))

        for average, value in zip(values(self.state.ema), values(self.state.generator), strict=True):
            self.strategy.extended.update(average, assign, args=(value,), group=False)


def values(network) -> list[tf.Variable]:
    """The TensorFlow variables behind the network's parameters (a tape cannot watch a keras.Variable)."""
    return [variable.value for variable in network.trainable_variables]


def all_reduce(grads: list[tf.Tensor], report: tf.Tensor):
    """Sums over the replicas; called in a replica's context."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return grads, report
    *grads, report = context.all_reduce(tf.distribute.ReduceOp.SUM, [*grads, report])
    return grads, report
