"""How much hangs on which components: laws of spreads, on generators whose answer is known."""

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics import saliency
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors.base import Activations, Extractor
from pgan_tf.metrics.measured import MeasuredSet, Options
from pgan_tf.metrics.registry import ASKS_GENERATOR, METRICS
from pgan_tf.metrics.saliency import ALL, SAMPLES, Varied

SETS = {"1-2": slice(0, 2), "3-4": slice(2, 4), ALL: slice(0, 4)}


def linear(weights: np.ndarray) -> Varied:
    """Samples z W of latents z [4]; W is [4,N]."""

    def groups(name, references, samples):
        random = np.random.default_rng(0)
        for _ in range(references):
            latents = np.repeat(random.standard_normal((1, 4)), samples, axis=0)
            latents[:, SETS[name]] = random.standard_normal((samples, 4))[:, SETS[name]]
            yield (latents @ weights).astype(np.float32)

    return Varied(("1-2", "3-4"), groups, lambda x: np.uint8(np.clip((x[:, :, None, None] + 8) * 16, 0, 255)))


def test_the_spread_is_the_minibatch_standard_deviation():
    group = np.random.RandomState(0).standard_normal((SAMPLES, 4, 4, 3))
    expected = np.sqrt(((group - group.mean(0)) ** 2).mean(0)).mean()
    assert saliency.spread(group) == pytest.approx(expected, rel=1e-12)
    assert saliency.spread(group[:1].repeat(5, 0)) < 1e-15
    assert saliency.spread(3 * group + 7) == pytest.approx(3 * expected, rel=1e-9)


@pytest.mark.parametrize("factor", [0.0, 0.25, 1.0, 4.0])
def test_sets_that_do_more_spread_more(factor):
    """The latter half of the components does `factor` times as much as the former."""
    weights = np.concatenate([np.ones((2, 30)), factor * np.ones((2, 30))])
    found = saliency.spreads(linear(weights), 64 * SAMPLES)
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(SETS, 64)
    values = saliency.summary(found, "pixels")
    assert values["pixels_3-4"] == pytest.approx(factor * values["pixels_1-2"], rel=0.1)
    assert values["pixels_all"] == pytest.approx(
        0.95 * np.sqrt(2 + 2 * factor**2), rel=0.05
    )  # of 16 samples it is 5% low
    assert values["pixels_first"] == pytest.approx(1 / np.sqrt(1 + factor**2), rel=0.1)
    ordered = values["pixels_ordered"]
    assert (ordered == 1) if factor < 1 else (ordered == 0) if factor > 1 else (0.3 < ordered < 0.7)


def test_the_error_is_that_of_the_mean_over_references():
    found = {"1-2": np.array([1.0, 2.0, 4.0, 5.0]), ALL: np.full(4, 5.0)}
    values = saliency.summary(found, "pixels")
    assert values["pixels_1-2_se"] == pytest.approx(np.std(found["1-2"], ddof=1) / 2)
    assert (values["pixels_first"], values["pixels_all_se"]) == (pytest.approx(0.6), 0)
    assert values["pixels_ordered"] == 1  # there is but one set


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 3.0])
def test_the_share_of_the_first_axis(factor):
    weights = np.diag([1.0, 1.0, factor, factor])[:, :4]
    values = saliency.first_share(linear(weights), 400 * SAMPLES)
    expected = 1 / (1 + factor**2)
    assert values["first"] == pytest.approx(expected, abs=max(5 * values["first_se"], 1e-9))
    assert values["first_se"] < 0.02


def test_fewer_than_two_references_are_refused():
    with pytest.raises(MetricError, match=f"saliency of {2 * SAMPLES - 1} samples: it takes {2 * SAMPLES}"):
        saliency.spreads(linear(np.ones((4, 4))), 2 * SAMPLES - 1)


def means() -> Extractor:
    return Extractor("means", "0" * 64, 1, 1, lambda images: Activations(
        *(tf.reduce_mean(tf.cast(images, tf.float32), [1, 2, 3])[:, None],) * 2))  # fmt: skip


def test_the_metrics_of_the_table():
    """Of images in pixels and features, of points the first axis; a set that is no generator's is refused."""
    options = Options(7, means(), progress=False)
    fakes = MeasuredSet("fakes", [], 0, "fakes", options, varied=lambda: linear(np.eye(4)))
    found = {name: METRICS[name].compute(None, fakes, 128, options) for name in ASKS_GENERATOR}
    for name, values in found.items():
        assert METRICS[name].headline in values
        assert np.isfinite(list(values.values())).all()
    assert {key.split("_")[0] for key in found["saliency"]} == {"pixels", "features"}
    for name in ASKS_GENERATOR:
        with pytest.raises(MetricError, match=r"reals: saliency is of a generator.*--run"):
            METRICS[name].compute(None, MeasuredSet("reals", [], 9, "reals", options), 128, options)
