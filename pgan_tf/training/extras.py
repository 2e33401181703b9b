"""What a stage knows beside its networks and their optimizers: the rows of EXTRAS. All of it is in a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.layers import noise
from pgan_tf.losses import weights
from pgan_tf.losses.adversarial import SIGN
from pgan_tf.training.player import Player

Variables = dict[str, tf.Variable]  # by their names in a checkpoint
Report = dict[str, tf.Tensor]


class Played(NamedTuple):
    """A step of a player."""

    player: Player
    report: Report
    finite: tf.Tensor  # whether all of it was; otherwise the step was not taken
    minibatch: int
    config: Config


class Extra(NamedTuple):
    """Some variables of a stage. They are not there where the options do not ask for them."""

    there: Callable[[Config], bool]
    create: Callable[[Player, Player], Variables]  # (g, d) -> with their initial values
    update: Callable[[Variables, Played], None]
    after: str  # whose steps it follows: "g" or "d"
    carried: bool  # whether the next stage takes it over, or starts anew
    row: Callable[[Variables, Config], dict[str, float]] = lambda variables, config: {}  # for the line of a tick


def _create_running_score(g: Player, d: Player) -> Variables:
    dtype = d.network.variable_dtype
    return {"running_score": tf.Variable(0.0, trainable=False, name="running_score", dtype=dtype)}


def _update_running_score(variables: Variables, played: Played) -> None:
    score = variables["running_score"]
    score.assign(tf.where(played.finite, noise.follow(score, played.report["scores/real"]), score))


def _running_score_row(variables: Variables, config: Config) -> dict[str, float]:
    score = variables["running_score"]
    magnitude = noise.magnitude(score, config.model.d_noise)
    return {"noise/running_score": float(score.numpy()), "noise/magnitude": float(magnitude)}


def _create_history(player: Player) -> Variables:
    means = {
        weights.mean_name(player.name, i): tf.Variable(tf.zeros_like(weight), trainable=False)
        for i, weight in enumerate(player.weights())
    }
    return {weights.steps_name(player.name): tf.Variable(0, trainable=False, dtype=tf.int64), **means}


def _update_history(variables: Variables, played: Played) -> None:
    """mean += (weight - mean) / steps, which after the first step is the weight itself."""
    player, finite = played.player, played.finite
    steps = variables[weights.steps_name(player.name)]
    steps.assign_add(tf.cast(finite, steps.dtype))

    def follow(mean, weight):
        rate = 1 / tf.cast(tf.maximum(steps.read_value(), 1), mean.dtype)
        mean.assign(tf.where(finite, mean + (weight - mean) * rate, mean))

    for i, weight in enumerate(player.weights()):
        mean = variables[weights.mean_name(player.name, i)]
        player.strategy.extended.update(mean, follow, args=(weight,), group=False)


def _create_probability(g: Player, d: Player) -> Variables:
    dtype = d.network.variable_dtype
    return {name: tf.Variable(0.0, trainable=False, dtype=dtype) for name in (PROBABILITY, SIGNS, STEPS)}


def _update_probability(variables: Variables, played: Played) -> None:
    """Every ADA_INTERVAL steps a little up or down, by whether the mean r_t of these steps is above the target.

    Karras et al. 2020 (StyleGAN2-ADA), section 3.
    """
    p, signs, steps = (variables[name] for name in (PROBABILITY, SIGNS, STEPS))
    options, taken = played.config.augment, tf.cast(played.finite, p.dtype)
    total = signs + tf.where(played.finite, tf.cast(played.report[SIGN], p.dtype), tf.zeros_like(p))
    count = steps + taken
    due = count >= ADA_INTERVAL
    move = tf.sign(total / tf.maximum(count, 1.0) - options.ada_target)
    images = played.minibatch / played.config.growth.minibatch_updates  # however many steps see them
    move *= ADA_INTERVAL * images / (1000 * options.ada_kimg)
    p.assign(tf.where(due, tf.clip_by_value(p + move, 0.0, 1.0), p))
    signs.assign(tf.where(due, tf.zeros_like(total), total))
    steps.assign(tf.where(due, tf.zeros_like(count), count))


PROBABILITY, SIGNS, STEPS = "ada/p", "ada/signs", "ada/steps"
ADA_INTERVAL = 4  # steps of the discriminator
EXTRAS = {
    "running_score": Extra(  # what --d_noise goes by
        lambda config: config.model.d_noise > 0, _create_running_score, _update_running_score, "d", True,
        _running_score_row,
    ),
    "ada": Extra(  # what --augment=ada goes by
        lambda config: config.augment.augment == "ada", _create_probability, _update_probability, "d", True,
        lambda variables, config: {"augment/p": float(variables[PROBABILITY].numpy())},
    ),
    "g_history": Extra(  # what --history_weight goes by; a stage begins its own, as its weights are others
        lambda config: config.loss.history_weight > 0, lambda g, d: _create_history(g), _update_history, "g", False,
    ),
    "d_history": Extra(
        lambda config: config.loss.history_weight > 0, lambda g, d: _create_history(d), _update_history, "d", False,
    ),
}  # fmt: skip


def asked(config: Config) -> list[Extra]:
    """The rows that these options ask for."""
    return [extra for extra in EXTRAS.values() if extra.there(config)]
