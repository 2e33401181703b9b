"""What a stage knows beside its networks and their optimizers: the rows of EXTRAS. All of it is in a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.layers import noise
from pgan_tf.losses import weights
from pgan_tf.training.player import Player

Variables = dict[str, tf.Variable]  # by their names in a checkpoint
Report = dict[str, tf.Tensor]


class Extra(NamedTuple):
    """Some variables of a stage. They are not there where the options do not ask for them."""

    there: Callable[[Config], bool]
    create: Callable[[Player, Player], Variables]  # (g, d) -> with their initial values
    update: Callable[[Variables, Player, Report, tf.Tensor], None]  # after a step of the player; last: was it finite
    after: str  # whose steps it follows: "g" or "d"
    carried: bool  # whether the next stage takes it over, or starts anew
    row: Callable[[Variables, Config], dict[str, float]] = lambda variables, config: {}  # for the line of a tick


def _create_running_score(g: Player, d: Player) -> Variables:
    dtype = d.network.variable_dtype
    return {"running_score": tf.Variable(0.0, trainable=False, name="running_score", dtype=dtype)}


def _update_running_score(variables: Variables, d: Player, report: Report, finite: tf.Tensor) -> None:
    score = variables["running_score"]
    score.assign(tf.where(finite, noise.follow(score, report["scores/real"]), score))


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


def _update_history(variables: Variables, player: Player, report: Report, finite: tf.Tensor) -> None:
    """mean += (weight - mean) / steps, which after the first step is the weight itself."""
    steps = variables[weights.steps_name(player.name)]
    steps.assign_add(tf.cast(finite, steps.dtype))

    def follow(mean, weight):
        rate = 1 / tf.cast(tf.maximum(steps.read_value(), 1), mean.dtype)
        mean.assign(tf.where(finite, mean + (weight - mean) * rate, mean))

    for i, weight in enumerate(player.weights()):
        mean = variables[weights.mean_name(player.name, i)]
        player.strategy.extended.update(mean, follow, args=(weight,), group=False)


EXTRAS = {
    "running_score": Extra(  # what --d_noise goes by
        lambda config: config.model.d_noise > 0, _create_running_score, _update_running_score, "d", True,
        _running_score_row,
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
