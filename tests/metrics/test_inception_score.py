"""The Inception Score is torch-fidelity's and, unshuffled, the original's."""

import numpy as np
import pytest
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.inception_score import inception_score


@pytest.fixture(scope="module")
def logits(golden):
    return golden("metrics_formulae.npz")["L"]


@pytest.mark.fidelity
@pytest.mark.parametrize(
    ("key", "options"), [("default", {}), ("noshuffle", {"shuffle": False}), ("1split", {"splits": 1})]
)
def test_equals_torch_fidelity(golden, logits, key, options):
    expected = golden("metrics_formulae.npz")[f"isc_{key}_mean_std"]
    np.testing.assert_allclose(inception_score(logits, **options), expected, rtol=1e-12)


@pytest.mark.fidelity
def test_equals_torch_fidelity_at_1008_classes(golden):
    many = (np.random.RandomState(79).standard_normal((1000, 1008)) * 2.0).astype(np.float32)
    expected = golden("metrics_formulae.npz")["isc1008_recipe_mean_std"]
    np.testing.assert_allclose(inception_score(many), expected, rtol=1e-12)


@pytest.mark.fidelity
@pytest.mark.parametrize(("count", "suffix"), [(500, ""), (497, "_first497")])
def test_equals_the_original(golden, count, suffix):
    """It takes probabilities, so we their logarithms. Its own are float32, which do not quite add up to 1."""
    data = golden("swd.npz")
    mean, std = inception_score(np.log(data["is/preds"][:count]), shuffle=False)
    assert mean == pytest.approx(float(data[f"is/mean{suffix}"]), rel=1e-6)
    assert std == pytest.approx(float(data[f"is/std{suffix}"]), rel=1e-5)


def test_lies_between_one_and_the_number_of_classes():
    assert inception_score(np.tile([1.0, 2.0, 3.0], (50, 1)), splits=2) == pytest.approx((1, 0), abs=1e-12)
    certain = np.tile(np.eye(10) * 1000, (20, 1))
    assert inception_score(certain, splits=2, shuffle=False) == pytest.approx((10, 0), abs=1e-9)


@pytest.mark.invariance
def test_a_constant_in_each_row_does_not_matter(logits):
    offsets = np.random.RandomState(2).uniform(-300, 300, (len(logits), 1))
    assert inception_score(logits + offsets) == pytest.approx(inception_score(logits), rel=1e-12)


@pytest.mark.invariance
def test_order_and_repetition_do_not_matter_in_one_split(logits):
    whole = inception_score(logits, splits=1)
    assert inception_score(np.random.RandomState(3).permutation(logits), splits=1) == pytest.approx(whole, rel=1e-12)
    assert inception_score(np.concatenate([logits] * 3), splits=1) == pytest.approx(whole, rel=1e-12)


@pytest.mark.determinism
def test_the_seed_decides_and_the_global_one_does_not(logits):
    np.random.seed(1)
    first = inception_score(logits, seed=5)
    np.random.seed(2)
    assert inception_score(logits, seed=5) == first
    assert inception_score(logits, seed=6) != first


def test_refuses():
    with pytest.raises(MetricError, match="9 images do not fill 10 splits"):
        inception_score(np.zeros((9, 4)))
    with pytest.raises(MetricError, match="splits"):
        inception_score(np.zeros((9, 4)), splits=0)
    with pytest.raises(MetricError, match="NaN"):
        inception_score(np.array([[0.0, np.nan]] * 10))
    with pytest.raises(MetricError, match="shape"):
        inception_score(np.zeros(10))
