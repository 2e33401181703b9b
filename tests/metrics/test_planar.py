"""Scores in the plane, on samples whose scores are known."""

import numpy as np
import pytest
from pgan_tf.metrics import planar
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.planar import mixture_scores, swiss_roll_curve, swiss_roll_score, wasserstein_2d

ANGLES = np.arange(8) * np.pi / 4
CENTRES = 2 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)  # [8,2]
STD = 0.02


def mixture(count, modes, seed=0):
    random = np.random.RandomState(seed)
    return CENTRES[random.choice(modes, count)] + STD * random.standard_normal((count, 2))


def swiss_roll(count, noise, seed=0, begin=0.0, end=1.0):
    """As scikit-learn makes it, first and third coordinate."""
    random = np.random.RandomState(seed)
    t = 1.5 * np.pi * (1 + 2 * random.uniform(begin, end, count))
    return np.stack([t * np.cos(t), t * np.sin(t)], axis=1) + noise * random.standard_normal((count, 2))


# ---- mixture ---------------------------------------------------------------------------------------------------------


def test_the_mixture_itself_has_all_modes_and_the_share_of_its_normal_distribution():
    scores = mixture_scores(mixture(20000, 8), CENTRES, STD)
    assert scores == {
        "modes": 8, "high_quality": pytest.approx(1 - np.exp(-4.5), abs=0.003), "kl": pytest.approx(0, abs=0.001),
    }  # fmt: skip


@pytest.mark.parametrize("modes", [1, 3, 7])
def test_dropped_modes_are_missed(modes):
    assert mixture_scores(mixture(1000, modes), CENTRES, STD)["modes"] == modes


def test_samples_between_the_modes_are_of_no_quality_and_cover_nothing():
    between = CENTRES * 0.8
    assert mixture_scores(between, CENTRES, STD) == {"modes": 0, "high_quality": 0, "kl": 0}
    both = np.concatenate([CENTRES[:2], between])
    assert mixture_scores(both, CENTRES, STD) == {
        "modes": 2, "high_quality": pytest.approx(0.2), "kl": pytest.approx(np.log(8) - np.log(10) + 0.4 * np.log(2)),
    }  # fmt: skip


@pytest.mark.parametrize("modes", [1, 2, 4])
def test_the_divergence_is_that_of_the_nearest_modes_good_or_not(modes):
    """Of K equal modes, M of which are had alike: log(K / M). Others do not come nearer by it."""
    points = CENTRES[np.arange(80) % modes]
    for factor in (1, 0.8, 1.3):
        assert mixture_scores(points * factor, CENTRES, STD)["kl"] == pytest.approx(np.log(8 / modes))


def test_the_edge_is_at_radius_times_std():
    def at(distance):
        return mixture_scores(CENTRES[:1] + np.array([distance, 0]), CENTRES, std=0.1)["high_quality"]

    assert (at(0.299), at(0.301)) == (1, 0)
    assert mixture_scores(CENTRES[:1] + np.array([0.3, 0]), CENTRES, 0.1, radius=4)["high_quality"] == 1


# ---- Swiss roll ------------------------------------------------------------------------------------------------------


def test_the_curve_is_the_roll_evenly_in_length():
    curve = swiss_roll_curve(5000)
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-3)
    radii = np.linalg.norm(curve, axis=1)
    np.testing.assert_allclose(radii[[0, -1]], [1.5 * np.pi, 4.5 * np.pi], rtol=1e-6)
    np.testing.assert_allclose(curve, radii[:, None] * np.stack([np.cos(radii), np.sin(radii)], axis=1), atol=1e-5)


@pytest.mark.parametrize("noise", [0.2, 0.5])
def test_the_roll_itself_is_covered_and_of_high_quality(noise):
    scores = swiss_roll_score(swiss_roll(10000, noise), noise)
    assert scores == {"coverage": 1, "high_quality": pytest.approx(0.997, abs=0.003)}


@pytest.mark.invariance
def test_scaling_the_points_with_the_roll_changes_nothing():
    points = swiss_roll(2000, 0.3)
    assert swiss_roll_score(points / 7.5, 0.3 / 7.5, scale=1 / 7.5) == swiss_roll_score(points, 0.3)


def test_half_a_roll_has_quality_but_no_coverage():
    """The inner half of t is the shorter one."""
    scores = swiss_roll_score(swiss_roll(5000, 0.05, end=0.5), 0.05)
    t = np.array([1.5, 3.0, 4.5]) * np.pi
    lengths = 0.5 * (t * np.sqrt(1 + t**2) + np.arcsinh(t))
    share = (lengths[1] - lengths[0]) / (lengths[2] - lengths[0])
    assert scores["coverage"] == pytest.approx(share, abs=0.03)
    assert scores["high_quality"] > 0.99


def test_points_off_the_roll_are_of_no_quality():
    assert swiss_roll_score(np.zeros((10, 2)), 0.2) == {"coverage": 0, "high_quality": 0}


# ---- Wasserstein -----------------------------------------------------------------------------------------------------


def test_the_distance_of_a_shifted_set_is_the_shift():
    points = np.random.RandomState(0).standard_normal((300, 2))
    assert wasserstein_2d(points, points + np.array([3, 4])) == pytest.approx(5, rel=1e-9)
    assert wasserstein_2d(points, points) == 0


def test_on_a_line_it_is_the_mean_distance_of_the_sorted_points():
    a, b = np.random.RandomState(1).standard_normal((2, 200))
    plane = [np.stack([x, np.zeros(200)], axis=1) for x in (a, b * 2)]
    assert wasserstein_2d(*plane) == pytest.approx(np.abs(np.sort(a) - np.sort(b * 2)).mean(), rel=1e-9)


@pytest.mark.invariance
def test_order_does_not_matter_and_swapping_neither():
    a, b = np.random.RandomState(2).standard_normal((2, 200, 2))
    expected = wasserstein_2d(a, b)
    assert wasserstein_2d(np.random.RandomState(3).permutation(a), b) == pytest.approx(expected, rel=1e-9)
    assert wasserstein_2d(b, a) == pytest.approx(expected, rel=1e-9)


@pytest.mark.determinism
def test_the_seed_decides_which_sample_and_the_global_one_does_not():
    a, b = np.random.RandomState(4).standard_normal((2, 900, 2))
    np.random.seed(1)
    first = wasserstein_2d(a, b, sample=100, seed=5)
    np.random.seed(2)
    assert wasserstein_2d(a, b, sample=100, seed=5) == first
    assert wasserstein_2d(a, b, sample=100, seed=6) != first


def test_so_many_points_are_assigned_as_take_seconds(monkeypatch):
    monkeypatch.setattr(planar, "assign", lambda costs: [seen.append(costs.shape), np.arange(len(costs))][1])
    seen = []
    wasserstein_2d(*np.random.RandomState(6).standard_normal((2, 2 * planar.ASSIGNED, 2)))
    assert seen == [(2000, 2000)]


def test_sets_of_two_sizes_are_sampled_to_the_smaller():
    a = np.random.RandomState(5).standard_normal((500, 2))
    assert wasserstein_2d(a, np.full((1, 2), 100.0)) == pytest.approx(np.sqrt(2) * 100, rel=0.05)


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((3, 3)), np.zeros(2), np.array([[0, np.nan]])])
def test_refuses_what_is_no_set_of_points(points):
    for score in (
        lambda: mixture_scores(points, CENTRES, STD),
        lambda: swiss_roll_score(points, 0.2),
        lambda: wasserstein_2d(points, CENTRES),
    ):
        with pytest.raises(MetricError, match="point"):
            score()


def test_refuses_an_empty_sample():
    with pytest.raises(MetricError, match="at least 1"):
        wasserstein_2d(CENTRES, CENTRES, sample=0)
