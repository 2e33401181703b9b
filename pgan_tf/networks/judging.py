"""What a discriminator says of single samples, also one that goes by their company."""

from __future__ import annotations

import numpy as np

from pgan_tf.networks.base import DiscriminatorNetwork
from pgan_tf.stages import Fade

MOST = 2**15  # samples in a pass


def scores(discriminator: DiscriminatorNetwork, samples: np.ndarray, reals: np.ndarray, fade: Fade) -> np.ndarray:
    """Of each sample [N, *shape], as if it were the only fake in a group of reals [M, *shape]: [N].

    So it depends on nothing but the sample. A discriminator without groups sees none of the reals.
    """
    others = max(discriminator.together, 1) - 1  # reals to a sample
    size, parts = max(MOST // (others + 1), 1), []
    for begin in range(0, len(samples), size):
        part = samples[begin : begin + size]
        company = np.repeat(reals[np.arange(others) % len(reals)], len(part), axis=0)  # [others*n, *shape]
        # Sample i of N is in group i mod (N / group size): the n-th with the n-th of each real.
        output = discriminator(np.concatenate([part, company]).astype(np.float32), **fade.options(), training=False)
        parts.append(output.scores.numpy()[: len(part)])
    return np.concatenate(parts)
