"""What a run is at one moment: counters, networks, optimizers. All of it is in a checkpoint."""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf

from pgan_tf import growth
from pgan_tf.config import Config
from pgan_tf.stages import Stage
from pgan_tf.training import extras
from pgan_tf.training.player import Player


@dataclasses.dataclass
class Counters:
    """Plain numbers of the run. The data position is `images`: image k of the run is a pure function of k."""

    images: int = 0  # real images seen
    rounds: int = 0  # rounds of D and G steps done
    block_start: int = -1  # images at the start of the block, which goes by the schedule of that moment; -1: `images`
    tick: int = 0  # ticks completed
    tick_start: int = 0  # images at the start of the tick
    tick_before: int = -1  # images at the end of the tick before the last one
    seconds: float = 0.0  # of training, over all resumes
    nonfinite: int = 0  # rounds with a loss or gradient that was not finite
    tick_sums: dict[str, float] = dataclasses.field(default_factory=dict)  # of the reports, over the tick's rounds
    tick_rounds: int = 0
    unmeasured: bool = False  # the run was stopped while it measured its last tick

    def __post_init__(self):
        if self.block_start < 0:  # a checkpoint of an earlier version
            self.block_start = self.images

    def end_tick(self, seconds: float) -> None:
        """A tick is over; seconds: of training, since they were counted last."""
        self.tick += 1
        self.seconds += seconds
        self.tick_before, self.tick_start = self.tick_start, self.images


class StageState:
    """What one stage knows, created under the strategy's scope: two players, the averaged generator, and extras."""

    def __init__(self, stage: Stage, config: Config, num_channels: int, label_size: int):
        self.stage, self.config = stage, config
        self.strategy = tf.distribute.get_strategy()
        factory = growth.NetworkFactory(config, num_channels, label_size)
        self.g = Player("g", factory.generator(stage), config.optim)
        self.d = Player("d", factory.discriminator(stage), config.optim, config.optim.constraint)
        self.ema = factory.generator(stage)
        self._extras = [(extra, extra.create(self.g, self.d)) for extra in extras.asked(config)]
        self.extras = {name: variable for _, variables in self._extras for name, variable in variables.items()}

    @property
    def generator(self) -> keras.Model:
        return self.g.network

    @property
    def discriminator(self) -> keras.Model:
        return self.d.network

    def variables_by_name(self) -> dict[str, tf.Variable]:
        """Everything that changes in training, by a name that does not depend on Keras' own naming."""
        named = self.g.variables_by_name() | self.d.variables_by_name()
        for kind in ("generator", "discriminator", "ema"):
            variables = getattr(self, kind).variables_by_name()
            named |= {f"{kind}/{name}": variable.value for name, variable in variables.items()}
        return named | self.extras

    def update_ema(self, decay: tf.Tensor) -> None:
        """ema = generator + (ema - generator) * decay for what is trained; what is not is the generator's."""

        def average(variable, value):
            variable.assign(value + (variable - value) * tf.cast(decay, value.dtype))

        def copy(variable, value):
            variable.assign(value)

        values = self.generator.variables_by_name()
        for name, variable in self.ema.variables_by_name().items():
            update = average if variable.trainable else copy
            self.strategy.extended.update(variable.value, update, args=(values[name].value,), group=False)

    def update_extras(self, player: Player, report: dict[str, tf.Tensor], finite: tf.Tensor, minibatch: int) -> None:
        """After a step of this player on so many samples."""
        played = extras.Played(player, report, finite, minibatch, self.config)
        for extra, variables in self._extras:
            if extra.after == player.name:
                extra.update(variables, played)

    def extras_row(self) -> dict[str, float]:
        """What the line of a tick says of the extras."""
        rows = [extra.row(variables, self.config) for extra, variables in self._extras]
        return {name: value for row in rows for name, value in row.items()}

    def absorbs_overflow(self) -> bool:
        """Whether a value that is not finite may just mean that float16's loss scale is still too high."""
        return self.g.scaled and min(player.log_scale.numpy() for player in (self.g, self.d)) >= 0

    def carry_from(self, old: StageState) -> None:
        """Takes over the weights of the stage before; the optimizers start anew, as in the original."""
        growth.carry(old.generator, self.generator)
        growth.carry(old.discriminator, self.discriminator)
        growth.carry(old.ema, self.ema)
        for extra, variables in self._extras:
            if extra.carried:
                for name, variable in variables.items():
                    variable.assign(old.extras[name].numpy())
