"""Rematerialisation: what lies within a block is not kept for gradients, but computed again when they ask for it.

Chen et al. 2016, training deep nets with sublinear memory cost. Keras' own, which is tf.recompute_grad, raises at a
derivative of a derivative, and a gradient penalty is learnt by those: here the gradient of a block is itself a block
that is computed again, and so on.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from pgan_tf.layers.noise import Noise

Tensors = list[tf.Tensor]
_local = threading.local()  # a strategy traces each of its replicas in a thread


@contextlib.contextmanager
def constant_weights():
    """While nobody asks for gradients in weights: blocks that are called, or differentiated, here compute none."""
    before = asked_for_weights()
    _local.weights = False
    try:
        yield
    finally:
        _local.weights = before


def asked_for_weights() -> bool:
    return getattr(_local, "weights", True)


def recomputed(f: Callable[..., Tensors], wanted: int) -> Callable[..., Tensors]:
    """`f`, tensors -> tensors, which keeps its inputs alone for derivatives of any order.

    It must give the same at each call and read no variable. wanted: the inputs beyond the first so many are never asked
    for their gradients; where weights are constant that is the first input alone.
    """

    @tf.custom_gradient
    def kept(*inputs):
        def gradient(*upstream):
            own = wanted if asked_for_weights() else 1
            pulled = recomputed(_gradients(f, len(inputs), own), len(inputs) + len(upstream))(*inputs, *upstream)
            return [*pulled, *[None] * (len(inputs) - own)]

        return f(*inputs), gradient

    return kept


def _gradients(f: Callable[..., Tensors], count: int, wanted: int) -> Callable[..., Tensors]:
    """(inputs, gradients in f's outputs) -> those in the first `wanted` of the `count` inputs."""

    def gradients(*tensors):
        upstream = tensors[count:]
        with tf.control_dependencies(upstream):  # or else it would be the same operation as the first time, and kept
            inputs = [tf.identity(x) for x in tensors[:count]]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs[:wanted])
            outputs = f(*inputs)
        return tape.gradient(
            outputs, inputs[:wanted], output_gradients=list(upstream),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )  # fmt: skip

    return gradients


def block(
    layers: Sequence[keras.layers.Layer], f: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor, noise: Noise | None = None
) -> tf.Tensor:
    """f(x), a block of these layers, of which x and the weights alone are kept for gradients.

    What the layers change themselves they change once. noise: that of the block.
    """
    variables = [variable for layer in layers for variable in layer.variables]
    trained = [variable for variable in variables if variable.trainable]
    others = [variable for variable in variables if not variable.trainable]
    before = [tf.convert_to_tensor(variable.value) for variable in others]
    f, changed = noise.repeated(f) if noise else f, []

    def pure(x, *weights):
        values = [*zip(trained, weights, strict=True), *zip(others, before, strict=True)]
        with keras.StatelessScope(state_mapping=values) as scope:
            y = f(x)
        after = [scope.get_current_value(variable) for variable in others]
        changed[:] = [new is not old for new, old in zip(after, before, strict=True)]
        return [y, *(new for new, moved in zip(after, changed, strict=True) if moved)]

    weights = [tf.convert_to_tensor(variable.value) for variable in trained]
    y, *after = recomputed(pure, len(weights) + 1 if asked_for_weights() else 1)(x, *weights)
    for variable, value in zip((v for v, moved in zip(others, changed, strict=True) if moved), after, strict=True):
        variable.assign(value)
    return y
