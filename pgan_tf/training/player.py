"""A player: a network and how it learns. The rows of OPTIMIZERS and CONSTRAINTS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from pgan_tf.config import Optim
from pgan_tf.training.unroll import AdamFormula, Formula, MomentumFormula, RmspropFormula


class Optimizer(NamedTuple):
    make: Callable[[Optim], keras.optimizers.Optimizer]
    ahead: Callable[[Any, tf.Tensor], Formula]  # (optimizer, learning rate) -> its next steps as tensors


def _adam(options: Optim) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(
        0.0, beta_1=options.adam_beta1, beta_2=options.adam_beta2, epsilon=options.adam_epsilon
    )


def _rmsprop(options: Optim) -> keras.optimizers.Optimizer:
    return keras.optimizers.RMSprop(0.0, rho=options.rmsprop_rho, momentum=options.momentum)


def _sgd(options: Optim) -> keras.optimizers.Optimizer:
    return keras.optimizers.SGD(0.0, momentum=options.momentum)


# Kingma and Ba 2015; Tieleman and Hinton 2012, with Keras' epsilon of 1e-7 under the root; gradient descent.
OPTIMIZERS = {
    "adam": Optimizer(_adam, AdamFormula),
    "rmsprop": Optimizer(_rmsprop, RmspropFormula),
    "sgd": Optimizer(_sgd, MomentumFormula),
}


def make_optimizer(options: Optim, network: keras.Model) -> keras.optimizers.Optimizer:
    """The optimizer of all that the network learns, with its slots created (tf.distribute wants that before tracing).

    Its learning rate is that of each step.
    """
    optimizer = OPTIMIZERS[options.optimizer].make(options)
    optimizer.build(network.trainable_variables)
    return optimizer


def _clip(weight: tf.Tensor, options: Optim) -> tf.Tensor:
    return tf.clip_by_value(weight, -options.clip, options.clip)


# What becomes of each weight after a step. Clip: Arjovsky et al. 2017 (WGAN), algorithm 1.
CONSTRAINTS: dict[str, Callable[[tf.Tensor, Optim], tf.Tensor] | None] = {"none": None, "clip": _clip}


class Player:
    """A network, its optimizer, its loss scale, what holds its weights: made under the strategy's scope."""

    def __init__(self, name: str, network: keras.Model, options: Optim, constraint: str = "none"):
        self.name, self.network, self.options = name, network, options
        self.optimizer = make_optimizer(options, network)
        self.constraint = CONSTRAINTS[constraint]
        self.strategy = tf.distribute.get_strategy()
        self.scaled = options.precision == "float16"  # the only one that needs it
        self.log_scale = tf.Variable(self.first_scale, trainable=False, name=f"{name}_log_scale")  # log2

    def weights(self) -> list[tf.Variable]:
        """The TensorFlow variables behind what the network learns (a tape cannot watch a keras.Variable)."""
        return [variable.value for variable in self.network.trainable_variables]

    @property
    def first_scale(self) -> float:
        """log2 of the loss scale before the first step; overflows bring it down."""
        return 64.0 if self.scaled else 0.0

    def loss_scale(self) -> tf.Tensor | float:
        """What losses are multiplied by before their gradients are taken."""
        return tf.pow(2.0, self.log_scale) if self.scaled else 1.0

    def apply(self, gradients: list[tf.Tensor], rate: tf.Tensor, finite: tf.Tensor) -> None:
        """One step down the gradients, which have the loss scale, on every replica; none unless all are finite.

        In the cross-replica context.
        """
        inverse = 1.0 / self.loss_scale()

        def step(variable, gradient):
            gradient = gradient * tf.cast(inverse, gradient.dtype) if self.scaled else gradient
            self.optimizer.update_step(gradient, variable, rate)
            if self.constraint:
                variable.assign(self.constraint(variable, self.options))

        def step_all():
            for variable, gradient in zip(self.weights(), gradients, strict=True):
                self.strategy.extended.update(variable, step, args=(gradient,), group=False)
            self.optimizer.iterations.assign_add(1)
            return tf.constant(True)

        tf.cond(finite, step_all, lambda: tf.constant(False))
        if self.scaled:  # a step up in 2000 good rounds, one down at each overflow, as in the original
            self.log_scale.assign_add(tf.where(finite, 0.0005, -1.0))

    def ahead(self, rate: tf.Tensor) -> Callable[[list[tf.Tensor], list[tf.Tensor]], list[tf.Tensor]]:
        """(weights, gradients) -> the weights after one more step, from call to call, while nothing here changes."""
        formula = OPTIMIZERS[self.options.optimizer].ahead(self.optimizer, rate)

        def step(weights, gradients):
            weights = formula.step(weights, gradients)
            return [self.constraint(weight, self.options) for weight in weights] if self.constraint else weights

        return step

    def variables_by_name(self) -> dict[str, tf.Variable]:
        """All that changes but the network's own, by its name in a checkpoint: 'g_optimizer/000', 'g_log_scale', .."""
        optimizer = {f"{self.name}_optimizer/{i:03d}": v.value for i, v in enumerate(self.optimizer.variables)}
        return {f"{self.name}_log_scale": self.log_scale, **optimizer}
