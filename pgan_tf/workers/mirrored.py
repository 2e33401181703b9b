"""TensorFlow's strategy over the workers that have met."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import tensorflow as tf

from pgan_tf.errors import UserError
from pgan_tf.workers.team import Team

# TensorFlow's own watch over the workers would end them after ten seconds without a sign: a machine that sleeps, a
# process that is held up. Ours is stricter than these, and can say who it is.
HEARTBEAT_MS, REGISTER_MS = 300_000, 600_000


class NoStrategy(UserError, RuntimeError):
    """TensorFlow cannot train over the workers."""

    status = 1


def make(team: Team) -> tf.distribute.Strategy:
    """MultiWorkerMirroredStrategy; all workers have to call this. Raises Refused where their devices differ.

    The first thing in a process that touches a device.
    """
    gpus = len(tf.config.list_physical_devices("GPU"))
    team.compare({"the number of devices": f"{gpus} GPUs" if gpus else "1 CPU"})
    abort = internals(team.size)
    cluster = tf.train.ClusterSpec({"worker": list(team.cluster.addresses)})
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        cluster, task_type="worker", task_id=team.task, num_accelerators={"GPU": gpus}, rpc_layer="grpc"
    )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except tf.errors.OpError as error:
        said = (error.message.splitlines() or [type(error).__name__])[0]
        raise NoStrategy(f"TensorFlow cannot reach the workers: {said}; start all of them again") from None
    team.watch(abort)
    return strategy


# ---- what TensorFlow keeps to itself ---------------------------------------------------------------------------------
# It has no public names for these two. Seen to be there, and to do what they should, in TensorFlow 2.18 and 2.21.


def internals(workers: int) -> Callable[[str], None]:
    """Sets the patience of TensorFlow's watch; returns what ends all waiting for others, to be called with why.

    NoStrategy where this version of TensorFlow has something of it no more.
    """
    with _said_in_one_line():
        from tensorflow.python.distribute import collective_all_reduce_strategy
        from tensorflow.python.eager import context

        own = context.context()
        abort = own.abort_collective_ops
        job = collective_all_reduce_strategy.coordination_config_pb2.CoordinatedJob(name="worker", num_tasks=workers)
        own.configure_coordination_service(
            "standalone", "/job:worker/replica:0/task:0", coordinated_jobs=[job], heartbeat_timeout_in_ms=HEARTBEAT_MS,
            cluster_register_timeout_in_ms=REGISTER_MS,
        )  # fmt: skip
    return lambda why: abort(tf.errors.UNAVAILABLE, why)


@contextlib.contextmanager
def _said_in_one_line() -> Iterator[None]:
    try:
        yield
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise NoStrategy(
            f"TensorFlow {tf.__version__} lacks something that --strategy=multi_worker is made with "
            f"({str(error).splitlines()[0]}): take TensorFlow 2.18 to 2.21, or --strategy=mirrored on one machine"
        ) from None
