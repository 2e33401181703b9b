"""A generator as two functions on NumPy arrays: `first`, its first layer, and `rest`, all others.

Between the two lie truncation and directions. Engines keep nothing of what they are asked, so threads may share them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import tensorflow as tf

from pgan_tf import growth
from pgan_tf.config import Config
from pgan_tf.inference.load import load_generator
from pgan_tf.inference.sample import batch_size
from pgan_tf.networks import Generator


class Engine(Protocol):
    """What the page needs of a network.

    Attributes:
        path: the file that it came from.
        latent_size, label_size, resolution, num_channels: as of a Generator.
        kind: of its latents, a name of LATENTS.
        parted: whether `first` and `rest` are there; else there is `whole` alone.
        network: the Keras network, through which gradients flow; None of another runtime. config: of its run, or None.
    """

    path: Path
    latent_size: int
    label_size: int
    resolution: int
    num_channels: int
    kind: str
    parted: bool
    network: Generator | None
    config: Config | None

    def first(self, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """float32 [N,L], [N,K] -> what the first layer makes of them, float32 [N,..]."""

    def rest(self, x: np.ndarray) -> np.ndarray:
        """What `first` gave -> images float32 [N,R,R,C], about -1..1."""

    def whole(self, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Both in one: float32 [N,L], [N,K] -> images float32 [N,R,R,C]."""


class KerasEngine:
    """A run's newest snapshot, a .keras file or an imported network; in float32, whatever it was trained in."""

    parted = True

    def __init__(self, path: Path):
        loaded = load_generator(path)
        network = growth.float32_copy(loaded.network)
        self.path, self.network, self.config = loaded.path, network, loaded.config
        self.latent_size, self.label_size = network.latent_size, network.label_size
        self.resolution, self.num_channels = network.resolution, network.num_channels
        self.kind = network.options.latents
        rows = [tf.TensorSpec([None, size], tf.float32) for size in (self.latent_size, self.label_size)]
        self._first = tf.function(lambda latents, labels: network.project((latents, labels)), input_signature=rows)
        self._whole = tf.function(lambda latents, labels: network((latents, labels)), input_signature=rows)
        some = self._first(*(np.zeros((1, row.shape[1]), np.float32) for row in rows))  # [1,S,S,C]
        between = [tf.TensorSpec([None, *some.shape[1:]], tf.float32)]
        self._rest = tf.function(network.synthesize, input_signature=between)

    def first(self, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return self._first(latents, labels).numpy()

    def rest(self, x: np.ndarray) -> np.ndarray:
        return in_parts(lambda part: self._rest(part).numpy(), self.resolution, x)

    def whole(self, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return in_parts(lambda *part: self._whole(*part).numpy(), self.resolution, latents, labels)


def in_parts(function, resolution: int, *arrays: np.ndarray) -> np.ndarray:
    """Of rows so many at a time that large images fit into memory."""
    step = batch_size(resolution)
    parts = [function(*(array[i : i + step] for array in arrays)) for i in range(0, len(arrays[0]), step)]
    return np.concatenate(parts)
