"""Multiplicative noise in the discriminator: paper appendix B, against the escalation of least squares.

With least squares the networks can drive each other's signals up without end, most of all when the scores of the reals
come near 1 or pass it. So the more certain the discriminator is of the reals, the more noise disturbs it:
magnitude = 0.2 * max(0, d - 0.5)^2, where d is the running score, the moving average of its output. Which output the
paper does not say; here it is the mean score of the reals of the global minibatch, after each discriminator step.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import tensorflow as tf

from pgan_tf.layers.minibatch import Microbatch


def follow(running_score: tf.Tensor, score: tf.Tensor) -> tf.Tensor:
    """The running score after one more discriminator step, whose reals had the mean score `score`."""
    return 0.1 * score + 0.9 * running_score


def magnitude(running_score: tf.Tensor, strength: float) -> tf.Tensor:
    """The standard deviation of the noise; the paper's strength is 0.2. 0 up to a running score of 0.5."""
    return strength * tf.square(tf.maximum(running_score - 0.5, 0.0))


class Noise:
    """x -> x * (1 + magnitude * n), where n is standard normal, another number for each element and at every call.

    (The paper says neither that it is per element nor that it is not.) The numbers follow from `seed` [2] and the count
    of calls: whoever asks in the same order gets the same. They are drawn in the precision of `magnitude` [], not in
    that of x. A `microbatch` of a minibatch gets those that its samples have in the whole one.
    """

    def __init__(self, magnitude: tf.Tensor, seed: tf.Tensor, microbatch: Microbatch | None = None):
        self.magnitude, self.seed, self.microbatch, self.calls = magnitude, seed, microbatch, 0

    def tensors(self) -> list[tf.Tensor]:
        """What the numbers follow from."""
        return [self.magnitude, self.seed, *([self.microbatch.index] if self.microbatch else [])]

    def over(self, tensors: Sequence[tf.Tensor], calls: int) -> Noise:
        """The same noise of other such tensors, after so many calls."""
        magnitude, seed, *index = tensors
        noise = Noise(magnitude, seed, self.microbatch and self.microbatch._replace(index=index[0]))
        noise.calls = calls
        return noise

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        seed = tf.random.experimental.stateless_fold_in(self.seed, tf.constant(self.calls, tf.int64))
        self.calls += 1
        draw = functools.partial(tf.random.stateless_normal, seed=seed, dtype=self.magnitude.dtype)
        n = self.microbatch.of_whole(tf.shape(x), draw) if self.microbatch else draw(tf.shape(x))
        return x * tf.cast(1.0 + self.magnitude * n, x.dtype)
