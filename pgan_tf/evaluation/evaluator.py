"""Measures sets of images against one set of reals, whose own part of the work is done once."""

from __future__ import annotations

import functools
import platform
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pgan_tf.evaluation.sets import POINT, ImageSet, StatisticsSet, in_order
from pgan_tf.metrics import extractors, swd
from pgan_tf.metrics.cache import StatisticsCache
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors.base import Extractor
from pgan_tf.metrics.measured import MeasuredSet, MeasuredStatistics, Options
from pgan_tf.metrics.registry import ASKED, DEFAULTS, IMAGES, METRICS, check_kind, kind_of, resolved

UNLIMITED = 1 << 62  # images that a generator has


@dataclass(frozen=True)
class Request:
    """What is to be measured.

    Attributes:
        metrics: names of METRICS, or PLANAR; none = the usual ones of what the reals are.
        images: of each set; None = each metric's own default. Fewer where a set has fewer.
        seed: of everything random.
        extractor: name of the feature extractor; '' = the best that can be had.
        weights: file of its weights; '' = found by itself.
        progress: whether to show how far it is.
    """

    metrics: tuple[str, ...]
    images: int | None = None
    seed: int = 2020
    extractor: str = ""
    weights: str = ""
    progress: bool = True


class Evaluator:
    """`Evaluator(reals, request).measure(name, fakes)` yields a result for every metric asked for."""

    def __init__(self, reals: ImageSet | StatisticsSet | None, request: Request, cache: StatisticsCache | None = None):
        self.request = request = replace(request, metrics=_metrics(request.metrics, reals))
        self.options = Options(request.seed, _extractor(request), request.progress)
        self._cache = cache or StatisticsCache()
        self._source, self.reals = reals, self._measured(reals)
        if isinstance(reals, ImageSet) and reals.held_out and "neighbors" in request.metrics:
            raise MetricError("--metrics=neighbors looks for copies, and of held-out images there can be none; "
                              "leave --held_out out, or this metric")  # fmt: skip
        if isinstance(reals, ImageSet) and "swd" in request.metrics:
            swd.check_shape(reals.shape)

    def _measured(self, reals: ImageSet | StatisticsSet | None) -> MeasuredSet | MeasuredStatistics | None:
        if reals is None:
            return None
        if isinstance(reals, StatisticsSet):
            return MeasuredStatistics(reals.name, reals.statistics)
        digest = reals.digest if "fid" in self.request.metrics else ""
        return MeasuredSet(
            reals.name, reals, reals.count, "reals", self.options, digest, self._cache, reals.truth,
            mirrored=reals.mirrored,
        )  # fmt: skip

    def measure(
        self, name: str, fakes: Iterable[np.ndarray], count: int = UNLIMITED,
        metrics: Iterable[str] | None = None, **about,
    ) -> Iterator[dict]:  # fmt: skip
        """A result per metric, each as soon as it is there.

        Args:
            name: of the fakes.
            fakes: batches uint8 [n,H,W,C], to be read as often as needed.
            count: how many there are.
            metrics: some of those asked for; default all.
            about: becomes part of each result.

        Raises:
            MetricError: sets that differ in size or channels, too few images.
        """
        self._check_alike(name, fakes)
        varied = getattr(fakes, "varied", None)  # generators have it
        measured = MeasuredSet(name, fakes, count, "fakes", self.options, varied=varied)
        for metric in self.request.metrics if metrics is None else metrics:
            began = time.monotonic()
            images = self.count(metric, count)
            values = METRICS[metric].compute(self.reals, measured, images, self.options)
            yield {**about, **self.identity(metric, name, count), "values": values,
                   "seconds": round(time.monotonic() - began, 2), "versions": versions()}  # fmt: skip

    def identity(self, metric: str, name: str, count: int = UNLIMITED) -> dict:
        """What makes two results of one value: the metric, the sets, how many images, the extractor, the seed."""
        row, extractor = METRICS[metric], self._extractor_of(metric)
        about = {"metric": metric, "title": row.title, "fakes": name, "count": self.count(metric, count)}
        if extractor:
            title = row.title if extractor.name == "inception-2015" else f"{row.title} ({extractor.name})"
            about |= {"title": title, "extractor": extractor.name, "extractor_sha256": extractor.sha256}
        if row.reals and self.reals is not None:
            about |= {"reals": self.reals.name, **self._which_reals()}
            if "reals_held_out" in about:  # another curve than that of all reals
                about["title"] += f", held out {about['reals_held_out']:g}"
        return {**about, "seed": self.request.seed}

    def _which_reals(self) -> dict:
        """What tells these reals from the whole set as it is."""
        if not isinstance(self._source, ImageSet):
            return {}
        parts = {"reals_mirrored": self._source.mirrored, "reals_held_out": self._source.held_out}
        return {name: value for name, value in parts.items() if value}

    def _extractor_of(self, metric: str) -> Extractor | None:
        """What the metric's value depends on; its name and weights belong to the result."""
        name = METRICS[metric].extractor
        if not name or name == ASKED:
            return self.options.extractor if name else None
        return _own_extractor(name)

    def count(self, metric: str, fakes: int = UNLIMITED) -> int:
        """How many images of each set a metric gets."""
        row = METRICS[metric]
        if row.reals and self.reals is None:
            raise MetricError(f"{row.title} compares with real images: give the data set")
        reals = self.reals.count if row.reals else None
        return min(row.takes(self.request.images or 0), fakes, reals or UNLIMITED)

    def doubts(self, fakes: int = UNLIMITED) -> list[str]:
        """A line for each metric that has too few images to say much, and for reals whose order may matter.

        `fakes`: how many there are.
        """
        lines = []
        for metric in (name for name in self.request.metrics if METRICS[name].least):
            identity, extractor = self.identity(metric, "", fakes), self._extractor_of(metric)
            least = max(METRICS[metric].least, extractor.features)
            if identity["count"] < least:
                lines.append(
                    f"{identity['title']} of {identity['count']} images says little: its {extractor.features} features "
                    f"need {least:,} images at least, and numbers to compare with others 10,000 or more"
                )
        return lines + in_order(self._source, self.most(fakes))

    def most(self, fakes: int = UNLIMITED) -> int:
        """How many images of a set the metric that takes most of them gets."""
        return max((self.count(metric, fakes) for metric in self.request.metrics), default=UNLIMITED)

    def _check_alike(self, name: str, fakes: Iterable[np.ndarray]) -> None:
        if not isinstance(self._source, ImageSet):
            return
        first = next(iter(fakes), None)
        if first is None:
            raise MetricError(f"{name}: no images in it")
        ours, theirs = tuple(first.shape[1:]), tuple(self._source.shape)
        if ours != theirs and POINT in (ours, theirs):
            which = "points, not images as" if ours == POINT else "images, not points as"
            raise MetricError(f"{name}: holds {which} {self._source.name}; sets to compare must be alike")
        if ours != theirs:
            sizes = f"{list(ours)} (height, width, channels), those of {self._source.name} {list(theirs)}"
            raise MetricError(f"{name}: its images are {sizes}; sets to compare must be alike")


def _metrics(asked: tuple[str, ...], reals: ImageSet | StatisticsSet | None) -> tuple[str, ...]:
    """What is measured against these reals. MetricError where a metric is for something else."""
    if not isinstance(reals, ImageSet):
        return resolved(asked or DEFAULTS[IMAGES], None)
    check_kind(asked, reals.shape, reals.name)
    return resolved(asked or DEFAULTS[kind_of(reals.shape)], reals.truth)


def versions() -> dict[str, str]:
    """Of what the numbers depend on."""
    import keras
    import tensorflow as tf

    import pgan_tf

    return {
        "pgan_tf": pgan_tf.__version__, "python": platform.python_version(), "tensorflow": tf.__version__,
        "keras": keras.__version__, "numpy": np.__version__,
    }  # fmt: skip


@functools.lru_cache(maxsize=1)
def _extractor(request: Request) -> Extractor | None:
    """The extractor if a metric needs one; loaded once for all evaluators of one request."""
    if not any(METRICS[metric].extractor == ASKED for metric in request.metrics):
        return None
    return extractors.load(request.extractor or None, request.weights or None)


@functools.lru_cache
def _own_extractor(name: str) -> Extractor:
    return extractors.load(name)
