"""The Kernel Inception Distance is torch-fidelity's."""

import numpy as np
import pytest
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.kid import kernel_inception_distance, random_subsets

SMALL = {"subsets": 20, "subset_size": 200}


@pytest.fixture(scope="module")
def sets(golden):
    data = golden("metrics_formulae.npz")
    return data["A"], data["B"]


@pytest.mark.fidelity
@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("default", {}),
        ("s50x100", {"subsets": 50, "subset_size": 100}),
        ("deg2", {**SMALL, "degree": 2, "gamma": 0.05, "coef0": 0.5}),
        ("rbf", {**SMALL, "kernel": "gaussian"}),
    ],
)
def test_equals_torch_fidelity(golden, sets, key, options):
    data = golden("metrics_formulae.npz")
    result = kernel_inception_distance(*sets, **options)
    np.testing.assert_allclose(result, data[f"kid_{key}_f64_mean_std"], rtol=1e-10)
    np.testing.assert_allclose(result, data[f"kid_{key}_mean_std"], rtol=1e-5)  # what it has in float32


@pytest.mark.fidelity
def test_draws_the_subsets_of_torch_fidelity(golden, sets):
    data = golden("metrics_formulae.npz")
    x, y = next(random_subsets(*sets, subsets=1, subset_size=100, seed=2020))
    np.testing.assert_array_equal(x, sets[0][data["kid_s50x100_first_idx1"]])
    np.testing.assert_array_equal(y, sets[1][data["kid_s50x100_first_idx2"]])


def test_is_without_bias():
    """Two samples of one distribution give 0 on average: the mean is small beside the scatter of the subsets."""
    random = np.random.RandomState(4)
    mean, std = kernel_inception_distance(*random.standard_normal((2, 4000, 16)), subsets=100, subset_size=50)
    assert abs(mean) < 0.3 * std


@pytest.mark.invariance
def test_order_of_the_images_does_not_matter_with_one_full_subset(sets):
    a, b = sets[0][:300], sets[1][:300]
    full = {"subsets": 1, "subset_size": 300}
    shuffled = np.random.RandomState(5).permutation(a)
    expected = kernel_inception_distance(a, b, **full)[0]
    assert kernel_inception_distance(shuffled, b, **full)[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.invariance
def test_the_gaussian_kernel_ignores_a_common_shift(sets):
    a, b = (x.astype(np.float64) for x in sets)
    expected = kernel_inception_distance(a, b, **SMALL, kernel="gaussian")
    shifted = kernel_inception_distance(a + 7, b + 7, **SMALL, kernel="gaussian")
    assert shifted == pytest.approx(expected, rel=1e-8)


@pytest.mark.determinism
def test_the_seed_decides_and_the_global_one_does_not(sets):
    np.random.seed(1)
    first = kernel_inception_distance(*sets, **SMALL, seed=5)
    np.random.seed(2)
    assert kernel_inception_distance(*sets, **SMALL, seed=5) == first
    assert kernel_inception_distance(*sets, **SMALL, seed=6) != first


def test_refuses(sets):
    a, b = sets
    with pytest.raises(MetricError, match="1200 and 999 images do not fill subsets of 1000"):
        kernel_inception_distance(a, b[:999])
    with pytest.raises(MetricError, match="one extractor"):
        kernel_inception_distance(a, b[:, :3])
    with pytest.raises(MetricError, match="at least 2"):
        kernel_inception_distance(a, b, subset_size=1)
    with pytest.raises(MetricError, match="polynomial, gaussian"):
        kernel_inception_distance(a, b, kernel="rbf")
    broken = a.copy()
    broken[7, 3] = np.nan
    with pytest.raises(MetricError, match="NaN"):
        kernel_inception_distance(broken, b)
