"""A loaded network together with what the user wants of it: which latents, which labels, how typical."""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.inputs import draw_latents, label_rows, read_latents
from pgan_tf.inference.load import Loaded
from pgan_tf.inference.sample import Sampler
from pgan_tf.inference.spaces import SPACES, Space
from pgan_tf.latents import Purpose


class Drawing:
    """Gives latents and labels by number, and pictures of them.

    Attributes: loaded; network; sampler; seed.
    """

    def __init__(
        self, loaded: Loaded, seed: int = 0, truncation: float = 1.0, labels: str = "",
        latents: str | os.PathLike | None = None,
    ):  # fmt: skip
        """`labels`: see inputs.label_rows. `latents`: a .npy file whose rows are used instead of random ones."""
        if seed < 0:
            raise GenerateError(f"--seed={seed}: must be at least 0")
        if not 0 <= truncation <= 1:
            raise GenerateError(f"--truncation={truncation:g}: must be from 0, the average picture, to 1, none")
        self.loaded, self.network, self.seed = loaded, loaded.network, seed
        if truncation < 1 and not hasattr(self.network, "project"):
            raise GenerateError(
                f"--truncation={truncation:g}: is for --family=progressive, this network is of {self.network.family}"
            )
        self.sampler = Sampler(self.network, truncation)
        self._labels, self._file = labels, latents
        self._rows = None if latents is None else read_latents(latents, self.network.latent_size)
        self.labels(1)  # a wrong --labels is found before any work

    @property
    def given(self) -> int:
        """How many latents the user's file has; 0 without one."""
        return 0 if self._rows is None else len(self._rows)

    def latents(self, count: int) -> np.ndarray:
        """The first `count` latents, float32 [count,L]: of the file, or random."""
        if self._rows is None:
            return self.random(count)
        if count > self.given:
            raise GenerateError(f"--latents={self._file}: has {self.given} rows; {count} are needed")
        return self._rows[:count]

    def random(self, count: int, purpose: Purpose = Purpose.GENERATE, seed: int | None = None) -> np.ndarray:
        """Random latents of the network's distribution, float32 [count,L], whatever the file."""
        seed = self.seed if seed is None else seed
        return draw_latents(count, self.network.latent_size, seed, self.network.options.latents, purpose)

    def normal(self, count: int, purpose: Purpose) -> np.ndarray:
        """Standard normal numbers, float32 [count,L], whatever the network's distribution."""
        return draw_latents(count, self.network.latent_size, self.seed, "gaussian", purpose)

    @property
    def space(self) -> Space:
        """What ways lead through the network's latents."""
        return SPACES[self.network.options.latents]

    def onto(self, rows: np.ndarray) -> np.ndarray:
        """Mixtures of latents [..,L] -> the nearest latents of the network's distribution."""
        return self.space.onto(tf.constant(rows)).numpy()

    def labels(self, count: int) -> np.ndarray:
        """The labels of the first `count` pictures, float32 [count,label_size]."""
        return label_rows(self._labels, self.network.label_size, count, self.seed)

    def pictures(self, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """float32 [N,L], [N,label_size] -> uint8 [N,R,R,C]."""
        return np.stack(list(self.sampler.stream(latents, labels)))
