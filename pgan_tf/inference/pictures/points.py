"""What a network makes in the plane: over the data of its run, and what the run's discriminator says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pgan_tf import plane
from pgan_tf.data import identity
from pgan_tf.data.points import PointDataset
from pgan_tf.data.samples import MOST_POINTS as MOST_POINTS
from pgan_tf.data.samples import Scatter
from pgan_tf.inference.drawing import Drawing
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.load import Loaded
from pgan_tf.networks import checkpoints
from pgan_tf.networks.judging import Judge
from pgan_tf.networks.saved import folder_of
from pgan_tf.places import place
from pgan_tf.stages import Fade

ASK = "say by --dataset where they are now"


def scatter(loaded: Loaded, dataset: str | None = None, way: str = ASK) -> Scatter:
    """The points of `dataset`, by default those that the network was trained on, ready to be drawn on.

    `way`: what to do where they are not known. GenerateError, or DataError for a set that is none of points.
    """
    path = dataset or (identity.find(folder_of(loaded.path), loaded.config.data.dataset) if loaded.config else "")
    if not path:
        raise GenerateError(f"{loaded.path}: does not say which points it was trained on; {way}")
    if not dataset and not place(path).exists():
        raise GenerateError(f"{path}: the points that it was trained on are not there; {way}")
    points = PointDataset(path)
    return Scatter.of(points, points.resolution, None)


def over_data(drawing: Drawing, data: Scatter, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What the network makes of latents [N,L] with labels [N,K], over the data: uint8 [H,W,3]."""
    return plane.samples_over_data(drawing.sampler.points(latents, labels), data.data, data.frame)


def checkpoint_of(path: Path) -> Path:
    """The newest sound checkpoint of a run, or the one that is given. GenerateError: there is none."""
    if checkpoints.is_checkpoint(path):
        return path
    if path.is_file():
        raise GenerateError(f"{path}: a generator alone; its discriminator is in the run's checkpoints: give the run")
    if not checkpoints.paths(path / "checkpoints"):
        raise GenerateError(f"{path}: holds no checkpoints, where a discriminator would be; give the folder of a run")
    return checkpoints.newest_sound(path / "checkpoints", print)


def field(drawing: Drawing, data: Scatter, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of a network in a checkpoint: `count` latents [count,L], and a picture [H,W,3] of what its discriminator says.

    Left the score of every place under the data and the network's samples, right the latents by the scores of these.
    """
    discriminator = checkpoints.load_discriminator(drawing.loaded.path)
    now = Fade(discriminator.alpha, discriminator.beta, discriminator.tau)
    judge = Judge(discriminator, data.data, now)
    latents = drawing.latents(count)
    drawn = data.fakes(drawing.sampler.points(latents, drawing.labels(count)), latents, judge)
    return latents, np.concatenate([drawn["scores"], drawn["latents"]], axis=1)
