"""generate.py neighbors: generated images beside the training images most like them, and the numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pgan_tf.data import identity
from pgan_tf.data.holdout import split
from pgan_tf.evaluation import nearest
from pgan_tf.evaluation.nearest import Measure, Neighborhood
from pgan_tf.evaluation.sets import ImageSet, open_set
from pgan_tf.evaluation.tasks import is_own
from pgan_tf.inference.drawing import Drawing
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.facts import class_of, network_facts
from pgan_tf.inference.load import Loaded
from pgan_tf.inference.search import panels
from pgan_tf.inference.search.panels import Panel, in_panels
from pgan_tf.metrics import extractors
from pgan_tf.metrics.extractors.base import Extractor
from pgan_tf.networks.saved import folder_of
from pgan_tf.places import place

PIXELS_ONLY = "none"  # in place of an extractor's name


class Searched(NamedTuple):
    """The part of a set that is searched, and the positions [n] of its images in the whole."""

    whole: ImageSet
    part: ImageSet
    positions: np.ndarray

    @classmethod
    def learned(cls, reals: ImageSet, holdout: float) -> Searched:
        """What a run with --holdout has learned from: it has never seen the others."""
        part = reals.parted(holdout)[0] if holdout else reals
        return cls(reals, part, split(reals.count, holdout)[0])

    def neighborhood(
        self, images: np.ndarray, k: int, measure: Measure, mirror: bool, seed: int, shown: bool = True
    ) -> Neighborhood:
        """See `nearest.neighborhood`; the indices are positions in the whole."""
        found = nearest.neighborhood(images, self.part, k, measure, mirror, seed, shown)
        return found._replace(indices=self.positions[found.indices])


def training_set(loaded: Loaded, dataset: str | None) -> Searched:
    """The images of `dataset`, by default those that the run was trained on, at the network's resolution.

    Of its own data set those that the run held out are left out, of another one none.
    GenerateError, DataError or MetricError: not known, not there any more, of no such resolution, statistics only.
    """
    path = dataset or (identity.find(folder_of(loaded.path), loaded.config.data.dataset) if loaded.config else "")
    if not path:
        raise GenerateError(f"{loaded.path}: does not say what it was trained on; give the images by --dataset")
    if not dataset and not place(path).exists():
        raise GenerateError(f"{path}: the run's training images are not there; say by --dataset where they are now")
    reals = open_set(path, loaded.network.resolution)
    if not isinstance(reals, ImageSet):
        raise GenerateError(f"--dataset={path}: statistics do not say what the images look like; give the images")
    own = loaded.config and (not dataset or is_own(folder_of(loaded.path), dataset))
    return Searched.learned(reals, loaded.config.data.holdout if own else 0)


def load_extractor(name: str, weights: str) -> Extractor | None:
    """The extractor of evaluate.py's names, '' = its default; None for 'none'. MetricError."""
    return None if name == PIXELS_ONLY else extractors.load(name or None, weights or None)


def check(
    drawing: Drawing, searched: Searched, count: int, k: int, extractor: Extractor | None, mirror: bool
) -> tuple[np.ndarray, dict]:
    """Looks up `count` generated images -> the picture uint8 [H,W,3], and what goes into the .json."""
    reals = searched.whole
    latents, labels = drawing.latents(count), drawing.labels(count)
    images = drawing.pictures(latents, labels)  # [Q,R,R,C]
    measures = [nearest.pixels(), *([nearest.features(extractor)] if extractor else [])]
    neighborhoods = [searched.neighborhood(images, k, measure, mirror, drawing.seed) for measure in measures]
    about = {
        **network_facts(drawing.loaded), "dataset": reals.name, "training_images": searched.part.count,
        "seed": drawing.seed, "mirror": mirror, "labels": class_of(labels),
    }  # fmt: skip
    if extractor:
        about |= {"extractor": extractor.name, "extractor_sha256": extractor.sha256}
    about |= {"neighbors": {one.measure: _rows(one) for one in neighborhoods}}
    return picture(images, reals, neighborhoods), about


def picture(images: np.ndarray, reals: ImageSet, neighborhoods: list[Neighborhood]) -> np.ndarray:
    """uint8 [H,W,3]: a row for each image, which stands first; beside it its neighbours by each measure.

    Under a neighbour are its position in the data set and its distance; a mirrored one is shown mirrored, as it was
    compared, and its caption says so.
    """
    shown = [Panel("generated", [[image] for image in images], [[""] for _ in images])]
    for found in neighborhoods:
        captions = [
            [f"#{i}{' mirrored' if m else ''}\n{d:.3g}" for i, d, m in zip(*row, strict=True)]
            for row in zip(found.indices, found.distances, found.mirrored, strict=True)
        ]
        by = "pixels" if found.measure == "pixels" else f"features ({found.measure})"
        shown.append(Panel(f"nearest training images by {by}", list(found.images(reals)), captions))
    return in_panels(shown)


def least_size(count: int, k: int, measures: int, resolution: int) -> tuple[int, int]:
    """Width and height that `picture` has at the least, of `count` images and k neighbours by so many measures."""
    return panels.least_size(count, 1 + k * measures, resolution, lines=2)


def summary(facts: dict) -> str:
    """A line for each measure."""
    lines = []
    for measure, found in facts["neighbors"].items():
        distances = [row["distances"][0] for row in found["rows"]]
        lines.append(
            f"{measure}: nearest training image at a median distance of {np.median(distances):.3g} "
            f"(training images among themselves: {found['usual']:.3g}), "
            f"the closest at {min(distances):.3g}; {found['copies']} of {len(distances)} are copies"
        )
    return "\n".join(lines)


def _rows(found: Neighborhood) -> dict:
    rows = [
        {"indices": i.tolist(), "distances": d.tolist(), "mirrored": m.tolist()}
        for i, d, m in zip(found.indices, found.distances, found.mirrored, strict=True)
    ]
    return {"usual": found.usual, "copies": found.copies, "rows": rows}
