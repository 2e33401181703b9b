"""R1, R2 and both: their formula. Every penalty in every k-th step only: the same mean, and nothing of it between."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import all_numbers, equal, make_batch, make_controls, make_step

from pgan_tf.config import Config, ConfigError, Loss
from pgan_tf.losses import PENALTIES
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training.plan import check_norms

AT_SAMPLES = {"r1": ("real",), "r2": ("fake",), "r1_r2": ("real", "fake")}
SMALLEST = dict(stage=layer_stage(4), minibatch=4, precision="float64")
NAMES = [name for name in PENALTIES if name != "none"]


@pytest.mark.parametrize("shape", [(3, 4, 4, 2), (3, 2)])
@pytest.mark.parametrize("name", AT_SAMPLES)
def test_half_of_gamma_times_the_squared_norm(name, shape):
    """Of scores sum_i a_i sin(x_i), whose gradient is a cos(x); on images enlarged by 4 it is shorter by 4."""
    random = np.random.RandomState(0)
    samples = {kind: random.standard_normal(shape) for kind in ("real", "fake")}
    a, axes = random.standard_normal(shape[1:]), tuple(range(1, len(shape)))
    squares = [np.sum((a * np.cos(samples[kind])) ** 2, axis=axes) for kind in AT_SAMPLES[name]]

    def critic(x):
        return tf.reduce_sum(a * tf.sin(x), axis=axes)

    tensors = [tf.constant(samples[kind]) for kind in ("real", "fake")]
    for upscale, scale in ((1, 1.0), (4, 1024.0)):
        options = Loss(penalty=name, penalty_gamma=3.0)
        value, norm = PENALTIES[name](critic, *tensors, None, options, upscale, tf.constant(scale, tf.float64))
        np.testing.assert_allclose(value, 1.5 * sum(squares) / upscale**2, rtol=1e-12)
        np.testing.assert_allclose(norm, np.mean(np.sqrt(squares), axis=0) / upscale, rtol=1e-12)


@pytest.mark.parametrize("name", AT_SAMPLES)
def test_where_the_critic_is_flat_there_is_neither_a_penalty_nor_a_nan(name):
    x, weight = tf.zeros([2, 4, 4, 1]), tf.Variable(0.0)
    with tf.GradientTape() as tape:
        value, norm = PENALTIES[name](lambda x: weight * tf.reduce_sum(x, axis=[1, 2, 3]), x, x, None, Loss())
    assert not np.any(value)
    assert not np.any(norm)
    assert float(tape.gradient(value, weight)) == 0


def gradients(step, number: int):
    batch, fade = make_batch(step), Fade(tf.constant(1.0, tf.float64))
    found, report = step.d_replica(batch, 0, tf.constant(number, tf.int64), fade, 1.0)
    return [gradient.numpy() for gradient in found], report


@pytest.mark.parametrize("name", NAMES)
def test_every_third_step_has_three_times_the_penalty_and_the_others_none(name):
    steps = [make_step(**SMALLEST, penalty_interval=k, penalty=name) for k in (1, 3)]
    without = make_step(**SMALLEST, penalty="none")
    for number in (0, 1, 2, 3):
        (always, told), (lazy, lazily) = (gradients(step, number) for step in steps)
        plain, _ = gradients(without, number)
        times = 3 if number % 3 == 0 else 0
        for a, b, base in zip(always, lazy, plain, strict=True):
            np.testing.assert_allclose(b - base, times * (a - base), rtol=1e-8, atol=1e-11)
        for tag in ("penalty/value", "penalty/norm"):
            assert float(told[tag]) > 0
            assert float(lazily[tag]) == pytest.approx(times * float(told[tag]), rel=1e-12)


def test_between_it_is_not_computed():
    step = make_step(**SMALLEST, penalty_interval=4)
    calls = []
    step.d_terms = [
        term._replace(value=lambda run, options: calls.append(1) or tf.zeros([4], tf.float64), tags=())
        if term.name == "penalty" else term
        for term in step.d_terms
    ]  # fmt: skip
    for number in range(9):
        gradients(step, number)
    assert len(calls) == 3


def test_a_run_goes_by_the_number_of_the_step_wherever_it_was_stopped():
    """Rounds in one call, and in calls of one; with several discriminator steps to a round; compiled or not."""
    options = dict(**SMALLEST, penalty_interval=3, penalty="r1", D_repeats=2, adam_epsilon=1e-3)
    whole, parts = make_step(**options), make_step(**options)
    batch = make_batch(whole, 4)
    values = whole.rounds(batch, make_controls(4, dtype="float64"))["penalty/value"].numpy()
    assert (values > 0).tolist() == [True, True, False, True]  # steps 0 | 3 | none of 4, 5 | 6
    for k in range(4):
        piece = batch._replace(reals=batch.reals[2 * k : 2 * k + 2], labels=batch.labels[2 * k : 2 * k + 2])
        parts.rounds(piece._replace(g_labels=batch.g_labels[k : k + 1]), make_controls(first=k, dtype="float64"))
    assert equal(all_numbers(whole.state), all_numbers(parts.state))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(penalty_gamma=3.0), "--penalty_gamma=3 is for --penalty=r1, r2 or r1_r2; gradient has --wgan_lambda"),
        (dict(penalty_gamma=0.0, penalty="r1"), "--penalty_gamma=0.0: must be above 0"),
        (dict(penalty="none", penalty_interval=2), "--penalty_interval=2: there is no penalty; add --penalty=r1"),
        (dict(penalty_interval=0), "--penalty_interval=0: must be at least 1"),
        (
            dict(penalty_interval=2, unroll_steps=1),
            "--unroll_steps looks ahead with the penalty in every step: give --penalty_interval=1",
        ),
    ],
)
def test_what_it_does_not_go_with_is_refused(options, message):
    with pytest.raises(ConfigError) as caught:
        Config.from_values(options)
    assert str(caught.value) == message


def test_devices_that_wait_for_each_other_in_every_pass_are_refused():
    config = Config.from_values(dict(d_norm="batch", penalty_interval=2))
    check_norms(config, 1)
    with pytest.raises(ConfigError, match=r"^--penalty_interval=2: with --d_norm=batch .* add --strategy=single$"):
        check_norms(config, 2)
