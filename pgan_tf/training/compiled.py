"""Whole rounds as one program of XLA, for --jit on one device.

A round of a small network is a few hundred tiny operations, and starting them takes longer than computing them; XLA
makes loops of machine code of them. A program is compiled for one number of rounds, so that it always gets as many, the
first `count` of which it trains. Its own random generator would draw other numbers: it is given those of the run.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from pgan_tf.training.feed import Batch, Feed

_MOST_ROUNDS, _MOST_BYTES = 256, 2**25  # of data that a program is given at once


def rounds_at_once(feed: Feed) -> int:
    """So many rounds a program gets."""
    numbers = tf.TensorShape(feed.state.generator.sample_shape).num_elements() + 2 * feed.state.generator.latent_size
    return max(1, min(_MOST_ROUNDS, _MOST_BYTES // (4 * numbers * feed.minibatch * feed.config.growth.D_repeats)))


class CompiledRounds:
    """(batch, controls) of K rounds -> their results [K,M], some at a time by a compiled program.

    train: (batch, controls, count) -> [R,M] for R rounds at once, of which the first `count` are trained.
    """

    def __init__(self, feed: Feed, train: Callable):
        self.feed, self.at_once = feed, rounds_at_once(feed)
        self.program = tf.function(train, jit_compile=True)

    def __call__(self, batch: Batch, controls) -> tf.Tensor:
        count = tf.shape(controls.ema_decay)[0]
        batch = batch._replace(numbers=self.feed.ahead(controls.first_round, count))
        parts = (count + self.at_once - 1) // self.at_once
        results = tf.TensorArray(self.feed.dtype, size=parts)
        for i in tf.range(parts):
            first = i * self.at_once
            part = self._part(batch, controls, first, count)
            results = results.write(i, self.program(*part, tf.minimum(count - first, self.at_once)))  # [R,M]
        return results.concat()[:count]  # [K,M]

    def _part(self, batch: Batch, controls, first: tf.Tensor, count: tf.Tensor):
        """Data and controls of R rounds from `first` on; what lies beyond the last is the last again."""
        rounds = tf.minimum(first + tf.range(self.at_once), count - 1)  # [R]
        repeats = self.feed.config.growth.D_repeats
        steps = tf.reshape(rounds[:, None] * repeats + tf.range(repeats), [-1])  # [R] -> [R*repeats]
        numbers = {name: tf.gather(x, rounds if name == "G_LATENTS" else steps) for name, x in batch.numbers.items()}
        chosen = Batch(
            tf.gather(batch.reals, steps), tf.gather(batch.labels, steps), tf.gather(batch.g_labels, rounds), numbers
        )
        first_round = controls.first_round + tf.cast(first, tf.int64)
        series = {name: part for name, part in controls._asdict().items() if name != "first_round"}
        series = tf.nest.map_structure(lambda x: tf.gather(x, rounds), series)  # [K] -> [R] each
        return chosen, controls._replace(**series, first_round=first_round)
