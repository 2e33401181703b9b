"""A look at a data set: on the terminal, in a PNG, on a page."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TextIO

import numpy as np
from PIL import Image

from pgan_tf import plane
from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.errors import DataError
from pgan_tf.data.points import PointDataset, has_points
from pgan_tf.data.tools import page, terminal
from pgan_tf.grids import grid, save_png, to_pillow

NUM = 64  # pictures that are shown by default
_LEAST_TILE = 32  # pixels in a PNG; smaller pictures are shown enlarged


def display(
    folder: str | os.PathLike,
    output: str | os.PathLike | None = None,
    resolution: int | None = None,
    num: int | None = None,
    html: str | os.PathLike | None = None,
    stream: TextIO | None = None,
) -> list[Path]:
    """Shows the first `num` pictures of a data set, at `resolution` or the highest; or its points, by default all.

    Returns the files written.

    output: a PNG to write. html: a page to write: the pictures at every resolution, labels and statistics. Without
    either the pictures go to `stream` if it is a terminal that can show them, as many as fit (then nothing is
    returned), else to `<name>-<resolution>.png` here. Pictures below 32x32 are enlarged. Raises DataError.
    """
    if num is not None and num < 1:
        raise DataError(f"--num={num}: must be 1 or more")
    if has_points(folder):
        if html or resolution:
            raise DataError(f"{folder}: holds points in the plane; --html and --resolution are for images")
        return _display_points(PointDataset(folder), output, num, stream)
    png, html = _named("output", output, ".png"), _named("html", html, ".html", ".htm")
    dataset = RecordDataset(folder)
    resolution = resolution or dataset.resolution
    images = dataset.read(resolution, np.arange(min(num or NUM, dataset.count)))
    if not png and not html:
        screen = terminal.screen(stream) if stream else None
        if screen:
            stream.write(_on_screen(screen, dataset, images))
            stream.flush()
            return []
        png = Path(f"{dataset.name}-{resolution}.png")
    if png:
        png.parent.mkdir(parents=True, exist_ok=True)
        save_png(png, grid(images, math.ceil(math.sqrt(len(images))), _LEAST_TILE))
    if html:
        html.parent.mkdir(parents=True, exist_ok=True)
        page.write(html, dataset, len(images))
    return [path for path in (png, html) if path]


def _display_points(
    dataset: PointDataset, output: str | os.PathLike | None, num: int | None, stream: TextIO | None
) -> list[Path]:
    points, png = dataset.points[:num], _named("output", output, ".png")
    screen = terminal.screen(stream) if stream and not png else None
    if screen:
        side = min(screen.width, screen.height, plane.SIDE)
        picture = _tile(plane.data_points(points, plane.Frame.around(points)), side)
        stream.write(f"{screen.encode(picture)}{dataset.name}: {len(points)} of {dataset.count} points\n")
        stream.flush()
        return []
    png = png or Path(f"{dataset.name}-points.png")
    png.parent.mkdir(parents=True, exist_ok=True)
    save_png(png, plane.data_points(points, plane.Frame.around(points)))
    return [png]


def fit_tiles(count: int, width: int, height: int, least: int) -> tuple[int, int, int]:
    """(side of a tile, columns, pictures shown) so that at most `count` tiles of `least` pixels or more fill a screen.

    All are shown, as large as they fit, unless they would be smaller than `least`.
    """
    side = max(least, math.isqrt(width * height // count), 1)
    while side > least and (width // side) * (height // side) < count:
        side -= 1
    side = max(1, min(side, width, height))
    columns = min(width // side, count)
    return side, columns, min(count, columns * (height // side))


def _on_screen(screen: terminal.Screen, dataset: RecordDataset, images: np.ndarray) -> str:
    side, columns, shown = fit_tiles(len(images), screen.width, screen.height, screen.least_tile)
    tiles = np.stack([_tile(image, side) for image in images[:shown]])
    colour = "RGB" if dataset.channels == 3 else "grey"
    resolution = images.shape[1]
    caption = f"{dataset.name}: {shown} of {dataset.count} images, {resolution}x{resolution} {colour}"
    return f"{screen.encode(grid(tiles, columns))}{caption}\n"


def _tile(image: np.ndarray, side: int) -> np.ndarray:
    """uint8 [R,R,C] -> [side,side,C]: means of boxes, or pixels repeated."""
    method = Image.Resampling.BOX if side < len(image) else Image.Resampling.NEAREST
    return np.asarray(to_pillow(image).resize((side, side), method)).reshape(side, side, -1)


def _named(flag: str, path: str | os.PathLike | None, *suffixes: str) -> Path | None:
    """The path; DataError unless its name ends as the file's format does."""
    if path is not None and Path(path).suffix.lower() not in suffixes:
        kind = suffixes[0][1:].upper()
        raise DataError(f"--{flag}={path}: what is written is {kind}; give a name that ends with {suffixes[0]}")
    return None if path is None else Path(path)
