"""What a run will take: real steps of two of its stages, timed before it starts."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import time

import numpy as np
import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.stages import Fade, Stage
from pgan_tf.training.estimate import StageSize, convolution_speed, stage_sizes
from pgan_tf.training.feed import Batch, stored_type
from pgan_tf.training.plan import Plan
from pgan_tf.training.speeds import Speeds
from pgan_tf.training.state import StageState
from pgan_tf.training.step import Controls, TrainStep
from pgan_tf.workers.team import current

ROUND_SECONDS = 0.004  # of the framework's own, whatever the size
STEP_SECONDS = 2.0  # to time the steps of a stage
SHARE, MOST_SECONDS = 0.05, 60.0  # of a run's guessed length, and at most: what measuring may take
WORTHWHILE_SECONDS = 120.0  # a shorter run is not measured before it starts
MOST_ROUNDS = 64  # in one call
MOST_CYCLE = 16  # rounds that are timed however slow they are
MEMORY_SHARE = 0.5  # of the machine's, that a trial may take


def measure(config: Config, plan: Plan, seconds: float | None = None) -> Speeds:
    """The speeds of all stages that a run reaches, from real steps of its first and of a later stage on made-up images.

    seconds: what it may take, about; by default SHARE of the run, and nothing for a run that is over soon. A later
    stage is left out where its first rounds would take longer than what is left.
    """
    if config.run.deterministic:  # before a convolution chooses how it is computed
        tf.config.experimental.enable_op_determinism()
    began, sizes = time.monotonic(), stage_sizes(config, plan)
    speeds = Speeds(model_rates(sizes, convolution_speed(config)))
    if current().size > 1:  # a clock would not say the same in all workers
        return speeds
    if seconds is None and speeds.seconds(plan.schedule) < WORTHWHILE_SECONDS:
        return speeds
    _measure_stage(config, plan, plan.schedule.phases()[0].stage, speeds)
    budget = min(MOST_SECONDS, SHARE * speeds.seconds(plan.schedule) if seconds is None else seconds)
    later = _later_stage(sizes, speeds, budget - (time.monotonic() - began), 1 + cycle(config))
    if later:
        with contextlib.suppress(tf.errors.ResourceExhaustedError):  # the run will say so, if it gets there
            _measure_stage(config, plan, later, speeds)
    return speeds


def model_rates(sizes: dict[Stage, StageSize], speed: float) -> dict[str, float]:
    """Images per second of each stage on a device of so many operations per second."""
    return {str(stage): size.minibatch / (size.operations / speed + ROUND_SECONDS) for stage, size in sizes.items()}


def cycle(config: Config) -> int:
    """Rounds of which as large a share has the penalty as of all: it is not in every step (--penalty_interval).

    A larger one where that share is very small: no run waits for so many.
    """
    interval = config.loss.penalty_interval
    return min(interval // math.gcd(interval, config.growth.D_repeats), MOST_CYCLE)


def _later_stage(sizes: dict[Stage, StageSize], speeds: Speeds, seconds: float, count: int) -> Stage | None:
    """The last stage of which so many rounds fit into the time, the networks into memory: it takes most of a run."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for stage, size in reversed(list(sizes.items())[1:]):
        # Starting takes longer where there are more layers, about as their number.
        starts = speeds.start_seconds * (1 + 0.25 * (math.log2(stage.resolution) - 2))
        if starts + count * size.minibatch / speeds.rate(stage) < seconds and size.memory < MEMORY_SHARE * memory:
            return stage
    return None


def _measure_stage(config: Config, plan: Plan, stage: Stage, speeds: Speeds) -> None:
    """Adds the rate of a stage, from rounds that train networks which are then thrown away."""
    began, minibatch = time.monotonic(), plan.schedule.minibatch(stage.size.level)
    with plan.strategy.scope():
        state = StageState(stage, config, plan.dataset.channels, plan.label_size)
    step = TrainStep(config, state, plan.strategy, minibatch, plan.resolution)
    step.rounds.get_concrete_function()
    speeds.start_seconds = max(time.monotonic() - began, speeds.start_seconds if speeds.measured else 0.0)
    repeats = config.growth.D_repeats
    rounds(step, 1, repeats)  # the first one prepares the convolutions
    count = cycle(config)
    seconds = rounds(step, count, repeats)
    if 2 * seconds < STEP_SECONDS:  # enough rounds to tell, fewer where the machine is slow
        count *= max(1, min(int(STEP_SECONDS / max(seconds, 1e-3)), MOST_ROUNDS // count))
        seconds = rounds(step, count, repeats)
    speeds.add(stage, count * minibatch * repeats, seconds)
    del step, state
    gc.collect()


def rounds(step: TrainStep, count: int, repeats: int) -> float:
    """Seconds that so many rounds on noise take."""
    n, shape = len(step.feed.read), step.state.generator.sample_shape
    rng = np.random.default_rng(0)
    labels = tf.zeros([count * repeats, n, step.state.generator.label_size])
    reals = tf.cast(rng.integers(0, 256, (count * repeats, n, *shape), np.uint8), stored_type(shape))
    series, rates = tf.fill([count], tf.cast(0.5, step.dtype)), tf.fill([count], tf.cast(1e-3, step.dtype))
    controls = Controls(Fade(series, series, series), series, rates, rates, tf.constant(0, tf.int64))
    began = time.monotonic()
    step.rounds(Batch(reals, labels, labels[:count]), controls)["nonfinite"].numpy()
    return time.monotonic() - began
