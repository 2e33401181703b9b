"""What the run does after so many real images: sizes, fade, minibatch, learning rates, tick length.

Pure Python; for growth by layers equal to the original's schedule to the last bit (tests/golden/schedule.npz). In the
original's terms `lod` (level of detail) is log2(final resolution / current level); it falls continuously while a level
fades in, and the level doubles as soon as it drops below an integer.
"""

from __future__ import annotations

import dataclasses
import itertools
import math

from pgan_tf.config import Config, ScheduleOptions
from pgan_tf.option import EVERYWHERE
from pgan_tf.stages import Fade, Size, Stage, sizes


def sizes_of(config: Config, resolution: int) -> list[Size]:
    """The sizes of a run's networks, which grow to `resolution`. ConfigError where they cannot be."""
    growth = config.growth
    return sizes(growth.grow, resolution, config.model.latent_components, growth.lod_initial_resolution)


def minibatch_at(growth: ScheduleOptions, level: int, devices: int) -> int:
    """Images in a global minibatch: a multiple of the devices; without --accumulate, what they hold at once."""
    size = int(growth.minibatch_dict.get(level, growth.minibatch_base))
    size -= size % devices
    limit = device_limit(growth, level)
    return size if limit is None or growth.accumulate else min(size, limit * devices)


def device_limit(growth: ScheduleOptions, level: int) -> int | None:
    """The most images at once on one device; None where nothing is said of it."""
    return growth.max_minibatch_per_device.get(level, growth.max_minibatch_per_device.get(EVERYWHERE))


@dataclasses.dataclass(frozen=True)
class Progress:
    """The schedule at one moment."""

    stage: Stage
    fade: Fade  # how far what is new in the stage has come
    stage_images: float  # real images since this stage began
    lod: float
    minibatch: int  # global, over all devices
    g_lrate: float
    d_lrate: float
    tick_kimg: float


@dataclasses.dataclass(frozen=True)
class Phase:
    """A row of the stage table: from `start` to `end` (thousands of real images) the run is in `stage`."""

    stage: Stage
    start: float
    end: float


class Schedule:
    """The original's training schedule for networks that grow to `resolution`, on `devices` devices.

    latent_size: of the grown networks, where --grow is to halve it for the smaller ones.
    Raises ConfigError where the sizes of --grow cannot be.
    """

    def __init__(self, growth: ScheduleOptions, resolution: int, devices: int = 1, latent_size: int = 0):
        self.growth, self.resolution, self.devices = growth, resolution, devices
        self.sizes = sizes(growth.grow, resolution, latent_size, growth.lod_initial_resolution)
        self._phases = self._make_phases()

    def _make_phases(self) -> list[Phase]:
        """Stabilise the first size, then fade in and stabilise each next one; the last never ends."""
        growth, now, phases = self.growth, 0.0, []
        # No phase lengths at all means no growing: the original then stays where it starts.
        grows = growth.lod_training_kimg + growth.lod_transition_kimg > 0 or bool(growth.lod_training_kimg_dict)
        reached = self.sizes if grows else self.sizes[:1]
        for size, larger in itertools.pairwise(reached):
            stable = growth.lod_training_kimg_dict.get(size.level, growth.lod_training_kimg)
            phases.append(Phase(Stage(size), now, now + stable))
            now += stable
            fade = growth.lod_transition_kimg_dict.get(larger.level, growth.lod_transition_kimg)
            if fade:
                phases.append(Phase(Stage(larger, before=size), now, now + fade))
            now += fade
        return [*phases, Phase(Stage(reached[-1]), now, math.inf)]

    def phases(self) -> list[Phase]:
        """The rows of the stage table that the run reaches, the last one cut at total_kimg."""
        total = self.growth.total_kimg
        rows = [phase for phase in self._phases if phase.start < min(phase.end, total)]
        return [dataclasses.replace(phase, end=min(phase.end, total)) for phase in rows]

    def span(self, stage: Stage) -> tuple[float, float]:
        """From when to when a stage of the run lasts; equal where the run only passes through it, in a block's time."""
        phase = next(phase for phase in self._phases if phase.stage == stage)
        return phase.start, min(phase.end, self.growth.total_kimg)

    @property
    def grown_kimg(self) -> float:
        """When the last stage begins, whether or not the run gets there."""
        return self._phases[-1].start

    def at(self, images: int) -> Progress:
        """The schedule after `images` real images."""
        kimg = images / 1000.0
        phase = self._phase_at(kimg)
        stage, growth, level = phase.stage, self.growth, phase.stage.size.level
        done = (kimg - phase.start) / (phase.end - phase.start) if stage.fading else 0.0
        old, rate = stage.before or stage.size, self._rampdown(kimg)
        return Progress(
            stage=stage,
            fade=Fade(done, done, done / 2) if stage.fading else Fade(),
            stage_images=images - 1000.0 * phase.start,
            lod=math.log2(self.resolution // old.level) - done,
            minibatch=self.minibatch(level),
            g_lrate=rate * growth.g_lrate_dict.get(level, growth.g_lrate_base),
            d_lrate=rate * growth.d_lrate_dict.get(level, growth.d_lrate_base),
            tick_kimg=growth.tick_kimg_dict.get(level, growth.tick_kimg_base),
        )

    def _rampdown(self, kimg: float) -> float:
        """What the learning rates are multiplied by: 1, and in the last part of the run evenly less, down to 0."""
        total, share = self.growth.total_kimg, self.growth.lrate_rampdown
        return min(1.0, max(0.0, total - kimg) / (total * share)) if share else 1.0

    def first_tick(self, images: float) -> float:
        """The images after which the tick that begins after `images` ends, not counting what a block adds.

        A tick that goes on into the next stage has that stage's length.
        """
        total = self.growth.total_kimg * 1000
        for phase in self.phases():
            length = 1000 * self.growth.tick_kimg_dict.get(phase.stage.size.level, self.growth.tick_kimg_base)
            if images + length < 1000 * phase.end:
                return min(total, max(images + length, 1000 * phase.start))
        return total

    def _phase_at(self, kimg: float) -> Phase:
        """A fade begins after its first moment, as in the original: at alpha 0 the old networks still train."""
        for phase, following in itertools.pairwise(self._phases):
            if kimg < phase.end or (kimg == phase.end and following.stage.fading):
                return phase
        return self._phases[-1]

    def minibatch(self, level: int) -> int:
        """Images in a global minibatch."""
        return minibatch_at(self.growth, level, self.devices)

    def block_images(self, level: int) -> int:
        """Real images between two looks at the schedule."""
        return self.minibatch(level) * self.growth.minibatch_repeats * self.growth.D_repeats

    def blocks(self, images: int, until: float, most: int) -> list[Progress]:
        """The schedule at the starts of the next blocks of rounds: up to `most`, of one stage, begun before `until`."""
        blocks = [self.at(images)]
        size = self.block_images(blocks[0].stage.size.level)
        while len(blocks) < most and images + len(blocks) * size < until:
            progress = self.at(images + len(blocks) * size)
            if progress.stage != blocks[0].stage:
                break
            blocks.append(progress)
        return blocks
