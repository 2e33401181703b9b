"""Multi-scale structural similarity: how alike are two images? And two of one set: how little does it vary?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .errors import MetricError

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the five scales, the full size first
WINDOW, SIGMA = 11, 1.5  # pixels
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
BLOCK_BYTES = 2**22  # of one float64 array of images: what stays in the cache


def ms_ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of pairs of images, uint8 [N,H,W,C] each -> [N] float64 in 0..1; 1 for equal images.

    Wang, Simoncelli and Bovik 2003, each channel by itself, then averaged, as Odena et al. 2017 and NVIDIA use it: a
    Gaussian window of 11 pixels and sigma 1.5, scaled down where the image is smaller; no padding; between scales the
    mean of 2x2 pixels (an odd last row or column stands twice). A scale where the images correlate negatively counts
    as 0, since a negative number has no such power.

    Raises:
        MetricError: not uint8 images, or shapes that differ.
    """
    a, b = _images(a), _images(b)
    if a.shape != b.shape:
        raise MetricError(f"images {a.shape} against {b.shape}: pairs need one number, size and channel count")
    size = max(1, BLOCK_BYTES // (8 * max(1, int(np.prod(a.shape[1:])))))
    parts = [_product(a[i : i + size], b[i : i + size]) for i in range(0, len(a), size)]
    return np.concatenate(parts) if parts else np.zeros(0)  # [N]


def mean_ms_ssim(images: np.ndarray | Iterable[np.ndarray], pairs: int = 10000, seed: int = 2020) -> float:
    """The mean similarity of `pairs` random pairs of different images of one set: the lower, the more varied.

    Odena et al. 2017 (AC-GAN); 10000 pairs as in Karras et al. 2018. Compare with the same number for the real images.

    Args:
        images: uint8 [N,H,W,C], or batches of them, which are collected (uint8: 0.5 GB for 10000 of 128x128).

    Raises:
        MetricError: fewer than 2 images, or no pairs.
    """
    if not isinstance(images, np.ndarray):
        batches = [_images(batch) for batch in images]
        images = np.concatenate(batches) if batches else np.zeros((0, 1, 1, 1), np.uint8)
    if len(images) < 2 or pairs < 1:
        raise MetricError(f"{pairs} pairs of {len(images)} images: it needs at least 1 pair and 2 images; give more")
    random = np.random.default_rng(seed)
    first = random.integers(len(images), size=pairs)
    second = (first + random.integers(1, len(images), size=pairs)) % len(images)  # another image than the first
    size = 1024  # pairs to copy at a time
    parts = [ms_ssim(images[first[i : i + size]], images[second[i : i + size]]) for i in range(0, pairs, size)]
    return float(np.concatenate(parts).mean())


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = (np.moveaxis(x, -1, 1).astype(np.float64, order="C") for x in (a, b))  # [N,C,H,W]
    result = np.ones(len(a))
    for scale, weight in enumerate(WEIGHTS):
        last = scale == len(WEIGHTS) - 1
        similarity, contrast = ssim(a, b)
        result *= np.maximum(similarity if last else contrast, 0) ** weight
        if not last:
            a, b = _halve(a), _halve(b)
    return result


def ssim(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of float64 [N,C,H,W] in 0..255 -> (similarity [N], its part of contrast and structure [N]). Wang et al. 2004."""
    rows, columns = _window(a.shape[2]), _window(a.shape[3])  # [H,H'], [W,W']

    def smooth(x: np.ndarray) -> np.ndarray:
        return rows.T @ (x @ columns)  # [N,C,H',W']

    mean_a, mean_b = smooth(a), smooth(b)
    squares, products = mean_a**2 + mean_b**2, mean_a * mean_b
    variances = smooth(a**2 + b**2) - squares
    covariance = smooth(a * b) - products
    contrast = (2 * covariance + C2) / (variances + C2)
    similarity = contrast * (2 * products + C1) / (squares + C1)
    return similarity.mean(axis=(1, 2, 3)), contrast.mean(axis=(1, 2, 3))


def _window(size: int) -> np.ndarray:
    """The Gaussian window at every place where it fits, as the columns of a matrix [size, size - window + 1]."""
    window = min(WINDOW, size)
    offsets = np.arange(window) - (window - 1) / 2
    weights = np.exp(-0.5 * (offsets / (SIGMA * window / WINDOW)) ** 2)  # [window]
    matrix = np.zeros((size, size - window + 1))
    for place in range(size - window + 1):
        matrix[place : place + window, place] = weights / weights.sum()
    return matrix


def _halve(x: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels: [N,C,H,W] -> [N,C,ceil(H/2),ceil(W/2)]."""
    n, c, h, w = x.shape
    x = np.pad(x, ((0, 0), (0, 0), (0, h % 2), (0, w % 2)), mode="edge")
    return x.reshape(n, c, (h + 1) // 2, 2, (w + 1) // 2, 2).mean(axis=(3, 5))


def _images(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4:
        raise MetricError(f"{images.dtype} {images.shape}: give uint8 images [N,H,W,C]")
    return images
