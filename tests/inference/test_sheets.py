"""Which label each image of a sheet gets."""

import numpy as np
import pytest

from pgan_tf.inference.drawing import Drawing
from pgan_tf.inference.load import Loaded
from pgan_tf.inference.pictures import captions, sheets


@pytest.fixture
def drawing(make_tiny, monkeypatch):
    """A drawing that keeps the classes it was asked for instead of drawing them."""
    found = Drawing(Loaded(make_tiny(label_size=3), None, None), labels="0,1,2")

    def pictures(latents, labels):
        found.classes = labels.argmax(axis=1).tolist()
        return np.zeros((len(latents), 16, 16, 3), np.uint8)

    monkeypatch.setattr(found, "pictures", pictures)
    return found


def test_a_walk_keeps_the_label_of_its_reference(drawing):
    sheets.walk_picture(drawing, [range(4), range(4, 8)], walks_each=2, steps=3)
    assert drawing.classes == [0, 0, 0, 1, 1, 1] * 2


def test_a_mix_has_the_label_of_the_image_above(drawing):
    sheets.style_picture(drawing, [range(4)], columns=2, rows=2)
    assert drawing.classes == [0, 0, 1, 2, 0, 1, 0, 0, 1]  # the corner; above 0, 1; on the left 2, 0


def test_sets_carry_over_what_they_hold_and_nothing_else(drawing):
    latents, picture = sheets.sets_picture(drawing, [range(4), range(4, 16)], columns=3)
    table = latents.reshape(4, 4, -1)  # none, two sets, both
    source, others = drawing.latents(4)[0], drawing.latents(4)[1:]
    np.testing.assert_array_equal(table[:, 0], np.repeat(source[None], 4, axis=0))
    np.testing.assert_array_equal(table[0, 1:], others)
    for row, dims in ((1, slice(0, 4)), (2, slice(4, 16)), (3, slice(0, 16))):
        expected = others.copy()
        expected[:, dims] = source[dims]
        np.testing.assert_array_equal(table[row, 1:], expected)
    assert drawing.classes == [0, 1, 2, 0] * 4
    assert picture.shape[0] == 32 + 4 * 64


def test_a_matrix_has_a_white_corner_and_a_gap_after_its_edges():
    images = np.arange(6, dtype=np.uint8)[:, None, None, None].repeat(16, 1).repeat(16, 2)  # [6,16,16,1]
    picture = captions.matrix(images, columns=3, cell=16)[..., 0]
    assert picture.shape == (16 + 2 + 16, 16 + 2 + 16 + 16)
    assert [picture[0, 20], picture[0, 40], picture[20, 0], picture[20, 20], picture[20, 40]] == [1, 2, 3, 4, 5]
    assert (picture[:18, :18] == 255).all()
    assert (picture[16:18] == 255).all()
    assert (picture[:, 16:18] == 255).all()
