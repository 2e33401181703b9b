"""The generators that a run has left behind, and the images that they make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from pgan_tf.evaluation.fakes import GeneratedImages
from pgan_tf.metrics.errors import MetricError
from pgan_tf.networks import saved
from pgan_tf.networks.checkpoints import is_checkpoint
from pgan_tf.networks.saved import kimg


@dataclass(frozen=True)
class Snapshot:
    """A saved generator.

    Attributes:
        path: of its file, or of a checkpoint.
        kimg: thousands of images that the run had seen; None where its name does not say, or it is not of the run.
        name: of its results: that of its file, where it is not of the run its path.
    """

    path: Path
    kimg: float | None
    name: str

    def about(self) -> dict:
        """What every result of it says: which weights, at which time of the training."""
        about = {"fakes_sha256": saved.digest(self.path)}
        return about if self.kimg is None else {"images": round(self.kimg * 1000), "kimg": self.kimg, **about}


def find(run: Path, which: str) -> list[Snapshot]:
    """`which`: 'latest', 'all' (oldest first), or a .keras file, by its path or by its name in the run's folder.
    MetricError if there is none."""
    if which not in ("latest", "all"):
        for path in (Path(which), run / which):
            if path.is_file() or is_checkpoint(path):
                return [_snapshot(run, path)]
        raise MetricError(f"--snapshots={which}: no such file, here or in {run}; give latest, all, or a .keras file")
    if not run.is_dir():
        raise MetricError(f"--run={run}: no such folder; give the folder of a run")
    known = saved.snapshots(run) or [saved.generator_file(run)]  # the newest checkpoint has one
    return [_snapshot(run, path) for path in (known if which == "all" else known[-1:])]


def _snapshot(run: Path, path: Path) -> Snapshot:
    """Another run's network may have the name of one of this run, whose result its own must not be taken for."""
    own = saved.folder_of(path).resolve() == run.resolve()
    return Snapshot(path, kimg(path), path.name) if own else Snapshot(path, None, str(path))


def images(snapshot: Snapshot, shape: tuple[int, ...], labels: np.ndarray | None, seed: int):
    """What the snapshot generates, to be compared with samples of `shape`, (R,R,C) of images or (2,) of points.

    MetricError if the file is no generator, or a larger one.
    """
    try:
        network = saved.load_network(snapshot.path)
    except saved.NetworkError as error:
        raise MetricError(str(error)) from None
    if len(shape) == 3 and network.resolution > shape[0]:
        raise MetricError(f"{snapshot.path}: makes {network.resolution} pixels, the reals have {shape[0]}")
    if network.label_size:
        labels = labels_for(network.label_size, labels)

    @tf.function
    def draw(latents: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return network((latents, labels))

    return GeneratedImages(draw, network.latent_size, seed, shape[0], labels if network.label_size else None,
                           network.options.latents)  # fmt: skip


def labels_for(label_size: int, labels: np.ndarray | None) -> np.ndarray:
    """Labels to draw from, [M,label_size]: those of the data set, or where it has too few, every class once."""
    if labels is None or labels.shape[1] < label_size:
        return np.eye(label_size, dtype=np.float32)
    return labels[:, :label_size]
