"""Steps of the discriminator that are taken as formulae, so that the generator's gradient can look through them.

Metz et al. 2017, unrolled generative adversarial networks: the generator's loss is that under the discriminator as it
will be after k more steps, and its gradient follows these steps back to the fakes that they learned from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import keras
import tensorflow as tf

Tensors = list[tf.Tensor]


def weights_as(network: keras.Model, tensors: Tensors) -> keras.StatelessScope:
    """A scope in which `tensors` stand for the network's parameters, in the order of its trainable variables."""
    return keras.StatelessScope(state_mapping=list(zip(network.trainable_variables, tensors, strict=True)))


class Formula(Protocol):
    """What an optimizer would do next, as tensors: neither its own variables nor the weights change."""

    def step(self, weights: Tensors, gradients: Tensors) -> Tensors:
        """The weights after one more step."""


def _tensors(variables) -> Tensors:
    return [tf.convert_to_tensor(variable.value) for variable in variables]


class AdamFormula:
    def __init__(self, optimizer: keras.optimizers.Adam, rate: tf.Tensor):
        self.optimizer, self.rate = optimizer, rate
        self.first, self.second = _tensors(optimizer._momentums), _tensors(optimizer._velocities)
        self.steps = tf.convert_to_tensor(optimizer.iterations.value)

    def step(self, weights: Tensors, gradients: Tensors) -> Tensors:
        beta1, beta2, epsilon = (getattr(self.optimizer, name) for name in ("beta_1", "beta_2", "epsilon"))
        self.steps += 1
        t = tf.cast(self.steps, self.rate.dtype)
        # Keras rounds these constants to float32 and its steps are to be met.
        powers = [tf.pow(keras.ops.cast(beta, t.dtype), t) for beta in (beta1, beta2)]
        rate = self.rate * tf.sqrt(1 - powers[1]) / (1 - powers[0])
        self.first = [m + (g - m) * (1 - beta1) for m, g in zip(self.first, gradients, strict=True)]
        self.second = [v + (tf.square(g) - v) * (1 - beta2) for v, g in zip(self.second, gradients, strict=True)]
        # A root has no derivative at 0: below the smallest float32 square the moment is taken as constant.
        return [
            w - rate * m / (tf.sqrt(tf.maximum(v, 1e-37)) + epsilon)
            for w, m, v in zip(weights, self.first, self.second, strict=True)
        ]


class RmspropFormula:
    def __init__(self, optimizer: keras.optimizers.RMSprop, rate: tf.Tensor):
        self.optimizer, self.rate = optimizer, rate
        self.squares, self.momenta = _tensors(optimizer._velocities), _tensors(optimizer._momentums)

    def step(self, weights: Tensors, gradients: Tensors) -> Tensors:
        rho, momentum, epsilon = (getattr(self.optimizer, name) for name in ("rho", "momentum", "epsilon"))
        self.squares = [rho * v + (1 - rho) * tf.square(g) for v, g in zip(self.squares, gradients, strict=True)]
        moves = [self.rate * g / tf.sqrt(v + epsilon) for v, g in zip(self.squares, gradients, strict=True)]
        if momentum:
            moves = self.momenta = [momentum * m + move for m, move in zip(self.momenta, moves, strict=True)]
        return [w - move for w, move in zip(weights, moves, strict=True)]


class MomentumFormula:
    """Gradient descent, with momentum or without."""

    def __init__(self, optimizer: keras.optimizers.SGD, rate: tf.Tensor):
        self.optimizer, self.rate, self.momenta = optimizer, rate, _tensors(optimizer.momentums)

    def step(self, weights: Tensors, gradients: Tensors) -> Tensors:
        moves = [-self.rate * g for g in gradients]
        if self.momenta:
            momentum = keras.ops.cast(self.optimizer.momentum, self.rate.dtype)  # rounded as Keras rounds it
            moves = self.momenta = [momentum * m + move for m, move in zip(self.momenta, moves, strict=True)]
        return [w + move for w, move in zip(weights, moves, strict=True)]


def unroll(player, objective: Callable[[], tf.Tensor], rate: tf.Tensor, steps: int) -> Tensors:
    """The parameters of the player's network after `steps` more steps down the scalar `objective()`, as tensors.

    The steps can be differentiated; `objective` calls the network, with the parameters of the moment.
    """
    step, weights = player.ahead(rate), _tensors(player.network.trainable_variables)
    for _ in range(steps):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            with weights_as(player.network, weights):
                value = objective()
        weights = step(weights, tape.gradient(value, weights))
    return weights
