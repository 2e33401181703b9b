"""Historical averaging: the mean over the stage's own steps, kept over a stop, and what it adds to both losses."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import make_batch, make_controls, make_step

from pgan_tf.config import Config, ConfigError
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import checkpoint
from pgan_tf.training.state import Counters, StageState

OPTIONS = dict(stage=layer_stage(4), minibatch=4, precision="float64", history_weight=0.2, D_repeats=2)


def weights(state) -> dict[str, list[np.ndarray]]:
    return {player.name: [weight.numpy() for weight in player.weights()] for player in (state.g, state.d)}


def means(state, name: str) -> list[np.ndarray]:
    return [v.numpy() for key, v in state.extras.items() if key.startswith(f"{name}_history/0")]


def steps(state) -> tuple[int, int]:
    return tuple(int(state.extras[f"{name}_history/steps"]) for name in ("g", "d"))


def test_the_mean_is_over_the_steps_and_not_over_the_beginning():
    step, seen = make_step(**OPTIONS), {"g": [], "d": []}
    apply = {name: getattr(step.state, name).apply for name in seen}

    def watched(name):
        def watch(*arguments):
            apply[name](*arguments)
            seen[name].append(weights(step.state)[name])

        return watch

    for name in seen:
        getattr(step.state, name).apply = watched(name)
    for k in range(3):
        step.round(make_batch(step), make_controls(first=k, dtype="float64"), 0)
    assert steps(step.state) == (3, 6) == (len(seen["g"]), len(seen["d"]))
    for name, values in seen.items():
        for mean, of_steps in zip(means(step.state, name), zip(*values, strict=True), strict=True):
            np.testing.assert_allclose(mean, np.mean(of_steps, axis=0), rtol=1e-10, atol=1e-14)


def test_it_pulls_to_the_mean_and_not_before_there_is_one():
    with_it, without = make_step(**OPTIONS), make_step(**{**OPTIONS, "history_weight": 0.0})
    random = np.random.RandomState(2)
    for variable in with_it.state.extras.values():
        if variable.shape != ():
            variable.assign(random.standard_normal(variable.shape))
    for count in (0, 5):
        for name in ("g", "d"):
            with_it.state.extras[f"{name}_history/steps"].assign(count)
        batch, controls = make_batch(with_it), make_controls(dtype="float64")
        arguments = (batch, 0, tf.constant(0, tf.int64), Fade(*(x[0] for x in controls.fade)))
        for name, data in (("d", arguments), ("g", (*arguments, tf.constant(0.0, tf.float64)))):
            (pulled, report), (plain, _) = (getattr(step, f"{name}_replica")(*data, 1.0) for step in (with_it, without))
            away = [a - b for a, b in zip(weights(with_it.state)[name], means(with_it.state, name), strict=True)]
            for a, b, distance in zip(pulled, plain, away, strict=True):
                np.testing.assert_allclose(a - b, (count > 0) * 2 * 0.2 * distance, rtol=1e-9, atol=1e-10)
            value = (count > 0) * sum(np.sum(distance**2) for distance in away)
            assert float(report[f"history/{name.upper()}"]) / with_it.minibatch == pytest.approx(value, rel=1e-9)


def test_a_step_that_is_not_taken_is_not_counted():
    step = make_step(**OPTIONS)
    step.round(make_batch(step), make_controls(dtype="float64"), 0)
    before = {name: means(step.state, name) for name in "gd"}
    for player in (step.state.g, step.state.d):
        step.state.update_extras(player, {}, tf.constant(False), 4)
    assert steps(step.state) == (1, 2)
    for name, old in before.items():
        for a, b in zip(old, means(step.state, name), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_stopped_run_goes_on_to_the_same_bits_and_a_new_stage_begins_its_own(tmp_path):
    step = make_step(**OPTIONS)
    step.round(make_batch(step), make_controls(dtype="float64"), 0)
    checkpoint.save(tmp_path, step.state, Counters(images=4), 1, Fade())
    again = make_step(**OPTIONS)
    checkpoint.restore(checkpoint.paths(tmp_path)[0], again.state)
    for going in (step, again):
        going.round(make_batch(going), make_controls(first=1, dtype="float64"), 0)
    assert steps(again.state) == (2, 4)
    for name in "gd":
        for a, b in zip(weights(step.state)[name], weights(again.state)[name], strict=True):
            np.testing.assert_array_equal(a, b)
    grown = StageState(layer_stage(8, True), step.config, 3, 0)
    grown.carry_from(step.state)
    assert steps(grown) == (0, 0)


def test_what_it_does_not_go_with_is_refused():
    with pytest.raises(ConfigError, match=r"--unroll_steps cannot look ahead.* leave out --history_weight$"):
        Config.from_values({"history_weight": 0.1, "unroll_steps": 1})
