"""The latent whose image comes nearest to a given one, found by gradient descent from the best of many random latents.

The learning rate rises and falls as in Karras et al. 2020 (StyleGAN2), appendix D.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from pgan_tf.grids import to_uint8
from pgan_tf.inference.inputs import draw_latents
from pgan_tf.inference.sample import batch_size
from pgan_tf.inference.search.panels import Panel, in_panels
from pgan_tf.inference.search.watching import Watch
from pgan_tf.inference.spaces import SPACES
from pgan_tf.latents import Purpose
from pgan_tf.networks import Generator

RAMP_UP, RAMP_DOWN = 0.05, 0.25  # parts of the steps in which the learning rate rises and falls
SHOWN = (0.0, 0.05, 0.15, 0.4)  # parts of the steps after which the way is shown

Loss = Callable[[tf.Tensor], tf.Tensor]  # images [N,R,R,C], -1..1 -> how far each is from the target [N]


class Search(NamedTuple):
    """How to look for it.

    steps: of the descent. candidates: random latents to begin with, divided among the labels. starts: how many of
    them, the best, descend side by side. learning_rate: of Adam, at its height. seed: of the candidates.
    """

    steps: int = 500
    candidates: int = 512
    starts: int = 4
    learning_rate: float = 0.1
    seed: int = 1000


class Found(NamedTuple):
    """The best latent so far, and what it gives."""

    latent: np.ndarray  # [1,L] float32
    label: np.ndarray  # [1,K] float32
    image: np.ndarray  # uint8 [R,R,C]
    loss: float


class Projection(NamedTuple):
    """`way`: {step: the best until then}, from the best start on. `steps`: those done, fewer after an interruption."""

    found: Found
    way: dict[int, Found]
    steps: int
    interrupted: bool


def pixel_loss(target: np.ndarray) -> Loss:
    """Mean squared difference from `target`, float [R,R,C], -1..1."""
    return lambda images: tf.reduce_mean(tf.square(images - target), axis=[1, 2, 3])  # [N]


def combined(target: np.ndarray, losses: list[tuple[float, Loss]]) -> Loss:
    """The weighted sum of losses against `target` [R,R,C]. Terms of weight 0 are not worked out.

    A picture shows what is beyond -1..1 as -1 or 1. Where the target has one of these, it may be there as well.
    """
    used = [(weight, loss) for weight, loss in losses if weight]
    low, high = np.where(target <= -1, -1.0, -np.inf), np.where(target >= 1, 1.0, np.inf)  # [R,R,C]
    low, high = low.astype(np.float32), high.astype(np.float32)

    def loss(images: tf.Tensor) -> tf.Tensor:
        shown = tf.minimum(tf.maximum(images, low), high)  # [N,R,R,C]
        return tf.add_n([weight * term(shown) for weight, term in used])  # [N]

    return loss


def project(
    network: Generator, loss: Loss, search: Search, labels: np.ndarray | None = None,
    watch: Watch = lambda what, done, total, loss: None,
) -> Projection:  # fmt: skip
    """The best latent that the search finds; never worse than the best start. Ctrl-C during the descent ends it early.

    Args:
        network: where the image is to come from. Its latents stay where random ones are, those that it normalises on
            the sphere of length sqrt(L): without this, a network with labels could drown the label by a long latent.
        loss: what to make small.
        labels: float32 [M,K], those to try; default every class of the network.
        watch: called after each batch of candidates and after each step.
    """
    descent = Descent(network, loss, search.learning_rate, *starts(network, loss, search, labels, watch))
    way, done, interrupted = {0: descent.best()}, 0, False
    shown = {round(part * search.steps) for part in SHOWN}
    try:
        for step in range(search.steps):
            smallest = descent.step(rate_at((step + 1) / search.steps))
            done = step + 1
            watch("steps", done, search.steps, smallest)
            if done in shown:
                way[done] = descent.best()
    except KeyboardInterrupt:
        interrupted = True
    return Projection(descent.best(), way, done, interrupted)


def rate_at(part: float) -> float:
    """Part of the learning rate (0..1) after this part of the steps: a line up, level, half a cosine down."""
    down = min(1.0, (1.0 - part) / RAMP_DOWN)
    return min(1.0, part / RAMP_UP) * (0.5 - 0.5 * math.cos(math.pi * down))


def picture(target: np.ndarray, projection: Projection) -> np.ndarray:
    """uint8 [H,W,3]: the target uint8 [R,R,C], what was found, and the way there."""
    from_start = [(step, found) for step, found in projection.way.items() if step < projection.steps or not step]
    names = ["best start" if step == 0 else f"step {step}" for step, _ in from_start]
    return in_panels(
        [
            Panel("", [[target, projection.found.image]], [["target", "found"]]),
            Panel("the way", [[found.image for _, found in from_start]], [names]),
        ]
    )


class Descent:
    """S latents on their way down, and the best place that each has been at."""

    def __init__(
        self, network: Generator, loss: Loss, learning_rate: float,
        latents: tf.Tensor, labels: tf.Tensor, losses: tf.Tensor,
    ):  # fmt: skip
        self._network, self._loss, self._rate, self._labels = network, loss, learning_rate, labels
        self._latents, self._best = tf.Variable(latents), tf.Variable(latents)  # [S,L]
        self._losses = tf.Variable(losses)  # [S], at `_best`
        self._adam = keras.optimizers.Adam(learning_rate, beta_1=0.9, beta_2=0.999)
        self._adam.build([self._latents])

    def step(self, rate: float) -> float:
        """One step with this part of the learning rate -> the smallest loss so far."""
        self._adam.learning_rate = self._rate * rate
        return float(self._step())

    @tf.function
    def _step(self) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._latents)
            losses = self._loss(self._network((self._latents, self._labels)))  # [S]
            total = tf.reduce_sum(losses)
        better = losses < self._losses
        self._best.assign(tf.where(better[:, None], self._latents, self._best))
        self._losses.assign(tf.where(better, losses, self._losses))
        self._adam.apply([tape.gradient(total, self._latents)], [self._latents])
        self._latents.assign(kept(self._network, self._latents))
        return tf.reduce_min(self._losses)

    def best(self) -> Found:
        """The best of all, and its image."""
        i = int(tf.argmin(self._losses))
        latent, label = self._best[i : i + 1], self._labels[i : i + 1]  # [1,L], [1,K]
        image = to_uint8(self._network((latent, label)).numpy())[0]
        return Found(latent.numpy(), label.numpy(), image, float(self._losses[i]))


def kept(network: Generator, latents: tf.Tensor) -> tf.Tensor:
    """[N,L] -> what of the network's latents is nearest; those that it normalises, at length sqrt(L)."""
    space = SPACES[network.options.latents]
    if np.isfinite(space.largest) or not network.options.normalize_latents:
        return space.onto(latents)
    return latents * tf.math.rsqrt(tf.reduce_mean(tf.square(latents), axis=-1, keepdims=True))


def starts(
    network: Generator, loss: Loss, search: Search, labels: np.ndarray | None, watch: Watch
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The best candidates: latents [S,L], labels [S,K], losses [S]. The same latents are tried with each label."""
    labels = np.eye(max(network.label_size, 1), network.label_size, dtype=np.float32) if labels is None else labels
    each = -(-search.candidates // len(labels))
    drawn = draw_latents(each, network.latent_size, search.seed, network.options.latents, Purpose.PROJECTION)
    latents = tf.repeat(kept(network, tf.constant(drawn)), len(labels), axis=0)  # [each*M,L]
    labels = tf.tile(tf.constant(labels), [each, 1])  # [each*M,K]

    @tf.function(reduce_retracing=True)
    def measure(latents: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return loss(network((latents, labels)))  # [n]

    losses = []
    size = batch_size(network.resolution)
    for begin in range(0, len(latents), size):
        part = slice(begin, begin + size)
        losses.extend(measure(latents[part], labels[part]).numpy())
        watch("candidates", len(losses), len(latents), min(losses))
    best = np.argsort(losses, kind="stable")[: search.starts]  # [S]
    return tf.gather(latents, best), tf.gather(labels, best), tf.gather(tf.constant(losses), best)
