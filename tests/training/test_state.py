"""What a stage knows: all of it is saved, averaged or copied, carried or begun anew."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from training.rounds import make_batch, make_controls, make_step

from pgan_tf.config import Config
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import checkpoint, extras
from pgan_tf.training.extras import Extra
from pgan_tf.training.state import Counters, StageState


def with_untrained(network, value: float) -> keras.Variable:
    """A variable of the network's first layer that is not trained, as a norm's statistics are."""
    layer = network.layers[1]
    variable = layer.add_weight(shape=(2,), initializer="zeros", trainable=False, name="statistics")
    variable.assign([value, -value])
    return variable


def test_the_average_copies_what_is_not_trained(monkeypatch):
    state = make_step(precision="float64").state
    for layer in (state.generator.layers[1], state.ema.layers[1]):
        monkeypatch.setattr(layer, "built", False)
        layer._tracker.unlock()
    generators, averaged = with_untrained(state.generator, 3.0), with_untrained(state.ema, 1.0)
    (name,) = (n for n in state.generator.variables_by_name() if n.endswith("statistics"))
    for i, network in enumerate((state.generator, state.ema)):
        for variable in network.trainable_variables:
            variable.assign(np.random.RandomState(i).standard_normal(variable.shape))
    before = {key: variable.numpy() for key, variable in state.ema.parameters_by_name().items()}
    state.update_ema(tf.constant(0.75, tf.float64))
    np.testing.assert_array_equal(averaged.numpy(), generators.numpy())
    for key, variable in state.ema.parameters_by_name().items():
        now = state.generator.parameters_by_name()[key].numpy()
        np.testing.assert_allclose(variable.numpy(), 0.25 * now + 0.75 * before[key], rtol=1e-12)
    assert {f"{kind}/{name}" for kind in ("generator", "ema")} <= state.variables_by_name().keys()


# ---- extras: a row that no other file knows of -----------------------------------------------------------------


def history(carried: bool) -> Extra:
    """The mean of the generator's weights over its steps so far, as historical averaging wants it."""

    def create(g, d):
        means = {f"history/{name}": v.numpy() for name, v in g.network.parameters_by_name().items()}
        return {name: tf.Variable(value, trainable=False) for name, value in means.items()}

    def update(variables, played):
        g, finite = played.player, played.finite
        t = tf.cast(g.optimizer.iterations.value, tf.float32)
        for mean, weight in zip(variables.values(), g.weights(), strict=True):
            mean.assign(tf.where(finite, mean + (weight - mean) / (t + 1), mean))

    return Extra(lambda config: True, create, update, "g", carried, lambda variables, config: {"history/count": 1.0})


@pytest.mark.parametrize("carried", [True, False])
def test_an_extra_is_updated_saved_resumed_and_carried(carried, monkeypatch, tmp_path):
    monkeypatch.setitem(extras.EXTRAS, "history", history(carried))
    step = make_step(layer_stage(4), D_repeats=2)
    state, seen = step.state, []
    seen.append([weight.numpy() for weight in state.g.weights()])
    for k in range(2):
        step.rounds(make_batch(step), make_controls(first=k))
        seen.append([weight.numpy() for weight in state.g.weights()])
    expected = [np.mean(values, axis=0) for values in zip(*seen, strict=True)]
    for mean, value in zip(state.extras.values(), expected, strict=True):
        np.testing.assert_allclose(mean.numpy(), value, rtol=1e-5, atol=1e-7)
    assert state.extras_row() == {"history/count": 1.0}
    checkpoint.save(tmp_path, state, Counters(images=16), 1, Fade())
    again = StageState(state.stage, step.config, 3, 0)
    checkpoint.restore(checkpoint.paths(tmp_path)[0], again)
    for name, mean in state.extras.items():
        np.testing.assert_array_equal(again.extras[name].numpy(), mean.numpy())
    following = StageState(state.stage, step.config, 3, 0)
    fresh = {name: mean.numpy() for name, mean in following.extras.items()}
    following.carry_from(again)
    for name, mean in following.extras.items():
        np.testing.assert_array_equal(mean.numpy(), again.extras[name].numpy() if carried else fresh[name])


def test_without_a_row_there_are_no_extras():
    assert StageState(layer_stage(4), Config(), 3, 0).extras == {}
