"""Players: the formulae of the optimizers, the clipped weights, what a checkpoint knows of them."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from training.rounds import all_numbers, equal, make_batch, make_controls, make_step

from pgan_tf.config import Optim
from pgan_tf.stages import layer_stage
from pgan_tf.training.player import OPTIMIZERS, Player

RATE, START = 0.05, np.array([0.3, -0.2, 0.0])
GRADIENTS = [np.array([1e-4, 2.0, -1.0]), np.array([0.0, -1.0, 3.0]), np.array([0.5, 0.5, 0.5])]


def rmsprop(rho, momentum):
    x, v, m = START.copy(), np.zeros(3), np.zeros(3)
    for g in GRADIENTS:
        v = rho * v + (1 - rho) * g**2
        m = momentum * m + RATE * g / np.sqrt(v + 1e-7)
        x = x - m
    return x


def sgd(momentum):
    x, m = START.copy(), np.zeros(3)
    for g in GRADIENTS:
        m = momentum * m - RATE * g
        x = x + m
    return x


CASES = [
    (dict(optimizer="rmsprop"), rmsprop(0.9, 0.0)),
    (dict(optimizer="rmsprop", rmsprop_rho=0.5, momentum=0.25), rmsprop(0.5, 0.25)),
    (dict(optimizer="sgd"), sgd(0.0)),
    (dict(optimizer="sgd", momentum=0.5), sgd(0.5)),
]


@pytest.mark.parametrize(("options", "expected"), CASES, ids=str)
def test_formula(options, expected):
    """Three steps, and one that is skipped between them."""
    variable = keras.Variable(START, dtype="float64")
    player = Player("d", types.SimpleNamespace(trainable_variables=[variable]), Optim(precision="float64", **options))
    for gradient in (GRADIENTS[0], None, *GRADIENTS[1:]):
        value, finite = (GRADIENTS[1], False) if gradient is None else (gradient, True)
        player.apply([tf.constant(value)], tf.constant(RATE, tf.float64), tf.constant(finite))
    np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-12)


def test_clipped_weights_are_the_discriminators_alone():
    """To both bounds, after each step; without the row nothing is held."""
    options = dict(penalty="none", loss="wgan", optimizer="rmsprop")
    for constraint, clip in (("clip", 0.25), ("none", None)):
        step = make_step(layer_stage(4), constraint=constraint, **options, **({"clip": clip} if clip else {}))
        step.rounds(make_batch(step, 2), make_controls(2))
        weights = all_numbers(step.state)
        largest = {key: max(np.abs(v).max() for name, v in weights.items() if name.startswith(key)) for key in "DG"}
        assert largest["G"] > 1
        assert largest["D"] == 0.25 if clip else largest["D"] > 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_step_is_repeated_to_the_bit_and_its_slots_are_in_the_checkpoint(optimizer):
    momentum = {} if optimizer == "adam" else {"momentum": 0.5}
    steps = [make_step(layer_stage(4), optimizer=optimizer, **momentum) for _ in range(2)]
    for step in steps:
        step.rounds(make_batch(step, 2), make_controls(2))
    assert equal(*(all_numbers(step.state) for step in steps))
    named = steps[0].state.variables_by_name()
    slots = {"adam": 2, "rmsprop": 2, "sgd": 1}[optimizer]
    for letter, player in (("g", steps[0].state.g), ("d", steps[0].state.d)):
        assert named[f"{letter}_optimizer/000"].numpy() == 2  # its steps
        count = sum(name.startswith(f"{letter}_optimizer/") for name in named)
        assert count == 2 + slots * len(player.weights())
