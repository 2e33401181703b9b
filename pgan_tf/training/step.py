"""The training step: rounds of [D step and EMA update], [G step], several to a call.

All that changes while a stage lasts (the fade, learning rates, EMA decay) enters as tensors: one trace per stage.
Replicas compute gradients of the loss summed over their share and divided by the GLOBAL minibatch; these are summed
over the replicas, checked, and applied once, outside of the replicas' context: a gradient that is not finite on one
replica skips the update on all of them. Where --max_minibatch_per_device asks for it a replica takes its share in
microbatches, one after the other, and adds up their gradients.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.devices import own_replicas
from pgan_tf.latents import Purpose
from pgan_tf.layers.remat import constant_weights
from pgan_tf.layers.replicas import states
from pgan_tf.losses.adversarial import reported
from pgan_tf.losses.terms import D_TERMS, G_TERMS, Pass, active, add_up, needed
from pgan_tf.networks.families import FAMILIES
from pgan_tf.stages import Fade
from pgan_tf.training.compiled import CompiledRounds
from pgan_tf.training.critic import Critic, Drawn, drawn
from pgan_tf.training.feed import Batch, Feed, Samples, stored_type
from pgan_tf.training.microbatches import microbatches_at, summed
from pgan_tf.training.player import Player
from pgan_tf.training.state import StageState
from pgan_tf.training.unroll import unroll, weights_as

# What every run reports, 0 where it has no such term; terms with other tags report these too.
METRICS = (
    "loss/D", "loss/G", "scores/real", "scores/fake", "penalty/value", "penalty/norm",
    "gradient_norm/D", "gradient_norm/G", "label_loss/real", "label_loss/fake", "regularizer/value", "nonfinite",
)  # fmt: skip

Report = dict[str, tf.Tensor]
Told = tuple[Report, tf.Tensor]  # of a step, and whether all of it is finite


class Controls(NamedTuple):
    """What the schedule sets for some rounds."""

    fade: Fade  # of [K] each
    ema_decay: tf.Tensor  # [K]
    g_lrate: tf.Tensor  # [K]
    d_lrate: tf.Tensor  # [K]
    first_round: tf.Tensor  # int64 []


class TrainStep:
    """The traced step of one stage at one global minibatch; `resolution` is the final one of the run."""

    def __init__(
        self, config: Config, state: StageState, strategy: tf.distribute.Strategy, minibatch: int, resolution: int
    ):
        self.config, self.state, self.strategy, self.minibatch = config, state, strategy, minibatch
        replicas, own = strategy.num_replicas_in_sync, own_replicas(strategy)
        microbatches = microbatches_at(config, state.stage.size.level, replicas, minibatch)
        self.feed = Feed(config, state, replicas, minibatch, own, microbatches)
        self.dtype, self.upscale = self.feed.dtype, resolution // state.stage.resolution
        self.d_terms, self.g_terms = (active(terms, config.loss) for terms in (D_TERMS, G_TERMS))
        self.needs = needed(self.g_terms, config.loss)  # what the generator's pass is to have
        self.told = reported(config.loss)
        d_tags, g_tags = ([tag for term in terms for tag in term.tags] for terms in (self.d_terms, self.g_terms))
        self.d_reported = ("loss/D", "scores/real", "scores/fake", *self.told, *d_tags)
        self.g_reported = ("loss/G", *g_tags)
        self.metrics = tuple(dict.fromkeys((*METRICS, *self.d_reported, *self.g_reported)))
        # A microbatch alone does not tell their values: `pulls` takes them of all microbatches, before the gradients.
        self.g_joint = [term for term in self.g_terms if term.joint and microbatches > 1]
        self.g_terms = [term for term in self.g_terms if term not in self.g_joint]
        # Several devices wait for each other in every step; and XLA's convolutions on a CPU are slow within loops.
        whole = FAMILIES[config.model.family].tiny and strategy.num_replicas_in_sync == 1
        parts = config.optim.jit and not whole
        self._d_gradients = tf.function(self.d_gradients, jit_compile=True) if parts else self.d_gradients
        self._g_gradients = tf.function(self.g_gradients, jit_compile=True) if parts else self.g_gradients
        self.train = CompiledRounds(self.feed, self._train) if config.optim.jit and whole else self._train
        self.rounds = tf.function(self._rounds, input_signature=self._signature())

    def _signature(self):
        """One trace for any number of rounds."""
        n, shape = len(self.feed.read), self.state.generator.sample_shape
        labels = tf.TensorSpec([None, n, self.state.generator.label_size], tf.float32)
        reals = tf.TensorSpec([None, n, *shape], stored_type(shape))
        series = tf.TensorSpec([None], self.dtype)
        controls = Controls(Fade(series, series, series), series, series, series, tf.TensorSpec([], tf.int64))
        return Batch(reals, labels, labels), controls

    # ---- all rounds, one round, one step -------------------------------------------------------------------------

    def _rounds(self, batch: Batch, controls: Controls) -> Report:
        """All rounds of a call -> {metric: [K]}, means over the global minibatch."""
        return dict(zip(self.metrics, tf.unstack(self.train(batch, controls), axis=1), strict=True))

    def _train(self, batch: Batch, controls: Controls, count: tf.Tensor | None = None) -> tf.Tensor:
        """K rounds, or the first `count` of them -> their metrics [K,M]."""
        rounds = tf.shape(controls.ema_decay)[0]
        results = tf.TensorArray(self.dtype, size=rounds, element_shape=[len(self.metrics)])
        k, count = tf.constant(0), rounds if count is None else count
        while k < count:  # for XLA the end of a tf.range is a constant: it would compile a program for each
            report = self.round(batch, controls, k)
            results = results.write(k, tf.stack([report[name] for name in self.metrics]))
            k += 1
        return results.stack()

    def round(self, batch: Batch, controls: Controls, k) -> Report:
        """Round k of a call: the discriminator's step(s), each followed by the EMA's, then the generator's."""
        step, fade = controls.first_round + tf.cast(k, tf.int64), Fade(*(series[k] for series in controls.fade))
        d, d_finite = self.d_steps(batch, controls, k, step, fade)
        g, g_finite = self.g_steps(batch, controls, k, step, fade)
        bad = tf.cast(tf.logical_not(tf.logical_and(d_finite, g_finite)), self.dtype)
        nothing = dict.fromkeys(self.metrics, tf.zeros([], self.dtype))
        return {**nothing, **d, **g, "nonfinite": bad}

    def d_steps(self, batch: Batch, controls: Controls, k, step, fade: Fade) -> Told:
        """The discriminator's steps of a round, on one minibatch after the other."""
        repeats = self.config.growth.D_repeats

        def minibatch(i):
            index, at = k * repeats + i, step * repeats + tf.cast(i, tf.int64)
            return self.d_step(batch, controls, k, index, at, fade)

        return mean_of(repeats, minibatch)

    def d_step(self, batch: Batch, controls: Controls, k, index, step, fade: Fade) -> Told:
        """D's steps with minibatch `index` of the batch, in round k of the call, then the EMA's."""

        def update(_):
            return self.play(self.state.d, self.d_replica, controls.d_lrate[k], batch, index, step, fade)

        told = mean_of(self.config.growth.minibatch_updates, update)
        self.state.update_ema(controls.ema_decay[k])
        return told

    def g_steps(self, batch: Batch, controls: Controls, k, step, fade: Fade) -> Told:
        """The generator's steps of a round."""

        def update(_):
            player, data = self.state.g, (batch, k, step, fade, controls.d_lrate[k])
            return self.play(player, self.g_replica, controls.g_lrate[k], *data)

        return mean_of(self.config.growth.minibatch_updates, update)

    def play(self, player: Player, replica, rate, *data) -> Told:
        """One step of a player; its report are means over the global minibatch."""
        scale = player.loss_scale()
        gradients, report = self.strategy.run(replica, args=(*data, scale))
        first = [self.strategy.experimental_local_results(gradient)[0] for gradient in gradients]
        report = {name: self.strategy.experimental_local_results(x)[0] / self.minibatch for name, x in report.items()}
        report[f"gradient_norm/{player.name.upper()}"] = tf.linalg.global_norm(first) / tf.cast(scale, self.dtype)
        finite = tf.reduce_all(tf.math.is_finite(tf.stack(list(report.values()))))
        player.apply(gradients, rate, finite)
        self.state.update_extras(player, report, finite, self.minibatch)
        return report, finite

    # ---- what a replica runs -------------------------------------------------------------------------------------

    def d_replica(self, batch: Batch, index, step, fade: Fade, scale):
        """Gradients and report of D step `index` of the batch, summed over the replicas."""

        def gradients(microbatch):
            samples = self.feed.discriminators(batch, index, step, fade, microbatch)
            return self._d_gradients(samples, fade, scale, self.drawn(Purpose.D_NOISE, step, microbatch), step)

        return all_reduce(*self.add_microbatches(self.state.d, self.d_reported, gradients))

    def g_replica(self, batch: Batch, k, step, fade: Fade, d_lrate, scale):
        """Gradients and report of the G step of round k of the batch, summed over the replicas."""
        repeats = self.config.growth.D_repeats

        def inputs(microbatch):
            samples, last = self.feed.generators(batch, k, step, microbatch), None
            if self.needs or self.config.loss.unroll_steps:
                at = (k + 1) * repeats - 1, (step + 1) * repeats - 1
                last = self.feed.discriminators(batch, *at, fade, microbatch)
            return samples, fade, scale, self.drawn(Purpose.G_NOISE, step, microbatch), step, last

        pulls, report = self.pulls(inputs, scale, step) if self.g_joint else (None, {})

        def gradients(microbatch):
            own = pulls and tf.nest.map_structure(lambda x: x[microbatch], pulls)
            return self._g_gradients(*inputs(microbatch), d_lrate, own)

        summed, found = self.add_microbatches(self.state.g, self.g_reported, gradients)
        return all_reduce(summed, {name: value + report.get(name, 0.0) for name, value in found.items()})

    def add_microbatches(self, player: Player, reported: Sequence[str], gradients):
        """The sum over a replica's microbatches of what `gradients` returns; `reported`: the names in their report."""
        begin = self.rewound()

        def microbatch(j):
            begin()
            found, report = gradients(j)
            return found, {name: report.get(name, tf.zeros([], self.dtype)) for name in reported}

        zeros = [tf.zeros(weight.shape, weight.dtype) for weight in player.weights()]
        return summed(self.feed.microbatches, (zeros, dict.fromkeys(reported, tf.zeros([], self.dtype))), microbatch)

    def rewound(self) -> Callable[[], None]:
        """What sets all state that passes change to what it is now: each microbatch goes by that, as the whole does."""
        if self.feed.microbatches == 1:
            return lambda: None
        changing = [v for network in (self.state.generator, self.state.discriminator) for v in states(network)]
        values = [tf.identity(variable) for variable in changing]

        def rewind():
            for variable, value in zip(changing, values, strict=True):
                variable.assign(value)

        return rewind

    def pulls(self, inputs, scale, step) -> tuple[dict, Report]:
        """Of the joint terms of the generator's loss: how they pull at what is said of each sample, and their report.

        -> ({name: [microbatches,n,..]}, gradients of these terms in outputs of the networks; sums over the samples).
        A pass of all microbatches comes first, which keeps nothing but these outputs.
        """
        begin = self.rewound()

        @tf.function
        def outputs(microbatch):
            begin()
            samples, fade, _, disturbances, _, last = inputs(microbatch)
            said = self.g_outputs(self.critic(fade, disturbances), self.g_made(samples, fade), last)
            del said["fakes"]
            return said

        spec = outputs.get_concrete_function(tf.TensorSpec([], tf.int32)).structured_outputs
        spec = tf.nest.map_structure(tf.TensorSpec.from_tensor, spec)
        found = tf.map_fn(outputs, tf.range(self.feed.microbatches), fn_output_signature=spec, parallel_iterations=1)
        begin()  # the passes for the gradients are the same once more
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(found)
            whole = tf.nest.map_structure(lambda x: tf.reshape(x, [-1, *x.shape[2:]]), found)  # [microbatches*n,..]
            given = Pass(
                None, None, whole["fake"], None, self.minibatch, (), self.state.extras, self.feed.gather,
                real=whole.get("real"), hidden=whole["hidden"], step=step,
            )  # fmt: skip
            loss, report = add_up(self.g_joint, given, self.config.loss)
            objective = tf.reduce_sum(loss) / self.minibatch * tf.cast(scale, self.dtype)
        pulled = {name: found[name] for name in ("fake", "hidden")}
        pulls = tape.gradient(objective, pulled, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return pulls, sums({"loss/G": loss, **report})

    def drawn(self, purpose: Purpose, step, microbatch=0) -> Drawn:
        """What the critics of a step are disturbed by, this replica's share of it."""
        own = drawn(self.state, self.config.run.seed, purpose, step)
        if own and self.feed.microbatches > 1:
            own["microbatch"] = (microbatch,)
        return {**own, **self.feed.augmentation(purpose, step, microbatch)}

    def critic(self, fade: Fade, disturbances: Drawn | None) -> Critic:
        return Critic(self.state, fade, disturbances or {}, self.feed.microbatch_sizes())

    def d_gradients(self, samples: Samples, fade: Fade, scale=1.0, disturbances: Drawn | None = None, step=0):
        """One replica's share of the discriminator's gradients, and its report summed over the samples."""
        critic, fakes = self.critic(fade, disturbances), self.fakes(samples, fade)
        with tf.GradientTape() as tape:
            loss, report = self.d_loss(critic, samples, fakes, scale, step)
            objective = tf.reduce_sum(loss) / self.minibatch * tf.cast(scale, self.dtype)
        return tape.gradient(objective, self.state.d.weights()), sums(report)

    def d_loss(self, critic: Critic, samples: Samples, fakes, scale, step) -> tuple[tf.Tensor, Report]:
        """The discriminator's loss [n], and what to report of it, each [n]."""
        real, fake = critic.both(samples.reals, fakes)
        given = Pass(
            fakes, samples.labels, fake, critic, self.minibatch, self.state.d.weights(), self.state.extras,
            self.feed.gather, samples.reals, real, samples.mixing, scale=scale, upscale=self.upscale, step=step,
        )  # fmt: skip
        loss, report = add_up(self.d_terms, given, self.config.loss)
        told = {tag: formula(real.scores, fake.scores) for tag, formula in self.told.items()}
        return loss, {"loss/D": loss, "scores/real": real.scores, "scores/fake": fake.scores, **told, **report}

    def g_gradients(
        self, samples: Samples, fade: Fade, scale=1.0, disturbances: Drawn | None = None, step=0,
        last: Samples | None = None, d_lrate=None, pulls: dict | None = None,
    ):  # fmt: skip
        """One replica's share of the generator's gradients, and its report summed over the samples.

        last: those of the round's last discriminator step, for --unroll_steps and for terms that need reals.
        pulls: what the joint terms add to the gradients in `g_outputs`.
        """
        critic = self.critic(fade, disturbances)
        with tf.GradientTape() as tape:
            made = self.g_made(samples, fade)
            with self.ahead(critic, last, fade, d_lrate, step):
                said = self.g_outputs(critic, made, last)
                loss, report = self.g_loss(critic, samples, said, scale, step, last)
            objective = tf.reduce_sum(loss) / self.minibatch * tf.cast(scale, self.dtype)
        pulls = pulls or {}
        targets = [objective, *tf.nest.flatten([said[name] for name in pulls])]
        along = [tf.ones_like(objective), *tf.nest.flatten(list(pulls.values()))]
        return tape.gradient(targets, self.state.g.weights(), output_gradients=along), sums(report)

    def g_made(self, samples: Samples, fade: Fade) -> dict:
        """What the generator makes: its images and its last hidden layer."""
        fakes, hidden = self.state.generator(
            (samples.latents, samples.labels), **fade.options(), training=True, with_features=True
        )
        return {"fakes": tf.cast(fakes, self.dtype), "hidden": hidden}

    def g_outputs(self, critic: Critic, made: dict, last: Samples | None) -> dict:
        """That, and what the critic says of it; and of the reals, where a term needs them."""
        with contextlib.nullcontext() if self.config.loss.unroll_steps else constant_weights():
            real, fake = critic.both(last.reals if "reals" in self.needs else None, made["fakes"])
        return {**made, "fake": fake} | ({} if real is None else {"real": real})

    def g_loss(self, critic: Critic, samples: Samples, said: dict, scale, step, last: Samples | None):
        """The generator's loss [n], and what to report of it, each [n]."""
        reals, mixing = (last.reals, last.mixing) if "reals" in self.needs else (None, None)
        given = Pass(
            said["fakes"], samples.labels, said["fake"], critic, self.minibatch, self.state.g.weights(),
            self.state.extras, self.feed.gather, reals, said.get("real"), mixing, said["hidden"], scale, self.upscale,
            step,
        )  # fmt: skip
        loss, report = add_up(self.g_terms, given, self.config.loss)
        return loss, {"loss/G": loss, **report}

    def ahead(self, critic: Critic, last: Samples | None, fade: Fade, d_lrate, step):
        """A scope in which the discriminator is as --unroll_steps more steps on `last` would make it."""
        steps = self.config.loss.unroll_steps
        if not steps:
            return contextlib.nullcontext()
        fakes = self.fakes(last, fade)

        def objective():
            return tf.reduce_mean(self.d_loss(critic, last, fakes, 1.0, step)[0])

        return weights_as(self.state.discriminator, unroll(self.state.d, objective, d_lrate, steps))

    def fakes(self, samples: Samples, fade: Fade) -> tf.Tensor:
        """The generator's images [n,R,R,C] for these latents and labels."""
        latents = samples.latents, samples.labels
        return tf.cast(self.state.generator(latents, **fade.options(), training=True), self.dtype)


def mean_of(count: int, play: Callable[[int | tf.Tensor], Told]) -> Told:
    """play(0) .. play(count - 1), one after the other: -> (means of their reports, whether all were finite)."""
    report, finite = play(0)
    if count == 1:
        return report, finite
    for i in tf.range(1, count):  # traced once, however many they are
        more, fine = play(i)
        report, finite = {name: report[name] + more[name] for name in report}, tf.logical_and(finite, fine)
    return {name: total / count for name, total in report.items()}, finite


def sums(report: Report) -> Report:
    """Over the samples, {name: [n]} -> {name: []}."""
    return dict(zip(report, tf.unstack(tf.reduce_sum(tf.stack(list(report.values())), axis=1)), strict=True))


def all_reduce(gradients: list[tf.Tensor], report: Report) -> tuple[list[tf.Tensor], Report]:
    """Sums over the replicas; called in a replica's context."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return gradients, report
    *gradients, values = context.all_reduce(tf.distribute.ReduceOp.SUM, [*gradients, tf.stack(list(report.values()))])
    return gradients, dict(zip(report, tf.unstack(values), strict=True))
