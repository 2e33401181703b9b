"""What a run does where several processes train it: the chief's numbers for all, and nothing written by the others."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from pgan_tf.training.state import StageState
from pgan_tf.workers.team import Alone, Team

# How TensorFlow says that others do not answer any more.
UNREACHABLE = (
    tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)  # fmt: skip
NEWS_SECONDS = 5.0  # in which it should be known who that is


class Silent:
    """Stands where the chief has something that writes: does nothing, whatever it is asked."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def lost(team: Alone | Team, error: tf.errors.OpError) -> Exception:
    """What ends a process that TensorFlow has told of others that do not answer; `error` where there are no others."""
    if not isinstance(team, Team):
        return error
    team.wait_for_loss(NEWS_SECONDS)
    return team.gone()


def spread(state: StageState) -> None:
    """Gives all workers the chief's numbers; they have built the same networks. One call for each type of number."""
    strategy = state.strategy
    if strategy.num_replicas_in_sync == len(strategy.extended.worker_devices):
        return
    by_type: dict[tf.DType, list[tf.Variable]] = {}
    for _, variable in sorted(state.variables_by_name().items()):
        by_type.setdefault(variable.dtype, []).append(variable)
    for variables in by_type.values():
        values = strategy.run(_first, args=(variables,))
        for variable, value in zip(variables, values, strict=True):
            variable.assign(strategy.experimental_local_results(value)[0])


@tf.function
def _first(variables: list[tf.Variable]) -> list[tf.Tensor]:
    """Those of the first replica, in all."""
    context = tf.distribute.get_replica_context()
    first = tf.equal(context.replica_id_in_sync_group, 0)
    own = [tf.where(first, variable, tf.zeros_like(variable)) for variable in variables]
    return context.all_reduce(tf.distribute.ReduceOp.SUM, own)
