"""Truncation for a progressive GAN: typical pictures in exchange for variety.

A generator that puts its latents on the hypersphere has no use for the usual truncations: it undoes a scaling, the
sphere has no centre to move to, and latents of bounded numbers (|z_i| < t, as in BigGAN) are, once normalised, as good
as any others. What has a centre is the first layer's output, as the intermediate latents of StyleGAN have: its mean
over all latents. Features are moved towards it,

    x -> centre + truncation * (x - centre),    centre = the mean over latents, for the same label,

and 1 changes nothing, 0 gives the average picture (of the label), and the way between is continuous.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from pgan_tf.inference.inputs import draw_latents
from pgan_tf.latents import Purpose
from pgan_tf.networks import Generator

DRAWS = 1024  # latents that the mean is taken over


def centres(network: Generator, labels: np.ndarray) -> np.ndarray:
    """The mean output of the first layer for each label [M,label_size]: float32 [M,4,4,C].

    Depends on the network only: the latents, of its distribution, are always the same.
    """
    project = tf.function(lambda latents, labels: network.project((latents, labels)))
    given = central_latents(network.latent_size, network.options.latents)
    return means(lambda *rows: project(*map(tf.constant, rows)).numpy(), given, labels)


def central_latents(size: int, distribution: str) -> np.ndarray:
    """Those that the mean is taken over, [DRAWS,size]."""
    return draw_latents(DRAWS, size, 0, distribution, Purpose.CENTRE)


def means(first: Callable[[np.ndarray, np.ndarray], np.ndarray], latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean of what `first` makes of latents [N,L], for each label [M,label_size]: float32 [M,..].

    first: latents [N,L], labels [N,label_size] -> [N,..].
    """
    return np.stack([first(latents, row[None].repeat(len(latents), axis=0)).mean(axis=0) for row in labels])
