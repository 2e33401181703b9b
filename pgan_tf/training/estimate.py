"""The stage table of a dry run: sizes, and what time and memory this device will need."""

from __future__ import annotations

import time

import keras
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from pgan_tf import growth
from pgan_tf.config import Config
from pgan_tf.schedule import Phase
from pgan_tf.training.console import duration
from pgan_tf.training.plan import Plan

# A round of D and G step costs 4 forward passes of G and 14 of D (counted in the original's graph), and this much
# besides for each parameter: Adam, EMA, scaling of the weights.
G_PASSES, D_PASSES, OPERATIONS_PER_PARAMETER = 4, 14, 100
SECONDS_PER_ROUND = 0.004  # of the framework's own, whatever the size
STAGE_START_SECONDS = 12.0  # building and tracing

# Fitted to the peak resident memory of seven runs on a CPU (tests/training/test_estimate.py), so that they err high.
IMPORTS_BYTES = 830 * 2**20  # TensorFlow, Keras and what it finds; 640 where the extras are not installed
STAGE_BYTES = 30 * 2**20  # each stage's graphs, which stay
# Weights of G, EMA and D with Adam's two moments and gradients; twice, as a stage begins beside the one before.
G_COPIES, D_COPIES = 2 * 5, 2 * 4
# D's activations and their kin: of reals and fakes in one pass, then of the penalty with its inner gradient.
ACTIVATION_COPIES = 10


def print_stage_table(config: Config, plan: Plan) -> None:
    """Prints a row per stage, then the totals. Builds the networks, trains nothing, writes nothing."""
    speed = max(convolution_speed(config) for _ in range(3))
    dataset = plan.dataset
    table = Table(title=f"{dataset.folder}: {dataset.count} images of {dataset.resolution}x{dataset.resolution}")
    for name in ("stage", "kimg", "minibatch", "lr G", "lr D", "G params", "D params", "memory", "images/s", "time"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    total = 0.0
    for stages, phase in enumerate(plan.schedule.phases(), start=1):
        row, seconds = _row(config, plan, phase, stages, speed)
        table.add_row(*row)
        total += seconds
    console = Console(width=130, highlight=False)
    console.print(table)
    console.print(
        f"{plan.strategy.num_replicas_in_sync} device(s), {speed / 1e9:.0f} GFLOP/s in convolutions, "
        f"{config.optim.precision}: about {duration(total)} for {config.growth.total_kimg:g} kimg. "
        "Memory is per device; times are estimates to a factor of about 1.5."
    )


def _row(config: Config, plan: Plan, phase: Phase, stages: int, speed: float) -> tuple[list[str], float]:
    stage, middle = phase.stage, plan.schedule.at(int(500 * (phase.start + phase.end)))
    factory = growth.NetworkFactory(config, plan.dataset.channels, plan.label_size)
    g, d = factory.generator(stage), factory.discriminator(stage)
    minibatch = plan.schedule.minibatch(stage.resolution)
    local = minibatch / plan.strategy.num_replicas_in_sync
    parameters = g.count_params() + d.count_params()
    operations = local * (G_PASSES * flops(g) + D_PASSES * flops(d)) + OPERATIONS_PER_PARAMETER * parameters
    rate = minibatch / (operations / speed + SECONDS_PER_ROUND)
    seconds = 1000 * (phase.end - phase.start) / rate + STAGE_START_SECONDS
    row = [
        str(stage), f"{phase.start:g} - {phase.end:g}", str(minibatch), f"{middle.g_lrate:g}", f"{middle.d_lrate:g}",
        f"{g.count_params():,}", f"{d.count_params():,}", f"{memory_bytes(g, d, local, stages) / 2**30:.1f} GB",
        f"{rate:.1f}", duration(seconds),
    ]  # fmt: skip
    return row, seconds


def flops(network: keras.Model) -> float:
    """Floating-point operations of one image's forward pass, in the network's matrix products."""
    return float(sum(getattr(layer, "flops", 0) for layer in network.layers))


def memory_bytes(g: keras.Model, d: keras.Model, local: float, stages: int) -> float:
    """Peak memory of the process at its `stages`-th stage, with `local` images to a device."""
    weights = 4 * (G_COPIES * g.count_params() + D_COPIES * d.count_params())
    width = 2 if d.compute_dtype in ("bfloat16", "float16") else 4
    activations = width * local * sum(getattr(layer, "outputs_per_image", 0) for layer in d.layers)
    return IMPORTS_BYTES + STAGE_BYTES * stages + weights + ACTIVATION_COPIES * activations


def convolution_speed(config: Config) -> float:
    """Operations per second of a 3x3 convolution of 128 maps on the first device, in the run's precision."""
    policy = keras.DTypePolicy(growth.POLICIES[config.optim.precision])
    x = tf.cast(tf.random.stateless_normal([16, 32, 32, 128], [1, 2]), policy.compute_dtype)
    w = tf.cast(tf.random.stateless_normal([3, 3, 128, 128], [3, 4]), policy.compute_dtype)

    @tf.function
    def repeated(count):
        y = x
        for _ in tf.range(count):
            y = tf.nn.conv2d(y, w, 1, "SAME") * tf.cast(0.03, y.dtype)
        return tf.reduce_sum(tf.cast(y, tf.float32))

    repeated(tf.constant(2)).numpy()
    count, began = 12, time.monotonic()
    repeated(tf.constant(count)).numpy()
    return count * 2 * 9 * 128 * 128 * 16 * 32 * 32 / (time.monotonic() - began)
