"""What a machine could never hold is refused before anything is built, by the option and a value that would fit.

A lower bound: options that pass may still be too much. What is proposed fits by the estimate of the dry run's table.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pgan_tf.config import Config, ConfigError, belongs
from pgan_tf.devices import hardware
from pgan_tf.option import option_text
from pgan_tf.schedule import Schedule, device_limit, minibatch_at, sizes_of
from pgan_tf.stages import Stage
from pgan_tf.training.costs import number_bytes, stage_costs
from pgan_tf.training.microbatches import changed_limits, microbatch_sizes
from pgan_tf.training.peak import stage_bytes

G_COPIES, D_COPIES = 5, 4  # weights, gradients, Adam's two moments; G's average
ACTIVATION_COPIES = 2  # of D's layers: for reals and fakes
MOST_BLOCK_IMAGES = 2**20
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check(config: Config, schedule: Schedule, channels: int, label_size: int) -> None:
    """ConfigError where a stage of the run needs more memory than there is, or a block has too many images."""
    have, places = machine_bytes(), _places(schedule, channels, label_size)
    for place in places:
        size, need = place.stage.size, least_bytes(config, place)
        if need > have:
            where = f"takes {_gb(need)} GB of memory at {size}, this machine has {_gb(have)}"
            raise ConfigError(_way_out(config, places, place, have, where))
        block, growth = schedule.block_images(size.level), config.growth
        if block > MOST_BLOCK_IMAGES:
            flags = f"--minibatch_repeats={growth.minibatch_repeats} --D_repeats={growth.D_repeats}"
            many = f"{block} images between two looks at the schedule"
            raise ConfigError(f"{flags}: {many}; at most {MOST_BLOCK_IMAGES}, so lower one of them")


def advice(config: Config, schedule: Schedule, channels: int, label_size: int) -> str | None:
    """What to say where a stage may need more memory than there is, by the estimate; None where all stages fit."""
    have, places = machine_bytes(), _places(schedule, channels, label_size)
    large = next((place.stage for place in places if not _fits(config, place, have)), None)
    if large is None or hardware().gpus:  # these have memory of their own
        return None
    relief = _relief(config, places, have)
    way = f"{relief} would fit, with the same numbers" if relief else "make the minibatch or the networks smaller"
    return f"{large}: that is more memory than this machine has, {_gb(have)} GB; {way}"


class Place(NamedTuple):
    """Where a need is reckoned."""

    stage: Stage
    resolution: int  # final
    channels: int
    label_size: int
    devices: int
    number: int  # of the stage, in the run


def _places(schedule: Schedule, channels: int, label_size: int) -> list[Place]:
    """Of all stages of a run."""
    rest = schedule.resolution, channels, label_size, schedule.devices
    return [Place(phase.stage, *rest, number) for number, phase in enumerate(schedule.phases(), start=1)]


def least_bytes(config: Config, place: Place) -> float:
    """Memory without which a stage cannot be: weights and what belongs to them, D's activations, the images."""
    costs = stage_costs(config.model, place.stage, place.channels, place.label_size)
    level = place.stage.size.level
    minibatch, width = minibatch_at(config.growth, level, place.devices), number_bytes(config.optim.precision)
    at_once = min(minibatch / place.devices, device_limit(config.growth, level) or math.inf)
    activations = ACTIVATION_COPIES * width * at_once * (costs.d_kept if config.optim.remat else costs.d_outputs)
    means = bool(config.loss.history_weight)  # one more of each
    weights = 4 * ((G_COPIES + means) * costs.parameters[0] + (D_COPIES + means) * costs.parameters[1])
    return weights + activations + minibatch * place.channels * place.stage.resolution**2


def machine_bytes() -> float:
    """The memory that this process may have: of the machine, or of its control group."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in CGROUP_LIMITS:
        try:
            found.append(int(Path(path).read_text()))
        except (OSError, ValueError):  # there is none
            continue
    return min(found)


def _way_out(config: Config, places: list[Place], place: Place, have: float, where: str) -> str:
    """Names an option, and what would fit: options that change no numbers, or half of its value, a quarter, .."""
    level = place.stage.size.level
    if relief := _relief(config, places, have):
        name, *_ = next(_candidates(config, level))
        return f"{name}: {where}; {relief} would fit"
    for name, value, smaller in _candidates(config, level):
        values = [value >> halvings for halvings in range(1, value.bit_length())]
        values = [n for n in values if _stage(smaller(n), place)]
        # Networks are slow to build, so nothing is tried in between where the least value is too much.
        if values and _fits(smaller(values[-1]), place, have):
            return f"{name}: {where}; {next(n for n in values if _fits(smaller(n), place, have))} would fit"
    name = next(name for name in ("fmap_max", "hidden_units") if belongs(name, config.model.family))
    given = f"--{name}={getattr(config.model, name)} --minibatch_base={config.growth.minibatch_base}"
    return f"{given}: {where}; lower both"


def _relief(config: Config, places: list[Place], have: float) -> str | None:
    """Options with the same numbers for less memory, by which all stages would fit; those that cost no time first."""
    remat = config.optim.remat
    other = not remat and not config.optim.jit and belongs("remat", config.model.family)
    for divided, again in ((True, remat), *(((False, True), (True, True)) if other else ())):
        limits = _limits(config.replace(remat=again), places, have, divided)
        if limits is not None:
            said = option_text(changed_limits(config, limits))
            return " ".join([f"--max_minibatch_per_device={said}"] * bool(limits) + ["--remat"] * (again and not remat))
    return None


def _limits(config: Config, places: list[Place], have: float, divided: bool) -> dict[int, int] | None:
    """{level: most images at once on a device} by which all stages fit, as few as need be; None where one does not.

    divided: whether a device may take less at once than it does now.
    """
    limits = {}
    for place in places:
        level = place.stage.size.level
        sizes = microbatch_sizes(config, level, place.devices)[: None if divided else 1]
        fitting = next((n for n in sizes if _fits(_limited(config, {level: n}), place, have)), None)
        if fitting is None:
            return None
        if fitting != sizes[0]:
            limits[level] = min(fitting, limits.get(level, fitting))
    return limits


def _limited(config: Config, limits: dict[int, int]) -> Config:
    """With these most images at once on a device."""
    return config.replace(max_minibatch_per_device=changed_limits(config, limits))


def _stage(config: Config, place: Place) -> Stage | None:
    """The stage with the sizes that these options give it; None where its latents cannot be halved so often."""
    try:
        found = {size.level: size for size in sizes_of(config, place.resolution)}
    except ConfigError:
        return None
    return Stage(*(size and found[size.level] for size in place.stage))


def _fits(config: Config, place: Place, have: float) -> bool:
    """Whether the stage by these options needs less than there is, by the estimate too."""
    place = place._replace(stage=_stage(config, place))
    if least_bytes(config, place) > have:
        return False
    minibatch = minibatch_at(config.growth, place.stage.size.level, place.devices)
    rest = place.devices, place.channels, place.label_size, place.number
    return stage_bytes(config, place.stage, minibatch, *rest) < have


def _candidates(config: Config, level: int) -> Iterator[tuple]:
    """(how the option reads, its value, value -> the Config with it): the images first, then the networks."""
    batches = config.growth.minibatch_dict
    if level in batches:
        many = batches[level]
        yield (
            f"--minibatch_dict={level}:{many}",
            many,
            lambda n: config.replace(minibatch_dict={**batches, level: n}),
        )
    else:
        many = config.growth.minibatch_base
        yield f"--minibatch_base={many}", many, lambda n: config.replace(minibatch_base=n)
    for name in _sizes(config):
        value = getattr(config.model, name)
        yield f"--{name}={value}", value, lambda n, name=name: config.replace(**{name: n})


def _sizes(config: Config) -> list[str]:
    """The options that make the networks of the family smaller."""
    names = ("latent_size", "residual_blocks", "fmap_max", "fmap_base", "image_maps", "hidden_units")
    return [name for name in names if belongs(name, config.model.family)]


def _gb(number: float) -> str:
    return f"{number / 2**30:.3g}"
