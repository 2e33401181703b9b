"""A trained generator as a source of pictures: the same latents give the same pictures, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from pgan_tf.grids import to_uint8
from pgan_tf.inference.truncation import centres
from pgan_tf.networks import Generator


def batch_size(resolution: int) -> int:
    """Images at a time: 32, fewer above 128x128 so that memory stays small, never under 4.

    Fixed for a resolution because the kernels of another batch may round the last bit otherwise.
    """
    return min(32, max(4, 2**20 // resolution**2))


class Sampler:
    """Pictures of one generator.

    Picture i of a stream is always row i modulo the batch of a full batch (the last one is padded), so how many
    pictures are asked for, and how many are taken, changes none of them.
    """

    def __init__(self, network: Generator, truncation: float = 1.0):
        """`truncation`: 1 = none, 0 = the average picture; see truncation.py."""
        self.network, self.batch = network, batch_size(network.resolution)
        self._truncation = truncation
        self._draw = tf.function(self._truncated if truncation < 1 else self._plain)

    def _plain(self, latents: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return self.network((latents, labels))  # [N,R,R,C]

    def _truncated(self, latents: tf.Tensor, labels: tf.Tensor, centre: tf.Tensor) -> tf.Tensor:
        x = self.network.project((latents, labels))  # [N,4,4,C]
        return self.network.synthesize(centre + self._truncation * (x - centre))  # [N,R,R,C]

    def stream(self, latents: np.ndarray, labels: np.ndarray) -> Iterator[np.ndarray]:
        """float32 [N,L], [N,label_size] -> N pictures, uint8 [R,R,C], one after the other."""
        for images in self._batches(latents, labels):
            yield from to_uint8(images)

    def points(self, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """float32 [N,L], [N,label_size] -> N points [N,2], of a network that makes these."""
        return np.concatenate(list(self._batches(latents, labels)))

    def _batches(self, latents: np.ndarray, labels: np.ndarray) -> Iterator[np.ndarray]:
        """float32 [N,L], [N,label_size] -> what the network makes, in parts."""
        inputs = [latents, labels]
        if self._truncation < 1:
            rows, of_row = np.unique(labels, axis=0, return_inverse=True)
            table, of_row = centres(self.network, rows), of_row.reshape(-1)  # numpy 2.0 kept an axis
        waiting = None  # a batch that an accelerator is still busy with
        for begin in range(0, len(latents), self.batch):
            part = [_padded(array[begin : begin + self.batch], self.batch) for array in inputs]
            if self._truncation < 1:
                part.append(table[_padded(of_row[begin : begin + self.batch], self.batch)])  # [B,4,4,C]
            images = self._draw(*map(tf.constant, part))
            if waiting is not None:
                yield waiting.numpy()
            waiting = images
        if waiting is not None:
            yield waiting.numpy()[: (len(latents) - 1) % self.batch + 1]


def _padded(rows: np.ndarray, count: int) -> np.ndarray:
    """[n,..] -> [count,..]: the last row once more and again."""
    return rows if len(rows) == count else np.concatenate([rows, np.repeat(rows[-1:], count - len(rows), axis=0)])
