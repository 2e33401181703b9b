"""Still pictures of many images. Each function returns the latents shown, row by row [N,L], and the picture [H,W,C]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pgan_tf.grids import grid
from pgan_tf.inference.drawing import Drawing
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.pictures import captions, walks
from pgan_tf.latents import Purpose, dims_name

CELL = 64  # smaller images are enlarged by whole pixels, to look at


def grid_picture(drawing: Drawing, columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """columns x rows images."""
    latents = drawing.latents(columns * rows)
    return latents, grid(drawing.pictures(latents, drawing.labels(len(latents))), columns, CELL)


def walk_points(drawing: Drawing, sets: Sequence[range], walks_each: int, steps: int):
    """Random walks within each set of dimensions: [sets*walks_each,steps,L], and their labels.

    A walk starts at a reference, and its dimensions of the set are drawn anew for each of the other points.
    """
    references, labels = drawing.latents(walks_each), drawing.labels(walks_each)
    rows = [(dims, reference) for dims in sets for reference in references]
    draws = drawing.random(len(rows) * (steps - 1), Purpose.WALK).reshape(len(rows), steps - 1, -1)
    points = [walks.resampled(reference, draw, dims) for (dims, reference), draw in zip(rows, draws, strict=True)]
    return drawing.onto(np.stack(points)), np.tile(labels, (len(sets), 1))


def walk_names(sets: Sequence[range], walks_each: int) -> list[str]:
    """The name of each walk of `walk_points`."""
    return [f"dims {dims_name(dims)}" for dims in sets for _ in range(walks_each)]


def walk_picture(drawing: Drawing, sets: Sequence[range], walks_each: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows: walks; columns: their points."""
    points, labels = walk_points(drawing, sets, walks_each, steps)
    latents = points.reshape(-1, points.shape[-1])  # [rows*steps,L]
    images = drawing.pictures(latents, labels.repeat(steps, axis=0))
    return latents, captions.sheet(images, walk_names(sets, walks_each), cell=CELL)


def axis_picture(drawing: Drawing, dims: Sequence[int], reach: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows: one dimension of a latent set to values from -reach to reach, in units of the latent's length."""
    values = np.linspace(-reach, reach, steps)
    reference = drawing.latents(1)[0]
    furthest = drawing.space.largest / max(float(np.linalg.norm(reference)), 1e-30)
    if reach > furthest:
        largest = f"no component of this network's latents is beyond {drawing.space.largest:g}"
        raise GenerateError(f"--reach={reach:g}: {largest}, which from this one is --reach={furthest:.2g}; give less")
    rows = np.concatenate([walks.along_axis(reference, dim, values) for dim in dims])
    latents = drawing.onto(rows)  # [dims*steps,L]
    images = drawing.pictures(latents, drawing.labels(1).repeat(len(latents), axis=0))
    names = [f"dim {dim + 1}" for dim in dims]
    return latents, captions.sheet(images, names, [f"{value:+.3g}" for value in values], CELL)


def style_picture(drawing: Drawing, dims: Sequence[range], columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """A matrix: each column's latent with the dimensions `dims` of each row's.

    The sources are along the upper and the left edge; an image has the label of its column's source.
    """
    sources, labels = drawing.latents(columns + rows), drawing.labels(columns + rows)
    mixed = drawing.onto(walks.transplanted(sources[columns:], sources[:columns], dims))  # [rows,columns,L]
    # Above the sources of the rows there is nothing; some latent has to stand in the corner.
    left = np.concatenate([sources[:1], sources[columns:]])[:, None]  # [1+rows,1,L]
    table = np.concatenate([left, np.concatenate([sources[None, :columns], mixed])], axis=1)  # [1+rows,1+columns,L]
    edge = np.concatenate([labels[:1], labels[columns:]])[:, None]
    inner = np.repeat(labels[None, :columns], rows + 1, axis=0)
    table_labels = np.concatenate([edge, inner], axis=1)  # [1+rows,1+columns,K]
    latents = table.reshape(-1, table.shape[-1])
    images = drawing.pictures(latents, table_labels.reshape(len(latents), -1))
    return latents, captions.matrix(images, columns + 1, CELL)


def sets_picture(drawing: Drawing, sets: Sequence[range], columns: int) -> tuple[np.ndarray, np.ndarray]:
    """What each set of dimensions carries over: rows of `columns` latents with those of one source.

    The first column is the source, the first row the others as they are; below, a row for each set, and at last one
    with all dimensions of these sets. An image has the label of its column.
    """
    sources, labels = drawing.latents(1 + columns), drawing.labels(1 + columns)
    parts = [[], *([dims] for dims in sets), list(sets)]
    mixed = [walks.transplanted(sources[:1], sources[1:], part)[0] for part in parts]  # of [columns,L]
    rows = np.stack([np.concatenate([sources[:1], row]) for row in mixed])  # [rows,1+columns,L]
    latents = drawing.onto(rows).reshape(-1, rows.shape[-1])
    images = drawing.pictures(latents, np.tile(labels, (len(parts), 1)))
    names = ["none", *(f"dims {dims_name(dims)}" for dims in sets), "all of these"]
    return latents, captions.sheet(images, names, ["source", *[""] * columns], CELL)
