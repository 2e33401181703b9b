"""Losses as sums of terms: the formulae of the rows, what a weight of 0 leaves out, what a new row needs."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import make_batch, make_controls, make_step

from pgan_tf.config import Loss
from pgan_tf.losses import D_TERMS, G_TERMS, LOSSES, Term
from pgan_tf.losses.terms import active
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import step as step_module
from pgan_tf.training.feed import Samples

REAL, FAKE = np.array([0.5, 2.0, -1.0, 40.0]), np.array([0.0, 1.0, -3.0, -40.0])
SMALLEST = layer_stage(4)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


# ---- adversarial losses ----------------------------------------------------------------------------------------

FORMULAE = {  # (discriminator, generator) of the first three samples
    "minimax": (lambda r, f: -np.log(sigmoid(r)) - np.log(1 - sigmoid(f)), lambda r, f: np.log(1 - sigmoid(f))),
    "non_saturating": (lambda r, f: -np.log(sigmoid(r)) - np.log(1 - sigmoid(f)), lambda r, f: -np.log(sigmoid(f))),
    "hinge": (lambda r, f: np.maximum(0, 1 - r) + np.maximum(0, 1 + f), lambda r, f: -f),
    "relativistic": (lambda r, f: -np.log(sigmoid(r - f)), lambda r, f: -np.log(sigmoid(f - r))),
}


@pytest.mark.parametrize("name", FORMULAE)
def test_formula_and_slope(name):
    """Values by the formula and slopes by its finite differences; both are finite far out, where exp is not."""
    loss, options = LOSSES[name], Loss(loss=name)
    for ours, formula in zip((loss.discriminator, loss.generator), FORMULAE[name], strict=True):
        real, fake = tf.constant(REAL), tf.constant(FAKE)
        with tf.GradientTape() as tape:
            tape.watch((real, fake))
            value = ours(real, fake, options)
        slopes = tape.gradient(value, (real, fake), unconnected_gradients="zero")
        np.testing.assert_allclose(value[:3], formula(REAL, FAKE)[:3], rtol=1e-12)
        h = 1e-6
        for slope, steps in zip(slopes, ((h, 0), (0, h)), strict=True):
            up, down = (formula(REAL + sign * steps[0], FAKE + sign * steps[1]) for sign in (1, -1))
            np.testing.assert_allclose(slope[:3], (up - down)[:3] / (2 * h), rtol=1e-6, atol=1e-9)
        assert np.isfinite([value, *slopes]).all()


def test_minimax_saturates_where_the_other_does_not():
    """A fake that D is sure of teaches the generator nothing, or as much as there is."""
    fake = tf.constant([-30.0], tf.float64)
    for name, slope in (("minimax", 0.0), ("non_saturating", -1.0)):
        with tf.GradientTape() as tape:
            tape.watch(fake)
            value = LOSSES[name].generator(None, fake, Loss())
        assert float(tape.gradient(value, fake)[0]) == pytest.approx(slope, abs=1e-12)


def test_a_smoothed_label_is_that_of_the_reals_alone():
    """Cross entropy with 0.9 and 0.1 for a real, with 1 for a fake; it is least where D says 0.9."""
    options = Loss(loss="non_saturating", real_target=0.9)
    ours = LOSSES["non_saturating"].discriminator(tf.constant(REAL[:3]), tf.constant(FAKE[:3]), options)
    real, fake = sigmoid(REAL[:3]), sigmoid(FAKE[:3])
    np.testing.assert_allclose(ours, -0.9 * np.log(real) - 0.1 * np.log(1 - real) - np.log(1 - fake), rtol=1e-12)
    score = tf.constant([np.log(9.0)], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(score)
        value = LOSSES["minimax"].discriminator(score, tf.zeros([1], tf.float64), options)
    assert abs(float(tape.gradient(value, score)[0])) < 1e-12


# ---- which terms there are -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        (dict(), {"regularizer"}),
        (dict(penalty="none"), {"penalty", "regularizer"}),
        (dict(wgan_lambda=0.0), {"penalty", "regularizer"}),
        (dict(wgan_epsilon=0.0), {"drift", "regularizer"}),
        (dict(cond_weight=0.0), {"labels", "labels of the reals", "labels of the fakes", "regularizer"}),
        (dict(regularizer="repelling"), set()),
        (dict(regularizer="repelling", repelling_weight=0.0), {"regularizer"}),
        (dict(regularizer="repelling_as_coded"), {"regularizer"}),
    ],
)
def test_a_weight_of_zero_takes_the_term_away(options, gone):
    names = {term.name for term in (*D_TERMS, *G_TERMS)}
    there = {term.name for terms in (D_TERMS, G_TERMS) for term in active(terms, Loss(**options))}
    assert names - there == gone


def test_what_is_not_asked_for_is_not_computed():
    """A value that cannot be computed."""
    broken = Term("broken", lambda options: 0.0, lambda run, options: 1 / 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_module, "D_TERMS", (*D_TERMS, broken))
        step = make_step(SMALLEST, precision="float64")
        step.d_gradients(samples(step)[1], Fade())
        patch.setattr(step_module, "D_TERMS", (*D_TERMS, broken._replace(weight=lambda options: 1.0)))
        step = make_step(SMALLEST, precision="float64")
        with pytest.raises(ZeroDivisionError):
            step.d_gradients(samples(step)[1], Fade())


# ---- new rows, which no other file knows of --------------------------------------------------------------------


def samples(step) -> tuple[Samples, Samples]:
    """Of a G step and of a D step."""
    random, n, size = np.random.RandomState(0), step.minibatch, step.state.stage.resolution
    labels = tf.zeros([n, 0], tf.float64)
    latents, others, reals = (tf.constant(random.standard_normal(s)) for s in ((n, 16), (n, 16), (n, size, size, 3)))
    return Samples(labels, latents), Samples(labels, others, reals, tf.constant(random.uniform(size=n)))


def test_a_row_that_needs_reals_gets_those_of_the_last_discriminator_step(monkeypatch):
    """Feature matching: the distance between the mean features of reals and of fakes."""

    def distance(run, options):
        means = [tf.reduce_mean(run.gather(output.features), axis=0) for output in (run.real, run.fake)]
        return tf.fill([len(run.fakes)], tf.reduce_sum(tf.square(means[0] - means[1])))

    row = Term("matching", lambda options: 2.0, distance, ("matching/value",), lambda options: frozenset({"reals"}))
    monkeypatch.setattr(step_module, "G_TERMS", (*G_TERMS, row))
    step = make_step(SMALLEST, precision="float64")
    own, last = samples(step)
    report = step.g_gradients(own, Fade(), last=last)[1]
    generator, discriminator = step.state.generator, step.state.discriminator
    fake = discriminator(generator(own.latents))
    means = [np.mean(output.features, axis=0) for output in (discriminator(last.reals), fake)]
    expected = np.sum((means[0] - means[1]) ** 2)
    assert float(report["matching/value"]) / step.minibatch == pytest.approx(expected, rel=1e-12)
    assert float(report["loss/G"]) == pytest.approx(2 * expected * step.minibatch - np.sum(fake.scores), rel=1e-12)
    told = step.rounds(make_batch(step, 2), make_controls(2, dtype="float64"))
    assert told["matching/value"].shape == 2
    assert make_step(SMALLEST).needs == {"reals"}


def test_a_row_on_the_weights_has_their_slope(monkeypatch):
    """The sum of their squares, in the discriminator's loss: twice each weight, and no other network's."""

    def squares(run, options):
        return tf.fill([len(run.fakes)], tf.add_n([tf.reduce_sum(tf.square(weight)) for weight in run.weights]))

    _, data = samples(make_step(SMALLEST, precision="float64"))
    found = []
    for rows in (D_TERMS, (*D_TERMS, Term("squares", lambda options: 0.25, squares))):
        monkeypatch.setattr(step_module, "D_TERMS", rows)
        step = make_step(SMALLEST, precision="float64")
        found.append(step.d_gradients(data, Fade())[0])
    for weight, without, with_term in zip(step.state.d.weights(), *found, strict=True):
        np.testing.assert_allclose(with_term - without, 0.5 * weight.numpy(), rtol=1e-9, atol=1e-12)


def test_the_relativistic_generator_is_paired_with_reals():
    step = make_step(SMALLEST, precision="float64", loss="relativistic", penalty="none", wgan_epsilon=0.0)
    own, last = samples(step)
    report = step.g_gradients(own, Fade(), last=last)[1]
    discriminator, generator = step.state.discriminator, step.state.generator
    real, fake = (discriminator(images).scores.numpy() for images in (last.reals, generator(own.latents)))
    assert float(report["loss/G"]) == pytest.approx(np.sum(np.log1p(np.exp(real - fake))), rel=1e-12)
    d_report = step.d_gradients(last, Fade())[1]
    fake = discriminator(generator(last.latents)).scores.numpy()
    assert float(d_report["loss/D"]) == pytest.approx(np.sum(np.log1p(np.exp(fake - real))), rel=1e-12)
