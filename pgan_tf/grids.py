"""Picture grids: numbers to pixels, many pictures to one."""

from __future__ import annotations

import os

import numpy as np
from PIL import Image

from pgan_tf.files import new_file
from pgan_tf.option import ConfigError

MOST_PIXELS = 2**28  # of a picture


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Any shape, -1..1 -> 0..255, rounded to the nearest and clipped."""
    return np.clip(np.rint((images.astype(np.float32) + 1.0) * 127.5), 0, 255).astype(np.uint8)


def grid(images: np.ndarray, columns: int, cell: int = 0) -> np.ndarray:
    """uint8 [N,R,R,C] -> one picture [rows*cell, columns*cell, C], row by row; empty cells are white.

    Each image is enlarged to `cell` pixels by whole pixels, so that a grid of 4x4 images can be looked at.
    """
    n, res, _, channels = images.shape
    factor = max(1, cell // res)
    images = images.repeat(factor, axis=1).repeat(factor, axis=2)
    rows = -(-n // columns)
    full = np.full((rows * columns, *images.shape[1:]), 255, np.uint8)
    full[:n] = images
    full = full.reshape(rows, columns, res * factor, res * factor, channels).transpose(0, 2, 1, 3, 4)
    return full.reshape(rows * res * factor, columns * res * factor, channels)


def save_png(path: str | os.PathLike, picture: np.ndarray) -> None:
    """Writes uint8 [H,W,1 or 3] as PNG; the file appears under its name only when it is complete."""
    with new_file(path) as temporary:
        to_pillow(picture).save(temporary, format="PNG")


def to_pillow(picture: np.ndarray) -> Image.Image:
    """uint8 [H,W,1 or 3] as a Pillow image."""
    return Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)


def cell_size(resolution: int) -> int:
    """Pixels of an image in a run's grids, all of which have the size that suits its final resolution."""
    return max(64, resolution)


def cell_in_grid(resolution: int) -> int:
    """Pixels that an image of this resolution has in a run's grids: enlarged by whole pixels, at most `cell_size`."""
    return resolution * max(1, cell_size(resolution) // resolution)


def check_size(columns: int, rows: int, resolution: int, asked: str = "--grid_size={}x{}") -> None:
    """ConfigError for a picture of more pixels than anyone could open. `asked`: what asks for so many cells."""
    most = max(1, MOST_PIXELS // cell_size(resolution) ** 2)
    if columns * rows > most:
        asked = asked.format(columns, rows)
        raise ConfigError(f"{asked}: {columns * rows} images of {resolution}x{resolution} in a picture; at most {most}")


def default_grid_size(resolution: int) -> tuple[int, int]:
    """Columns and rows of a run's grids: from 3 x 2 to 12 x 8, so that a tick costs little."""
    cell = cell_size(resolution)
    return max(768 // cell, 3), max(512 // cell, 2)
