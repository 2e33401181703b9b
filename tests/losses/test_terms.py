"""Losses as sums of terms: the formulae of the rows, what a weight of 0 leaves out, what a new row needs."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import make_batch, make_controls, make_step

from pgan_tf.config import Loss
from pgan_tf.losses import D_TERMS, G_TERMS, LOSSES, Term
from pgan_tf.losses.adversarial import SIGN, reported
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


ASKED_FOR = {"regularizer", "weight decay", "history", "feature matching"}  # there only where an option says so


@pytest.mark.parametrize(
    ("options", "gone", "more"),
    [
        (dict(), set(), set()),
        (dict(penalty="none"), {"penalty"}, set()),
        (dict(wgan_lambda=0.0), {"penalty"}, set()),
        (dict(wgan_epsilon=0.0), {"drift"}, set()),
        (dict(cond_weight=0.0), {"labels", "labels of the reals", "labels of the fakes"}, set()),
        (dict(regularizer="repelling"), set(), {"regularizer"}),
        (dict(regularizer="repelling", repelling_weight=0.0), set(), set()),
        (dict(regularizer="repelling_as_coded"), set(), set()),
        (dict(l2_weight=1e-5), set(), {"weight decay"}),
        (dict(history_weight=1e-3), set(), {"history"}),
        (dict(feature_matching_weight=1.0), set(), {"feature matching"}),
    ],
)
def test_a_weight_of_zero_takes_the_term_away(options, gone, more):
    names = {term.name for term in (*D_TERMS, *G_TERMS)}
    there = {term.name for terms in (D_TERMS, G_TERMS) for term in active(terms, Loss(**options))}
    assert there == names - ASKED_FOR - gone | more


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


@pytest.mark.parametrize(("weight", "adversarial"), [(2.0, 1.0), (1.0, 0.0)])
def test_feature_matching_compares_means_with_the_reals_of_the_last_step(weight, adversarial):
    """Beside the adversarial loss, or alone as in the paper: then the scores of fakes are nothing to the generator."""
    options = dict(feature_matching_weight=weight, adversarial_weight=adversarial)
    step = make_step(SMALLEST, precision="float64", **options)
    own, last = samples(step)
    gradients, report = step.g_gradients(own, Fade(), last=last)
    generator, discriminator = step.state.generator, step.state.discriminator
    fake = discriminator(generator(own.latents))
    means = [np.mean(output.features, axis=0) for output in (discriminator(last.reals), fake)]
    expected = np.sum((means[0] - means[1]) ** 2)
    assert float(report["feature_matching/value"]) / step.minibatch == pytest.approx(expected, rel=1e-12)
    loss = weight * expected * step.minibatch - adversarial * np.sum(fake.scores)
    assert float(report["loss/G"]) == pytest.approx(loss, rel=1e-12)
    assert all(np.any(gradient.numpy()) for gradient in gradients)
    told = step.rounds(make_batch(step, 2), make_controls(2, dtype="float64"))
    assert told["feature_matching/value"].shape == 2
    assert make_step(SMALLEST).needs == set()


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


# ---- weight decay ----------------------------------------------------------------------------------------------


def played(step):
    """{player: (gradients, report)} of a step each."""
    own, last = samples(step)
    own, last = (Samples(*(x if x is None else tf.cast(x, step.dtype) for x in data)) for data in (own, last))
    scales = {player.name: tf.cast(player.loss_scale(), step.dtype) for player in (step.state.g, step.state.d)}
    found = {
        "g": step.g_gradients(own, Fade(), scales["g"], last=last), "d": step.d_gradients(last, Fade(), scales["d"])
    }  # fmt: skip
    return {name: ([x / scales[name] for x in gradients], report) for name, (gradients, report) in found.items()}


@pytest.mark.parametrize("loss", ["non_saturating", "lsgan_as_coded"])
def test_weight_decay_adds_the_weight_to_its_gradient(loss):
    """In both networks, with norms and biases; half the sum of the squares to the loss of each sample."""
    options = dict(precision="float64", loss=loss, penalty="none", wgan_epsilon=0.0, g_norm="batch", d_norm="layer")
    without, decayed = (make_step(SMALLEST, l2_weight=weight, **options) for weight in (0.0, 0.3))
    for step in (without, decayed):
        for player in (step.state.g, step.state.d):
            for i, weight in enumerate(player.weights()):  # also of what begins with zeros
                weight.assign_add(np.random.RandomState(i).standard_normal(weight.shape))
    before, after = played(without), played(decayed)
    for player in (decayed.state.g, decayed.state.d):
        weights = [weight.numpy() for weight in player.weights()]
        (gradients, report), (others, other) = after[player.name], before[player.name]
        for weight, with_term, plain in zip(weights, gradients, others, strict=True):
            np.testing.assert_allclose(with_term - plain, 0.3 * weight, rtol=1e-8, atol=1e-10)
        added = float(report[f"loss/{player.name.upper()}"] - other[f"loss/{player.name.upper()}"]) / decayed.minibatch
        assert added == pytest.approx(0.15 * sum((weight**2).sum() for weight in weights), rel=1e-9)


def test_weight_decay_is_not_lost_in_the_scale_of_float16():
    step = make_step(SMALLEST, precision="float16", l2_weight=1e4, penalty="none", wgan_epsilon=0.0)
    for player in (step.state.g, step.state.d):
        player.log_scale.assign(6.0)
        for weight, gradient in zip(player.weights(), played(step)[player.name][0], strict=True):
            np.testing.assert_allclose(gradient, 1e4 * weight.numpy(), rtol=0.01, atol=100)


# ---- what is said of the scores --------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_a_cross_entropy_says_what_the_discriminator_takes_for_real(loss):
    """Means over the minibatch of the probabilities, and no such row where a score is no logit."""
    least_squares = dict(penalty="none", wgan_epsilon=0.0)
    step = make_step(SMALLEST, precision="float64", loss=loss, D_repeats=2, **least_squares)
    last = samples(step)[1]
    report = step.d_gradients(last, Fade())[1]
    tags = {"probability/real", "probability/fake"}
    assert tags & set(step.metrics) == tags & set(report) == (tags if loss in ("minimax", "non_saturating") else set())
    if tags <= set(report):
        discriminator, generator = step.state.discriminator, step.state.generator
        for name, images in (("real", last.reals), ("fake", generator(last.latents))):
            expected = np.sum(sigmoid(discriminator(images).scores.numpy()))
            assert float(report[f"probability/{name}"]) == pytest.approx(expected, rel=1e-12)
        told = step.rounds(make_batch(step, 2), make_controls(2, dtype="float64"))
        assert all(0 < float(value) < 1 for tag in tags for value in told[tag])


@pytest.mark.parametrize("loss", [name for name, row in LOSSES.items() if row.margin])
@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 2.0)])
def test_r_t_is_1_where_all_reals_are_on_the_side_of_reals(loss, a, b):
    """Of least squares that may be the lower one."""
    side = {"lsgan": b - a, "lsgan_as_coded": b - a}.get(loss, 1.0)
    middle = (a + b) / 2 if loss.startswith("lsgan") else 0.0
    r_t = reported(Loss(loss=loss, lsgan_a=a, lsgan_b=b))[SIGN]
    scores = tf.constant([middle + side, middle + 0.1 * side, middle])
    np.testing.assert_array_equal(r_t(scores, None), [1, 1, 0])
    np.testing.assert_array_equal(r_t(2 * middle - scores, None), [-1, -1, 0])
