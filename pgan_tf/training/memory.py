"""What a machine could never hold is refused before anything is built, by the option and a value that would fit.

A lower bound, by formula: options that pass may still be too much. The dry run's table has the estimate.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pgan_tf.config import Config, ConfigError
from pgan_tf.layers.minibatch import MINIBATCH_STATISTICS
from pgan_tf.networks.blocks import find_block
from pgan_tf.networks.progressive import feature_maps
from pgan_tf.schedule import Schedule

G_COPIES, D_COPIES = 5, 4  # weights, gradients, Adam's two moments; G's average
ACTIVATION_COPIES = 2  # of D's layers: for reals and fakes
MOST_BLOCK_IMAGES = 2**20
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check(config: Config, schedule: Schedule, channels: int, label_size: int) -> None:
    """ConfigError where a stage of the run needs more memory than there is, or a block has too many images."""
    have = machine_bytes()
    for resolution in sorted({phase.stage.resolution for phase in schedule.phases()}):
        sizes = (resolution, channels, label_size, schedule.devices)
        need = least_bytes(config, *sizes)
        if need > have:
            where = f"takes {_gb(need)} GB of memory at {resolution}x{resolution}, this machine has {_gb(have)}"
            raise ConfigError(_way_out(config, sizes, have, where))
        block, growth = schedule.block_images(resolution), config.growth
        if block > MOST_BLOCK_IMAGES:
            flags = f"--minibatch_repeats={growth.minibatch_repeats} --D_repeats={growth.D_repeats}"
            many = f"{block} images between two looks at the schedule"
            raise ConfigError(f"{flags}: {many}; at most {MOST_BLOCK_IMAGES}, so lower one of them")


def least_bytes(config: Config, resolution: int, channels: int, labels: int, devices: int) -> float:
    """Memory without which a stage cannot be: weights and what belongs to them, D's activations, the images."""
    g, d = parameters(config, resolution, channels, labels)
    minibatch = Schedule(config.growth, resolution, devices).minibatch(resolution)
    width = 2 if config.optim.precision in ("bfloat16", "float16") else 4
    activations = ACTIVATION_COPIES * width * minibatch / devices * outputs_per_image(config, resolution)
    return 4 * (G_COPIES * g + D_COPIES * d) + activations + minibatch * channels * resolution**2


def parameters(config: Config, resolution: int, channels: int, labels: int) -> tuple[int, int]:
    """The parameters of G and D that are whole at `resolution`."""
    model, f = config.model, _maps(config)
    g_more, d_more = (find_block(name).convolutions(model.residual_blocks) for name in (model.g_block, model.d_block))
    latent = model.latent_size or f(2)
    statistics = MINIBATCH_STATISTICS[model.minibatch_statistics].maps if model.mbstd_group_size > 1 else 0
    g = 16 * (latent + labels) * f(4) + f(4) + _conv(f(4), f(4)) + (f(resolution) + 1) * channels
    d = (channels + 1) * f(resolution) + _conv(f(4) + statistics, f(4)) + (16 * f(4) + 1) * f(2)
    d += (f(2) + 1) * (1 + labels)
    for res in _block_resolutions(resolution):
        g += _conv(f(res // 2), f(res)) + g_more * _conv(f(res), f(res))
        d += d_more * _conv(f(res), f(res)) + _conv(f(res), f(res // 2))
    return g, d


def outputs_per_image(config: Config, resolution: int) -> float:
    """Numbers that D's convolutions give for an image, at least."""
    f = _maps(config)
    return sum(2 * res**2 * f(res) for res in (4, *_block_resolutions(resolution)))


def machine_bytes() -> float:
    """The memory that this process may have: of the machine, or of its control group."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in CGROUP_LIMITS:
        try:
            found.append(int(Path(path).read_text()))
        except (OSError, ValueError):  # there is none
            continue
    return min(found)


def _way_out(config: Config, sizes: tuple, have: float, where: str) -> str:
    """Names an option, and a smaller value of it with which the stage would fit."""
    for name, value, smaller in _candidates(config, sizes[0]):
        while value > 1:
            value //= 2
            if least_bytes(smaller(value), *sizes) < have:
                return f"{name}: {where}; {value} would fit"
    return f"--fmap_max={config.model.fmap_max} --minibatch_base={config.growth.minibatch_base}: {where}; lower both"


def _candidates(config: Config, resolution: int) -> Iterator[tuple]:
    """(how the option reads, its value, value -> the Config with it): the images first, then the networks."""
    batches = config.growth.minibatch_dict
    if resolution in batches:
        many = batches[resolution]
        yield (
            f"--minibatch_dict={resolution}:{many}",
            many,
            lambda n: config.replace(minibatch_dict={**batches, resolution: n}),
        )
    else:
        many = config.growth.minibatch_base
        yield f"--minibatch_base={many}", many, lambda n: config.replace(minibatch_base=n)
    for name in ("latent_size", "residual_blocks", "fmap_max", "fmap_base"):
        value = getattr(config.model, name)
        yield f"--{name}={value}", value, lambda n, name=name: config.replace(**{name: n})


def _maps(config: Config):
    model = config.model
    return lambda res: feature_maps(res, model.fmap_base, model.fmap_decay, model.fmap_max)


def _block_resolutions(resolution: int) -> list[int]:
    return [2**k for k in range(3, resolution.bit_length())]


def _conv(inputs: int, outputs: int) -> int:
    return (9 * inputs + 1) * outputs


def _gb(number: float) -> str:
    return f"{number / 2**30:.3g}"
