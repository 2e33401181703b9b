"""Training in half precision: gradients, float32 parameters, the loss scale of float16."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import all_numbers, equal, make_batch, make_controls, make_step

from pgan_tf.networks.families import FAMILIES
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training.feed import Samples
from pgan_tf.training.step import TrainStep


def gradients_of(step: TrainStep, labels: int) -> np.ndarray:
    """The D step's and the G step's gradients, one after the other, of fixed inputs."""
    random, n, size = np.random.RandomState(0), step.minibatch, step.state.stage.resolution

    def draw(*shape):
        return tf.constant(random.standard_normal(shape), step.dtype)

    one_hot = tf.constant(np.eye(labels)[random.randint(0, labels, n)], step.dtype)
    reals, latents, mixing = draw(n, size, size, 3), draw(n, 16), tf.constant(random.uniform(size=n), step.dtype)
    d, _ = step.d_gradients(Samples(one_hot, latents, reals, mixing), Fade(0.7))
    g, _ = step.g_gradients(Samples(one_hot, latents), Fade(0.7))
    return [[x.numpy().astype(np.float64).ravel() for x in gradients] for gradients in (d, g)]


@pytest.mark.parametrize(("precision", "cosine"), [("float32", 0.99999), ("bfloat16", 0.98)])
def test_gradients_point_the_same_way(precision, cosine, record_property):
    steps = [make_step(layer_stage(16, True), labels=3, precision=p) for p in ("float64", precision)]
    for network in ("generator", "discriminator"):
        pairs = zip(*(getattr(step.state, network).trainable_variables for step in steps), strict=True)
        for high, low in pairs:
            high.assign(low.numpy().astype(np.float64))
    exact, ours = (gradients_of(step, 3) for step in steps)
    for name, a, b in zip("DG", map(np.concatenate, exact), map(np.concatenate, ours), strict=True):
        measured = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        record_property(name, measured)
        assert measured > cosine
        assert abs(np.linalg.norm(b) / np.linalg.norm(a) - 1) < 0.1


@pytest.mark.parametrize("precision", ["bfloat16", "float16", "float32"])
def test_parameters_stay_float32(precision):
    step = make_step(precision=precision)
    step.rounds(make_batch(step), make_controls())
    variables = [*step.state.generator.weights, *step.state.discriminator.weights, *step.state.ema.weights]
    assert {v.dtype for v in variables} == {"float32"}
    assert step.state.discriminator(np.zeros([4, 8, 8, 3], np.float32)).scores.dtype == tf.float32


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_what_a_loss_says_of_a_score_reaches_the_last_layer_as_it_is(family, policy):
    """WGAN's drift says 0.002 times the score beside 1: no number of bfloat16 is between 1 and 1.0078."""
    network = FAMILIES[family].discriminator(num_channels=2, dtype=policy)
    x = np.random.RandomState(0).standard_normal([4, *network.sample_shape])
    bias = network.trainable_variables[-1]
    with tf.GradientTape() as tape:
        scores = network(x.astype(np.float32)).scores
        loss = tf.reduce_sum(1.001 * scores)
    np.testing.assert_allclose(tape.gradient(loss, bias.value), [4 * 1.001], rtol=1e-6)


def test_float16_scales_its_losses():
    """An overflow halves the scale and skips the update; a good round raises it by 2^0.0005."""
    step = make_step(precision="float16")
    state, batch, before = step.state, make_batch(step), all_numbers(step.state)
    assert state.d.log_scale.numpy() == state.g.log_scale.numpy() == 64
    report = step.rounds(batch, make_controls())
    assert report["nonfinite"][0] == 1
    assert state.d.log_scale.numpy() == state.g.log_scale.numpy() == 63
    assert equal(before, all_numbers(state), "G")
    assert equal(before, all_numbers(state), "D")
    state.d.log_scale.assign(8.0), state.g.log_scale.assign(8.0)
    report = step.rounds(batch, make_controls())
    assert report["nonfinite"][0] == 0
    np.testing.assert_allclose([state.d.log_scale.numpy(), state.g.log_scale.numpy()], 8.0005, rtol=1e-7)
    assert not equal(before, all_numbers(state), "G")
    assert not equal(before, all_numbers(state), "D")


def test_float16_update_does_not_feel_the_scale():
    """Adam hides a wrong scale; the reported norms and the moments do not."""
    norms = {}
    for precision, scale in (("float32", 0.0), ("float16", 4.0), ("float16", 10.0)):
        step = make_step(precision=precision)
        step.state.d.log_scale.assign(scale), step.state.g.log_scale.assign(scale)
        report = step.rounds(make_batch(step), make_controls())
        moments = [sum(float(tf.reduce_sum(v.value)) for v in o.variables if "velocity" in v.path)
                   for o in (step.state.d.optimizer, step.state.g.optimizer)]  # fmt: skip
        norms[precision, scale] = [*(float(values[0]) for values in report.values()), *moments]
    for key, value in norms.items():
        np.testing.assert_allclose(value, norms["float32", 0.0], rtol=0.05, atol=0.01, err_msg=str(key))


def test_float32_has_no_loss_scale():
    step = make_step()
    step.rounds(make_batch(step), make_controls())
    assert step.state.d.log_scale.numpy() == step.state.g.log_scale.numpy() == 0


IMAGES = {"progressive": {}, "dcgan": {"family": "dcgan", "grow": "none", "g_norm": "none"}}


@pytest.mark.parametrize("family", IMAGES)
def test_every_bias_has_its_gradient_in_half_precision(family, record_property):
    """Sums over minibatch and places are of more numbers than bfloat16 can count; biases had a fifth of theirs."""
    steps = [
        make_step(layer_stage(32, False), 16, 32, labels=3, precision=precision, **IMAGES[family])
        for precision in ("float32", "bfloat16")
    ]
    for network in ("generator", "discriminator"):
        for high, low in zip(*(getattr(step.state, network).trainable_variables for step in steps), strict=True):
            low.assign(high)
    exact, ours = (gradients_of(step, 3) for step in steps)
    for name, of_exact, of_ours in zip(("discriminator", "generator"), exact, ours, strict=True):
        for variable, a, b in zip(getattr(steps[0].state, name).trainable_variables, of_exact, of_ours, strict=True):
            if variable.name == "bias":
                record_property(variable.path, measured := float(np.linalg.norm(b) / np.linalg.norm(a)))
                assert 0.8 < measured < 1.25, variable.path
