"""What a run is at one moment: counters, networks, optimizers. All of it is in a checkpoint."""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf

from pgan_tf import growth
from pgan_tf.config import Config, Optim
from pgan_tf.layers import noise
from pgan_tf.stages import Stage


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
    tick_sums: list[float] = dataclasses.field(default_factory=list)  # of the metrics, over the tick's rounds so far
    tick_rounds: int = 0
    unmeasured: bool = False  # the run was stopped while it measured its last tick

    def __post_init__(self):
        if self.block_start < 0:  # a checkpoint of an earlier version
            self.block_start = self.images


class StageState:
    """The networks of one stage with their optimizers: created under the strategy's scope."""

    def __init__(self, stage: Stage, config: Config, num_channels: int, label_size: int):
        self.stage = stage
        factory = growth.NetworkFactory(config, num_channels, label_size)
        self.generator = factory.generator(stage)
        self.discriminator = factory.discriminator(stage)
        self.ema = factory.generator(stage)
        self.g_optimizer = make_optimizer(config.optim, self.generator)
        self.d_optimizer = make_optimizer(config.optim, self.discriminator)
        # log2 of the loss scale; only float16 needs one.
        self.scaled = config.optim.precision == "float16"
        initial = 64.0 if self.scaled else 0.0
        self.g_log_scale = tf.Variable(initial, trainable=False, name="g_log_scale")
        self.d_log_scale = tf.Variable(initial, trainable=False, name="d_log_scale")
        # What --d_noise goes by; without it there is no such variable, neither here nor in a checkpoint.
        self.d_noise, self.running_score = config.model.d_noise, None
        if self.d_noise:
            dtype = self.discriminator.variable_dtype
            self.running_score = tf.Variable(0.0, trainable=False, name="running_score", dtype=dtype)

    def variables_by_name(self) -> dict[str, tf.Variable]:
        """Everything that changes in training, by a name that does not depend on Keras' own naming."""
        named = {"g_log_scale": self.g_log_scale, "d_log_scale": self.d_log_scale}
        for kind in ("generator", "discriminator", "ema"):
            parameters = getattr(self, kind).parameters_by_name()
            named |= {f"{kind}/{name}": variable.value for name, variable in parameters.items()}
        for kind in ("g_optimizer", "d_optimizer"):
            named |= {f"{kind}/{i:03d}": v.value for i, v in enumerate(getattr(self, kind).variables)}
        return named | ({"running_score": self.running_score} if self.d_noise else {})

    def noise_magnitude(self) -> tf.Tensor:
        """How strongly the discriminator is disturbed now, with --d_noise; []."""
        return noise.magnitude(self.running_score, self.d_noise)

    def noise_row(self) -> dict[str, float]:
        """What a tick's row says of --d_noise: nothing without it."""
        if not self.d_noise:
            return {}
        return {
            "noise/running_score": float(self.running_score.numpy()),
            "noise/magnitude": float(self.noise_magnitude()),
        }

    def absorbs_overflow(self) -> bool:
        """Whether a value that is not finite may just mean that float16's loss scale is still too high."""
        return self.scaled and min(self.g_log_scale.numpy(), self.d_log_scale.numpy()) >= 0

    def carry_from(self, old: StageState) -> None:
        """Takes over the weights of the stage before; the optimizers start anew, as in the original."""
        growth.carry(old.generator, self.generator)
        growth.carry(old.discriminator, self.discriminator)
        growth.carry(old.ema, self.ema)
        if self.d_noise:
            self.running_score.assign(old.running_score.numpy())


def make_optimizer(options: Optim, network: keras.Model) -> keras.optimizers.Optimizer:
    """Adam over all of the network's parameters, with its slots created (tf.distribute wants that before tracing)."""
    optimizer = keras.optimizers.Adam(
        learning_rate=0.0, beta_1=options.adam_beta1, beta_2=options.adam_beta2, epsilon=options.adam_epsilon
    )
    optimizer.build(network.trainable_variables)
    return optimizer
