"""Least squares: the formula with its three targets, means, and the sums of the published code."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import make_batch, make_controls, make_step

from pgan_tf.config import Config, Loss
from pgan_tf.losses import LOSSES
from pgan_tf.stages import Fade
from pgan_tf.training.feed import Samples

BARE = dict(penalty="none", wgan_epsilon=0.0)
REAL, FAKE = np.array([0.5, 2.0, -1.0]), np.array([0.0, 1.0, 3.0])


def test_formula():
    options = Loss(loss="lsgan", lsgan_a=-1.0, lsgan_b=2.0, lsgan_c=0.5)
    for name in ("lsgan", "lsgan_as_coded"):
        loss = LOSSES[name]
        ours = loss.discriminator(tf.constant(REAL), tf.constant(FAKE), options)
        np.testing.assert_allclose(ours, 0.5 * (REAL - 2) ** 2 + 0.5 * (FAKE + 1) ** 2, rtol=1e-15)
        np.testing.assert_allclose(
            loss.generator(None, tf.constant(FAKE), options), 0.5 * (FAKE - 0.5) ** 2, rtol=1e-15
        )


def test_a_perfect_score_costs_nothing():
    """By default fakes are to score 0, reals 1, and the generator wants 1."""
    loss, zeros, ones = LOSSES["lsgan"], tf.zeros([2]), tf.ones([2])
    np.testing.assert_array_equal(loss.discriminator(ones, zeros, Loss()), [0, 0])
    np.testing.assert_array_equal(loss.generator(None, ones, Loss()), [0, 0])
    np.testing.assert_array_equal(loss.generator(None, zeros, Loss()), [0.5, 0.5])


def test_the_published_code_adds_up_the_minibatch(golden):
    data, loss = golden("fork_losses.npz"), LOSSES["lsgan_as_coded"]
    real, fake = (tf.constant(data[f"lsgan/{name}_scores"][:, 0], tf.float64) for name in ("real", "fake"))
    assert loss.summed
    assert np.sum(loss.discriminator(real, fake, Loss())) == pytest.approx(float(data["lsgan/D_loss"]), rel=1e-6)
    assert np.sum(loss.generator(None, fake, Loss())) == pytest.approx(float(data["lsgan/G_loss"]), rel=1e-6)
    assert not LOSSES["lsgan"].summed


def test_the_steps_sum_is_the_minibatch_times_the_mean():
    """The losses and the norms of both gradients, of equal weights."""
    reports = {}
    for name in ("lsgan", "lsgan_as_coded"):
        step = make_step(precision="float64", loss=name, minibatch=8, **BARE)
        reports[name] = step.rounds(make_batch(step), make_controls(lrate=0.0, dtype="float64"))
    for metric in ("loss/D", "loss/G", "gradient_norm/D", "gradient_norm/G"):
        summed, mean = (float(reports[name][metric][0]) for name in ("lsgan_as_coded", "lsgan"))
        assert summed == pytest.approx(8 * mean, rel=1e-12), metric
    assert reports["lsgan_as_coded"]["scores/real"][0] == reports["lsgan"]["scores/real"][0]


def test_the_step_minimises_the_formula():
    """The reported losses are the formula's of the scores; the options reach the step."""
    step = make_step(precision="float64", loss="lsgan", lsgan_a=0.25, lsgan_b=3.0, lsgan_c=2.0, **BARE)
    random, n = np.random.RandomState(0), step.minibatch
    reals, latents = tf.constant(random.standard_normal([n, 8, 8, 3])), tf.constant(random.standard_normal([n, 16]))
    labels = tf.zeros([n, 0], tf.float64)
    _, report = step.d_gradients(Samples(labels, latents, reals, tf.zeros([n], tf.float64)), Fade())
    real = step.state.discriminator(reals).scores.numpy()
    fake = step.state.discriminator(step.state.generator(latents)).scores.numpy()
    assert float(report["loss/D"]) == pytest.approx(0.5 * np.sum((real - 3) ** 2 + (fake - 0.25) ** 2), rel=1e-12)
    _, g_report = step.g_gradients(Samples(labels, latents), Fade())
    assert float(g_report["loss/G"]) == pytest.approx(0.5 * np.sum((fake - 2) ** 2), rel=1e-12)


def test_penalties_stay_an_option_of_the_means():
    assert Config.from_values(dict(loss="lsgan")).loss.penalty == "gradient"
    assert Config.from_values(dict(loss="lsgan_as_coded", **BARE)).loss.loss == "lsgan_as_coded"
