"""The small copies leave nothing out: what is found is what an exhaustive search finds."""

import numpy as np
import pytest
from pgan_tf.metrics.neighbors import nearest

from pgan_tf.data.holdout import split
from pgan_tf.evaluation.sets import from_array
from pgan_tf.explore import training_set
from pgan_tf.explore.training_set import TrainingSet
from pgan_tf.inference.errors import GenerateError


@pytest.mark.parametrize("shape", [(300, 32, 32, 3), (90, 28, 28, 1), (40, 8, 8, 3)])
def test_neighbours_are_the_nearest_of_all(shape):
    rng = np.random.default_rng(1)
    coarse = (
        rng.integers(0, 256, (shape[0], 4, 4, shape[3])).repeat(shape[1] // 4, axis=1).repeat(shape[2] // 4, axis=2)
    )
    reals = np.clip(coarse + rng.normal(0, 40, shape), 0, 255).astype(np.uint8)
    found = TrainingSet(from_array("set", reals, None))
    for picture in (reals[7], 255 - reals[8], rng.integers(0, 256, shape[1:], np.uint8)):
        expected, near = nearest(picture[None], reals, 5), found.nearest(picture, 5)
        assert near.indices.tolist() == expected.indices[0].tolist()
        assert near.distances == pytest.approx(expected.distances[0], abs=1e-12)
        assert np.array_equal(near.pictures, reals[near.indices])


def test_what_a_run_held_out_is_not_found():
    """Positions are those in the whole set."""
    reals = np.random.default_rng(2).integers(0, 256, (40, 8, 8, 1), np.uint8)
    trained, held_out = split(40, 0.25)
    found = TrainingSet(from_array("set", reals, None), 0.25)
    for position in (trained[0], trained[-1]):
        assert found.nearest(reals[position], 3).indices[0] == position
    assert set(found.nearest(reals[held_out[0]], 40).indices) == set(trained)


def test_few_pictures_are_all_found_and_too_many_refused(monkeypatch):
    reals = from_array("few", np.zeros((3, 8, 8, 1), np.uint8), None)
    assert TrainingSet(reals).nearest(np.zeros((8, 8, 1), np.uint8), 5).indices.tolist() == [0, 1, 2]
    monkeypatch.setattr(training_set, "MOST_BYTES", 3 * 64 * 4 - 1)
    with pytest.raises(GenerateError, match="few: 3 pictures are too many"):
        TrainingSet(reals)


def test_small_copies_that_are_alike_do_not_end_the_search(monkeypatch):
    """Forty pictures whose small copies are that of the query, and five that are nearer by the pixels."""
    monkeypatch.setattr(training_set, "READ", 8)
    query = np.full((32, 32, 1), 100, np.uint8)
    chequered = query + np.where(np.indices((32, 32)).sum(axis=0) % 2, 100, -100)[..., None]
    brighter = [query + 40 + i for i in range(5)]
    reals = np.stack([*[chequered] * 40, *brighter]).astype(np.uint8)
    assert TrainingSet(from_array("set", reals, None)).nearest(query, 5).indices.tolist() == [40, 41, 42, 43, 44]
