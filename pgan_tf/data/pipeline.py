"""The real samples of a run as a tf.data pipeline: sample k of the run is a pure function of (seed, k).

A run counts what it has seen in images; where it learns from points in the plane, these are meant.

Every epoch has its own permutation of the data set, and a batch is read by random access, so there is no shuffle
buffer and no iterator state: the position of a run in its data is one integer, the images seen so far.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pgan_tf.data.errors import DataError
from pgan_tf.data.holdout import split
from pgan_tf.data.samples import Samples
from pgan_tf.latents import Purpose, stream
from pgan_tf.places import is_stored

MOST_ROUNDS = 8  # in a piece; the original's blocks have 4
PIECES_OF_A_STORE = 4  # that are read at the same time, while each waits for its answers


class Rounds(NamedTuple):
    """The data of some rounds: S discriminator steps of N images each, and K generator steps.

    N are all of a minibatch, or those of them that one process of several trains on.
    """

    reals: np.ndarray  # [S,N, *shape of a sample]: uint8 images [S,N,R,R,C], float32 points [S,N,2]
    labels: np.ndarray  # float32 [S,N,L]
    g_labels: np.ndarray  # float32 [K,N,L], drawn at random for the generator's steps


def shuffled_indices(position: int, size: int, count: int, seed: int) -> np.ndarray:
    """Which images are number position .. position + size - 1 of the run: indices [size] into `count` images.

    Each epoch shows each image once, in an order of its own.
    """
    parts, end = [], position + size
    while position < end:
        epoch, offset = divmod(position, count)
        here = min(count - offset, end - position)
        index = tf.range(offset, offset + here, dtype=tf.int64)
        key = stream(seed, Purpose.SHUFFLE, epoch)
        parts.append(tf.random.experimental.index_shuffle(index, key, tf.constant(count - 1, tf.int64)).numpy())
        position += here
    return np.concatenate(parts)


def pieces(rounds: int, done: int = 0) -> list[slice]:
    """The parts in which the rounds of a block are read and trained, from round `done` on: a stop waits for one."""
    return [slice(begin, min(begin + MOST_ROUNDS, rounds)) for begin in range(done, rounds, MOST_ROUNDS)]


def in_order(function: Callable, items: Iterator, at_once: int) -> Iterator:
    """function(item) of items without end, in their order, so many of them at a time, by threads."""
    if at_once == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(at_once, thread_name_prefix="piece") as pool:
        waiting = deque(pool.submit(function, item) for item in itertools.islice(items, at_once))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in itertools.islice(items, 1))
            yield result


class Reals:
    """The samples and labels of a data set in the order of the run."""

    def __init__(self, dataset: Samples, seed: int, label_size: int = 0, holdout: float = 0.0):
        """holdout: the share of them that is never among these."""
        self.dataset, self.seed, self.label_size = dataset, seed, label_size
        self.trained, self.held_out = split(dataset.count, holdout)
        labels = dataset.labels if label_size else np.zeros((dataset.count, 0), np.float32)
        self.labels = labels[:, :label_size].astype(np.float32)

    def first(self, resolution: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The first `size` samples of the run, [size, *shape], and their labels: the reals of the pictures."""
        return self.read(resolution, self._indices(0, size))

    def read(self, resolution: int, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Samples of the data set and their labels."""
        return self.dataset.read(resolution, index), self.labels[index]

    def _indices(self, position: int, size: int) -> np.ndarray:
        return self.trained[shuffled_indices(position, size, len(self.trained), self.seed)]

    def read_rounds(
        self, position: int, resolution: int, minibatch: int, rounds: int, d_repeats: int, part: slice = slice(None),
        own: np.ndarray | slice = slice(None),
    ) -> Rounds:  # fmt: skip
        """The data of `rounds` rounds from image `position` of the run on; of these rounds, `part`.

        own: which samples of each minibatch; only they are read.
        """
        begin, end, _ = part.indices(rounds)
        steps, first = (end - begin) * d_repeats, position + begin * d_repeats * minibatch
        index = self._indices(first, steps * minibatch).reshape(steps, minibatch)[:, own]  # [S,N]
        reals = self.dataset.read(resolution, index.ravel())
        rng = np.random.default_rng([self.seed, Purpose.G_LABELS, position])
        g_index = self.trained[rng.integers(len(self.trained), size=(rounds, minibatch))[begin:end, own]]
        return Rounds(reals.reshape(*index.shape, *reals.shape[1:]), self.labels[index], self.labels[g_index])

    def stream(
        self, position: int, resolution: int, minibatch: int, rounds: int, d_repeats: int, done: int = 0,
        own: np.ndarray | slice = slice(None),
    ) -> RoundStream:  # fmt: skip
        """The data of blocks of rounds without end, from image `position` on, read ahead; close it when done.

        A block of many rounds comes in `pieces`. `done`: so many rounds of the first are left out. own: which samples
        of each minibatch, by default all.
        """
        return RoundStream(self, position, resolution, minibatch, rounds, d_repeats, done, own)


class RoundStream:
    """An iterator of the data of rounds, piece by piece, that tf.data reads ahead, to be closed.

    Closing lets the reader finish. Merely dropping the iterator would wait for the reader's Python code while holding
    the interpreter's lock, which that code needs: seconds, sometimes a minute (TensorFlow 2.21).
    """

    def __init__(
        self, reals: Reals, position: int, resolution: int, minibatch: int, rounds: int, d_repeats: int, done: int = 0,
        own: np.ndarray | slice = slice(None),
    ):  # fmt: skip
        self._open = True
        self._error: Exception | None = None
        steps, labels, n = rounds * d_repeats, reals.label_size, len(np.arange(minibatch)[own])
        samples, dtype = [n, *reals.dataset.shape(resolution)], np.dtype(reals.dataset.dtype)
        signature = Rounds(
            tf.TensorSpec([None, *samples], dtype),
            tf.TensorSpec([None, n, labels], tf.float32),
            tf.TensorSpec([None, n, labels], tf.float32),
        )

        def read():
            parts = ((at, part) for at in itertools.count(position, steps * minibatch)
                     for part in pieces(rounds, done if at == position else 0))  # fmt: skip
            ordered = in_order(
                lambda where: reals.read_rounds(where[0], resolution, minibatch, rounds, d_repeats, where[1], own),
                parts, PIECES_OF_A_STORE if is_stored(reals.dataset.folder) else 1,
            )  # fmt: skip
            with contextlib.closing(ordered):
                while self._open:
                    try:
                        piece = next(ordered)
                    except Exception as error:  # TensorFlow would wrap it into a page of its own
                        self._error = error
                        return
                    yield piece

        # Some 64 MB ahead of the step, at least two pieces: the low resolutions take many small ones per call.
        piece = min(rounds, MOST_ROUNDS) * d_repeats
        ahead = min(max(2, 2**26 // (piece * int(np.prod(samples)) * dtype.itemsize)), 256)
        pipeline = tf.data.Dataset.from_generator(read, output_signature=signature).prefetch(ahead)
        # There is nothing to tune, and the tuner's thread sleeps for up to a minute at a time: dropping the iterator
        # waits for that thread, and has been seen to hold up the end of a run for two.
        options = tf.data.Options()
        options.autotune.enabled = False
        self._pieces = pipeline.with_options(options).as_numpy_iterator()

    def __iter__(self) -> RoundStream:
        return self

    def __next__(self) -> Rounds:
        """The next piece. What the reader met comes in its place; DataError: a file of the data set is not sound."""
        try:
            return next(self._pieces)
        except StopIteration:
            error, self._error = self._error, None
            if error is None:
                raise
        if isinstance(error, DataError):
            raise DataError(f"{error}; then go on with --resume: the run's checkpoints are kept") from error
        raise error

    def close(self) -> None:
        self._open = False
        for _ in self._pieces:  # what was read ahead
            pass
