"""Steps of the discriminator that are taken as formulae, so that the generator's gradient can look through them.

Metz et al. 2017, unrolled generative adversarial networks: the generator's loss is that under the discriminator as it
will be after k more steps, and its gradient follows these steps back to the fakes that they learned from.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf


def weights_as(network: keras.Model, tensors: list[tf.Tensor]) -> keras.StatelessScope:
    """A scope in which `tensors` stand for the network's parameters, in the order of its trainable variables."""
    return keras.StatelessScope(state_mapping=list(zip(network.trainable_variables, tensors, strict=True)))


class AdamFormula:
    """What an Adam optimizer would do next, as tensors: neither its moments nor the weights change."""

    def __init__(self, optimizer: keras.optimizers.Adam, lrate: tf.Tensor):
        self.optimizer, self.lrate = optimizer, lrate
        self.first = [tf.convert_to_tensor(m.value) for m in optimizer._momentums]
        self.second = [tf.convert_to_tensor(v.value) for v in optimizer._velocities]
        self.steps = tf.convert_to_tensor(optimizer.iterations.value)

    def step(self, weights: list[tf.Tensor], gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """The weights after one more step."""
        beta1, beta2, epsilon = (getattr(self.optimizer, name) for name in ("beta_1", "beta_2", "epsilon"))
        self.steps += 1
        t = tf.cast(self.steps, self.lrate.dtype)
        # Keras rounds these constants to float32 and its steps are to be met.
        powers = [tf.pow(keras.ops.cast(beta, t.dtype), t) for beta in (beta1, beta2)]
        rate = self.lrate * tf.sqrt(1 - powers[1]) / (1 - powers[0])
        self.first = [m + (g - m) * (1 - beta1) for m, g in zip(self.first, gradients, strict=True)]
        self.second = [v + (tf.square(g) - v) * (1 - beta2) for v, g in zip(self.second, gradients, strict=True)]
        # A root has no derivative at 0: below the smallest float32 square the moment is taken as constant.
        return [
            w - rate * m / (tf.sqrt(tf.maximum(v, 1e-37)) + epsilon)
            for w, m, v in zip(weights, self.first, self.second, strict=True)
        ]


def unroll(
    network: keras.Model,
    optimizer: keras.optimizers.Adam,
    objective: Callable[[], tf.Tensor],
    lrate: tf.Tensor,
    steps: int,
) -> list[tf.Tensor]:
    """The parameters of `network` after `steps` more steps down the scalar `objective()`, as tensors.

    The steps can be differentiated; `objective` calls the network, with the parameters of the moment.
    """
    formula = AdamFormula(optimizer, lrate)
    weights = [tf.convert_to_tensor(variable.value) for variable in network.trainable_variables]
    for _ in range(steps):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            with weights_as(network, weights):
                value = objective()
        weights = formula.step(weights, tape.gradient(value, weights))
    return weights
