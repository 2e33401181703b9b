"""Pillow 3.1.1's `resize(..., ANTIALIAS)` and `transform(..., QUAD, ..., BILINEAR)`, bit for bit.

Today's version rounds otherwise and samples quads half a pixel away, so that many of its pixels differ by a little. All
arithmetic here has the widths of Pillow 3.1.1: what is not float32 is double.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

f32 = np.float32

_LOBES = 3.0  # of the Lanczos kernel on each side
_BAND = 4096  # values of a line at a time, 16 kB: what is added up stays in the fastest cache
_ROWS = 4  # of a quad's output at a time, for the same reason


def resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8 [H,W,C] -> [height,width,C] by Lanczos: across, rounded to bytes, then down. The same size: a copy."""
    if image.shape[:2] == (height, width):
        return image.copy()
    columns = np.ascontiguousarray(image.swapaxes(0, 1))  # [W,H,C]
    across = _resize_lines(columns, width).swapaxes(0, 1)  # [H,width,C]
    return _resize_lines(np.ascontiguousarray(across), height)  # [height,width,C]


def _resize_lines(lines: np.ndarray, count: int) -> np.ndarray:
    """uint8 [N,M,C] -> uint8 [count,M,C]: every line is a weighted sum of the lines around it, added up in order."""
    flat = lines.reshape(len(lines), -1)  # [N,M*C]
    out = np.empty((count, flat.shape[1]), np.uint8)
    taps = lanczos_taps(len(lines), count)
    for begin in range(0, flat.shape[1], _BAND):
        band = slice(begin, begin + _BAND)
        out[:, band] = _weighted_sums(flat[:, band].astype(f32), taps)
    return out.reshape(count, *lines.shape[1:])


def _weighted_sums(lines: np.ndarray, taps: tuple[tuple[int, list[np.float32]], ...]) -> np.ndarray:
    """float32 [N,B] -> uint8 [len(taps),B]. A sum starts at a half and is cut off, which rounds it."""
    sums = np.full((len(taps), lines.shape[1]), 0.5, f32)
    product = np.empty(lines.shape[1], f32)
    for total, (first, weights) in zip(sums, taps, strict=True):
        for line, weight in zip(lines[first : first + len(weights)], weights, strict=True):
            np.multiply(line, weight, out=product)
            total += product
    return sums.clip(0, 255, out=sums).astype(np.uint8)


@lru_cache(maxsize=16)
def lanczos_taps(size: int, new_size: int) -> tuple[tuple[int, list[np.float32]], ...]:
    """For each of `new_size` outputs: the first of the `size` inputs that it reads, and its float32 weights."""
    scale = f32(f32(size) / f32(new_size))
    filter_scale = max(scale, f32(1))
    support = f32(f32(_LOBES) * filter_scale)
    inverse = f32(f32(1) / filter_scale)
    taps = []
    for output in range(new_size):
        center = f32((output + 0.5) * float(scale))
        low = max(math.floor(f32(center - support)), 0)
        high = min(math.ceil(f32(center + support)), size)
        distances = [f32((float(f32(f32(i) - center)) + 0.5) * float(inverse)) for i in range(low, high)]
        weights = [f32(_lanczos(x) * inverse) for x in distances]
        total = f32(0)
        for weight in weights:
            total = f32(total + weight)
        taps.append((low, [f32(weight / total) for weight in weights]))
    return tuple(taps)


def _lanczos(x: np.float32) -> np.float32:
    if not -_LOBES <= x < _LOBES:
        return f32(0)
    return f32(_sinc(x) * _sinc(f32(x / f32(_LOBES))))


def _sinc(x: np.float32) -> np.float32:
    if x == 0:
        return f32(1)
    t = float(f32(float(x) * math.pi))
    return f32(math.sin(t) / t)  # not numpy's sin, which may differ in the last bit


# ---- quads -----------------------------------------------------------------------------------------------------------


def transform_quad(image: np.ndarray, quad: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8 [H,W,3] -> uint8 [height,width,3]: what lies in a quadrangle of it, bilinear, 0 outside of the picture.

    quad: float32 [4,2], x and y of the corners NW, SW, SE, NE. The point for an output pixel is taken at its corner,
    not at its middle.
    """
    packed = _pack(image)
    horizontal, vertical = (_bilinear_map(quad[:, axis], width, height) for axis in (0, 1))
    x = np.arange(width, dtype=np.float64)  # [width]
    out = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _ROWS):
        y = np.arange(top, min(top + _ROWS, height), dtype=np.float64)[:, None]  # [rows,1]
        u, v = (a0 + a1 * x + a2 * y + a3 * x * y for a0, a1, a2, a3 in (horizontal, vertical))  # [rows,width]
        _sample(packed, u, v, out[top : top + _ROWS])
    return out


def _bilinear_map(corners: np.ndarray, width: int, height: int) -> tuple[float, float, float, float]:
    """One coordinate of the corners, float32 [4] -> a of u(x, y) = a0 + a1 x + a2 y + a3 x y."""
    nw, sw, se, ne = (f32(value) for value in corners)
    twist = f32(f32(f32(se - sw) - ne) + nw)
    return float(nw), float(f32(ne - nw)) / width, float(f32(sw - nw)) / height, float(twist) / width / height


def _pack(image: np.ndarray) -> np.ndarray:
    """uint8 [H,W,3] -> uint32 [H,W], so that a pixel is fetched at once; bytes 0 to 2 are its channels."""
    packed = np.zeros((*image.shape[:2], 4), np.uint8)
    packed[..., :3] = image
    return packed.view(np.uint32)[..., 0]


def _sample(packed: np.ndarray, u: np.ndarray, v: np.ndarray, out: np.ndarray) -> None:
    """Fills `out`, uint8 [rows,width,3], with a packed picture's colours at the points u, v, double [rows,width]."""
    height, width = packed.shape
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    left, right, across = _neighbours(u, width)
    upper, lower, down = _neighbours(v, height)
    upper *= width
    lower *= width
    flat = packed.reshape(-1)
    corners = [flat.take(line + column) for line in (upper, lower) for column in (left, right)]
    for channel in range(3):
        nw, ne, sw, se = (corner.view(np.uint8)[:, channel::4].astype(np.float64) for corner in corners)
        mixed = _mix(_mix(nw, ne, across), _mix(sw, se, across), down)
        mixed *= inside
        out[..., channel] = mixed  # cut off


def _mix(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """a + (b - a) * share, in place of b."""
    b -= a
    b *= share
    b += a
    return b


def _neighbours(position: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points -> indices of the pixels before and behind them, within the picture, and the share of the latter."""
    share = position - 0.5
    whole = np.floor(share)
    share -= whole
    before = whole.astype(np.intp)
    return before.clip(0, size - 1), (before + 1).clip(0, size - 1), share
