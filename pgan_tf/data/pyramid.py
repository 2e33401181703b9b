"""Lower resolutions of a picture, as ProGAN's data sets store them."""

from __future__ import annotations

import numpy as np

LOWEST = 4


def sides(full: int) -> list[int]:
    """The sides of a pyramid's levels, from `full`, a power of two >= 4, down to 4."""
    return [2**n for n in range(full.bit_length() - 1, LOWEST.bit_length() - 2, -1)]


def halve(planes: np.ndarray) -> np.ndarray:
    """Means of 2x2 boxes, float32 [..., H, W] -> [..., H/2, W/2].

    Exact from 8-bit pixels up to 1024 -> 4: each halving adds two binary digits to eight, and float32 has 24.
    """
    rows = planes[..., 0::2, :] + planes[..., 1::2, :]
    return 0.25 * (rows[..., 0::2] + rows[..., 1::2])


def quantise(planes: np.ndarray) -> np.ndarray:
    """float32 means of pixels, so 0..255 -> uint8, to the nearest (a half to the even one)."""
    return np.rint(planes).astype(np.uint8)


def pyramid(images: np.ndarray) -> dict[int, np.ndarray]:
    """uint8 [..., R, R, C], R a power of two >= 4 -> {side: uint8 [..., side, side, C]} from R down to 4.

    The means cascade in float32 and are rounded only on the way out: halving the rounded level above would be off by
    one in about one pixel out of eight (and would not be what NVIDIA's tool writes).
    """
    resolution = images.shape[-2]
    levels = {resolution: images}
    means = np.moveaxis(images, -1, -3).astype(np.float32, order="C")  # [..., C, R, R]: numpy likes long rows
    while resolution > LOWEST:
        means, resolution = halve(means), resolution // 2
        levels[resolution] = np.moveaxis(quantise(means), -3, -1)
    return levels
