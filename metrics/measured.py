"""One set of images, and everything that metrics need to know of it, each worked out once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from . import features, planar, swd
from .cache import StatisticsCache
from .errors import MetricError
from .extractors.base import Activations, Extractor
from .frechet import Statistics
from .saliency import Varied


class Options(NamedTuple):
    """What all metrics of an evaluation share."""

    seed: int = 2020  # of everything random: torch-fidelity's default
    extractor: Extractor | None = None
    progress: bool = True


class MeasuredSet:
    """Images, or points in the plane, with a name, and what was measured of them.

    Attributes:
        name: for messages and results.
        count: images or points in the set.
        role: 'reals' or 'fakes'.
        truth: the distribution that points were drawn from, where it is known.
        mirrored: whether each image may be mirrored, at random.
    """

    def __init__(
        self, name: str, images: Iterable[np.ndarray], count: int, role: str,
        options: Options, digest: str = "", cache: StatisticsCache | None = None, truth: planar.Truth | None = None,
        varied: Callable[[], Varied] | None = None, mirrored: bool = False,
    ):  # fmt: skip
        """`images`: batches uint8 [n,H,W,C], or points float [n,2], that can be read again and again. `digest`: a hash
        of what they contain; with it and a cache, statistics found once are not worked out again. `varied`: of what a
        generator makes."""
        self.name, self.count, self.role, self.options, self.digest = name, count, role, options, digest
        self._images, self._cache, self.truth, self._varied = images, cache, truth, varied
        self.mirrored = mirrored
        self._known: dict[tuple, object] = {}
        self._activations: Activations | None = None  # of the most images asked for so far

    def first(self, count: int) -> Iterable[np.ndarray]:
        """The first `count` images in batches, to be read as often as needed. MetricError if there are fewer."""
        if count > self.count:
            raise MetricError(f"{self.name} has {self.count} images, {count} are needed; give more, or ask for fewer")
        return _First(self._images, count)

    def both_ways(self) -> MeasuredSet:
        """All that may have been learnt of it: images that may be mirrored, both ways."""
        if not self.mirrored:
            return self
        return MeasuredSet(self.name, _BothWays(self._images), 2 * self.count, self.role, self.options)

    def points(self, count: int) -> np.ndarray:
        """The first `count` points, [count,2]."""
        return self._once(("points", count), lambda: np.concatenate(list(self.first(count))))

    def projections(self, count: int) -> swd.Projections:
        """Of the first `count` images, for the sliced Wasserstein distance."""
        return self._once(("projections", count), lambda: swd.project(self.first(count), self.role, self.options.seed))

    @property
    def varied(self) -> Varied:
        """What its generator makes of latents that differ in some components. MetricError: it has none."""
        if self._varied is None:
            raise MetricError(f"{self.name}: saliency is of a generator, not of its samples; give --run")
        return self._once(("varied",), self._varied)

    def activations(self, count: int) -> Activations:
        """Features [count,F] and logits [count,K] of the first `count` images, by the evaluation's extractor."""
        if self._activations is None or len(self._activations.features) < count:
            self._activations = features.extract(
                self.options.extractor, self.first(count), count,
                what=f"features of the {self.role}", progress=self.options.progress,
            )  # fmt: skip
        return Activations(*(array[:count] for array in self._activations))

    def statistics(self, count: int) -> Statistics:
        """Mean and covariance of the features, out of the cache where it has them."""
        return self._once(("statistics", count), lambda: self._statistics(count))

    def _statistics(self, count: int) -> Statistics:
        def work_out() -> Statistics:
            return Statistics.of(self.activations(count).features)

        if not self._cache or not self.digest:
            return work_out()
        return self._cache.get(self.digest, count, self.options.extractor, work_out)

    def _once(self, key: tuple, work: Callable):
        if key not in self._known:
            self._known[key] = work()
        return self._known[key]


class MeasuredStatistics:
    """A set of which only mean and covariance were kept (pytorch-fid's .npz): enough for FID."""

    mirrored = False

    def __init__(self, name: str, statistics: Statistics):
        self.name, self._statistics = name, statistics
        self.count = statistics.count

    def statistics(self, count: int) -> Statistics:
        """Of however many images there were: the file is as it is."""
        return self._statistics

    def both_ways(self) -> MeasuredStatistics:
        """As it is: there is nothing to turn round."""
        return self

    def _refuse(self, count: int):
        raise MetricError(f"{self.name} holds statistics without images: only FID can be measured against it")

    first = points = projections = activations = _refuse


class _First:
    """The first images of a stream that can be read again."""

    def __init__(self, images: Iterable[np.ndarray], count: int):
        self._images, self._count = images, count

    def __iter__(self) -> Iterator[np.ndarray]:
        left = self._count
        for batch in self._images:
            yield batch[:left]
            left -= len(batch)
            if left <= 0:
                return


class _BothWays:
    """Each batch of a stream that can be read again, and its mirror images."""

    def __init__(self, images: Iterable[np.ndarray]):
        self._images = images

    def __iter__(self) -> Iterator[np.ndarray]:
        for batch in self._images:
            yield from (batch, batch[:, :, ::-1])
