"""Sampling: the same pictures whatever is asked for beside them, and a truncation that truncates."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from pgan_tf.grids import to_uint8
from pgan_tf.inference.drawing import Drawing
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.inputs import draw_latents, label_rows
from pgan_tf.inference.load import Loaded
from pgan_tf.inference.sample import Sampler, batch_size
from pgan_tf.inference.truncation import centres
from pgan_tf.latents import LATENTS, Purpose


def pictures(sampler, latents, labels=None):
    labels = np.zeros((len(latents), 0), np.float32) if labels is None else labels
    return np.stack(list(sampler.stream(latents, labels)))


@pytest.fixture(scope="module")
def network(make_tiny):
    return make_tiny()


@pytest.fixture(scope="module")
def classes(make_tiny):
    return make_tiny(label_size=3)


@pytest.mark.parametrize("truncation", [1.0, 0.6])
def test_pictures_do_not_depend_on_how_many_are_asked_for(network, truncation):
    sampler, latents = Sampler(network, truncation), draw_latents(70, 20, seed=3)
    many = pictures(sampler, latents)
    for count in (1, 5, 31, 32, 33, 64):
        assert np.array_equal(pictures(sampler, latents[:count]), many[:count])


def test_another_sampler_makes_the_same_pictures(network):
    latents = draw_latents(40, 20, seed=3)
    assert np.array_equal(pictures(Sampler(network, 0.5), latents), pictures(Sampler(network, 0.5), latents))


def test_pictures_are_those_of_the_network(classes):
    latents, labels = draw_latents(35, 20, seed=1), label_rows("all", 3, 35, 0)
    expected = to_uint8(classes((latents, labels)).numpy())
    found = pictures(Sampler(classes), latents, labels)
    assert found.shape == (35, 16, 16, 3)
    assert found.dtype == np.uint8
    assert found.std() > 10
    assert np.abs(found.astype(int) - expected).max() <= 1  # another batch may round the last bit otherwise


def test_a_batch_fits_into_memory_at_every_resolution():
    assert [batch_size(resolution) for resolution in (4, 128, 256, 512, 1024)] == [32, 32, 16, 4, 4]


def test_no_latents_no_pictures(network):
    assert list(Sampler(network).stream(np.zeros((0, 20), np.float32), np.zeros((0, 0), np.float32))) == []


@pytest.mark.parametrize("count", [1, 31, 32, 33, 100])
def test_latents_do_not_depend_on_how_many_are_drawn(count):
    assert np.array_equal(draw_latents(count, 7, seed=5), draw_latents(101, 7, seed=5)[:count])


def test_seeds_and_purposes_draw_other_latents():
    base = draw_latents(50, 7, seed=5)
    assert not np.isin(base, draw_latents(50, 7, seed=6)).any()
    assert not np.isin(base, draw_latents(50, 7, seed=5, purpose=Purpose.WALK)).any()
    assert len(np.unique(base)) == base.size  # no block of latents is another's


def test_truncation_to_nothing_gives_one_picture_for_each_label(classes):
    labels = label_rows("all", 3, 12, 0)
    found = pictures(Sampler(classes, 0.0), draw_latents(12, 20, seed=1), labels)
    for label in range(3):
        assert (found[label::3] == found[label]).all()
    assert np.abs(found[0].astype(int) - found[1]).mean() > 1


def test_truncation_makes_pictures_alike_step_by_step(network):
    latents = draw_latents(64, 20, seed=1)
    spread = [pictures(Sampler(network, t), latents).std(axis=0).mean() for t in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert spread[0] == 0
    assert all(b > 1.1 * a for a, b in itertools.pairwise(spread))


def test_truncation_is_a_mix_with_the_mean_of_the_first_layer(network):
    latents = draw_latents(32, 20, seed=1)
    more = draw_latents(20000, 20, seed=99)
    features, mean = network.project(latents).numpy(), network.project(more).numpy().mean(axis=0)
    expected = to_uint8(network.synthesize(tf.constant(mean + 0.5 * (features - mean))).numpy())
    found = pictures(Sampler(network, 0.5), latents)
    assert np.abs(found.astype(int) - expected).mean() < 2  # the centre is a mean over a finite number


def test_centres_follow_the_distribution_of_the_latents(make_tiny, monkeypatch):
    monkeypatch.setitem(LATENTS, "positive", lambda shape, seed, dtype=tf.float32: tf.ones(shape, dtype))
    row = np.zeros((1, 0), np.float32)
    usual, other = (centres(make_tiny(latents=kind), row) for kind in ("gaussian", "positive"))
    assert np.abs(usual - other).max() > 0.1


@pytest.mark.parametrize(
    "wrong", [{"truncation": 1.5}, {"truncation": -0.1}, {"truncation": float("nan")}, {"seed": -1}]
)
def test_wrong_numbers_are_refused(network, wrong):
    with pytest.raises(GenerateError, match=f"--{next(iter(wrong))}=.* must be"):
        Drawing(Loaded(network, None, None), **wrong)
