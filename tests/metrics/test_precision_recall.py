"""Precision and recall are torch-fidelity's."""

import numpy as np
import pytest
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.precision_recall import precision_recall


@pytest.fixture(scope="module")
def sets(golden):
    """Reals [250,64] and fakes [300,64]."""
    data = golden("metrics_formulae.npz")
    return data["B"][:250], data["A"][:300]


@pytest.mark.fidelity
@pytest.mark.parametrize(("key", "neighborhood"), [("prc", 3), ("prc_k5", 5)])
def test_equals_torch_fidelity(golden, sets, key, neighborhood):
    data = golden("metrics_formulae.npz")
    result = precision_recall(*sets, neighborhood)
    np.testing.assert_allclose(result, data[f"{key}_f64_prec_rec"], rtol=1e-12)
    np.testing.assert_allclose(result, data[f"{key}_prec_rec_f"][:2], rtol=1e-6)  # what it has in float32


@pytest.mark.fidelity
def test_equals_torch_fidelity_on_the_whole_sets(golden):
    data = golden("metrics_formulae.npz")
    np.testing.assert_allclose(precision_recall(data["B"], data["A"]), data["prc_full_f64_prec_rec"], rtol=1e-7)


@pytest.mark.fidelity
def test_equals_torch_fidelity_on_scaled_fakes(golden, sets):
    real, fake = sets
    expected = golden("metrics_formulae.npz")["prc_shift_f64_prec_rec"]
    np.testing.assert_allclose(precision_recall(real, fake * np.float32(1.2)), expected, rtol=1e-12)


@pytest.mark.determinism
@pytest.mark.parametrize("block", [1, 7, 100, 250])
def test_blocks_make_no_difference(sets, block):
    real, fake = (x[:60] for x in sets) if block == 1 else sets
    assert precision_recall(real, fake, block=block) == precision_recall(real, fake)


def test_equal_sets_cover_each_other(sets):
    for features in sets:
        assert precision_recall(features, features) == (1, 1)
        assert precision_recall(features, features[::-1]) == (1, 1)


def test_images_that_all_occur_many_times(sets):
    """Every ball then has radius 0, and still holds its copies."""
    real = np.repeat(sets[0][:40], 5, axis=0)
    assert precision_recall(real + np.float32(50), np.tile(sets[0][:40], (6, 1)) + np.float32(50)) == (1, 1)
    assert precision_recall(real, np.repeat(sets[1][:40], 5, axis=0)) == (0, 0)


@pytest.mark.invariance
def test_order_of_the_images_does_not_matter(sets):
    random = np.random.RandomState(6)
    assert precision_recall(*(random.permutation(x) for x in sets)) == precision_recall(*sets)


@pytest.mark.invariance
@pytest.mark.parametrize("shift", [1.0, 1000.0])
def test_a_common_shift_does_not_matter(sets, shift):
    real, fake = (x.astype(np.float64) for x in sets)
    assert precision_recall(real + shift, fake + shift) == precision_recall(real, fake)


@pytest.mark.invariance
def test_swapping_the_sets_swaps_the_numbers(sets):
    real, fake = sets
    assert precision_recall(fake, real) == precision_recall(real, fake)[::-1]


def test_far_sets_share_nothing(sets):
    real, fake = sets
    assert precision_recall(real, fake + np.float32(100)) == (0, 0)


def test_refuses(sets):
    real, fake = sets
    with pytest.raises(MetricError, match="250 reals and 3 fakes: each set needs at least 4"):
        precision_recall(real, fake[:3])
    with pytest.raises(MetricError, match="one extractor"):
        precision_recall(real, fake[:, :9])
    broken = fake.copy()
    broken[0, 0] = np.inf
    with pytest.raises(MetricError, match="NaN"):
        precision_recall(real, broken)
