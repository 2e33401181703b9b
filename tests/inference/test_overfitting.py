"""Generated images beside the training images most like them."""

import numpy as np
from evaluation.test_nearest import SIDE, TOY, pictures

from pgan_tf.data.holdout import split
from pgan_tf.evaluation import nearest
from pgan_tf.evaluation.sets import from_array
from pgan_tf.inference.search import overfitting


def test_the_picture_shows_the_images_and_their_neighbours():
    reals = pictures(2, 50)
    images, there = np.stack([reals[3], reals[9][:, ::-1]]), from_array("reals", reals, lambda: iter(()))
    measures = (nearest.pixels(), nearest.features(TOY))
    panels = [nearest.neighborhood(images, there, 2, measure, mirror=True, shown=False) for measure in measures]
    page = overfitting.picture(images, there, panels)
    assert (page.dtype, page.shape[2]) == (np.uint8, 3)
    factor = 96 // SIDE
    for image in images:  # each stands there three times: itself, and as its nearest by either measure
        large = image.repeat(factor, axis=0).repeat(factor, axis=1)
        assert count(page, large) == 3
    second = reals[panels[0].indices[0, 1]]
    second = second[:, ::-1] if panels[0].mirrored[0, 1] else second
    assert count(page, second.repeat(factor, axis=0).repeat(factor, axis=1)) >= 1


def test_what_a_run_held_out_is_not_searched():
    """Positions remain those in the whole."""
    reals = pictures(3, 40)
    there = from_array("reals", reals, lambda: iter(()))
    trained, held_out = split(40, 0.5)
    found = overfitting.Searched.learned(there, 0.5).neighborhood(reals, 1, nearest.pixels(), False, 0, shown=False)
    assert found.indices[trained, 0].tolist() == trained.tolist()
    assert set(found.indices[held_out, 0]) <= set(trained)
    assert (found.distances[held_out] > 0).all()
    everything = overfitting.Searched.learned(there, 0).neighborhood(reals, 1, nearest.pixels(), False, 0, shown=False)
    assert everything.indices[:, 0].tolist() == list(range(40))


def count(page: np.ndarray, part: np.ndarray) -> int:
    """How often `part` occurs in `page`, found by its first row."""
    height, width = part.shape[:2]
    rows = np.lib.stride_tricks.sliding_window_view(page, (1, width, 3))[:, :, 0, 0]  # [H,W',width,3]
    places = np.argwhere((rows[..., 0, :] == part[0, 0]).all(-1))
    return sum(np.array_equal(page[y : y + height, x : x + width], part) for y, x in places)
