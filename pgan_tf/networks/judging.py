"""What a discriminator says of single samples, also one that goes by their company."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from pgan_tf.networks.base import DiscriminatorNetwork
from pgan_tf.stages import Fade

MOST = 2**15  # samples, or pairs of a group, in a pass
PIXELS = 2**19  # in a pass


class Judge(NamedTuple):
    """Samples [N, *shape] -> the score of each [N], as if it were the only fake in a group of reals [M, *shape].

    So it depends on nothing but the sample. A discriminator without groups sees none of the reals.
    """

    discriminator: DiscriminatorNetwork
    reals: np.ndarray
    fade: Fade

    @property
    def group(self) -> int:
        """Samples that are looked at to judge one: what the score of one costs."""
        return max(self.discriminator.together, 1)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        whole = PIXELS // (self.group * pixels(samples))
        size, parts = max(min(MOST // self.group**2, whole), 1), []  # a group may compare each with each
        for begin in range(0, len(samples), size):
            part = samples[begin : begin + size]
            others = self.reals[np.arange(self.group - 1) % len(self.reals)]
            company = np.repeat(others, len(part), axis=0)  # [others*n, *shape]
            # Sample i of N is in group i mod (N / group size): the n-th with the n-th of each real.
            batch = np.concatenate([part, company]).astype(np.float32)
            output = self.discriminator(batch, **self.fade.options(), training=False)
            parts.append(output.scores.numpy()[: len(part)])
        return np.concatenate(parts)


def pixels(samples: np.ndarray) -> int:
    """Of one of the samples [N, ..., C]; a point in the plane has one."""
    return math.prod(samples.shape[1:-1])
