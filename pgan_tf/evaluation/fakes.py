"""A generator as a set of images or points: the same ones at every reading, whoever reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from pgan_tf.evaluation.varied import varied
from pgan_tf.grids import to_uint8
from pgan_tf.latents import LATENTS, Purpose, stream
from pgan_tf.metrics.saliency import Varied

BATCH = 32  # images at a time; part of what determines the latents, so never to be changed

Draw = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # latents [n,L], labels [n,K] -> images [n,R,R,C] or points [n,2]


class GeneratedImages:
    """Samples of fixed random latents; iterating yields uint8 [n,resolution,resolution,C] without end in sight.

    Sample i depends on the seed and on i only, so the first 1000 of two readings are the same. A network of a stage
    below `resolution` has its pixels repeated, as in the original. Points in the plane are yielded as they are, [n,2].
    """

    def __init__(
        self, draw: Draw, latent_size: int, seed: int, resolution: int,
        labels: np.ndarray | None = None, latents: str = "gaussian",
    ):  # fmt: skip
        """`labels`: [M,K] float32, of which each image gets a random one; None for a network without labels."""
        self._draw, self._latent_size, self._seed, self._resolution = draw, latent_size, seed, resolution
        self._labels = np.zeros((1, 0), np.float32) if labels is None else labels
        self._latents = LATENTS[latents]

    def varied(self) -> Varied:
        """Samples that differ in some components of their latents alone."""
        images = next(iter(self)).ndim == 4
        return varied(self._draw, self._latent_size, self._seed, self._labels, self._latents, images)

    def __iter__(self) -> Iterator[np.ndarray]:
        batch = 0
        while True:
            latents = self._latents([BATCH, self._latent_size], stream(self._seed, Purpose.EVALUATION, batch))
            rows = np.random.default_rng([self._seed, batch]).integers(len(self._labels), size=BATCH)
            samples = self._draw(latents, tf.constant(self._labels[rows])).numpy()
            yield self._enlarged(to_uint8(samples)) if samples.ndim == 4 else samples
            batch += 1

    def _enlarged(self, images: np.ndarray) -> np.ndarray:
        repeats = self._resolution // images.shape[1]
        return images.repeat(repeats, axis=1).repeat(repeats, axis=2)
