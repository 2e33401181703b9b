"""All metrics of image sets by name: `METRICS['fid'].compute(reals, fakes, count, options)` -> {value's name: number}.

A metric asks the two sets (`metrics.measured`) for what it needs; the sets work that out once, whoever asks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from . import modes, ms_ssim, neighbors, planar, saliency, swd, tfgan
from .errors import MetricError
from .extractors import mnist_classifier
from .measured import MeasuredSet, Options
from .precision_recall import precision_recall

Values = dict[str, float]
ASKED = "asked"
IMAGES, POINTS = "images", "points"  # what a metric measures


@dataclass(frozen=True)
class Metric:
    """A row of METRICS.

    Attributes:
        title: what a table calls it.
        compute: (reals, fakes, images of each, options) -> values.
        headline: which of its values stands for it, in TensorBoard's list and where the best snapshot is chosen.
        lower_is_better: of that value.
        images: how many it takes by default, in the literature; fewer where a set has fewer.
        extractor: the feature extractor that its value depends on and whose name then belongs to the result: '' none,
            ASKED the one that was asked for, else the name of its own.
        reals: whether it compares with real images at all.
        generator: whether it asks a generator for samples of its own, `images` of each kind at most: nothing for sets.
        least: images below which its value says little; there must also be one for each feature. 0: no such bound.
        of: what it measures: IMAGES, uint8 [N,H,W,C], or POINTS, [N,2]; `images` above then counts points.
        also: its other values that belong into a table: {name: whether lower is better}.
    """

    title: str
    compute: Callable[[MeasuredSet, MeasuredSet, int, Options], Values]
    headline: str
    lower_is_better: bool
    images: int
    extractor: str = ""
    reals: bool = True
    generator: bool = False
    least: int = 0
    of: str = IMAGES
    also: dict[str, bool] = field(default_factory=dict)

    def takes(self, asked: int) -> int:
        """How many it takes where so many are asked for, 0: by default; fewer where a set has fewer."""
        return min(asked or self.images, self.images) if self.generator else asked or self.images


def _swd(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    return swd.distance(reals.projections(count), fakes.projections(count))


def _fid(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    return {"fid": tfgan.frechet_distance(reals.statistics(count), fakes.statistics(count))}


def _kid(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    ours, theirs = (side.activations(count).features for side in (fakes, reals))
    return _mean_std(tfgan.kernel_inception_distance(ours, theirs, seed=options.seed))


def _inception_score(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    return _mean_std(tfgan.inception_score(fakes.activations(count).logits, seed=options.seed))


def _precision_recall(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    precision, recall = precision_recall(reals.activations(count).features, fakes.activations(count).features)
    return {"precision": precision, "recall": recall}


def _ms_ssim(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    return {"mean": ms_ssim.mean_ms_ssim(fakes.first(count), seed=options.seed)}


def _neighbors(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    """The nearest of all reals to each of `count` fakes, in pixels and in features."""
    reals = reals.both_ways()
    queries = np.concatenate(list(fakes.first(count)))  # [N,H,W,C]
    pixels = neighbors.nearest_neighbor_distance(queries, reals.first(reals.count))
    features = neighbors.nearest_neighbor_distance(
        fakes.activations(count).features, reals.activations(reals.count).features
    )
    return {f"pixels_{k}": v for k, v in pixels.items()} | {f"features_{k}": v for k, v in features.items()}


def _modes(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    """Grey digits: 10 modes, compared with the reals' frequencies. Stacked MNIST: 1000, compared with equal ones."""
    classifier = mnist_classifier.load()

    def scores(images: np.ndarray) -> np.ndarray:
        return mnist_classifier.logits(images, classifier)  # [N,10]

    ours, theirs = (np.concatenate(list(side.first(count))) for side in (fakes, reals))  # [N,H,W,C]
    if ours.shape[-1] == 3:
        return modes.mode_statistics(modes.stacked_modes(lambda images: scores(images).argmax(axis=1), ours))
    return modes.mode_count(scores(ours), scores(theirs))


def _mixture(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    truth = _truth(reals, planar.Mixture, "a mixture of Gaussians")
    return planar.mixture_scores(fakes.points(count), truth.centres, truth.std)


def _swiss_roll(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    truth = _truth(reals, planar.SwissRoll, "a Swiss roll")
    return planar.swiss_roll_score(fakes.points(count) - truth.centre, truth.noise, scale=truth.scale)


def _wasserstein(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    return {"w1": planar.wasserstein_2d(reals.points(count), fakes.points(count), seed=options.seed)}


def _truth(reals: MeasuredSet, kind: type, what: str) -> planar.Truth:
    if not isinstance(reals.truth, kind):
        raise MetricError(f"{reals.name} is not known as {what}; take another metric, wasserstein for any points")
    return reals.truth


def _saliency(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    pixels = saliency.summary(saliency.spreads(fakes.varied, count), "pixels")
    spreads = saliency.feature_spreads(fakes.varied, count, options.extractor, options.progress)
    return pixels | saliency.summary(spreads, "features")


def _first_axis(reals: MeasuredSet, fakes: MeasuredSet, count: int, options: Options) -> Values:
    return saliency.first_share(fakes.varied, count)


def _mean_std(pair: tuple[float, float]) -> Values:
    return {"mean": pair[0], "std": pair[1]}


METRICS = {
    "swd": Metric("SWD x1e3", _swd, "avg", True, 16384),
    "fid": Metric("FID", _fid, "fid", True, 50000, extractor=ASKED, least=2048),
    "kid": Metric("KID", _kid, "mean", True, 50000, extractor=ASKED),
    "is": Metric("Inception Score", _inception_score, "mean", False, 50000, extractor=ASKED, reals=False),
    "pr": Metric(
        "precision, recall", _precision_recall, "precision", False, 50000, extractor=ASKED, also={"recall": False}
    ),
    "ms_ssim": Metric("MS-SSIM", _ms_ssim, "mean", True, 10000, reals=False),
    "neighbors": Metric("nearest neighbours", _neighbors, "features_mean", False, 1000, extractor=ASKED),
    "modes": Metric("modes", _modes, "modes", False, 25600, extractor=mnist_classifier.NAME, also={"kl": True}),
    "saliency": Metric(
        "saliency",
        _saliency,
        "pixels_first",
        False,
        1024,
        extractor=ASKED,
        reals=False,
        generator=True,
        also={"features_first": False, "pixels_ordered": False},
    ),
    "mixture": Metric(
        "mixture of Gaussians", _mixture, "modes", False, 10000, of=POINTS, also={"high_quality": False, "kl": True}
    ),
    "swiss_roll": Metric("Swiss roll", _swiss_roll, "coverage", False, 10000, of=POINTS, also={"high_quality": False}),
    "wasserstein": Metric("W1", _wasserstein, "w1", True, 10000, of=POINTS),
    "first_axis": Metric(
        "share of the first axis", _first_axis, "first", False, 4096, reals=False, generator=True, of=POINTS
    ),
}

ASKS_GENERATOR = frozenset(name for name, metric in METRICS.items() if metric.generator)

# One name for the metrics that fit a set of points, by the kind of its truth.
PLANAR = "planar"
BY_TRUTH: dict[type, tuple[str, ...]] = {
    planar.Mixture: ("wasserstein", "mixture"),  # the first chooses the best snapshot: modes are soon all there
    planar.SwissRoll: ("wasserstein", "swiss_roll"),
    type(None): ("wasserstein",),
}
DEFAULTS = {IMAGES: ("swd", "fid"), POINTS: (PLANAR,)}  # where no metric is named


def named(names: str) -> list[str]:
    """'swd,fid' -> ['swd', 'fid']. MetricError for no name at all, one twice, or one that is not known."""
    asked, known = [name for part in names.split(",") if (name := part.strip())], ", ".join([*METRICS, PLANAR])
    if not asked:
        raise MetricError(f"--metrics={names}: names none; the known ones are {known}")
    for name in asked:
        if name not in METRICS and name != PLANAR:
            raise MetricError(f"unknown metric {name[:40]!r}: the known ones are {known}")
    if len(set(asked)) < len(asked):
        raise MetricError(f"--metrics={names}: names one of them twice")
    return asked


def resolved(names: Iterable[str], truth: planar.Truth | None) -> tuple[str, ...]:
    """Names of METRICS, each once: in place of PLANAR those for points of this truth."""
    parts = (BY_TRUTH[type(truth)] if name == PLANAR else (name,) for name in names)
    return tuple(dict.fromkeys(itertools.chain.from_iterable(parts)))


def check_kind(names: Iterable[str], shape: tuple[int, ...], where: str) -> None:
    """MetricError where one of these metrics measures something else than samples of this shape, those of `where`."""
    kind = kind_of(shape)
    for name in names:
        its = POINTS if name == PLANAR else METRICS[name].of
        if its != kind:
            fitting = ", ".join(known for known, metric in METRICS.items() if metric.of == kind)
            raise MetricError(f"{name} measures {its}, {where} has {kind}; what measures them: {fitting}")


def kind_of(shape: tuple[int, ...]) -> str:
    """What samples of this shape are: points [2], or images."""
    return POINTS if tuple(shape) == (2,) else IMAGES
