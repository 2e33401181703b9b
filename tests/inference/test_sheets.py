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


def test_a_matrix_has_a_white_corner_and_a_gap_after_its_edges():
    images = np.arange(6, dtype=np.uint8)[:, None, None, None].repeat(16, 1).repeat(16, 2)  # [6,16,16,1]
    picture = captions.matrix(images, columns=3, cell=16)[..., 0]
    assert picture.shape == (16 + 2 + 16, 16 + 2 + 16 + 16)
    assert [picture[0, 20], picture[0, 40], picture[20, 0], picture[20, 20], picture[20, 40]] == [1, 2, 3, 4, 5]
    assert (picture[:18, :18] == 255).all()
    assert (picture[16:18] == 255).all()
    assert (picture[:, 16:18] == 255).all()
