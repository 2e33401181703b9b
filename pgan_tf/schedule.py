"""What the run does after so many real images: resolution, fade, minibatch, learning rates, tick length.

Pure Python; equal to the original's schedule to the last bit (tests/golden/schedule.npz). In the original's terms
`lod` (level of detail) is log2(final resolution / current resolution); it falls continuously while a resolution
fades in, and the resolution doubles as soon as it drops below an integer.
"""

from __future__ import annotations

import dataclasses
import itertools
import math

from pgan_tf.config import ConfigError, Growth


@dataclasses.dataclass(frozen=True)
class Stage:
    """What the networks look like: a new stage means new networks, new optimizers and a new trace of the step."""

    resolution: int
    fading: bool  # the layers of this resolution are being faded in

    def __str__(self) -> str:
        return f"{self.resolution}x{self.resolution} {'fade-in' if self.fading else 'stabilise'}"


@dataclasses.dataclass(frozen=True)
class Progress:
    """The schedule at one moment."""

    stage: Stage
    stage_images: float  # real images since this stage began
    alpha: float  # weight of the newest layers, 0..1; 1 outside of a fade
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
    """The original's training schedule for networks of `resolution` on `devices` devices."""

    def __init__(self, growth: Growth, resolution: int, devices: int = 1):
        if growth.lod_initial_resolution > resolution:
            raise ConfigError(
                f"--lod_initial_resolution={growth.lod_initial_resolution}: above the networks' resolution {resolution}"
            )
        self.growth, self.resolution, self.devices = growth, resolution, devices
        self._phases = self._make_phases()

    def _make_phases(self) -> list[Phase]:
        """Stabilise the initial resolution, then fade in and stabilise each next one; the last never ends."""
        growth, res, now, phases = self.growth, self.growth.lod_initial_resolution, 0.0, []
        # No phase lengths at all means no growing: the original then stays where it starts.
        grows = growth.lod_training_kimg + growth.lod_transition_kimg > 0 or bool(growth.lod_training_kimg_dict)
        while res < self.resolution and grows:
            stable = growth.lod_training_kimg_dict.get(res, growth.lod_training_kimg)
            phases.append(Phase(Stage(res, fading=False), now, now + stable))
            now, res = now + stable, 2 * res
            fade = growth.lod_transition_kimg_dict.get(res, growth.lod_transition_kimg)
            if fade:
                phases.append(Phase(Stage(res, fading=True), now, now + fade))
            now += fade
        return [*phases, Phase(Stage(res, fading=False), now, math.inf)]

    def phases(self) -> list[Phase]:
        """The rows of the stage table that the run reaches, the last one cut at total_kimg."""
        total = self.growth.total_kimg
        rows = [phase for phase in self._phases if phase.start < min(phase.end, total)]
        return [dataclasses.replace(phase, end=min(phase.end, total)) for phase in rows]

    @property
    def grown_kimg(self) -> float:
        """When the last stage begins, whether or not the run gets there."""
        return self._phases[-1].start

    def at(self, images: int) -> Progress:
        """The schedule after `images` real images."""
        kimg = images / 1000.0
        phase = self._phase_at(kimg)
        stage = phase.stage
        alpha = (kimg - phase.start) / (phase.end - phase.start) if stage.fading else 1.0
        old_resolution = stage.resolution // 2 if stage.fading else stage.resolution
        lod = math.log2(self.resolution // old_resolution) - (alpha if stage.fading else 0.0)
        growth, res = self.growth, stage.resolution
        return Progress(
            stage=stage,
            stage_images=images - 1000.0 * phase.start,
            alpha=alpha,
            lod=lod,
            minibatch=self.minibatch(res),
            g_lrate=growth.g_lrate_dict.get(res, growth.g_lrate_base),
            d_lrate=growth.d_lrate_dict.get(res, growth.d_lrate_base),
            tick_kimg=growth.tick_kimg_dict.get(res, growth.tick_kimg_base),
        )

    def first_tick(self, images: float) -> float:
        """The images after which the tick that begins after `images` ends, not counting what a block adds.

        A tick that goes on into the next stage has that stage's length.
        """
        total = self.growth.total_kimg * 1000
        for phase in self.phases():
            length = 1000 * self.growth.tick_kimg_dict.get(phase.stage.resolution, self.growth.tick_kimg_base)
            if images + length < 1000 * phase.end:
                return min(total, max(images + length, 1000 * phase.start))
        return total

    def _phase_at(self, kimg: float) -> Phase:
        """A fade begins after its first moment, as in the original: at alpha 0 the old resolution still trains."""
        for phase, following in itertools.pairwise(self._phases):
            if kimg < phase.end or (kimg == phase.end and following.stage.fading):
                return phase
        return self._phases[-1]

    def minibatch(self, resolution: int) -> int:
        """Images in a global minibatch: a multiple of the devices, within what one device may hold."""
        growth = self.growth
        size = int(growth.minibatch_dict.get(resolution, growth.minibatch_base))
        size -= size % self.devices
        limit = growth.max_minibatch_per_device.get(resolution)
        return size if limit is None else min(size, int(limit) * self.devices)

    def block_images(self, resolution: int) -> int:
        """Real images between two looks at the schedule."""
        return self.minibatch(resolution) * self.growth.minibatch_repeats * self.growth.D_repeats

    def blocks(self, images: int, until: float, most: int) -> list[Progress]:
        """The schedule at the starts of the next blocks of rounds: up to `most`, of one stage, begun before `until`."""
        blocks = [self.at(images)]
        size = self.block_images(blocks[0].stage.resolution)
        while len(blocks) < most and images + len(blocks) * size < until:
            progress = self.at(images + len(blocks) * size)
            if progress.stage != blocks[0].stage:
                break
            blocks.append(progress)
        return blocks
