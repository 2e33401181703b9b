"""Pseudo-random weights and images from which the golden numbers of Inception were made; numpy only."""

from __future__ import annotations

import zlib

import numpy as np
from pgan_tf.metrics.extractors.inception_2015 import CLASSES
from pgan_tf.metrics.extractors.inception_table import BLOCKS, STEM, Conv, Fork

SIZES = [(299, 299), (64, 64), (48, 80), (400, 320)]  # (H, W) of the golden images


def tensor(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """float32, of a name and shape as in the .pth files."""
    random = np.random.RandomState(zlib.crc32(key.encode()) & 0x7FFFFFFF)
    draws = {
        "conv.weight": lambda: random.standard_normal(shape) * np.sqrt(2.0 / np.prod(shape[1:])),
        "bn.weight": lambda: 1.0 + 0.2 * random.standard_normal(shape),
        "bn.bias": lambda: 0.1 * random.standard_normal(shape),
        "bn.running_mean": lambda: 0.1 * random.standard_normal(shape),
        "bn.running_var": lambda: random.uniform(0.5, 1.5, shape),
        "fc.weight": lambda: random.standard_normal(shape) * np.sqrt(1.0 / shape[1]) * 3.0,
        "fc.bias": lambda: 0.5 * random.standard_normal(shape),
    }
    return draws[".".join(key.split(".")[-2:])]().astype(np.float32)


def shapes() -> dict[str, tuple[int, ...]]:
    """{name: shape} of the 472 tensors, from the table of the network."""
    found, channels = {}, 3
    for step in STEM:
        channels = _add(found, step, step.name, channels)
    for block in BLOCKS:
        channels = sum(_branch(found, branch, block.name, channels) for branch in block.branches)
    return {**found, "fc.weight": (CLASSES, channels), "fc.bias": (CLASSES,)}


def _branch(found: dict, branch: tuple, block: str, channels: int) -> int:
    for step in branch:
        sides = step if isinstance(step, Fork) else (step,)
        channels = sum(_add(found, side, f"{block}.{side.name}", channels) for side in sides)
    return channels


def _add(found: dict, step, name: str, channels: int) -> int:
    if not isinstance(step, Conv):
        return channels
    found[f"{name}.conv.weight"] = (step.filters, channels, *step.kernel)
    norm = ("weight", "bias", "running_mean", "running_var")
    found.update({f"{name}.bn.{part}": (step.filters,) for part in norm})
    return step.filters


def weights() -> dict[str, np.ndarray]:
    return {key: tensor(key, shape) for key, shape in shapes().items()}


def smooth(height: int, width: int, seed: int, grid: int = 9) -> np.ndarray:
    """A smooth random picture with a little noise, uint8 [height,width,3]; integer arithmetic only."""
    random = np.random.RandomState(seed)
    corners = random.randint(0, 256, size=(grid, grid, 3)).astype(np.int64)
    noise = random.randint(-12, 13, size=(height, width, 3)).astype(np.int64)
    y, fy = _axis(height, grid)
    x, fx = _axis(width, grid)
    fy, fx = fy[:, None, None], fx[None, :, None]
    upper = corners[y][:, x] * (256 - fx) + corners[y][:, x + 1] * fx
    lower = corners[y + 1][:, x] * (256 - fx) + corners[y + 1][:, x + 1] * fx
    return np.clip((upper * (256 - fy) + lower * fy >> 16) + noise, 0, 255).astype(np.uint8)


def _axis(n: int, grid: int) -> tuple[np.ndarray, np.ndarray]:
    """For each of n pixels the grid cell, and how far into it in 1/256."""
    place = np.arange(n, dtype=np.int64) * (grid - 1) * 256 // (n - 1)
    cell = np.minimum(place >> 8, grid - 2)
    return cell, place - (cell << 8)


def image(i: int) -> np.ndarray:
    """The i-th golden image, uint8 [H,W,3]."""
    return smooth(*SIZES[i], 1000 + i)


def sets() -> tuple[np.ndarray, np.ndarray]:
    """Two sets of 40 and 36 images, uint8 [n,64,64,3], the second ones fainter."""
    first = np.stack([smooth(64, 64, 2000 + i) for i in range(40)])
    second = np.stack([smooth(64, 64, 3000 + i).astype(int) * 4 // 5 + 30 for i in range(36)])
    return first, np.clip(second, 0, 255).astype(np.uint8)
