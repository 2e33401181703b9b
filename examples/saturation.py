"""What a generator learns while its discriminator gets better: the claim that minimax saturates.

    python examples/saturation.py saturation.png        # a minute on two cores; pip install -e '.[experiments]'

Goodfellow et al. (2014, section 3) and Arjovsky & Bottou (2017, theorem 2.4): as a discriminator nears its optimum, the
gradient of log(1 - D) that the generator learns by vanishes. Here generators stand still while discriminators learn to
tell what they make from eight Gaussians, by the losses of this package. Left: it lies apart from the data, as when
training begins; right: it covers them. Above: the norm of the generators' gradients over the discriminators' steps,
below: how often a real scores above a fake.
"""

from __future__ import annotations

import sys
import time
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.data.sources.planar import DISTRIBUTIONS
from pgan_tf.losses import LOSSES

SEEDS = 5  # generators, each with a discriminator of its own
WIDTH, LATENT, POINTS, JUDGED = 64, 8, 128, 512  # of two hidden layers; latents; samples in a step; in a measurement
STEPS, CLIP = 2000, 0.05  # of the discriminators; the largest weight of the one that is clipped
AT = np.unique(np.geomspace(1, STEPS, 24).astype(int))  # steps after which the gradient is measured
DATA = DISTRIBUTIONS["gaussians8"]
SPREADS = {"apart from the data": 0.3, "over the data": 2.0}  # deviation of what generators make; the data: 2 from 0


class Row(NamedTuple):
    """A loss of the package, and what holds the discriminator's slope beside it."""

    title: str
    colour: str
    loss: str
    held: str = ""  # "clip" or "penalty"


ROWS = (
    Row("minimax", "tab:red", "minimax"),
    Row("non-saturating", "tab:orange", "non_saturating"),
    Row("least squares", "tab:green", "lsgan"),
    Row("hinge", "tab:purple", "hinge"),
    Row("WGAN, clipped", "tab:cyan", "wgan", "clip"),
    Row("WGAN, penalty", "tab:blue", "wgan", "penalty"),
)


class Networks:
    """K dense networks side by side, two hidden layers each: [K,N,inputs] -> [K,N,outputs]."""

    def __init__(self, inputs: int, outputs: int, random: tf.random.Generator):
        sizes = [(inputs, WIDTH), (WIDTH, WIDTH), (WIDTH, outputs)]
        self.weights = [tf.Variable(random.normal([SEEDS, *size], stddev=np.sqrt(2 / size[0]))) for size in sizes]
        self.biases = [tf.Variable(tf.zeros([SEEDS, 1, size[1]])) for size in sizes]

    @property
    def variables(self) -> list[tf.Variable]:
        return self.weights + self.biases

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = (tf.nn.leaky_relu(x) if i else x) @ weight + bias  # [K,N,width]
        return x


class Game:
    """Generators that stand still, and discriminators that learn by one row. spread: of what the generators make."""

    def __init__(self, row: Row, spread: float, seed: int = 1):
        self.row, self.loss, self.options = row, LOSSES[row.loss], Config.from_values({"loss": row.loss}).loss
        self.random = tf.random.Generator.from_seed(seed)
        self.generator, self.discriminator = Networks(LATENT, 2, self.random), Networks(2, 1, self.random)
        drawn = self.generator(self.random.normal([SEEDS, 1000, LATENT]))
        self.generator.weights[-1].assign(self.generator.weights[-1] * spread / tf.math.reduce_std(drawn))
        self.centres = tf.constant(DATA.centres, tf.float32)
        self.adam = tf.keras.optimizers.Adam(1e-3, beta_1=0.5)
        self.adam.build(self.discriminator.variables)

    def samples(self, count: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Points of the data and of the generators, each [K,count,2]."""
        modes = self.random.uniform([SEEDS, count], 0, len(self.centres), tf.int32)
        real = tf.gather(self.centres, modes) + DATA.noise * self.random.normal([SEEDS, count, 2])
        return real, self.generator(self.random.normal([SEEDS, count, LATENT]))

    def scores(self, points: tf.Tensor) -> tf.Tensor:
        """[K,N,2] -> [K,N]."""
        return self.discriminator(points)[..., 0]

    def penalty(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """Of slopes other than 1 between reals and fakes, [K,N] (Gulrajani et al. 2017)."""
        between = real + self.random.uniform([SEEDS, POINTS, 1]) * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(between)
            scores = self.scores(between)
        return 10 * (tf.norm(tape.gradient(scores, between) + 1e-12, axis=-1) - 1) ** 2

    @tf.function
    def improve(self, steps: tf.Tensor) -> None:
        """So many steps of the discriminators."""
        for _ in tf.range(steps):
            real, fake = self.samples(POINTS)
            with tf.GradientTape() as tape:
                loss = self.loss.discriminator(self.scores(real), self.scores(fake), self.options)  # [K,N]
                if self.row.held == "penalty":
                    loss += self.penalty(real, fake)
                total = tf.reduce_sum(tf.reduce_mean(loss, axis=1))
            variables = self.discriminator.variables
            self.adam.apply(tape.gradient(total, variables), variables)
            if self.row.held == "clip":
                for variable in variables:
                    variable.assign(tf.clip_by_value(variable, -CLIP, CLIP))

    @tf.function
    def measure(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The norms of the generators' gradients [K], and how often a real has a higher score than a fake [K]."""
        with tf.GradientTape() as tape:
            real, fake = self.samples(JUDGED)
            scores = self.scores(fake)  # [K,N]
            total = tf.reduce_sum(tf.reduce_mean(self.loss.generator(None, scores, self.options), axis=1))
        gradients = tape.gradient(total, self.generator.variables)
        squares = tf.add_n([tf.reduce_sum(gradient**2, axis=[1, 2]) for gradient in gradients])
        above = self.scores(real)[:, :, None] > scores[:, None, :]  # [K,N,N]
        return tf.sqrt(squares), tf.reduce_mean(tf.cast(above, tf.float32), axis=[1, 2])


def followed(row: Row, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """What `measure` says after each of AT steps, [len(AT),K] each."""
    game, done, found = Game(row, spread), 0, []
    for step in AT:
        game.improve(tf.constant(step - done))
        done = step
        found.append([x.numpy() for x in game.measure()])
    norms, told = zip(*found, strict=True)
    return np.stack(norms), np.stack(told)


def report(norms: np.ndarray, told: np.ndarray) -> str:
    """The medians over the seeds, and between which values the last one lies."""
    medians = ", ".join(f"{np.median(norms[i]):.2g}" for i in (0, np.searchsorted(AT, 100), -1))
    return f"{medians} ({norms[-1].min():.2g} to {norms[-1].max():.2g}); told apart {np.median(told[-1]):.4f};"


def draw(path: str) -> None:
    """Trains, measures, and writes the figure."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(2, len(SPREADS), figsize=(9.5, 6), sharex=True, sharey="row", constrained_layout=True)
    for (where, spread), (above, below) in zip(SPREADS.items(), panels.T, strict=True):
        print(f"fakes {where}: the gradient's norm after 1, 100 and {STEPS:,} steps")
        for row in ROWS:
            began, (norms, told) = time.monotonic(), followed(row, spread)
            print(f"  {row.title:15}", report(norms, told), f"{time.monotonic() - began:.0f} s", flush=True)
            above.fill_between(AT, norms.min(axis=1), norms.max(axis=1), color=row.colour, alpha=0.15, lw=0)
            for axes, values in ((above, norms), (below, told)):
                axes.plot(AT, np.median(values, axis=1), color=row.colour, label=row.title)
        above.set(xscale="log", yscale="log", title=f"fakes {where}")
        below.set(xlabel="step of the discriminator")
    panels[0, 0].set(ylabel="norm of the generator's gradient")
    panels[1, 0].set(ylabel="a real scores above a fake")
    panels[1, 0].legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=100)
    print(f"wrote {path}")


if __name__ == "__main__":
    draw(sys.argv[1] if len(sys.argv) > 1 else "saturation.png")
