"""Truncation is that of generate.py; directions are principal."""

import numpy as np
import pytest

from pgan_tf.explore import points
from pgan_tf.explore.opening import open_engine
from pgan_tf.explore.painter import Painter
from pgan_tf.explore.points import DIRECTIONS
from pgan_tf.inference.drawing import Drawing
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.load import load_generator


@pytest.fixture(scope="module")
def painter(run):
    return Painter(open_engine(run))


@pytest.mark.parametrize("truncation", [1.0, 0.6, 0.0])
@pytest.mark.parametrize("labels", ["", "all", "2"])
def test_pictures_are_those_of_generate_images(painter, run, truncation, labels):
    drawing = Drawing(load_generator(run), seed=7, truncation=truncation, labels=labels)
    expected = drawing.pictures(drawing.latents(5), drawing.labels(5))
    found = painter.pictures(points.draw(painter.engine, 7, labels, 5), truncation)
    assert (found.dtype, found.shape) == (np.uint8, (5, 16, 16, 1))
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_directions_are_principal(painter):
    """Orthogonal, the first the longest, and their variances those of the draws along them."""
    rows = painter.directions.reshape(DIRECTIONS, -1).astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    assert np.all(np.diff(lengths) <= 0)
    assert rows @ rows.T == pytest.approx(np.diag(lengths**2), abs=1e-4 * lengths[0] ** 2)
    drawn = points.draw(painter.engine, 3, "", 2000)
    x = painter.engine.first(drawn.latents, drawn.labels) - np.tensordot(drawn.labels, painter.centres, 1)
    along = x.reshape(2000, -1) @ (rows / lengths[:, None] ** 2).T  # in deviations
    assert along.std(axis=0) == pytest.approx(1, abs=0.15)


def test_a_shift_moves_the_picture_and_none_leaves_it(painter):
    point = points.draw(painter.engine, 3, "1", 1)
    shifted = point._replace(shifts=np.eye(DIRECTIONS, dtype=np.float32)[:1] * 3)
    assert np.array_equal(painter.pictures(point), painter.pictures(point._replace(shifts=point.shifts)))
    assert np.abs(painter.pictures(point).astype(int) - painter.pictures(shifted)).max() > 10


@pytest.mark.parametrize("truncation", [-0.1, 1.5, float("nan")])
def test_another_truncation_is_refused(painter, truncation):
    with pytest.raises(GenerateError, match="truncation"):
        painter.pictures(points.draw(painter.engine, 0, "", 1), truncation)
