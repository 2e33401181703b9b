"""Trains the same rounds on one and on two logical CPUs, prints how far the weights are apart; run by test_step.py.

TensorFlow must be told of its devices before it starts: therefore a process of its own.
"""

import sys

import numpy as np
import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.schedule import Stage
from pgan_tf.training.state import StageState
from pgan_tf.training.step import METRICS, Batch, Controls, TrainStep

ROUNDS, MINIBATCH, LABELS, SIZE = 3, 16, 3, 8


def make_batch(step: TrainStep, poison: bool = False) -> Batch:
    """Global minibatches; `poison` puts a NaN into a label that the last replica takes."""
    random = np.random.RandomState(0)
    reals = random.randint(0, 256, [ROUNDS, MINIBATCH, SIZE, SIZE, 3]).astype(np.uint8)
    labels, g_labels = np.eye(LABELS, dtype=np.float32)[random.randint(0, LABELS, [2, ROUNDS, MINIBATCH])]
    if poison:
        labels[:, step.shares[-1][0]] = g_labels[:, step.shares[-1][0]] = np.nan
    return Batch(tf.constant(reals), tf.constant(labels), tf.constant(g_labels))


def controls(dtype: str) -> Controls:
    return Controls(
        tf.constant([0.2, 0.3, 0.4], dtype), tf.constant([0.9] * ROUNDS, dtype),
        tf.constant(0.001, dtype), tf.constant(0.001, dtype), tf.constant(5, tf.int64),
    )  # fmt: skip


def copies(strategy, state: StageState) -> list[list[np.ndarray]]:
    """All weights, once for every replica."""
    variables = [v for net in (state.generator, state.discriminator, state.ema) for v in net.trainable_variables]
    per_replica = [strategy.experimental_local_results(v.value) for v in variables]
    return [[np.array(copies[i].numpy(), np.float64) for copies in per_replica] for i in range(len(per_replica[0]))]


def main(precision: str) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    options = dict(
        fmap_base=64, fmap_max=16, latent_size=16, precision=precision, mirror_augment=True, adam_epsilon=1e-3
    )
    config, results = Config.from_values(options), {}
    for devices in (["CPU:0"], ["CPU:0", "CPU:1"]):
        strategy = tf.distribute.MirroredStrategy(devices)
        assert strategy.num_replicas_in_sync == len(devices)
        with strategy.scope():
            state = StageState(Stage(SIZE, True), config, 3, LABELS)
        step = TrainStep(config, state, strategy, MINIBATCH, 16)
        start = copies(strategy, state)[0]
        metrics = step.rounds(make_batch(step), controls(precision)).numpy()
        results[len(devices)] = metrics, copies(strategy, state), start
    (one_metrics, (one,), start), (two_metrics, two, _) = results[1], results[2]
    print("difference", max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(two[0], one, strict=True)))
    print("metrics", np.abs(two_metrics - one_metrics).max() / np.abs(one_metrics).max())
    print("moved", all(np.abs(a - b).max() > 1e-6 for a, b in zip(one, start, strict=True)))
    print("agree", all(np.array_equal(a, b) for a, b in zip(*two, strict=True)))
    # A value that is not finite, on the second replica only: nobody's weights move.
    before = copies(strategy, state)
    metrics = step.rounds(make_batch(step, poison=True), controls(precision)).numpy()
    after, trained = (
        copies(strategy, state),
        len(state.generator.trainable_variables) + len(state.discriminator.trainable_variables),
    )
    print("skipped", bool((metrics[:, METRICS.index("nonfinite")] == 1).all()))
    print(
        "together",
        all(
            np.array_equal(a, b)
            for old, new in zip(before, after, strict=False)
            for a, b in zip(old[:trained], new[:trained], strict=False)
        ),
    )


if __name__ == "__main__":
    main(sys.argv[1])
