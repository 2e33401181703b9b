"""Nearest neighbours: which training image does each generated one resemble most, and is it a copy?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from .errors import MetricError

# Distances below this part of the vectors' own lengths are rounding: they count as 0. See `squared_distances`.
ROUNDING = 1e-13
BLOCK_ROWS, BLOCK_BYTES = 2000, 2**26  # of one block: at most so many rows, and so much memory in float64


class Neighbors(NamedTuple):
    """The k nearest references of each query, the nearest first; of equal ones, the first in the set."""

    indices: np.ndarray  # [Q,k] int64, positions in the whole set of references
    distances: np.ndarray  # [Q,k] float64


def nearest(
    queries: np.ndarray, references: np.ndarray | Iterable[np.ndarray], k: int = 1, block: int | None = None
) -> Neighbors:
    """Exhaustive search.

    Vectors are compared by Euclidean distance. Images are compared pixel by pixel: the root of the mean squared
    difference, where 1 is black against white; this makes sizes comparable, and a copy is exactly 0.

    Args:
        queries: uint8 images [Q,H,W,C] or float vectors [Q,D].
        references: the same as an array, or batches of them (a stream: one batch is held at a time).
        k: how many neighbours.
        block: rows of queries and of references at a time, by default 2000 or what fits 64 MB in float64. Memory
            beside the arguments: 4 float64 matrices [block, block] and two [block, D], at most 260 MB by default.

    Raises:
        MetricError: no queries, fewer than k references, sizes or types that differ, a value that is not finite.
    """
    queries = np.asarray(queries)
    rows, scale = _flatten(queries)  # [Q,D]
    if not len(rows):
        raise MetricError("no images to look for; give at least one")
    block = block or min(BLOCK_ROWS, max(1, BLOCK_BYTES // (8 * max(1, rows.shape[1]))))
    origin = _origin(queries, rows)  # [D]
    best, offset = _nobody(len(rows)), 0
    for batch in blocks(references, block):
        _check_alike(queries, batch)
        others = _flatten(batch)[0] - origin  # [N,D]
        parts = [_closest(part - origin, others, k) for part in blocks(rows, block)]
        indices, squared = (np.concatenate(part) for part in zip(*parts, strict=True))  # [Q,k], [Q,k]
        best = _merge(best, Neighbors(indices + offset, squared), k)
        offset += len(batch)
    if offset < k:
        raise MetricError(f"{k} neighbours asked of {offset} references; give more images")
    return Neighbors(best.indices, np.sqrt(best.distances) * scale)


def nearest_neighbor_distance(
    queries: np.ndarray, references: np.ndarray | Iterable[np.ndarray], block: int | None = None
) -> dict[str, float]:
    """How far generated images are from the training set: {"mean", "median", "min", "copies"}, units as in `nearest`.

    `copies` is the share (0..1) of queries at distance 0. Read it beside the same numbers for held-out real images: a
    generator that learned by heart comes nearer than they do.
    """
    distances = nearest(queries, references, 1, block).distances  # [Q,1]
    return {
        "mean": float(distances.mean()),
        "median": float(np.median(distances)),
        "min": float(distances.min()),
        "copies": float((distances == 0).mean()),
    }


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|x - y|^2 of all pairs of rows: float64 [N,D], [M,D] -> [N,M].

    One matrix product, |x|^2 + |y|^2 - 2 x.y, which is exact for integers (uint8 images). Other values cancel: what is
    left of a distance of 0 is near 1e-15 of the squared lengths, so anything below 1e-13 of them becomes 0. Subtract a
    common origin from both first where the values lie far from 0.
    """
    lengths = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)[None]  # [N,M]
    squared = lengths - 2 * (a @ b.T)
    squared[squared < ROUNDING * lengths] = 0
    return squared


def blocks(rows: np.ndarray | Iterable[np.ndarray], block: int) -> Iterator[np.ndarray]:
    """Yields the rows of an array, or of each batch of a stream, in slices of at most `block`."""
    if isinstance(rows, np.ndarray):
        yield from (rows[i : i + block] for i in range(0, len(rows), block))
    else:
        for batch in rows:
            yield from blocks(np.asarray(batch), block)


def _check_alike(queries: np.ndarray, references: np.ndarray) -> None:
    if references.shape[1:] != queries.shape[1:] or references.dtype.kind != queries.dtype.kind:
        raise MetricError(
            f"references {references.shape[1:]} {references.dtype} against {queries.shape[1:]} {queries.dtype}: "
            "both sets need one size, channel count and type"
        )


def _flatten(batch: np.ndarray) -> tuple[np.ndarray, float]:
    """Images or vectors -> rows [N,D] and what one unit of their Euclidean distance is worth."""
    if batch.dtype == np.uint8 and batch.ndim == 4:
        size = int(np.prod(batch.shape[1:]))
        return batch.reshape(len(batch), size), 1 / (255 * np.sqrt(size))
    if batch.dtype.kind == "f" and batch.ndim == 2:
        if not np.isfinite(batch).all():
            raise MetricError("a vector holds NaN or infinity: look at the images and at the extractor's weights")
        return batch, 1.0
    raise MetricError(f"{batch.dtype} {batch.shape}: give uint8 images [N,H,W,C] or float vectors [N,D]")


def _origin(queries: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What to subtract before distances: integers stay integers, vectors lose the offset that they have in common."""
    if queries.dtype == np.uint8:
        return np.zeros(rows.shape[1])
    return rows.mean(axis=0, dtype=np.float64)  # [D]


def _nobody(queries: int) -> Neighbors:
    return Neighbors(np.zeros((queries, 0), np.int64), np.zeros((queries, 0)))


def _closest(queries: np.ndarray, references: np.ndarray, k: int) -> Neighbors:
    """Up to k neighbours among [N,D]: positions in it and squared distances, [Q,min(k,N)] each."""
    squared = squared_distances(queries, references)  # [Q,N]
    every = np.arange(len(squared))
    result = _nobody(len(squared))
    for _ in range(min(k, len(references))):  # k is small, and argmin takes the first of equal ones, as promised
        column = squared.argmin(axis=1)  # [Q]
        result = Neighbors(np.c_[result.indices, column], np.c_[result.distances, squared[every, column]])
        squared[every, column] = np.inf
    return result


def _merge(best: Neighbors, more: Neighbors, k: int) -> Neighbors:
    """The k best of both, each sorted by squared distance; of equal ones those of `best` come first."""
    indices = np.concatenate([best.indices, more.indices], axis=1)
    squared = np.concatenate([best.distances, more.distances], axis=1)
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]  # [Q,k]
    return Neighbors(np.take_along_axis(indices, order, axis=1), np.take_along_axis(squared, order, axis=1))
