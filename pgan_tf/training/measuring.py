"""Metrics in the loop: the averaged generator against the reals, every few ticks, and the best snapshot kept."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.data.samples import Samples
from pgan_tf.evaluation import results
from pgan_tf.evaluation.evaluator import Evaluator, Request
from pgan_tf.evaluation.fakes import GeneratedImages
from pgan_tf.evaluation.sets import ImageSet, open_set
from pgan_tf.evaluation.snapshots import labels_for
from pgan_tf.files import new_file
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.registry import named, resolved
from pgan_tf.networks.base import GeneratorNetwork
from pgan_tf.stages import Fade
from pgan_tf.training.export import save_generator
from pgan_tf.training.state import StageState

BEST = "network-best.keras"


class Measurements:
    """Measures the averaged generator at the run's final resolution; leaves the training as it was.

    All random numbers follow from the seed of the metrics, none from a global state. The images of an earlier stage
    have their pixels repeated, so that one curve shows the whole run.
    """

    def __init__(self, config: Config, dataset: Samples, resolution: int, label_size: int):
        """Loads the extractor. MetricError if there is none, or for a name that is no metric's."""
        run = config.run
        self.resolution = resolution
        reals = open_set(dataset.folder, resolution, config.data.mirror_augment)
        request = Request(tuple(named(run.metrics)), run.metrics_images, extractor=run.extractor, progress=False)
        self.evaluator = Evaluator(reals, request)
        self.best_metric = self._best_metric(run.best_metric, reals)
        self.labels = labels_for(label_size, dataset.labels) if label_size else None
        self.doubts = self.evaluator.doubts()  # said once
        self._drawn: tuple[GeneratorNetwork, Callable] | None = None

    def _best_metric(self, asked: str, reals: ImageSet) -> str:
        """Which chooses the best snapshot; by default the first. MetricError where it is not measured."""
        metrics = self.evaluator.request.metrics
        best = resolved([asked], reals.truth)[0] if asked else metrics[0]
        if best not in metrics:
            raise MetricError(f"--best_metric={asked}: is not among --metrics, {', '.join(metrics)}; add it there")
        return best

    def measure(self, state: StageState, fade: Fade, images: int) -> Iterator[dict]:
        """A result per metric of the averaged generator after so many real images, each as soon as it is there."""
        draw = functools.partial(self._draw(state), fade=Fade(*(tf.constant(value, tf.float32) for value in fade)))
        fakes = GeneratedImages(
            draw, state.ema.latent_size, self.evaluator.request.seed, self.resolution, self.labels,
            state.ema.options.latents,
        )  # fmt: skip
        return self.evaluator.measure(results.WATCHED, fakes, images=images, kimg=images / 1000)

    def _draw(self, state: StageState) -> Callable:
        """The generator as a graph, traced once per stage. Of an earlier stage nothing else is kept in memory."""
        ema = state.ema
        if self._drawn is None or self._drawn[0] is not ema:

            @tf.function
            def draw(latents: tf.Tensor, labels: tf.Tensor, fade: Fade) -> tf.Tensor:
                return ema((latents, labels), **fade.options())

            self._drawn = ema, draw
        return self._drawn[1]

    def keep_best(self, folder: Path, rows: list[dict], state: StageState, fade: Fade) -> bool:
        """Saves the generator as network-best.keras if it is the best so far; best.json says by which value."""
        row = next((row for row in rows if row["metric"] == self.best_metric), None)
        if row is None:  # it could not be measured
            return False
        path, value = folder / "best.json", results.headline(row)
        best = _best_so_far(path, self.best_metric)
        if best is not None and not results.is_better(self.best_metric, value, best):
            return False
        save_generator(state.ema, fade, folder / BEST)
        with new_file(path) as temporary:
            temporary.write_text(json.dumps({"metric": self.best_metric, "value": value, "kimg": row["kimg"]}) + "\n")
        return True


def _best_so_far(path: Path, metric: str) -> float | None:
    """The best value of this metric; None where the file is not there, of another metric or damaged."""
    try:
        best = json.loads(path.read_bytes())
        return float(best["value"]) if best["metric"] == metric else None
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def summary(rows: list[dict]) -> str:
    """'SWD x1e3 avg 12.3, FID (efficientnet-lite0) 45.1' for the log."""
    return ", ".join(f"{row['title']} {results.headline(row):.4g}" for row in rows)
