"""Mode counts: how many kinds of things does a generator make, and in which proportions?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .errors import MetricError

STACKED_MODES = 1000  # three digits


def mode_statistics(
    modes: np.ndarray, total: int = STACKED_MODES, reference: np.ndarray | None = None
) -> dict[str, float]:
    """Of the mode of each generated image, int [N] in 0..total-1 -> {"modes": how many occur, "kl": KL divergence}.

    The divergence is the reverse one, KL(p_fake || p_real) = sum p_fake log(p_fake / p_real), in nats, as in Metz et
    al. 2016 (unrolled GAN) and table 4 of Karras et al. 2018; modes that no fake has add nothing. p_real is uniform, or
    the frequencies of `reference`, the modes of real images. N samples of `total` equal modes do not reach 0, but about
    total / (2 N).

    Raises:
        MetricError: no images, a mode outside the range, or fakes in a mode of which `reference` has none.
    """
    p = _frequencies(modes, total)  # [total]
    q = np.full(total, 1 / total) if reference is None else _frequencies(reference, total)
    present = p > 0
    missing = int((present & (q == 0)).sum())
    if missing:
        raise MetricError(
            f"{missing} modes of the fakes have no real image, so the divergence is infinite; give more reals"
        )
    kl = (p[present] * np.log(p[present] / q[present])).sum()
    return {"modes": int(present.sum()), "kl": max(0.0, float(kl))}


def mode_count(scores: np.ndarray, reference: np.ndarray | None = None) -> dict[str, float]:
    """`mode_statistics` of a classifier's logits or probabilities [N,K]: an image's mode is its likeliest class.

    `reference` are the scores of real images [M,K]; None stands for classes of equal frequency.
    """
    classes = np.shape(scores)[-1]
    real = None if reference is None else _likeliest(reference)
    return mode_statistics(_likeliest(scores), classes, real)


def stacked_modes(classify: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """The modes of stacked MNIST, uint8 [N,H,W,3] -> int64 [N] in 0..999: 100 x digit in red + 10 x green + blue.

    `classify` maps grey images uint8 [n,H,W,1] to digits 0..9, [n]; it is called once, with n = 3 N. Metz et al. 2016.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3:
        raise MetricError(f"images of shape {images.shape}: stacked digits are [N,H,W,3]; one digit a channel")
    grey = np.moveaxis(images, -1, 0).reshape(-1, *images.shape[1:3], 1)  # [3N,H,W,1], all red ones first
    digits = np.asarray(classify(grey)).reshape(3, len(images)).astype(np.int64)  # [3,N]
    if digits.size and (digits.min() < 0 or digits.max() > 9):
        raise MetricError(f"the classifier says {digits.min()}..{digits.max()}: it must say digits 0..9")
    return np.array([100, 10, 1]) @ digits  # [N]


def _likeliest(scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores)
    if scores.ndim != 2 or not np.isfinite(scores).all():
        raise MetricError(f"scores of shape {scores.shape}: they must be [images, classes], without NaN or infinity")
    return scores.argmax(axis=1)  # [N]


def _frequencies(modes: np.ndarray, total: int) -> np.ndarray:
    modes = np.asarray(modes)
    if modes.ndim != 1 or modes.dtype.kind not in "iu" or not len(modes):
        raise MetricError(f"modes {modes.dtype} {modes.shape}: give one integer an image, and at least one image")
    if modes.min() < 0 or modes.max() >= total:
        raise MetricError(f"modes {modes.min()}..{modes.max()}: with {total} modes they must be 0..{total - 1}")
    return np.bincount(modes, minlength=total) / len(modes)
