"""scipy's Gaussian filter of a float32 picture, bit for bit, where it is wanted and faster.

scipy adds up every sum in double, in a fixed order, and rounds it to float32. A matrix product does the same additions
in another order, many times as fast. All summands are positive, so both are within a known distance of the true sum;
where that decides the float32, the product has it, and the few other sums are done in scipy's order.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

_BLOCK = 256  # lines of a matrix product; it also reads 2 * radius lines around them
_ROUNDINGS = 4  # for each weight, of both sums together: products and additions, on either side of the middle
_SUMS = 4096  # done in scipy's order at a time


def blur_frame(plane: np.ndarray, sigma: float, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """float32 [H,W], not negative -> its blurred copy where `rows` (bool [H]) or `columns` (bool [W]); else as it is.

    Equal to scipy.ndimage.gaussian_filter(plane, sigma) there. Both flags must be set at the edges, if anywhere.
    """
    weights = gaussian_weights(sigma)
    radius = len(weights) - 1
    halves = np.empty_like(plane)  # blurred down, not yet across
    out = plane.copy()
    whole = [slice(0, plane.shape[1])]
    wanted = [part for flag, part in _runs(columns) if flag]
    read = [part for flag, part in _runs(_widened(columns, radius)) if flag]
    for flag, lines in _runs(rows):
        for part in whole if flag else read:
            halves[lines, part] = _blur_lines(plane[:, part], weights, lines)
        across = np.ascontiguousarray(halves[lines].T)  # [W,lines]
        for part in whole if flag else wanted:
            out[lines, part] = _blur_lines(across, weights, part).T
    return out


def gaussian_weights(sigma: float) -> list[float]:
    """The weights at distance 0, 1, ... of scipy's kernel, which ends after four sigma."""
    radius = int(4.0 * sigma + 0.5)
    variance = sigma * sigma
    weights = [1.0] + [math.exp(-0.5 * float(x * x) / variance) for x in range(1, radius + 1)]
    total = 1.0
    for weight in weights[1:]:
        total += 2.0 * weight
    return [weight / total for weight in weights]


def _blur_lines(plane: np.ndarray, weights: list[float], lines: slice) -> np.ndarray:
    """float32 [N,M] -> float32 [len(lines),M], blurred down; beyond its edges it is mirrored, edge lines included."""
    radius = len(weights) - 1
    kernel = np.array(weights[:0:-1] + weights)  # [2*radius+1]
    out = np.empty((lines.stop - lines.start, plane.shape[1]), np.float32)
    for begin in range(lines.start, lines.stop, _BLOCK):
        end = min(begin + _BLOCK, lines.stop)
        source = plane[_mirrored(begin - radius, end + radius, len(plane))].astype(np.float64)  # [n+2*radius,M]
        sums = _band_matrix(kernel, end - begin) @ source  # [n,M]
        out[begin - lines.start : end - lines.start] = _rounded(sums, source, weights)
    return out


def _rounded(sums: np.ndarray, source: np.ndarray, weights: list[float]) -> np.ndarray:
    """Sums in any order, double [n,M] -> the float32 of scipy's. source: what was added up, double [n+2*radius,M]."""
    error = _ROUNDINGS * (len(weights) + 1) * 2.0**-53
    out = (sums * (1 - error)).astype(np.float32)
    unsure = np.flatnonzero(out != (sums * (1 + error)).astype(np.float32))
    flat = out.reshape(-1)
    for begin in range(0, len(unsure), _SUMS):
        which = unsure[begin : begin + _SUMS]
        flat[which] = _sums_in_order(source, weights, *np.divmod(which, sums.shape[1]))
    return out


def _sums_in_order(source: np.ndarray, weights: list[float], lines: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Sums at `lines`, `columns`, int [K], in scipy's order: middle, then pairs from the outermost in. double [K]."""
    middle = lines + len(weights) - 1
    total = source[middle, columns] * weights[0]
    for distance in range(len(weights) - 1, 0, -1):
        total += (source[middle - distance, columns] + source[middle + distance, columns]) * weights[distance]
    return total


def _band_matrix(kernel: np.ndarray, count: int) -> np.ndarray:
    """double [K] -> [count,count+K-1], the kernel on every line, one further each time."""
    matrix = np.zeros((count, count + len(kernel) - 1))
    for line in range(count):
        matrix[line, line : line + len(kernel)] = kernel
    return matrix


def _mirrored(begin: int, end: int, size: int) -> np.ndarray:
    """Indices begin..end-1 brought into 0..size-1: ... 1 0 | 0 1 ... size-1 | size-1 ..."""
    index = np.arange(begin, end) % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


def _widened(flags: np.ndarray, radius: int) -> np.ndarray:
    """bool [N], also set within `radius` of what is set."""
    counts = np.concatenate([[0], np.cumsum(flags)])
    places = np.arange(len(flags))
    return counts[(places + radius + 1).clip(max=len(flags))] > counts[(places - radius).clip(min=0)]


def _runs(flags: np.ndarray) -> list[tuple[bool, slice]]:
    """bool [N] -> (flag, where) of each stretch of equal flags."""
    changes = np.flatnonzero(flags[1:] != flags[:-1]) + 1
    edges = [0, *changes.tolist(), len(flags)]
    return [(bool(flags[begin]), slice(begin, end)) for begin, end in pairwise(edges)]
