"""The Inception Score: are single images recognisable, and all of them together varied?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .errors import MetricError


def inception_score(
    logits: np.ndarray, splits: int = 10, shuffle: bool = True, seed: int = 2020
) -> tuple[float, float]:
    """exp(mean over images of KL(p(class | image) || p(class))) -> (mean, population std) over the splits.

    Salimans et al. 2016; 1 at worst, K at best. Rule and defaults are torch-fidelity's: the rows are permuted by a
    RandomState of this seed, split i of N images is [i N // splits, (i + 1) N // splits). The original 2016 code does
    not shuffle. Where probabilities are at hand instead of logits, give their logarithm.

    Args:
        logits: [N,K], any float type; the rest is in float64.

    Raises:
        MetricError: fewer images than splits, or a logit that is not finite.
    """
    scores = [split_score(part) for part in split(logits, splits, shuffle, seed)]
    return float(np.mean(scores)), float(np.std(scores))


def split(logits: np.ndarray, splits: int, shuffle: bool, seed: int) -> list[np.ndarray]:
    """[N,K] -> float64 parts of it, whose sizes differ by at most one; checks as `inception_score` says."""
    logits = np.asarray(logits, np.float64)
    if logits.ndim != 2:
        raise MetricError(f"logits of shape {logits.shape}: they must be [images, classes]")
    if not np.isfinite(logits).all():
        raise MetricError("a logit is NaN or infinite: look at the images and at the extractor's weights")
    if not 1 <= splits <= len(logits):
        raise MetricError(f"{len(logits)} images do not fill {splits} splits; give more images or fewer splits")
    if shuffle:
        logits = logits[np.random.RandomState(seed).permutation(len(logits))]
    edges = [i * len(logits) // splits for i in range(splits + 1)]
    return [logits[begin:end] for begin, end in pairwise(edges)]


def split_score(logits: np.ndarray) -> float:
    """The score of one split, float64 [N,K]."""
    logits = logits - logits.max(axis=1, keepdims=True)  # [N,K]
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))  # [N,K]
    p = np.exp(log_p)
    # A class that no image has any probability of adds 0, not 0 * log 0.
    log_marginal = np.log(np.maximum(p.mean(axis=0), np.finfo(np.float64).tiny))  # [K]
    return float(np.exp((p * (log_p - log_marginal)).sum(axis=1).mean()))
