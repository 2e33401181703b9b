"""The Fréchet distance is the reference tools', and its statistics are exchanged with pytorch-fid."""

import numpy as np
import pytest
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.frechet import Moments, Statistics, frechet_distance


@pytest.fixture(scope="module")
def sets(golden):
    data = golden("metrics_formulae.npz")
    return data["A"], data["B"]


def distance(a, b):
    return frechet_distance(Statistics.of(a), Statistics.of(b))


@pytest.mark.fidelity
def test_equals_pytorch_fid(sets, golden):
    data = golden("metrics_formulae.npz")
    assert distance(*sets) == pytest.approx(float(data["d64_fid_pytorchfid"]), rel=1e-11)
    assert distance(*sets) == pytest.approx(float(data["d64_fid_torchfidelity"]), rel=1e-6)


@pytest.mark.fidelity
def test_equals_the_original(golden):
    data = golden("swd.npz")
    assert distance(data["fid/X"], data["fid/Y"]) == pytest.approx(float(data["fid/value"]), rel=1e-11)


def test_equals_the_closed_form_of_diagonal_covariances():
    """Commuting covariances: |m1 - m2|^2 + sum (s1 - s2)^2 of the standard deviations."""
    random = np.random.RandomState(0)
    rotation = np.linalg.qr(random.standard_normal((300, 300)))[0]  # [F,F]
    s1, s2, m1, m2 = random.uniform(0, 3, (4, 300))
    s1[:100] = 0  # covariances need no full rank
    a, b = (Statistics(m, rotation * s**2 @ rotation.T) for m, s in ((m1, s1), (m2, s2)))
    assert frechet_distance(a, b) == pytest.approx(np.sum((m1 - m2) ** 2) + np.sum((s1 - s2) ** 2), rel=1e-6)


def test_equal_sets_have_distance_zero(sets):
    for features in sets:
        assert distance(features, features) == pytest.approx(0, abs=1e-10)
        assert distance(features, features) >= 0


@pytest.mark.invariance
def test_is_symmetric(sets):
    a, b = sets
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-12)


@pytest.mark.invariance
def test_order_of_the_images_does_not_matter(sets):
    a, b = sets
    shuffled = np.random.RandomState(1).permutation(a)
    assert distance(shuffled, b) == pytest.approx(distance(a, b), rel=1e-12)


@pytest.mark.invariance
@pytest.mark.parametrize("shift", [3.0, 1e4])
def test_a_common_shift_does_not_matter(sets, shift):
    a, b = (x.astype(np.float64) for x in sets)
    assert distance(a + shift, b + shift) == pytest.approx(distance(a, b), rel=1e-9)


def test_a_shift_of_one_set_adds_its_square(sets):
    a = sets[0].astype(np.float64)
    assert distance(a, a + 0.5) == pytest.approx(64 * 0.5**2, rel=1e-9)


@pytest.mark.invariance
def test_twice_the_same_images_changes_only_the_divisor(sets):
    """N - 1 of N against 2 N - 1 of 2 N: the covariance shrinks by that, and nothing else happens."""
    once, twice = Statistics.of(sets[0]), Statistics.of(np.concatenate([sets[0]] * 2))
    n = len(sets[0])
    np.testing.assert_allclose(twice.mu, once.mu, rtol=1e-12)
    np.testing.assert_allclose(twice.sigma * (2 * n - 1) / (2 * n), once.sigma * (n - 1) / n, rtol=0, atol=1e-14)


@pytest.mark.determinism
@pytest.mark.parametrize("batch", [1, 7, 500, 5000])
def test_batches_make_no_difference(sets, batch):
    moments = Moments()
    for i in range(0, len(sets[0]), batch):
        moments.add(sets[0][i : i + batch])
    streamed = moments.statistics()
    exact = sets[0].astype(np.float64)
    np.testing.assert_allclose(streamed.mu, exact.mean(axis=0), rtol=0, atol=1e-13)
    np.testing.assert_allclose(streamed.sigma, np.cov(exact, rowvar=False), rtol=0, atol=1e-12)
    assert streamed.count == len(sets[0])


def test_an_offset_costs_no_digits(sets):
    far = sets[0].astype(np.float64) + 1e6
    moments = Moments()
    for i in range(0, len(far), 100):
        moments.add(far[i : i + 100])
    np.testing.assert_allclose(moments.statistics().sigma, np.cov(far, rowvar=False), rtol=0, atol=1e-9)


def test_statistics_go_through_a_file(sets, tmp_path):
    statistics = Statistics.of(sets[0])
    statistics.save(tmp_path / "set.npz")
    loaded = Statistics.load(tmp_path / "set.npz")
    np.testing.assert_array_equal(loaded.mu, statistics.mu)
    np.testing.assert_array_equal(loaded.sigma, statistics.sigma)
    assert loaded.count == 1200
    assert [path.name for path in tmp_path.iterdir()] == ["set.npz"]


def test_pytorch_fid_reads_ours_and_we_read_its(sets, tmp_path):
    statistics = Statistics.of(sets[0])
    statistics.save(tmp_path / "ours.npz")
    with np.load(tmp_path / "ours.npz") as file:  # as pytorch-fid does
        mu, sigma = file["mu"][:], file["sigma"][:]
    np.savez_compressed(tmp_path / "theirs.npz", mu=mu, sigma=sigma)
    theirs = Statistics.load(tmp_path / "theirs.npz")
    assert theirs.count is None
    assert frechet_distance(theirs, statistics) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"mu": np.zeros(3)}, "`mu` and `sigma`"),
        ({"mu": np.zeros(3), "sigma": np.eye(4)}, r"\[F,F\]"),
        ({"mu": np.zeros((3, 1)), "sigma": np.eye(3)}, r"\[F\]"),
        ({"mu": np.array([np.nan]), "sigma": np.eye(1)}, "NaN"),
        ({"mu": np.array([{}]), "sigma": np.eye(1)}, "make it again"),
    ],
)
def test_refuses_other_files(tmp_path, arrays, says):
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(MetricError, match=says) as error:
        Statistics.load(tmp_path / "other.npz")
    assert "other.npz" in str(error.value)
    assert "\n" not in str(error.value)


def test_refuses_damaged_and_missing_files(sets, tmp_path):
    path = tmp_path / "set.npz"
    Statistics.of(sets[0]).save(path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"no statistics", whole[:2000] + b"x" * 200 + whole[2200:]):
        path.write_bytes(content)
        with pytest.raises(MetricError, match="cannot be read"):
            Statistics.load(path)
    np.save(tmp_path / "array.npy", np.zeros(3))
    for name in ("missing.npz", "array.npy"):
        with pytest.raises(MetricError, match="cannot be read"):
            Statistics.load(tmp_path / name)


@pytest.mark.parametrize("count", [0, 1])
def test_refuses_too_few_images(count):
    with pytest.raises(MetricError, match=f"at least 2 images, there are {count}"):
        Statistics.of(np.zeros((count, 3)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_refuses_features_that_are_not_finite(value):
    with pytest.raises(MetricError, match="NaN"):
        Statistics.of(np.array([[0.0, 1.0], [value, 2.0]]))


def test_refuses_features_of_two_extractors(sets):
    with pytest.raises(MetricError, match="64 features against 3"):
        distance(sets[0], np.random.RandomState(0).standard_normal((9, 3)))
    with pytest.raises(MetricError, match="3 features an image after 64"):
        Moments().add(sets[0]).add(np.zeros((2, 3)))
    with pytest.raises(MetricError, match="shape"):
        Statistics.of(np.zeros(5))
