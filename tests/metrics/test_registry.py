"""The table of metrics: each row works on a pair of sets, shares its work with the others, and is cached by content."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics import features, planar, registry
from pgan_tf.metrics.cache import StatisticsCache
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors.base import Activations, Extractor
from pgan_tf.metrics.frechet import Statistics
from pgan_tf.metrics.measured import MeasuredSet, MeasuredStatistics, Options
from pgan_tf.metrics.registry import METRICS

COUNT = 1010  # KID wants a thousand


def small_extractor(name: str = "means", sha256: str = "0" * 64) -> Extractor:
    """Means of quarters of the image as features, of halves as logits."""

    def compute(images: tf.Tensor) -> Activations:
        quarters = tf.reshape(tf.reduce_mean(tf.cast(images, tf.float32) / 255, 3), [-1, 2, 8, 2, 8])  # [N,2,8,2,8]
        means = tf.reshape(tf.reduce_mean(quarters, [2, 4]), [-1, 4])  # [N,4]
        return Activations(means, 20 * means[:, :2])

    return Extractor(name, sha256, 4, 2, compute)


@pytest.fixture
def pair():
    random = np.random.default_rng(0)
    options = Options(7, small_extractor(), progress=False)
    images = random.integers(0, 256, (2, COUNT, 16, 16, 3), np.uint8)
    return [
        MeasuredSet(role, [images[side]], COUNT, role, options) for side, role in enumerate(("reals", "fakes"))
    ], options


@pytest.mark.parametrize(
    "name",
    [name for name, metric in METRICS.items() if metric.of == registry.IMAGES and name not in ("modes", "saliency")],
)
def test_every_metric_gives_finite_numbers_and_its_headline(name, pair, monkeypatch):
    few = functools.partial(registry.tfgan.kernel_inception_distance, subsets=2)  # a hundred take a while
    monkeypatch.setattr(registry.tfgan, "kernel_inception_distance", few)
    (reals, fakes), options = pair
    values = METRICS[name].compute(reals, fakes, COUNT, options)
    assert METRICS[name].headline in values
    assert np.isfinite(list(values.values())).all()


def plane(role: str, points: np.ndarray, truth: planar.Truth | None = None) -> MeasuredSet:
    return MeasuredSet(role, [points[:300], points[300:]], len(points), role, Options(7), truth=truth)


TRUTHS = {
    "mixture": planar.Mixture(np.array([[0.0, 0.0], [9.0, 0.0]]), 0.5),
    "swiss_roll": planar.SwissRoll(0.5, scale=2.0),
    "wasserstein": None,
}


@pytest.mark.parametrize("name", TRUTHS)
def test_metrics_of_points_by_the_truth_of_the_reals(name):
    """What is drawn from the truth scores better than what is not; the truth is the reals'."""
    random = np.random.default_rng(1)
    truth = TRUTHS[name]
    points = planar.swiss_roll_curve(scale=2.0) if name == "swiss_roll" else np.array([[0.0, 0.0], [9.0, 0.0]])
    drawn, again = (points[random.integers(len(points), size=500)] + random.normal(0, 0.5, (500, 2)) for _ in "12")
    reals, metric = plane("reals", drawn, truth), METRICS[name]
    good, bad = (metric.compute(reals, plane("fakes", fakes), 500, Options(7)) for fakes in (again, again * 0 + 40))
    assert good.keys() == bad.keys()
    assert (good[metric.headline] < bad[metric.headline]) == metric.lower_is_better


@pytest.mark.parametrize("name", ["mixture", "swiss_roll"])
def test_a_truth_that_is_not_known_is_refused(name):
    points = plane("reals", np.zeros((9, 2)), TRUTHS["swiss_roll" if name == "mixture" else "mixture"])
    with pytest.raises(MetricError, match=r"reals is not known as a .*; take another metric"):
        METRICS[name].compute(points, points, 9, Options())


def test_metrics_of_points_are_none_of_images():
    registry.check_kind(["fid", "swd"], (16, 16, 3), "set")
    registry.check_kind(["mixture"], (2,), "set")
    with pytest.raises(MetricError, match=r"^fid measures images, set has points; what measures them: mixture, "):
        registry.check_kind(["mixture", "fid"], (2,), "set")
    with pytest.raises(MetricError, match=r"^mixture measures points, set has images; what measures them: swd, "):
        registry.check_kind(["swd", "mixture"], (4, 4, 1), "set")


def test_planar_stands_for_the_metrics_that_fit_the_truth():
    """All of them can be computed with points of that truth, whatever else is named beside it."""
    for truth, others in ((TRUTHS["mixture"], {"mixture"}), (TRUTHS["swiss_roll"], {"swiss_roll"}), (None, set())):
        names = registry.resolved(["planar"], truth)
        assert set(names) == {"wasserstein", *others}
        points = plane("reals", np.random.default_rng(2).normal(size=(20, 2)), truth)
        assert all(METRICS[name].compute(points, points, 20, Options(7)) for name in names)
        assert registry.resolved(["wasserstein", "planar", "planar"], truth) == names
    assert registry.resolved(["fid", "swd"], None) == ("fid", "swd")
    with pytest.raises(MetricError, match=r"^planar measures points, set has images; what measures them: swd, "):
        registry.check_kind(["planar"], (4, 4, 1), "set")
    registry.check_kind(["planar"], (2,), "set")


def test_metrics_share_the_features(pair, monkeypatch):
    (reals, fakes), options = pair
    calls, original = [], features.extract
    monkeypatch.setattr(features, "extract", lambda *args, **kw: calls.append(1) or original(*args, **kw))
    for name in ("fid", "is", "pr"):
        METRICS[name].compute(reals, fakes, COUNT, options)
    assert len(calls) == 2
    METRICS["fid"].compute(reals, fakes, 500, options)  # fewer images are the first of those
    assert len(calls) == 2
    np.testing.assert_array_equal(fakes.activations(500).features, fakes.activations(COUNT).features[:500])


def test_the_inception_score_is_that_of_the_fakes(pair):
    (reals, fakes), options = pair
    compute = METRICS["is"].compute
    assert compute(reals, fakes, COUNT, options) == compute(fakes, fakes, COUNT, options)
    assert compute(reals, fakes, COUNT, options) != compute(fakes, reals, COUNT, options)


def test_statistics_of_equal_content_are_worked_out_once(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8)
    cache, asked = StatisticsCache(tmp_path), []

    def statistics(digest: str, count: int = 40, extractor: Extractor | None = None) -> Statistics:
        def stream():
            asked.append(1)
            return iter([images])

        class Again:
            __iter__ = staticmethod(stream)

        options = Options(0, extractor or small_extractor(), progress=False)
        return MeasuredSet("set", Again(), 40, "reals", options, digest, cache).statistics(count)

    first = statistics("aa")
    again = statistics("aa")
    assert len(asked) == 1
    np.testing.assert_array_equal(first.sigma, again.sigma)
    for other in (("bb",), ("aa", 30), ("aa", 40, small_extractor(sha256="1" * 64)), ("aa", 40, small_extractor("x"))):
        asked.clear()
        statistics(*other)
        assert asked
    next(tmp_path.glob("aa-40-means-0*.npz")).write_bytes(b"damaged")
    np.testing.assert_array_equal(statistics("aa").mu, first.mu)
    (tmp_path / "file").touch()
    cache.folder = tmp_path / "file" / "folder"  # a home that cannot be written ends no measurement
    np.testing.assert_array_equal(statistics("aa").mu, first.mu)


def test_statistics_alone_are_enough_for_fid_only(pair):
    (reals, fakes), options = pair
    kept = MeasuredStatistics("kept.npz", reals.statistics(COUNT))
    assert METRICS["fid"].compute(kept, fakes, COUNT, options) == METRICS["fid"].compute(reals, fakes, COUNT, options)
    for name in ("swd", "kid", "pr", "neighbors"):
        with pytest.raises(MetricError, match=r"kept\.npz holds statistics without images: only FID"):
            METRICS[name].compute(kept, fakes, 20, options)


def test_more_images_than_there_are(pair):
    (reals, _), _ = pair
    with pytest.raises(MetricError, match="reals has 1010 images, 2000 are needed"):
        reals.first(2000)


def test_names():
    assert registry.named("swd, fid,planar") == ["swd", "fid", "planar"]
    with pytest.raises(MetricError, match="unknown metric 'fad': the known ones are swd, fid"):
        registry.named("fad")
