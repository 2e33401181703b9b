"""A generator's samples that differ in some components of their latents alone, for metrics.saliency."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from pgan_tf.grids import to_uint8
from pgan_tf.latents import Purpose, dims_name, doubling_dims, stream
from pgan_tf.metrics.saliency import Varied

Distribution = Callable  # a row of LATENTS

REFERENCES = 0  # of the stream; the draws of reference i are at i + 1


def varied(
    draw: Callable, latent_size: int, seed: int, labels: np.ndarray, latents: Distribution, images: bool
) -> Varied:
    """`draw`, `labels`: those of fakes.GeneratedImages. `images`: else points in the plane.

    The sets of images are 1-8, 9-16, 17-32, .., those by which a growing latent space grows, whatever the network's
    ladder, so that networks can be compared; of points the first component, and the others.
    """
    sets = doubling_dims(latent_size) if images else [range(1), *([range(1, latent_size)] if latent_size > 1 else [])]
    named = {dims_name(dims): dims for dims in sets}
    sample = functools.partial(_groups, draw, latent_size, seed, labels, latents)

    def groups(name: str, references: int, samples: int) -> Iterator[np.ndarray]:
        return sample(named.get(name, range(latent_size)), references, samples)

    return Varied(tuple(named), groups, to_uint8)


def _groups(
    draw: Callable, size: int, seed: int, labels: np.ndarray, distribution: Distribution, dims: range,
    references: int, samples: int,
) -> Iterator[np.ndarray]:  # fmt: skip
    """Groups [samples,...]: a reference's latent, in which `dims` are drawn anew for each sample."""
    whole = distribution([references, size], stream(seed, Purpose.SALIENCY, REFERENCES)).numpy()
    rows = np.random.default_rng([seed, Purpose.SALIENCY]).integers(len(labels), size=references)
    for i in range(references):
        drawn = distribution([samples, size], stream(seed, Purpose.SALIENCY, i + 1)).numpy()
        mixed = np.repeat(whole[i : i + 1], samples, axis=0)
        mixed[:, dims.start : dims.stop] = drawn[:, dims.start : dims.stop]
        label = np.repeat(labels[rows[i] : rows[i] + 1], samples, axis=0)
        yield draw(tf.constant(mixed), tf.constant(label)).numpy()
