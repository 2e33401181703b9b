"""Two parallel lines: what a generator learns from three distances (Arjovsky et al. 2017, example 1).

    python examples/parallel_lines.py parallel_lines.png        # a minute on two cores; pip install -e '.[experiments]'

The data lie on the line x = 0, what the generator makes on the line x = theta, its only parameter. W = |theta| leads it
to the data. Jensen-Shannon is log 2 and KL infinite wherever theta is not 0: neither says in which direction to go.
Left: the distances, and what discriminators that were trained for them measure. Right: theta while discriminators are
kept near their optimum and theta follows their gradient.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

WIDTH, POINTS = 32, 128  # of a discriminator's two hidden layers; of each line in a step
FIRST_STEPS, BETWEEN_STEPS = 600, 20  # of the discriminators: before theta moves, and before each of its steps
THETAS = np.linspace(-1, 1, 21).astype(np.float32)  # at which distances are measured
STARTS = np.full(5, 0.8, np.float32)  # generators, each with discriminators of its own
GENERATOR_STEPS, RATE = 120, 0.02
MOST, TOP = 10.0, 2.0  # that a KL's discriminator measures, and that the drawing of the distances shows


class Distance(NamedTuple):
    """value: what discriminators make as large as they can, of their scores of data and fakes [K,N] -> [K]."""

    title: str
    colour: str
    value: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    lipschitz: bool  # whether their slope is held at 1


def wasserstein(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """The dual form: the largest difference of the means of a function that is nowhere steeper than 1."""
    return tf.reduce_mean(real, axis=1) - tf.reduce_mean(fake, axis=1)


def jensen_shannon(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Of the minimax game with logits: (E log D(data) + E log (1 - D(fakes))) / 2 + log 2."""
    logs = tf.reduce_mean(tf.math.log_sigmoid(real), axis=1) + tf.reduce_mean(tf.math.log_sigmoid(-fake), axis=1)
    return logs / 2 + np.log(2)


def kullback_leibler(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """KL(data || fakes) by its dual form (Nowozin et al. 2016): E T(data) - E exp(T(fakes) - 1), for T below MOST.

    Without a bound T would grow for ever, as what it measures is infinite, and every now and then tear theta away.
    """
    real, fake = (MOST - tf.nn.softplus(MOST - scores) for scores in (real, fake))
    return tf.reduce_mean(real, axis=1) - tf.reduce_mean(tf.exp(fake - 1), axis=1)


DISTANCES = (
    Distance("Wasserstein", "tab:blue", wasserstein, True),
    Distance("Jensen-Shannon", "tab:orange", jensen_shannon, False),
    Distance("Kullback-Leibler", "tab:green", kullback_leibler, False),
)


class Game:
    """K generators `theta`, and for each a discriminator that measures a distance from its line to the data's."""

    def __init__(self, distance: Distance, thetas: np.ndarray, seed: int = 1):
        self.distance, self.theta = distance, tf.Variable(thetas)  # [K]
        self.random = tf.random.Generator.from_seed(seed)
        sizes = [(2, WIDTH), (WIDTH, WIDTH), (WIDTH, 1)]
        self.weights = [
            tf.Variable(self.random.normal([len(thetas), *size], stddev=np.sqrt(2 / size[0]))) for size in sizes
        ]
        self.biases = [tf.Variable(tf.zeros([len(thetas), 1, size[1]])) for size in sizes]
        self.adam = tf.keras.optimizers.Adam(1e-3, beta_1=0.5)
        self.adam.build(self.weights + self.biases)

    def scores(self, points: tf.Tensor) -> tf.Tensor:
        """Of points [K,N,2] by the discriminators, [K,N]."""
        x = points
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = tf.nn.leaky_relu(x) if x is not points else x
            x = x @ weight + bias  # [K,N,width]
        return x[..., 0]

    def lines(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Points of the data's line and of the generators', each [K,N,2]."""
        shape = [*self.theta.shape, POINTS]
        heights = [self.random.uniform(shape) for _ in range(2)]
        moved = tf.broadcast_to(self.theta[:, None], shape)
        return tf.stack([tf.zeros(shape), heights[0]], axis=-1), tf.stack([moved, heights[1]], axis=-1)

    def penalty(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """Of slopes other than 1 between the two lines, [K] (Gulrajani et al. 2017)."""
        between = real + self.random.uniform([*real.shape[:2], 1]) * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(between)
            scores = self.scores(between)
        slopes = tf.norm(tape.gradient(scores, between) + 1e-12, axis=-1)  # [K,N]
        return 10 * tf.reduce_mean((slopes - 1) ** 2, axis=1)

    @tf.function
    def improve(self, steps: tf.Tensor) -> tf.Tensor:
        """So many steps of the discriminators -> what they measure then, [K]."""
        value = tf.zeros_like(self.theta)
        for _ in tf.range(steps):
            real, fake = self.lines()
            with tf.GradientTape() as tape:
                value = self.distance.value(self.scores(real), self.scores(fake))
                loss = -value
                if self.distance.lipschitz:
                    loss += self.penalty(real, fake)
            variables = self.weights + self.biases
            self.adam.apply(tape.gradient(loss, variables), variables)
        return value

    @tf.function
    def move(self) -> None:
        """A step of the generators along the gradient of what the discriminators measure."""
        with tf.GradientTape() as tape:
            real, fake = self.lines()
            value = self.distance.value(self.scores(real), self.scores(fake))
        self.theta.assign_sub(RATE * tape.gradient(value, self.theta))


def measured(distance: Distance) -> np.ndarray:
    """What trained discriminators measure at each of THETAS."""
    game = Game(distance, THETAS)
    return game.improve(tf.constant(2 * FIRST_STEPS)).numpy()


def learnt(distance: Distance) -> np.ndarray:
    """Theta of each generator after each of its steps, [1 + GENERATOR_STEPS, K]."""
    game = Game(distance, STARTS, seed=2)
    thetas = [game.theta.numpy()]
    game.improve(tf.constant(FIRST_STEPS))
    for _ in range(GENERATOR_STEPS):
        game.improve(tf.constant(BETWEEN_STEPS))
        game.move()
        thetas.append(game.theta.numpy())
    return np.stack(thetas)


def draw(path: str) -> None:
    """Measures, trains, and writes the figure."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), constrained_layout=True)
    exact = {"Wasserstein": np.abs(THETAS), "Jensen-Shannon": np.where(THETAS, np.log(2), np.nan)}
    for distance in DISTANCES:
        began, values, thetas = time.monotonic(), measured(distance), learnt(distance)
        print(f"{distance.title}: at theta = 0.5 {values[15]:.3g}; theta goes from {STARTS[0]:g} to "
              f"{thetas[-1].mean():.3f} (+- {thetas[-1].std():.3f}); {time.monotonic() - began:.0f} s")  # fmt: skip
        if distance.title in exact:
            left.plot(THETAS, exact[distance.title], color=distance.colour, lw=1)
        above = values > TOP
        left.plot(THETAS[~above], values[~above], "o", ms=4, color=distance.colour, label=distance.title)
        left.plot(THETAS[above], np.full(above.sum(), TOP), "^", ms=6, color=distance.colour, clip_on=False)
        right.plot(thetas, color=distance.colour, lw=1)
        right.plot([], color=distance.colour, label=distance.title)
    left.set(
        xlabel="theta", ylabel="distance", ylim=(-0.05, TOP), title="lines: exact, dots: measured; KL is off the scale"
    )
    right.set(xlabel="step of the generator", ylabel="theta", ylim=(-0.2, 1), title="what a generator learns")
    right.axhline(0, color="0.7", lw=0.8, zorder=0)
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=110)
    print(f"wrote {path}")


if __name__ == "__main__":
    draw(sys.argv[1] if len(sys.argv) > 1 else "parallel_lines.png")
