"""How sharp a picture is, from its power spectrum.

Karras et al. 2018 (appendix C) rank their pictures by a metric that "favors images whose power spectra contain a broad
range of frequencies and are approximately radially symmetric", and give no formula. This one is ours:

    P(u) = |FFT(w (L - m))|^2 / sum(w^2)          L luminance, w a Hann window, m the mean of L under w
    M(k, a)                                       mean of P in ring k and sector a
    detail(k) = log(mean_a M(k, a)) - log(mean P) how much of the picture's energy is that fine
    uneven(k) = log(mean_a M(k, a)) - mean_a log(M(k, a))     0 for radial symmetry, else more
    score     = mean_k(detail - 2 uneven), less the mean of the same over the set

with 8 rings, a quarter of an octave each, from 1/8 cycle per pixel to 1/2 (the finest two octaves), and 12 sectors of
the half plane. 1/12, the power of rounding to whole numbers, is added to every M and to mean P. Natural logarithms: a
picture with score -1 has e times less fine detail than the set's mean. By the factor 2, energy in one direction
(halftone, JPEG blocks, interlacing) lowers the score though it adds detail. Noise counts as detail; no spectrum tells
them apart.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LEAST_RESOLUTION = 64  # below it, some of the bins are empty
_RINGS, _SECTORS = 8, 12
_LOWEST, _HIGHEST = 1 / 8, 1 / 2  # cycles per pixel
_UNEVEN = 2.0
_ROUNDING = 1 / 12
_LUMINANCE = np.array([0.299, 0.587, 0.114])


def spectrum(picture: np.ndarray) -> np.ndarray:
    """uint8 [R,R,3] -> float64 [2,rings]: `detail` and `uneven`. R a power of two, 64 or more."""
    side = len(picture)
    window, bins = _window(side), _bins(side)
    luminance = picture @ _LUMINANCE  # [R,R]
    luminance -= (luminance * window).sum() / window.sum()
    power = np.abs(np.fft.rfft2(luminance * window)) ** 2 / (window**2).sum()  # [R,R/2+1]
    counts = np.bincount(bins.ravel(), minlength=_RINGS * _SECTORS + 1)
    sums = np.bincount(bins.ravel(), power.ravel(), minlength=len(counts))
    means = (sums / counts)[1:].reshape(_RINGS, _SECTORS) + _ROUNDING  # bin 0: the rest of the plane
    ring = np.log(means.mean(axis=1))
    return np.stack([ring - np.log(power.mean() + _ROUNDING), ring - np.log(means).mean(axis=1)])


def scores(spectra: np.ndarray) -> np.ndarray:
    """[N,2,rings] -> float64 [N], relative to the set: 0 is its mean, the blurred are far below."""
    detail, uneven = spectra[:, 0].mean(axis=1), spectra[:, 1].mean(axis=1)  # [N]
    absolute = detail - _UNEVEN * uneven
    return absolute - absolute.mean()


@lru_cache(maxsize=2)
def _window(side: int) -> np.ndarray:
    """[R,R], 0 at the edges: they would count as detail."""
    line = np.hanning(side + 1)[:-1]
    return line[:, None] * line


@lru_cache(maxsize=2)
def _bins(side: int) -> np.ndarray:
    """int [R,R/2+1]: 1 + ring * sectors + sector of each frequency, 0 beyond the rings."""
    x, y = np.fft.rfftfreq(side), np.fft.fftfreq(side)[:, None]
    radius = np.hypot(x, y)
    octaves = np.log2(np.maximum(radius, 1e-9) / _LOWEST)
    ring = np.floor(octaves * _RINGS / np.log2(_HIGHEST / _LOWEST)).astype(int)
    sector = np.floor(np.arctan2(y, x) % np.pi * _SECTORS / np.pi).astype(int) % _SECTORS
    inside = (ring >= 0) & (ring < _RINGS)
    return np.where(inside, 1 + ring * _SECTORS + sector, 0)
