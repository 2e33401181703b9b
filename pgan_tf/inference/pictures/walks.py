"""Ways through the latents: arrays in, arrays out, nothing about networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pgan_tf.inference.spaces import slerp

TRUNCATE = 4.0  # standard deviations after which a Gaussian window ends, as in scipy


def smooth(white: np.ndarray, sigma: float) -> np.ndarray:
    """A smooth closed walk from white latents [T,..]: a Gaussian filter over time, wrapped around.

    `sigma`: in steps of time. The result has the root mean square of `white`: one for Gaussian latents, as in the
    original's videos.
    """
    if sigma > 0:
        window = np.zeros(len(white))
        radius = int(TRUNCATE * sigma + 0.5)
        offsets = np.arange(-radius, radius + 1)
        np.add.at(window, offsets % len(white), np.exp(-0.5 * (offsets / sigma) ** 2))
        spectrum = np.fft.rfft(window / window.sum()).reshape(-1, *[1] * (white.ndim - 1))  # [T/2+1,1..]
        walk = np.fft.irfft(np.fft.rfft(white, axis=0) * spectrum, n=len(white), axis=0)  # [T,..]
    else:
        walk = white
    return (walk * (_rms(white) / max(_rms(walk), 1e-30))).astype(np.float32)


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


def closed(points: np.ndarray, frames: int, between=slerp) -> np.ndarray:
    """A closed way through points [K,..] in `frames` steps of equal time: [frames,..], the first is the first point."""
    times = np.arange(frames) * (len(points) / frames)
    starts = np.minimum(times.astype(int), len(points) - 1)
    return np.stack(
        [between(points[k], points[(k + 1) % len(points)], time - k) for time, k in zip(times, starts, strict=True)]
    )


def resampled(reference: np.ndarray, draws: np.ndarray, dims: range) -> np.ndarray:
    """The points of a walk within `dims`: `reference` [L], and it with these dimensions from each of draws [K,L].

    Returns [K+1,L].
    """
    points = np.repeat(reference[None], len(draws) + 1, axis=0)
    points[1:, dims.start : dims.stop] = draws[:, dims.start : dims.stop]
    return points


def along_axis(reference: np.ndarray, dim: int, values: np.ndarray) -> np.ndarray:
    """`reference` [L] with one coordinate set to each of `values` [K], in units of its length: [K,L].

    So the values are those of the latents of unit length.
    """
    points = np.repeat(reference[None], len(values), axis=0)
    points[:, dim] = values * np.linalg.norm(reference)
    return points


def transplanted(rows: np.ndarray, columns: np.ndarray, dims: Sequence[range]) -> np.ndarray:
    """columns [C,L] with `dims` copied from each of rows [R,L]: [R,C,L]."""
    mixed = np.repeat(columns[None], len(rows), axis=0)
    for part in dims:
        mixed[:, :, part.start : part.stop] = rows[:, None, part.start : part.stop]
    return mixed
