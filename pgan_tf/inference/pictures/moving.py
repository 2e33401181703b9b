"""The frames of videos, made one at a time. Latents of a video are [T,cells,L]: T frames of some cells each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pgan_tf import stamps
from pgan_tf.data.pictures.decode import size_of
from pgan_tf.data.sources.picture import read_picture
from pgan_tf.grids import grid
from pgan_tf.inference.drawing import Drawing
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.pictures import captions, points, walks
from pgan_tf.inference.pictures.sheets import CELL
from pgan_tf.latents import Purpose
from pgan_tf.networks import saved

VIDEO_CELL = 128  # smaller images are enlarged by whole pixels

Compose = Callable[[np.ndarray], np.ndarray]  # a frame's images [cells,R,R,C] -> the frame [H,W,C]


def default_video_grid(resolution: int) -> tuple[int, int]:
    """Columns and rows of about 512 x 384 pixels: 4 x 3 up to 128x128, 1 x 1 from 512x512 on."""
    cell = max(VIDEO_CELL, resolution)
    return max(512 // cell, 1), max(384 // cell, 1)


def in_grid(columns: int) -> Compose:
    return lambda images: grid(images, columns, VIDEO_CELL)


def in_rows(names: Sequence[str]) -> Compose:
    """One cell beneath the other, with its name."""
    return lambda images: captions.sheet(images, names, cell=VIDEO_CELL)


def frames(drawing: Drawing, latents: np.ndarray, labels: np.ndarray, compose: Compose) -> Iterator[np.ndarray]:
    """Frames [H,W,C] of latents [T,cells,L]; a cell keeps its label [cells,K] all the time."""
    count, cells, size = latents.shape
    pictures = drawing.sampler.stream(latents.reshape(-1, size), np.tile(labels, (count, 1)))
    for _ in range(count):
        yield compose(np.stack(list(islice(pictures, cells))))


def smooth_walk(drawing: Drawing, count: int, cells: int, sigma: float) -> np.ndarray:
    """A closed smoothed random walk for each cell, [count,cells,L]; `sigma`: of the Gaussian filter, in frames.

    Of normal numbers, as the filter would make all others like them; then of the network's distribution.
    """
    white = drawing.normal(count * cells, Purpose.WALK).reshape(count, cells, -1)
    return drawing.space.of_normal(tf.constant(walks.smooth(white, sigma))).numpy()


def seed_walk(drawing: Drawing, seeds: Sequence[int], count: int, cells: int) -> np.ndarray:
    """From the latents of one seed to those of the next, closed: [count,cells,L]."""
    points = np.stack([drawing.random(cells, seed=seed) for seed in seeds])
    return walks.closed(points, count, drawing.space.between)


def file_walk(drawing: Drawing, count: int, cells: int) -> np.ndarray:
    """The same through the rows of the user's file, `cells` rows at a time: [count,cells,L]."""
    if drawing.given % cells:
        raise GenerateError(f"--latents: {drawing.given} rows do not go into {cells} cells; give another --grid_size")
    points = drawing.latents(drawing.given).reshape(-1, cells, drawing.network.latent_size)
    return walks.closed(points, count, drawing.space.between)


class Sheet(NamedTuple):
    """What a training video shows of each network: so many samples, and a picture of those of latents and labels."""

    count: int
    picture: Callable[[Drawing, np.ndarray, np.ndarray], np.ndarray]


def image_sheet(last: Drawing, columns: int, rows: int) -> Sheet:
    """A grid of images; those of networks of early stages at the size of the last."""
    cell = max(CELL, last.network.resolution)

    def picture(drawing: Drawing, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        resolution, images = drawing.network.resolution, drawing.pictures(latents, labels)
        text = f"{saved.kimg(drawing.loaded.path):g} thousand images, {resolution}x{resolution}"
        return captions.captioned(grid(images, columns, cell), text)

    return Sheet(columns * rows, picture)


def point_sheet(last: Drawing) -> Sheet:
    """Points over the data of the run."""
    data = points.scatter(last.loaded, way="put them back, or add --source=fakes")

    def picture(drawing: Drawing, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        text = f"{saved.kimg(drawing.loaded.path):g} thousand points"
        return captions.captioned(points.over_data(drawing, data, latents, labels), text)

    return Sheet(data.count, picture)


def network_frames(run: Path, draw: Callable[[Path], Drawing], sheet: Callable[[Drawing], Sheet], count: int):
    """What each network-*.keras of a run makes of the same latents, in `count` frames: (latents [N,L], iterator).

    `draw`: opens one. `sheet`: what is shown, by the last one.
    """
    files = _existing(saved.snapshots(run), run, "network-*.keras")
    last = draw(files[-1])
    shown = sheet(last)
    latents, labels = last.latents(shown.count), last.labels(shown.count)

    def picture(path: Path) -> np.ndarray:
        drawing = last if path == files[-1] else draw(path)
        return shown.picture(drawing, latents[:, : drawing.network.latent_size], labels)

    return latents, _in_turn(files, picture, count)


def fakes_frames(run: Path, count: int, name: str = "fakes") -> Iterator[np.ndarray]:
    """A run's fakes*.png, which are more numerous, in `count` frames; or its other pictures of that name."""
    files = _existing(stamps.in_time(run, f"{name}*.png"), run, f"{name}*.png")
    samples = "points" if stamps.in_time(run, "scores*.png") else "images"

    sizes = np.array([size_of(path) for path in files])  # [files,2]
    width, height = sizes.max(axis=0)  # a run that was resumed with another --grid_size has several

    def picture(path: Path) -> np.ndarray:
        pixels = captions.on_white(read_picture(path), height, width)
        return captions.captioned(pixels, f"{stamps.kimg(path):g} thousand {samples}")

    return _in_turn(files, picture, count)


def _existing(files: list[Path], run: Path, pattern: str) -> list[Path]:
    if not files:
        raise GenerateError(f"{run}: holds no {pattern}; give the folder of a run that has some")
    return files


def _in_turn(paths: Sequence[Path], picture: Callable[[Path], np.ndarray], count: int) -> Iterator[np.ndarray]:
    """`count` frames of which every path gets an equal share."""
    shown = None
    for frame in range(count):
        path = paths[frame * len(paths) // count]
        if path != shown:
            shown, pixels = path, picture(path)
        yield pixels
