"""A device's share of a minibatch in microbatches, of which it takes one after the other: --max_minibatch_per_device.

Their gradients add up to those of the whole: a loss is a mean over samples, each of which is in one microbatch together
with all that its value depends on. Layers, losses and options say themselves how many samples that is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from pgan_tf.config import Config, ConfigError
from pgan_tf.layers.discrimination import MINIBATCH
from pgan_tf.layers.norms import NORMS
from pgan_tf.option import EVERYWHERE, option_text
from pgan_tf.schedule import device_limit, minibatch_at

WAY_OUT = "or take a smaller minibatch: --accumulate=false"


def together(config: Config) -> dict[str, int]:
    """{what asks for it: samples that it must have in one microbatch}, 0 = all that a device has."""
    model, found = config.model, {}
    for option in ("g_norm", "d_norm"):
        found[f"--{option}={getattr(model, option)}"] = NORMS[getattr(model, option)].together
    group = model.mbstd_group_size
    if group > 1:
        found[f"--mbstd_group_size={group}"] = group
        told = model.minibatch_statistics
        if MINIBATCH[told]({}, group_size=group).mixes_groups:
            found[f"--minibatch_statistics={told}"] = 0
    if config.loss.unroll_steps:  # each step ahead is one of the whole minibatch
        found[f"--unroll_steps={config.loss.unroll_steps}"] = 0
    return found


def microbatches_at(config: Config, level: int, devices: int, minibatch: int = 0) -> int:
    """In how many equal microbatches each device takes its share. ConfigError where it cannot be divided so.

    minibatch: the global one; by default the schedule's.
    """
    local = (minibatch or minibatch_at(config.growth, level, devices)) // devices
    limit = device_limit(config.growth, level)
    if limit is None or local <= limit:
        return 1
    said = f"--max_minibatch_per_device={limit_text(level, limit, config)}"
    whole = [reason for reason, samples in together(config).items() if not samples]
    if whole:
        raise ConfigError(f"{said}: {whole[0]} is of all {local} images of a device: give at least {local}, {WAY_OUT}")
    sizes = _microbatch_sizes(config, local)
    if sizes[0] > limit:
        groups = f"groups of --mbstd_group_size={config.model.mbstd_group_size} stay together"
        raise ConfigError(f"{said}: {groups}: give at least {sizes[0]}, {WAY_OUT}")
    return local // max(size for size in sizes if size <= limit)


def smaller_microbatch(config: Config, level: int, devices: int) -> int | None:
    """The next smaller number of images at once than a device has now; None where there is none."""
    now, *smaller = microbatch_sizes(config, level, devices)
    return max(smaller, default=None) if config.growth.accumulate else now // 2 or None


def microbatch_sizes(config: Config, level: int, devices: int) -> list[int]:
    """How many images a device can have at once with the same numbers: as many as now, then fewer and fewer."""
    local = minibatch_at(config.growth, level, devices) // devices
    now = local // microbatches_at(config, level, devices)
    divisible = config.growth.accumulate and all(together(config).values())
    return [now, *(size for size in reversed(_microbatch_sizes(config, local)) if size < now and divisible)]


def limits_with(config: Config, level: int, limit: int) -> str:
    """--max_minibatch_per_device with another limit at this level, as it is written."""
    return option_text(changed_limits(config, {level: limit}))


def changed_limits(config: Config, limits: dict[int, int]) -> dict[int, int]:
    """--max_minibatch_per_device with other limits at these levels."""
    found = {}
    for level, limit in limits.items():
        found[_key(level)] = min(limit, found.get(_key(level), limit))
    return dict(sorted({**config.growth.max_minibatch_per_device, **found}.items()))


def limit_text(level: int, limit: int, config: Config) -> str:
    """The limit that counts at a level, as it was given."""
    return f"{level}:{limit}" if level in config.growth.max_minibatch_per_device else str(limit)


def _key(level: int) -> int:
    """Of a level in the dictionary, which names powers of two."""
    return level if level >= 4 and not level & (level - 1) else EVERYWHERE


def _microbatch_sizes(config: Config, local: int) -> list[int]:
    """The sizes, whole groups, that divide a device's share. (A group is at most as large as the share.)"""
    group = min(max(config.model.mbstd_group_size, 1), local)
    return [size for size in range(group, local + 1, group) if local % size == 0]


def summed(count: int, zeros: Any, microbatch: Callable[[tf.Tensor], Any]) -> Any:
    """The sum of microbatch(0) .. microbatch(count - 1), computed one after the other.

    zeros: tensors of the same structure, types and shapes as those of a microbatch.
    """
    if count == 1:
        return microbatch(tf.constant(0))

    def add(j, sums):
        return j + 1, tf.nest.map_structure(tf.add, sums, microbatch(j))

    return tf.while_loop(lambda j, sums: j < count, add, (tf.constant(0), zeros), parallel_iterations=1)[1]
