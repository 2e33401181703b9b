"""Ways among latents lead from where they say to where they say, and stay in the distribution."""

import numpy as np
import pytest

from pgan_tf.explore import points
from pgan_tf.inference.errors import GenerateError
from pgan_tf.latents import LATENTS


class Sized:
    """What points need to know of an engine."""

    latent_size, label_size = 20, 3

    def __init__(self, kind: str):
        self.kind = kind


@pytest.fixture(params=LATENTS)
def engine(request):
    return Sized(request.param)


@pytest.fixture
def pair(engine):
    drawn = points.draw(engine, 3, "0,2", 2)
    return drawn.take([0]), drawn.take([1])


def within(engine, latents: np.ndarray) -> bool:
    return {
        "gaussian": lambda: np.isfinite(latents).all(),
        "uniform": lambda: np.abs(latents).max() <= 1,
        "sphere": lambda: np.allclose(np.linalg.norm(latents, axis=-1), 1, atol=1e-5),
    }[engine.kind]()


def test_mixes_go_from_one_to_the_other_set_by_set(engine, pair):
    a, b = pair
    found = points.mixes(engine, a, b)
    assert found.count == len(points.dimension_sets(engine)) + 1 == 4
    assert found.latents[0] == pytest.approx(b.latents[0], abs=1e-6)
    assert found.latents[-1] == pytest.approx(a.latents[0], abs=1e-6)
    assert np.array_equal(found.labels, b.labels.repeat(4, axis=0))
    assert within(engine, found.latents)
    if engine.kind != "sphere":  # onto which the others are stretched
        assert np.array_equal(found.latents[1], np.r_[a.latents[0, :8], b.latents[0, 8:]])


@pytest.mark.parametrize("chosen", [[], [0], [1, 2], [0, 1, 2]])
def test_mixed_takes_the_chosen_sets(engine, pair, chosen):
    a, b = pair
    found, sets = points.mixed(engine, a, b, chosen), points.dimension_sets(engine)
    own = np.concatenate(
        [np.arange(20)[dims.start : dims.stop] for i, dims in enumerate(sets) if i not in chosen] or [[]]
    )
    ratio = found.latents[0, own.astype(int)] / b.latents[0, own.astype(int)]
    assert ratio == pytest.approx(ratio[:1].repeat(len(ratio)), rel=1e-4)
    assert within(engine, found.latents)


def test_sliders_at_0_change_nothing_and_at_1_reach_the_other(engine, pair):
    a, b = pair
    still = points.moved(engine, a, b, [0, 0, 0], [0] * points.DIRECTIONS)
    assert still.latents == pytest.approx(a.latents, abs=1e-6)
    there = points.moved(engine, a, b, [1, 1, 1], [0.5] * points.DIRECTIONS)
    assert there.latents == pytest.approx(b.latents, abs=1e-5)
    assert np.array_equal(there.labels, a.labels)
    assert (there.shifts == 0.5).all()
    assert within(engine, points.moved(engine, a, b, [0.3, 0.5], [0] * points.DIRECTIONS).latents)


def test_a_closed_way_begins_at_the_first_and_is_in_the_middle_at_the_second(engine, pair):
    way = points.closed_way(engine, points.joined(pair), 10)
    assert way.count == 10
    for frame, point in zip((0, 5), pair, strict=True):
        for array, expected in zip(way, point, strict=True):
            assert array[frame] == pytest.approx(expected[0], abs=1e-6)
    assert within(engine, way.latents) or engine.kind == "sphere"


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_bounds_is_refused(engine, seed):
    with pytest.raises(GenerateError, match="seed"):
        points.draw(engine, seed, "", 1)
