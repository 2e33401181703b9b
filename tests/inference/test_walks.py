"""Ways through the latents: closed, smooth, as long as the latents, and only where they were asked to go."""

import numpy as np
import pytest
from scipy import ndimage

from pgan_tf.inference.pictures import walks
from pgan_tf.inference.spaces import lerp, slerp


@pytest.fixture
def white():
    return np.random.default_rng(0).standard_normal((60, 4, 8)).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.4, 3.0, 20.0])  # the last: a window longer than the walk
def test_smoothing_is_a_gaussian_filter_that_wraps_around(white, sigma):
    expected = ndimage.gaussian_filter(white.astype(np.float64), [sigma, 0, 0], mode="wrap")
    expected *= np.sqrt(np.mean(white.astype(np.float64) ** 2)) / np.sqrt(np.mean(expected**2))
    assert np.abs(walks.smooth(white, sigma) - expected).max() < 1e-5


def test_a_smooth_walk_has_the_variance_of_its_latents(white):
    for scale in (1.0, 0.1):
        assert np.isclose(np.mean(walks.smooth(scale * white, 5.0) ** 2), np.mean((scale * white) ** 2), rtol=1e-4)


def test_a_smooth_walk_is_smooth_and_closed(white):
    walk = walks.smooth(white, 5.0)
    steps = np.linalg.norm(walk - np.roll(walk, 1, axis=0), axis=-1)  # the first: from the last frame to the first
    assert steps[0].max() < 1.5 * steps[1:].max()
    assert steps.max() < 0.25 * np.linalg.norm(white - np.roll(white, 1, axis=0), axis=-1).mean()


def test_a_walk_of_one_frame():
    assert walks.smooth(np.ones((1, 2, 3), np.float32), 30.0).shape == (1, 2, 3)


def test_slerp_keeps_to_the_circle():
    a, b = np.array([2.0, 0, 0]), np.array([0, 2.0, 0])
    middle = slerp(a, b, 0.5)
    assert np.allclose(middle, [np.sqrt(2), np.sqrt(2), 0], atol=1e-6)
    third = slerp(a, b, 1 / 3)
    assert np.allclose(third, [2 * np.cos(np.pi / 6), 2 * np.sin(np.pi / 6), 0], atol=1e-6)


def test_slerp_is_of_each_row_and_between_lengths():
    a, b = np.random.default_rng(1).standard_normal((2, 5, 3, 8))
    t = 0.3
    lengths = (1 - t) * np.linalg.norm(a, axis=-1) + t * np.linalg.norm(b, axis=-1)
    assert np.allclose(np.linalg.norm(slerp(a, b, t), axis=-1), lengths, rtol=1e-5)
    assert np.allclose(slerp(a, b, 0), a, atol=1e-6)
    assert np.allclose(slerp(a, b, 1), b, atol=1e-6)


def test_slerp_of_the_same_the_opposite_and_nothing():
    a = np.array([1.0, 2.0, 3.0])
    assert np.allclose(slerp(a, 2 * a, 0.5), 1.5 * a)
    assert np.allclose(slerp(a, -a, 0.25), 0.5 * a)
    assert np.allclose(slerp(0 * a, a, 0.5), 0.5 * a, atol=1e-6)


@pytest.mark.parametrize("between", [slerp, lerp])
def test_a_closed_way_leads_through_all_points_and_back(between):
    points = np.random.default_rng(2).standard_normal((3, 2, 8)).astype(np.float32)
    way = walks.closed(points, 30, between)
    assert way.shape == (30, 2, 8)
    assert np.allclose(way[::10], points, atol=1e-6)
    assert np.allclose(way[25], between(points[2], points[0], 0.5), atol=1e-6)
    steps = np.linalg.norm(way - np.roll(way, 1, axis=0), axis=-1)
    assert steps.max() < 0.2 * np.linalg.norm(points - np.roll(points, 1, axis=0), axis=-1).max()


def test_as_many_frames_as_points_are_the_points():
    points = np.random.default_rng(2).standard_normal((7, 2, 8)).astype(np.float32)
    assert np.allclose(walks.closed(points, 7), points, atol=1e-6)


def test_a_walk_within_dimensions_leaves_the_others_alone():
    rng = np.random.default_rng(3)
    reference, draws = rng.standard_normal(8), rng.standard_normal((4, 8))
    points = walks.resampled(reference, draws, range(2, 5))
    assert np.array_equal(points[0], reference)
    assert np.array_equal(points[1:, 2:5], draws[:, 2:5])
    assert (points[:, [0, 1, 5, 6, 7]] == reference[[0, 1, 5, 6, 7]]).all()


def test_an_axis_walk_sets_one_coordinate_in_units_of_the_length():
    reference = np.random.default_rng(3).standard_normal(8)
    points = walks.along_axis(reference, 5, np.array([-0.125, 0.0, 0.125]))
    unit = points / np.linalg.norm(reference)
    assert np.allclose(unit[:, 5], [-0.125, 0, 0.125])
    assert (np.delete(points, 5, axis=1) == np.delete(reference, 5)).all()


def test_styles_are_copied_from_rows_to_columns():
    rng = np.random.default_rng(4)
    rows, columns = rng.standard_normal((2, 8)), rng.standard_normal((3, 8))
    mixed = walks.transplanted(rows, columns, [range(2), range(6, 7)])
    assert mixed.shape == (2, 3, 8)
    for i in range(2):
        for j in range(3):
            assert np.array_equal(mixed[i, j, [0, 1, 6]], rows[i, [0, 1, 6]])
            assert np.array_equal(mixed[i, j, [2, 3, 4, 5, 7]], columns[j, [2, 3, 4, 5, 7]])
