"""What a run learns from: images of a resolution, or points in the plane; and how they are drawn."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from pgan_tf import grids, plane
from pgan_tf.data.dataset import RecordDataset, has_records, record_files
from pgan_tf.data.points import PointDataset, has_points

MOST_POINTS = 10_000  # in a picture
FIELD, COARSEST = 112, 8  # scores in a row of a picture of the plane, and at least, where one score costs many


class Score(Protocol):
    """What a discriminator says of samples."""

    group: int  # samples that are looked at to judge one

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Samples [N, *shape] -> [N]."""


class Samples(Protocol):
    """A data set that a run can learn from: RecordDataset of images, PointDataset of points."""

    kind: str  # a key of DRAWINGS
    dtype: Any  # of what is read: images stay uint8 until they are on the device, points are float32
    folder: Path
    name: str
    count: int
    channels: int  # of an image; components of a point
    labels: np.ndarray | None  # float32 [count, label_size]
    label_size: int
    resolution: int  # that a run has by default
    resolutions: Any  # all that it may have, rising

    def shape(self, resolution: int) -> tuple[int, ...]:
        """That of one sample: (R,R,C) or (2,)."""

    def read(self, resolution: int, indices: np.ndarray) -> np.ndarray:
        """Samples at `indices` [n], [n, *shape]."""

    def content(self) -> str:
        """What is in it, in words: '1,000 images of 32x32, RGB'."""


def open_samples(folder: str | os.PathLike) -> Samples:
    """The data set in a folder. Raises DataError."""
    return PointDataset(folder) if has_points(folder) else RecordDataset(folder)


def is_data_set(path: Path) -> bool:
    """Whether a path is a folder with the files of a data set, by their names."""
    return path.is_dir() and (has_points(path) or has_records(path))


def check_files(folder: str | os.PathLike) -> None:
    """DataError unless a folder holds the files of a data set, by their names."""
    if not has_points(folder):
        record_files(folder)


# ---- pictures of samples ---------------------------------------------------------------------------------------------


class ImageGrid(NamedTuple):
    """Images in rows and columns; every grid of a run has the same size in pixels."""

    columns: int
    count: int  # images in a picture
    cell: int
    at_once = 32  # so many does a generator make at a time

    @classmethod
    def of(cls, samples: Samples, resolution: int, size: tuple[int, int] | None) -> ImageGrid:
        """size: columns and rows; None: what suits the resolution."""
        columns, rows = size or grids.default_grid_size(resolution)
        return cls(columns, columns * rows, grids.cell_size(resolution))

    def reals(self, images: np.ndarray) -> np.ndarray:
        """uint8 [count,R,R,C] -> uint8 [H,W,C]."""
        return grids.grid(images, self.columns, self.cell)

    def fakes(self, images: np.ndarray, latents: np.ndarray, score: Score) -> dict[str, np.ndarray]:
        """Images in -1..1, as {the picture's name: it}."""
        return {"fakes": self.reals(grids.to_uint8(images))}


class Scatter(NamedTuple):
    """Points over the first ones of the data."""

    data: np.ndarray  # [count,2]
    frame: plane.Frame
    count: int  # points in a picture
    at_once = MOST_POINTS

    @classmethod
    def of(cls, samples: PointDataset, resolution: int, size: tuple[int, int] | None) -> Scatter:
        """A frame for all points of the data set."""
        data = samples.points[:MOST_POINTS]
        return cls(data, plane.Frame.around(samples.points), len(data))

    def reals(self, points: np.ndarray) -> np.ndarray:
        """[count,2] -> uint8 [H,W,3]."""
        return plane.data_points(points, self.frame)

    def fakes(self, points: np.ndarray, latents: np.ndarray, score: Score) -> dict[str, np.ndarray]:
        """What a generator makes of latents: over the data; over the score of every place; the latents by their
        points' scores. Fewer of these where one costs more."""
        field = score(self.frame.lattice(max(FIELD // math.isqrt(score.group), COARSEST)))
        judged = max(len(points) // score.group, 1)
        places = plane.latent_plane(latents[:judged])
        return {
            "fakes": plane.samples_over_data(points, self.data, self.frame),
            "scores": plane.score_field(field, self.data, points, self.frame),
            "latents": plane.scored_points(places, score(points[:judged]), plane.Frame.around(places)),
        }


DRAWINGS = {"images": ImageGrid, "points": Scatter}
