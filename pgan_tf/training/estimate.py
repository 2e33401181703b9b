"""The stage table of a dry run: sizes, and what time and memory this device will need."""

from __future__ import annotations

import time
from typing import NamedTuple

import keras
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from pgan_tf import growth
from pgan_tf.config import Config
from pgan_tf.devices import hardware
from pgan_tf.option import NONE
from pgan_tf.schedule import Phase, Schedule
from pgan_tf.stages import Stage, share
from pgan_tf.text import digits, duration
from pgan_tf.training import memory
from pgan_tf.training.costs import Costs, stage_costs
from pgan_tf.training.microbatches import microbatches_at
from pgan_tf.training.peak import peak_bytes
from pgan_tf.training.plan import Plan
from pgan_tf.training.speeds import Speeds
from pgan_tf.workers.team import current

# A round of D and G step costs 4 forward passes of G and 14 of D (counted in the original's graph), and this much
# besides for each parameter: Adam, EMA, scaling of the weights.
G_PASSES, D_PASSES, OPERATIONS_PER_PARAMETER = 4, 14, 100

TABLE_WIDTH = 80


class StageSize(NamedTuple):
    """What a stage takes of a device."""

    minibatch: int  # global
    parameters: tuple[int, int]  # of G, of D
    memory: float  # bytes at its peak
    operations: float  # floating-point operations of a round on one device
    microbatches: int = 1  # in which a device takes its share of the minibatch


def stage_sizes(config: Config, plan: Plan) -> dict[Stage, StageSize]:
    """The size of each stage that the run reaches."""
    found = {}
    for number, phase in enumerate(plan.schedule.phases(), start=1):
        stage, devices = phase.stage, plan.schedule.devices
        costs = stage_costs(config.model, stage, plan.dataset.channels, plan.label_size)
        minibatch = plan.schedule.minibatch(stage.size.level)
        microbatches, local = microbatches_at(config, stage.size.level, devices, minibatch), minibatch / devices
        operations = local * image_operations(costs) + OPERATIONS_PER_PARAMETER * sum(costs.parameters)
        operations *= config.growth.minibatch_updates
        at_once, own = local / microbatches, _devices_of_process(devices)
        memory = peak_bytes(costs, config.optim.precision, at_once, number, own, config.optim.remat)
        found[stage] = StageSize(minibatch, costs.parameters, memory, operations, microbatches)
    return found


def _devices_of_process(devices: int) -> int:
    """Of so many over all processes, those whose memory is that of this one; each GPU has its own."""
    return 1 if hardware().gpus else devices // current().size


def image_operations(costs: Costs) -> float:
    """Floating-point operations of a round for each of its images."""
    return G_PASSES * costs.flops[0] + D_PASSES * costs.flops[1]


def print_stage_table(config: Config, plan: Plan, speeds: Speeds) -> None:
    """Prints a row per stage, with its rate. Trains nothing, writes nothing."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("stage", "kimg", "batch", "lr G", "lr D", "params", "memory", "img/s", "time"):
        table.add_column(name, justify="left" if name == "stage" else "right", no_wrap=True)
    sizes = stage_sizes(config, plan)
    for phase in plan.schedule.phases():
        table.add_row(*_row(plan, phase, sizes[phase.stage], speeds))
    Console(width=TABLE_WIDTH, highlight=False, markup=False, emoji=False).print(table)
    if config.growth.grow not in ("layers", NONE):
        print_ladder(config, plan.schedule)
    parts = "batch/parts; " if any(size.microbatches > 1 for size in sizes.values()) else ""
    print(f"Parameters of G and D; memory of the process; {parts}* measured")
    if line := memory.advice(config, plan.schedule, plan.dataset.channels, plan.label_size):
        print(line)


def print_ladder(config: Config, schedule: Schedule) -> None:
    """Prints a row for each size of the networks: what it has, and from when on."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("level", "images", "latents", "feature maps", "fades in", "whole at kimg"):
        table.add_column(name, justify="right", no_wrap=True)
    for size in dict.fromkeys(phase.stage.size for phase in schedule.phases()):
        spans = {p.stage.fading: (p.start, p.end) for p in schedule.phases() if p.stage.size == size}
        fade = f"{spans[True][0]:g} to {spans[True][1]:g}" if True in spans else "-"
        whole = f"{spans[False][0]:g}" if False in spans else "-"
        latents = size.latent_size or config.model.latent_components
        images = f"{size.resolution}x{size.resolution}"
        table.add_row(str(size.level), images, str(latents), share(size.narrower, size.capped), fade, whole)
    print()
    Console(width=TABLE_WIDTH, highlight=False, markup=False, emoji=False).print(table)
    print()


def _row(plan: Plan, phase: Phase, size: StageSize, speeds: Speeds) -> list[str]:
    stage, middle = phase.stage, plan.schedule.at(int(500 * (phase.start + phase.end)))
    star = "*" if str(stage) in speeds.measured else " "
    seconds = speeds.seconds(plan.schedule, 1000 * phase.start, 1000 * phase.end)
    return [
        str(stage), f"to {phase.end:g}", _parts(size), f"{middle.g_lrate:.3g}", f"{middle.d_lrate:.3g}",
        _millions(sum(size.parameters)), f"{size.memory / 2**30:.1f} GB",
        f"{digits(speeds.rate(stage), 3)}{star}", " ".join(duration(seconds).split()[:2]),
    ]  # fmt: skip


def _parts(size: StageSize) -> str:
    """The minibatch, and in how many parts a device takes its share."""
    return f"{size.minibatch}/{size.microbatches}" if size.microbatches > 1 else str(size.minibatch)


def _millions(count: int) -> str:
    """1234567 -> '1.2M'."""
    return f"{count / 1e6:.1f}M" if count >= 1e5 else f"{count / 1e3:.0f}k"


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
