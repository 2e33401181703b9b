"""Metrics."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from pgan_tf.api.loading import in_one_line, load_tensorflow
from pgan_tf.api.runs import Run
from pgan_tf.api.values import number, whole
from pgan_tf.config import ConfigError
from pgan_tf.mirror import working

if TYPE_CHECKING:
    Set = str | os.PathLike | np.ndarray

STRATEGY = "mirrored"  # features are extracted on all devices


@in_one_line
def evaluate(
    fakes: Run | Set, reals: Set | None = None, metrics: str | Iterable[str] = (), *,
    snapshots: str = "latest", images: int | None = None, resolution: int | None = None, extractor: str = "",
    seed: int = 2020, held_out: float = 0.0, mirror_augment: bool = False,
) -> list[dict]:  # fmt: skip
    """Measures the snapshots of a run, or one set of images against another, as evaluate.py does.

        evaluate(run, metrics="swd,fid")[0]["values"]
        evaluate("my_pictures/", "datasets/cats", "kid")

    A run's results are added to its metrics.jsonl and to TensorBoard; what is there already is not measured again.

    Args:
        fakes: A run; or a set: a folder of pictures, a data set, a .npy or .npz file, or an array, uint8 [N, H, W, C]
            of images or float [N, 2] of points in the plane.
        reals: The set to hold it against; of a run, by default what it was trained on.
        metrics: Their names, as a list or with commas between; by default SWD and FID, in the plane those that fit.
        snapshots: Of a run: `latest`, `all`, or a .keras file.
        images: Of each set; by default as in the literature, or all there are.
        resolution: Level of data sets to compare; by default the highest.
        extractor: Of features; by default the best that is installed.
        seed: Of latents, patches, subsets.
        held_out: The share of the reals that is compared with, which runs with `holdout` of as much have never seen;
            by default all of them.
        mirror_augment: Of two sets, whether half of the reals are mirrored, at random, as the reals of a run with this
            option are; a run's own option decides for it.

    Returns:
        A result for each metric and snapshot, with `metric`, `title`, `values` ({name: number}), `count` (images of
        each set) and what it takes to repeat it.

    Raises:
        UserError: Sets that do not fit each other, unknown metrics, a package that is missing.
    """
    if mirror_augment and isinstance(fakes, Run):
        raise ConfigError("mirror_augment: is for two sets; of a run its own mirror_augment decides")
    load_tensorflow(STRATEGY)
    from pgan_tf.devices import make_strategy
    from pgan_tf.evaluation import tasks
    from pgan_tf.evaluation.evaluator import Request
    from pgan_tf.metrics.registry import named
    from pgan_tf.programs.evaluate import IMAGES, SEEDS

    words = metrics if isinstance(metrics, str) else ",".join(metrics or ())
    images = None if images is None else whole("images", images, *IMAGES)
    resolution = None if resolution is None else whole("resolution", resolution, 1)
    held_out = number("held_out", held_out, 0, 1)
    request = Request(tuple(named(words)) if words else (), images, whole("seed", seed, *SEEDS), extractor)
    with make_strategy(STRATEGY).scope():
        if isinstance(fakes, Run):
            with working(fakes.folder) as folder:
                of_run = tasks.RunReals(folder, reals, resolution, held_out)
                return tasks.measure_run(of_run, snapshots, request, None, baselines=False, quiet=True)
        return tasks.measure_sets(
            reals, fakes, resolution, request, None, baselines=False, quiet=True, mirror=mirror_augment,
            held_out=held_out,
        )  # fmt: skip
