"""Mode counts and their divergence, against sums written out."""

import numpy as np
import pytest
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.modes import mode_count, mode_statistics, stacked_modes


def test_all_modes_equally_often_are_perfect():
    assert mode_statistics(np.tile(np.arange(1000), 3)) == {"modes": 1000, "kl": pytest.approx(0, abs=1e-12)}


@pytest.mark.parametrize("kept", [1, 10, 500])
def test_some_modes_equally_often(kept):
    """k of 1000 modes: every term is 1/k log((1/k) / (1/1000))."""
    result = mode_statistics(np.repeat(np.arange(kept), 7))
    assert result == {"modes": kept, "kl": pytest.approx(np.log(1000 / kept), abs=1e-12)}


def test_the_divergence_is_that_of_the_fakes_from_the_reals():
    fake, real = np.repeat([0, 1], [3, 1]), np.repeat([0, 1, 2], [1, 1, 2])
    expected = 0.75 * np.log(0.75 / 0.25) + 0.25 * np.log(0.25 / 0.25)
    assert mode_statistics(fake, 3, real) == {"modes": 2, "kl": pytest.approx(expected, rel=1e-12)}


@pytest.mark.invariance
def test_order_and_repetition_do_not_matter():
    modes = np.random.RandomState(0).randint(0, 1000, 700)
    result = mode_statistics(modes)
    assert mode_statistics(np.random.RandomState(1).permutation(modes)) == result
    assert mode_statistics(np.concatenate([modes, modes])) == pytest.approx(result, rel=1e-12)
    assert mode_statistics(modes, reference=modes) == {
        "modes": len(np.unique(modes)),
        "kl": pytest.approx(0, abs=1e-12),
    }


@pytest.mark.invariance
def test_dropping_modes_makes_it_worse_step_by_step():
    modes = np.random.RandomState(2).randint(0, 1000, 20000)
    results = [mode_statistics(modes % kept) for kept in (1000, 300, 30, 3)]
    assert [r["modes"] for r in results] == [1000, 300, 30, 3]
    assert np.all(np.diff([r["kl"] for r in results]) > 0)


def test_a_finite_sample_stays_above_zero_as_documented():
    kl = mode_statistics(np.random.RandomState(3).randint(0, 1000, 50000))["kl"]
    assert kl == pytest.approx(1000 / (2 * 50000), rel=0.2)


def test_the_mode_of_an_image_is_its_likeliest_class():
    logits = np.eye(4)[[0, 0, 3, 3]] * 5 - 2
    assert mode_count(logits) == {"modes": 2, "kl": pytest.approx(np.log(2))}
    assert mode_count(logits, reference=logits * 3) == {"modes": 2, "kl": 0}


def digit_of_brightness(images):
    """A classifier of images of one grey level: ten levels are the ten digits."""
    assert images.dtype == np.uint8
    assert images.shape[1:] == (28, 20, 1)
    return images[:, 5, 5, 0] // 25


def test_stacked_digits_are_read_channel_by_channel():
    every = np.arange(1000)
    digits = np.stack([every // 100, every // 10 % 10, every % 10], axis=-1)  # [1000,3]
    images = np.broadcast_to((digits * 25).astype(np.uint8)[:, None, None], (1000, 28, 20, 3))
    np.testing.assert_array_equal(stacked_modes(digit_of_brightness, images), every)


def test_refuses():
    with pytest.raises(MetricError, match=r"must be 0\.\.9"):
        mode_statistics(np.array([10]), 10)
    with pytest.raises(MetricError, match=r"must be 0\.\.9"):
        mode_statistics(np.array([-1]), 10)
    with pytest.raises(MetricError, match="at least one image"):
        mode_statistics(np.zeros(0, int))
    with pytest.raises(MetricError, match="one integer an image"):
        mode_statistics(np.zeros(4))
    with pytest.raises(MetricError, match="1 modes of the fakes have no real image"):
        mode_statistics(np.array([0, 1]), 2, np.array([0, 0]))
    with pytest.raises(MetricError, match="NaN"):
        mode_count(np.array([[0.0, np.nan]]))
    with pytest.raises(MetricError, match="one digit a channel"):
        stacked_modes(digit_of_brightness, np.zeros((2, 28, 28, 1), np.uint8))
    with pytest.raises(MetricError, match=r"digits 0\.\.9"):
        stacked_modes(lambda images: np.full(len(images), 10), np.zeros((2, 28, 28, 3), np.uint8))
