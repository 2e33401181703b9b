"""The repelling regularizer: its formula, its gradient in the generator, and what the published code made of it."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import all_numbers, equal, make_batch, make_controls, make_step

from pgan_tf.config import Config, ConfigError, Loss
from pgan_tf.losses import LOSSES, REGULARIZERS
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training.feed import Samples
from pgan_tf.training.plan import check_replicas


def repelling(features) -> np.ndarray:
    """The values [N] of features [N,F] that all lie on one replica."""
    return REGULARIZERS["repelling"](tf.constant(features), lambda x: x).numpy()


def pairs_mean(features: np.ndarray) -> float:
    """The definition, pair by pair: the mean over i != j of cos^2."""
    count = len(features)
    cosines = [
        features[i] @ features[j] / np.linalg.norm(features[i]) / np.linalg.norm(features[j])
        for i in range(count)
        for j in range(count)
        if i != j
    ]
    return float(np.mean(np.square(cosines)))


@pytest.mark.parametrize(
    ("features", "value"),
    [
        (np.eye(5), 0.0),
        (np.ones([4, 3]), 1.0),
        (np.outer([1.0, -2.0, 30.0], [1.0, 2.0]), 1.0),  # opposite directions are alike, lengths do not count
        (np.array([[1.0, 0.0], [1.0, 1.0]]), 0.5),
        (np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), 1 / 3),
        (np.ones([1, 3]), 0.0),  # no pairs
        (np.zeros([3, 2]), 0.0),
    ],
)
def test_known_values(features, value):
    assert repelling(features).mean() == pytest.approx(value, abs=1e-14)


def test_the_mean_is_the_mean_over_pairs():
    features = np.random.RandomState(0).standard_normal([7, 4])
    assert repelling(features).mean() == pytest.approx(pairs_mean(features), rel=1e-13)


def test_one_value_per_sample():
    """A sample that is orthogonal to all others has 0; of three directions that agree, two agree with each."""
    features = np.array([[1.0, 0, 0], [0, 2.0, 0], [0, 3.0, 0], [0, 0.1, 0]])
    np.testing.assert_allclose(repelling(features), [0, 2 / 3, 2 / 3, 2 / 3], atol=1e-15)


def test_the_golden_pulling_away_term(golden):
    """On the latents of the published code's run; its own sum, had it been kept, counts each sample as its own pair."""
    data = golden("fork_losses.npz")
    ours = repelling(data["rr/latents"].astype(np.float64)).mean()
    assert ours == pytest.approx(float(data["rr/pulling_away_term_of_latents"]), rel=1e-7)
    count = len(data["rr/latents"])
    assert ours + 1 / (count - 1) == pytest.approx(float(data["rr/value_if_fixed"].item()), rel=1e-6)


def test_the_gradient_of_collapsed_and_of_dead_features_is_finite():
    for features in (np.ones([4, 3]), np.zeros([4, 3]), np.eye(4)):
        x = tf.constant(features)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = REGULARIZERS["repelling"](x, lambda y: y)
        assert np.isfinite(tape.gradient(value, x)).all()


# ---- in the generator's step -------------------------------------------------------------------------------------


def inputs(step) -> tuple:
    random = np.random.RandomState(1)
    latents = random.standard_normal([step.minibatch, step.state.generator.latent_size])
    return Samples(tf.zeros([step.minibatch, 0], tf.float64), tf.constant(latents)), Fade(tf.constant(0.4, tf.float64))


def regularized_step(**options):
    return make_step(layer_stage(8, True), precision="float64", regularizer="repelling", **options)


def test_the_features_are_the_last_hidden_layers():
    for name in ("critic", "generator"):
        step = regularized_step(repelling_features=name)
        (labels, latents, *_), fade = inputs(step)
        images, hidden = step.state.generator((latents, labels), alpha=fade.alpha, with_features=True)
        features = {"critic": step.state.discriminator(images, alpha=fade.alpha).features, "generator": hidden}[name]
        expected = pairs_mean(features.numpy().reshape(step.minibatch, -1))
        report = step.g_gradients(*inputs(step))[1]
        assert float(report["regularizer/value"]) / step.minibatch == pytest.approx(expected, rel=1e-12), name


@pytest.mark.parametrize("features", ["critic", "generator"])
def test_the_gradient_in_the_generator_is_that_of_finite_differences(features, record_property):
    step = regularized_step(repelling_features=features, repelling_weight=3.0)
    plain = make_step(layer_stage(8, True), precision="float64")  # the same initial weights, from the same seed
    data, random = inputs(step), np.random.RandomState(2)
    gradients, report = step.g_gradients(*data)
    baseline, plain_report = plain.g_gradients(*data)
    value = report["regularizer/value"]
    assert 0 < value / step.minibatch < 1
    assert float(report["loss/G"] - 3 * value) == pytest.approx(float(plain_report["loss/G"]), rel=1e-12)
    variables, moved = step.state.generator.trainable_variables, 0
    for variable, with_term, without in zip(variables, gradients, baseline, strict=True):
        own = 0.0 if with_term is None else (with_term - without).numpy()
        direction, start, values = random.standard_normal(variable.shape), variable.numpy(), []
        for sign in (1, -1):
            variable.assign(start + sign * 1e-6 * direction)
            values.append(float(step.g_gradients(*data)[1]["regularizer/value"]) / step.minibatch)
        variable.assign(start)
        expected = 3.0 * (values[0] - values[1]) / 2e-6
        assert np.sum(own * direction) == pytest.approx(expected, rel=1e-5, abs=1e-8), variable.path
        moved += abs(expected) > 1e-5
    record_property("parameters that feel it", moved)
    assert moved >= len(variables) - (4 if features == "generator" else 0)  # the RGB layers lie behind its features


def test_descending_it_drives_the_fakes_apart():
    step = regularized_step(repelling_weight=100.0)
    batch = make_batch(step, 8)
    report = step.rounds(batch, make_controls(8, alpha=0.4, dtype="float64"))
    values = report["regularizer/value"].numpy()
    plain = make_step(layer_stage(8, True), precision="float64", regularizer="repelling", repelling_weight=1e-30)
    unmoved = plain.rounds(batch, make_controls(8, alpha=0.4, dtype="float64"))
    assert values[-1] < unmoved["regularizer/value"][-1]


@pytest.mark.parametrize(
    "options", [{"regularizer": "repelling_as_coded"}, {"regularizer": "repelling", "repelling_weight": 0.0}], ids=str
)
@pytest.mark.parametrize("features", ["critic", "generator"])
def test_as_coded_and_a_weight_of_zero_are_the_baseline(features, options):
    """To the last bit: all weights after three rounds, and all that is reported."""
    results = []
    for chosen in ({}, {**options, "repelling_features": features}):
        step = make_step(layer_stage(8, True), labels=2, **chosen)
        report = step.rounds(make_batch(step, 3), make_controls(3, alpha=0.4))
        results.append((all_numbers(step.state), {name: values.numpy() for name, values in report.items()}))
    (baseline, base_report), (ours, report) = results
    assert equal(baseline, ours)
    assert base_report.keys() == report.keys()
    assert equal(base_report, report)
    step = make_step(layer_stage(8, True), labels=2, regularizer="repelling")
    step.rounds(make_batch(step, 3), make_controls(3, alpha=0.4))
    assert not equal(baseline, all_numbers(step.state), "G/")  # the term itself is none


def test_the_published_code_adds_nothing(golden):
    data = golden("fork_losses.npz")
    scores = tf.constant(-data["rr/minus_scores"][:, 0])
    term = REGULARIZERS["repelling_as_coded"](tf.constant(data["rr/latents"]), lambda x: x)
    ours = LOSSES["wgan"].generator(None, scores, Loss()) + term
    np.testing.assert_array_equal(ours, data["rr/fork_loss"][:, 0])


@pytest.mark.parametrize("options", [dict(regularizer="repelling"), dict(feature_matching_weight=1.0)], ids=str)
def test_compiled_on_several_devices_is_refused(options):
    config = Config.from_values({**options, "jit": True})
    check_replicas(config, 1)
    check_replicas(config.replace(jit=False), 2)
    check_replicas(config.replace(regularizer="repelling_as_coded", feature_matching_weight=0.0), 2)
    with pytest.raises(ConfigError, match="2 devices cannot be compiled: add --jit=false"):
        check_replicas(config, 2)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_reports_the_same_term(precision):
    values = {}
    for chosen in ("float32", precision):
        step = make_step(precision=chosen, regularizer="repelling", repelling_features="generator")
        step.state.d.log_scale.assign(0.0), step.state.g.log_scale.assign(0.0)
        report = step.rounds(make_batch(step), make_controls())
        assert report["nonfinite"][0] == 0
        values[chosen] = float(report["regularizer/value"][0])
    assert values[precision] == pytest.approx(values["float32"], rel=0.02)
