"""What a stage knows beside its networks and their optimizers: the rows of EXTRAS. All of it is in a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.layers import noise

if TYPE_CHECKING:
    from pgan_tf.training.state import StageState

Report = dict[str, tf.Tensor]


class Extra(NamedTuple):
    """Some variables of a stage. There is none of them where the options do not ask for it."""

    there: Callable[[Config], bool]
    create: Callable[[StageState], dict[str, tf.Variable]]  # with their initial values, by their names in a checkpoint
    update: Callable[[StageState, Report, tf.Tensor], None]  # (state, report of a step, whether it was finite)
    after: str  # whose steps it follows: "d" or "g"
    carried: bool  # whether the next stage takes it over, or starts anew
    row: Callable[[StageState], dict[str, float]] = lambda state: {}  # what the line of a tick says of it


def _create_running_score(state: StageState) -> dict[str, tf.Variable]:
    dtype = state.discriminator.variable_dtype
    return {"running_score": tf.Variable(0.0, trainable=False, name="running_score", dtype=dtype)}


def _update_running_score(state: StageState, report: Report, finite: tf.Tensor) -> None:
    score = state.extras["running_score"]
    score.assign(tf.where(finite, noise.follow(score, report["scores/real"]), score))


def _running_score_row(state: StageState) -> dict[str, float]:
    score, magnitude = state.extras["running_score"], state.noise_magnitude()
    return {"noise/running_score": float(score.numpy()), "noise/magnitude": float(magnitude)}


EXTRAS = {
    "running_score": Extra(  # what --d_noise goes by
        lambda config: config.model.d_noise > 0, _create_running_score, _update_running_score, "d", True,
        _running_score_row,
    ),
}  # fmt: skip


def asked(config: Config) -> list[Extra]:
    """The rows that these options ask for."""
    return [extra for extra in EXTRAS.values() if extra.there(config)]
