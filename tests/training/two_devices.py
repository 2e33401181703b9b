"""Trains the same rounds on one and on two logical CPUs, prints how far they are apart; run by test_replicas.py.

Arguments: the precision, and options of the run as name=text.

TensorFlow must be told of its devices before it starts: therefore a process of its own.
"""

import sys

import numpy as np
import tensorflow as tf
from training.rounds import make_batch, make_controls, make_step

from pgan_tf.config import FIELDS
from pgan_tf.option import kind, parse_dict
from pgan_tf.stages import layer_stage
from pgan_tf.training.feed import Batch
from pgan_tf.training.state import StageState
from pgan_tf.training.step import Controls, TrainStep

ROUNDS = 3
OPTIONS = dict(stage=layer_stage(8, True), minibatch=16, labels=3, mirror_augment=True, adam_epsilon=1e-3)


def poisoned(step: TrainStep) -> Batch:
    """A batch with a NaN in the labels of a sample that the last replica takes."""
    batch = make_batch(step, ROUNDS)
    labels = {name: getattr(batch, name).numpy() for name in ("labels", "g_labels")}
    for array in labels.values():
        array[:, step.feed.shares[-1][0]] = np.nan
    return batch._replace(**labels)


def controls(dtype: str) -> Controls:
    return make_controls(ROUNDS, alpha=[0.2, 0.3, 0.4], first=5, dtype=dtype)


def copies(strategy, state: StageState) -> list[list[np.ndarray]]:
    """All weights, once for every replica."""
    variables = [v for net in (state.generator, state.discriminator, state.ema) for v in net.trainable_variables]
    per_replica = [strategy.experimental_local_results(v.value) for v in variables]
    return [[np.array(copies[i].numpy(), np.float64) for copies in per_replica] for i in range(len(per_replica[0]))]


def option(name: str, text: str) -> tuple:
    """An option and its value."""
    of_kind = kind(FIELDS[name])
    return name, parse_dict(text, everywhere=True) if of_kind is dict else of_kind(text)


def main(precision: str, *flags: str) -> None:
    chosen = dict(option(*flag.split("=")) for flag in flags)
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    results = {}
    for devices in (["CPU:0"], ["CPU:0", "CPU:1"]):
        strategy = tf.distribute.MirroredStrategy(devices)
        assert strategy.num_replicas_in_sync == len(devices)
        step = make_step(strategy=strategy, precision=precision, **OPTIONS, **chosen)
        state = step.state
        start = copies(strategy, state)[0]
        metrics = np.stack(list(step.rounds(make_batch(step, ROUNDS), controls(precision)).values()))
        results[len(devices)] = metrics, copies(strategy, state), start
    (one_metrics, (one,), start), (two_metrics, two, _) = results[1], results[2]
    print("difference", max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(two[0], one, strict=True)))
    print("metrics", np.abs(two_metrics - one_metrics).max() / np.abs(one_metrics).max())
    print("moved", all(np.abs(a - b).max() > 1e-6 for a, b in zip(one, start, strict=True)))
    print("agree", all(np.array_equal(a, b) for a, b in zip(*two, strict=True)))
    # A value that is not finite, on the second replica only: nobody's weights move.
    before = copies(strategy, state)
    metrics = step.rounds(poisoned(step), controls(precision))
    after = copies(strategy, state)
    trained = len(state.generator.trainable_variables) + len(state.discriminator.trainable_variables)
    still = (
        np.array_equal(a, b)
        for old, new in zip(before, after, strict=True)
        for a, b in zip(old[:trained], new[:trained], strict=True)
    )
    print("skipped", bool((metrics["nonfinite"].numpy() == 1).all()))
    print("together", all(still))


if __name__ == "__main__":
    main(*sys.argv[1:])
