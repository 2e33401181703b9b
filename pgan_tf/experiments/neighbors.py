"""Generated images beside the training images most like them, pixel by pixel: Yamazaki, figure 5.15."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf import grids
from pgan_tf.config import Config
from pgan_tf.evaluation import snapshots
from pgan_tf.evaluation.nearest import Neighborhood, pixels
from pgan_tf.evaluation.sets import open_set
from pgan_tf.experiments.runs import RunState
from pgan_tf.experiments.suite import Comparison
from pgan_tf.files import new_file
from pgan_tf.inference.search.overfitting import Searched
from pgan_tf.networks import saved
from pgan_tf.places import place

COUNT, COLUMNS, CELL, GAP = 64, 8, 64, 24  # images of a grid, in so many columns; pixels of one, and between the grids
SEED = 2020  # of the latents: evaluate.py's


class Found(NamedTuple):
    """What was generated and what is next to it, as it was compared."""

    images: np.ndarray  # uint8 [COUNT,R,R,C]
    neighbors: np.ndarray  # uint8 [COUNT,R,R,C]
    neighborhood: Neighborhood  # the nearest alone: [COUNT,1]


def shown(comparison: Comparison, states: list[RunState]) -> RunState | None:
    """The first complete seed of the row that the suite names whose network is there, and the data set too."""
    own = (state for state in states if state.row.title == comparison.neighbors and state.complete)
    with_network = (state for state in own if saved.snapshots(state.folder))
    return next(with_network, None) if place(comparison.dataset).is_dir() else None


def plot_neighbors(state: RunState, path: Path) -> None:
    """Generated images on the left; on the right, in the same places, their neighbours."""
    found = find(state.folder, state.comparison.dataset)
    cell = max(CELL, found.images.shape[1])
    left, right = (grids.grid(images, COLUMNS, cell) for images in (found.images, found.neighbors))  # [H,W,C]
    between = np.full((len(left), GAP, left.shape[-1]), 255, np.uint8)
    picture = np.concatenate([left, between, right], axis=1)
    with new_file(path) as temporary:
        grids.to_pillow(picture).save(temporary, format="PNG")


@functools.lru_cache(maxsize=8)
def find(run: Path, dataset: str) -> Found:
    """What the last snapshot of a run makes of fixed latents, looked up in what it learned from of the data set."""
    config = Config.read(run / "config.json")
    reals = open_set(dataset, config.data.resolution or None)
    (snapshot,) = snapshots.find(run, "latest")
    stream = snapshots.images(snapshot, reals.shape, None, SEED)
    images = np.concatenate(list(itertools.islice(stream, -(-COUNT // 32))))[:COUNT]  # [COUNT,R,R,C]
    searched = Searched.learned(reals, config.data.holdout)
    found = searched.neighborhood(images, 1, pixels(), config.data.mirror_augment, SEED, shown=False)
    return Found(images, found.images(reals)[:, 0], found)
