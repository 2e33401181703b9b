"""The unrolled discriminator: the generator's loss under D's next steps, and its gradient through them."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import LRATE, all_numbers, equal, make_batch, make_controls, make_step

from pgan_tf.config import Config, ConfigError
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training.feed import Samples
from pgan_tf.training.plan import check_replicas
from pgan_tf.training.unroll import unroll, weights_as

SMOOTH = dict(stage=layer_stage(4), minibatch=4, precision="float64", adam_epsilon=0.01, fmap_base=16, labels=2)
RATE = tf.constant(0.05, tf.float64)


def inputs(step) -> tuple[tuple, tuple]:
    """The samples of a G step, and of a D step."""
    random, n = np.random.RandomState(3), step.minibatch

    def draw(*shape):
        return tf.constant(random.standard_normal([n, *shape]))

    labels, size = tf.constant(np.eye(2)[random.randint(0, 2, n)]), step.state.stage.resolution
    mixing = tf.constant(random.uniform(size=n))
    g_latents, reals, d_latents = draw(16), draw(size, size, 3), draw(16)
    return Samples(labels, g_latents), Samples(tf.reverse(labels, [0]), d_latents, reals, mixing)


def g_loss(step) -> float:
    g_data, d_data = inputs(step)
    return float(step.g_gradients(g_data, Fade(), last=d_data, d_lrate=RATE)[1]["loss/G"])


OPTIMIZERS = [
    dict(),
    dict(optimizer="rmsprop"),
    dict(optimizer="rmsprop", momentum=0.5),
    dict(optimizer="sgd"),
    dict(optimizer="sgd", momentum=0.5),
    dict(optimizer="sgd", l2_weight=0.7),
    dict(optimizer="sgd", constraint="clip", clip=0.5, penalty="none"),
]


@pytest.mark.parametrize(("steps", "options"), [(1, {}), *((2, options) for options in OPTIMIZERS)], ids=str)
def test_the_loss_is_that_after_so_many_real_steps(steps, options):
    """From moments that two earlier steps have left; and nothing of the discriminator moves."""
    ahead, real = (make_step(unroll_steps=k, **SMOOTH, **options) for k in (steps, 0))
    d_data, state = inputs(real)[1], real.state

    def train(step):
        gradients, _ = step.d_gradients(d_data, Fade())
        step.state.d.apply(gradients, RATE, tf.constant(True))

    for step in (ahead, real):
        train(step), train(step)
    before, unmoved = all_numbers(ahead.state), g_loss(real)
    for _ in range(steps):
        train(real)
    assert g_loss(ahead) == pytest.approx(g_loss(real), rel=1e-11)
    assert abs(g_loss(ahead) - unmoved) > 1e-3
    assert equal(before, all_numbers(ahead.state))
    assert int(state.d.optimizer.iterations.numpy()) == 2 + steps
    assert int(ahead.state.d.optimizer.iterations.numpy()) == 2


def test_the_gradient_follows_the_steps(record_property):
    """That of finite differences, which the gradient under the discriminator of afterwards is not."""
    step = make_step(unroll_steps=2, **SMOOTH)
    g_data, d_data = inputs(step)
    gradients, _ = step.g_gradients(g_data, Fade(), last=d_data, d_lrate=RATE)
    random = np.random.RandomState(4)
    for variable, gradient in zip(step.state.generator.trainable_variables, gradients, strict=True):
        direction, start, values = random.standard_normal(variable.shape), variable.numpy(), []
        for sign in (1, -1):
            variable.assign(start + sign * 1e-6 * direction)
            values.append(g_loss(step) / step.minibatch)
        variable.assign(start)
        expected = (values[0] - values[1]) / 2e-6
        ours = float(np.sum(gradient.numpy() * direction))
        record_property(variable.path, ours / expected - 1)
        assert ours == pytest.approx(expected, rel=1e-4, abs=1e-7), variable.path


def test_no_steps_leave_the_discriminator_where_it_is():
    """The way through tensors for weights, taken without a step, changes no bit of a score or of its gradient."""
    step = make_step(**SMOOTH)
    network, images = step.state.discriminator, inputs(step)[1].reals
    weights, found = unroll(step.state.d, lambda: None, RATE, 0), []
    for scope in (contextlib.nullcontext(), weights_as(network, weights)):
        with tf.GradientTape() as tape:
            tape.watch(images)
            with scope:
                scores = network(images).scores
        found.append((scores.numpy(), tape.gradient(scores, images).numpy()))
    for now, ahead in zip(*found, strict=True):
        np.testing.assert_array_equal(now, ahead)


def test_no_steps_are_the_baseline():
    results = []
    for chosen in ({}, {"unroll_steps": 0}, {"unroll_steps": 1}):
        step = make_step(layer_stage(4), D_repeats=2, **chosen)
        step.rounds(make_batch(step, 2), make_controls(2, lrate=LRATE))
        results.append(all_numbers(step.state))
    baseline, none, one = results
    assert equal(baseline, none)
    assert not equal(baseline, one, "G/")


def test_several_devices_are_refused():
    check_replicas(Config(), 2)
    check_replicas(Config.from_values(dict(unroll_steps=1)), 1)
    with pytest.raises(ConfigError, match="--unroll_steps=1 works on one device: add --strategy=single"):
        check_replicas(Config.from_values(dict(unroll_steps=1)), 2)


def test_it_goes_on_from_the_data_of_the_last_discriminator_step():
    """Round 1 of a call, round 7 of the run, two D steps each: D step 3 of the batch, 15 of the run."""
    step, seen = make_step(layer_stage(4), D_repeats=2, unroll_steps=1, labels=2), {}
    step._d_gradients = lambda samples, *_: seen.update(d=samples) or ([], {})
    step._g_gradients = lambda *data: seen.update(g=data[5], lrate=data[6]) or ([], {})
    batch = make_batch(step, 2)
    step.d_replica(batch, 3, 15, Fade(), 1.0)
    step.g_replica(batch, 1, 7, Fade(), 0.25, 1.0)
    assert seen["lrate"] == 0.25
    for ours, theirs in zip(seen["g"], seen["d"], strict=True):
        np.testing.assert_array_equal(ours, theirs)
