"""The samples that a run learns from, and those that it is only judged by."""

from __future__ import annotations

import numpy as np

SEED = 0  # one part for all runs, whatever their seed, so that their scores are of the same samples


def trained(count: int, share: float) -> int:
    """How many of `count` samples a run with --holdout of `share` learns from."""
    return len(split(count, share)[0])


def split(count: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """(trained, held out): indices into `count` samples, rising; about `share` of them are held out.

    The parts of a data set with more held out contain those with less.
    """
    held_out = round(share * count)
    order = np.random.default_rng(SEED).permutation(count)
    return np.sort(order[held_out:]), np.sort(order[:held_out])
