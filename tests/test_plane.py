"""Pictures of the plane: what is drawn where, and what is not."""

import numpy as np
import pytest
from PIL import ImageFont

from pgan_tf import plane
from pgan_tf.plane import Frame

FRAME = Frame(-1.0, -1.0, 2.0)
NONE = np.zeros((0, 2))
SIDE = 100


def inner(picture: np.ndarray) -> np.ndarray:
    """What is inside of the frame, [SIDE,SIDE,3]."""
    return picture[plane._ABOVE : plane._ABOVE + SIDE, plane._LEFT : plane._LEFT + SIDE].astype(int)


def marked(picture: np.ndarray) -> list[tuple[int, int]]:
    """(row, column) in tens of pixels of all that is not white within the frame."""
    return sorted(
        {(int(row) // 10, int(column) // 10) for row, column in np.argwhere(inner(picture).min(axis=-1) < 250)}
    )


@pytest.mark.parametrize(
    ("point", "place"),
    [((-0.9, -0.9), (9, 0)), ((0.9, -0.9), (9, 9)), ((-0.9, 0.9), (0, 0)), ((0.1, 0.3), (3, 5))],
)
def test_a_point_is_where_it_lies_with_y_upwards(point, place):
    assert marked(plane.data_points(np.array([point]), FRAME, SIDE)) == [place]


@pytest.mark.parametrize(
    "point", [(np.nan, 0), (0, np.inf), (-np.inf, 0), (1.5, 0), (1.005, 0), (0, -1.5), (1e300, 1e300)]
)
def test_a_diverged_generator_draws_nothing_and_does_no_harm(point):
    samples = np.array([point, (0.1, 0.3)])
    assert marked(plane.samples_over_data(samples, NONE, FRAME, SIDE)) == [(3, 5)]
    assert marked(plane.scored_points(samples, np.array([1.0, 2.0]), FRAME, side=SIDE)) == [(3, 5)]


def test_samples_lie_over_the_data_in_a_colour_of_their_own():
    where, data, samples = np.array([[0.1, 0.3]]), np.array([[-0.7, 0.7]] * 30), np.array([[0.1, 0.3]] * 30)
    picture = inner(plane.samples_over_data(samples, np.concatenate([data, where]), FRAME, SIDE))
    assert abs(picture[35, 55] - plane.FAKES).max() < 8
    assert abs(picture[15, 15] - plane.DATA).max() < 8


def test_the_order_of_points_does_not_matter():
    points, scores = np.random.default_rng(0).normal(0, 0.3, (400, 2)), np.linspace(-1, 1, 400)
    a = plane.scored_points(points, scores, FRAME, side=SIDE)
    b = plane.scored_points(points[::-1], scores[::-1], FRAME, side=SIDE)
    assert abs(a.astype(int) - b).max() <= 1


def test_a_lattice_and_its_field_are_the_right_way_up():
    lattice = FRAME.lattice(20)  # [400,2]
    assert (lattice.shape, lattice.dtype) == ((400, 2), np.float32)
    np.testing.assert_allclose(
        [lattice[0], lattice[19], lattice[-1]], [[-0.95, 0.95], [0.95, 0.95], [0.95, -0.95]], rtol=1e-6
    )
    low, high = plane._coloured(np.array([0.0, 1.0]), (0.0, 1.0))
    for scores, ends in ((lattice[:, 0], ((50, 2), (50, 97))), (lattice[:, 1], ((97, 50), (2, 50)))):
        picture = inner(plane.score_field(scores, NONE, NONE, FRAME, side=SIDE))
        assert abs(picture[ends[0]] - low).max() < 12
        assert abs(picture[ends[1]] - high).max() < 12


def test_a_span_keeps_the_colours_of_a_series_of_pictures_alike():
    scores = np.full(400, 3.0)
    one = inner(plane.score_field(scores, NONE, NONE, FRAME, (0.0, 3.0), SIDE))
    assert abs(one - plane._COLOURS[-1]).max() <= 1
    assert abs(inner(plane.score_field(scores, NONE, NONE, FRAME, (3.0, 9.0), SIDE)) - plane._COLOURS[0]).max() <= 1


@pytest.mark.parametrize("scores", [np.full(4, 2.0), np.full(4, np.nan), np.array([np.inf, 1, 2, 3])])
def test_scores_that_are_all_alike_or_no_numbers_are_drawn(scores):
    assert plane.score_field(scores, NONE, NONE, FRAME, side=SIDE).dtype == np.uint8
    assert plane.scored_points(np.zeros((4, 2)), scores, FRAME, side=SIDE).shape[2] == 3


def test_colours_become_lighter_with_the_score():
    lightness = plane._coloured(np.linspace(0, 1, 50), (0.0, 1.0)) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > 0).all()


@pytest.mark.parametrize("size", [2, 3, 32])
def test_latents_are_drawn_by_their_first_two_components(size):
    latents = np.random.default_rng(0).normal(size=(9, size))
    np.testing.assert_array_equal(plane.latent_plane(latents), latents[:, :2])


def test_latents_of_one_component_fill_a_band_along_it():
    latents = np.random.default_rng(0).uniform(-1, 1, (500, 1))
    points = plane.latent_plane(latents)
    np.testing.assert_array_equal(points[:, :1], latents)
    assert abs(points[:, 1]).max() == pytest.approx(0.075 * np.ptp(latents))
    assert abs(np.corrcoef(points.T)[0, 1]) < 0.2  # whatever the component, all of the band's height
    assert np.isfinite(plane.latent_plane(np.zeros((3, 1)))).all()


def test_many_points_in_one_colour_are_as_if_each_had_it():
    points = np.random.default_rng(0).normal(0, 0.3, (300, 2))
    one = plane._spread(plane._white(SIDE), points, plane.FAKES, FRAME)
    each = plane._spread(plane._white(SIDE), points, np.full((300, 3), plane.FAKES), FRAME)
    np.testing.assert_allclose(one, each, atol=1e-3)


@pytest.mark.parametrize("points", [[[3, 4]], [[0, 0], [10, 1]], [[-1e-9, 0], [1e-9, 0]], [[0, 0], [np.nan, 9]]])
def test_a_frame_has_all_points_in_the_middle_of_a_square(points):
    frame = Frame.around(np.array(points, float))
    finite = np.array(points, float)[np.isfinite(points).all(axis=1)]
    assert ((finite > frame[:2]) & (finite < np.add(frame[:2], frame.size))).all()
    np.testing.assert_allclose(np.add(frame[:2], frame.size / 2), (finite.min(0) + finite.max(0)) / 2, atol=1e-9)


@pytest.mark.parametrize(("begin", "size"), [(-1.08, 2.16), (0.0, 1e-6), (-3e5, 7e5), (0.13, 30.0)])
def test_axes_have_some_round_numbers(begin, size):
    values = plane._round_values(begin, size)
    assert 3 <= len(values) <= 12
    assert begin <= values[0] < values[-1] <= begin + size * (1 + 1e-9)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-12.34, "-12.3"),
        (0.5, "0.5"),
        (-0.01234, "-0.012"),
        (-0.001234, "-0.001"),
        (-0.0001234, "-1e-4"),
        (-1.99e10, "-2e10"),
        (3e-12, "3e-12"),
    ],
)
def test_numbers_beside_the_scale_have_room(value, shown):
    assert plane._short(value) == shown
    assert ImageFont.load_default(11).getlength(shown) <= plane._BAR - 10 - 13
