"""Rematerialisation: what lies within a block is not kept for gradients, but computed again when they ask for it.

Chen et al. 2016, training deep nets with sublinear memory cost. Keras' own, which is tf.recompute_grad, raises at a
derivative of a derivative, and a gradient penalty is learnt by those: here the gradient of a block is itself a block
that is computed again, and so on.
"""

from __future__ import annotations

import contextlib
import itertools
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


def recomputed(f: Callable[..., Tensors], learnt: Sequence[bool]) -> Callable[..., Tensors]:
    """`f`, tensors -> tensors, which keeps its inputs alone for derivatives of any order.

    It must give the same at each call and use no tensor but its inputs. learnt: of which inputs gradients may be asked
    for, the first of all; where weights are constant it is of that alone.
    """

    @tf.custom_gradient
    def kept(*inputs):
        def gradient(*upstream):
            now = learnt if asked_for_weights() else [True, *[False] * (len(inputs) - 1)]
            pull = recomputed(_gradients(f, now), [*learnt, *[True] * len(upstream)])
            pulled = iter(pull(*inputs, *upstream))
            return [next(pulled) if asked else None for asked in now]

        return f(*inputs), gradient

    return kept


def _gradients(f: Callable[..., Tensors], asked: Sequence[bool]) -> Callable[..., Tensors]:
    """(inputs, gradients in f's outputs) -> those in the inputs that are `asked` for."""

    def gradients(*tensors):
        upstream = tensors[len(asked) :]
        with tf.control_dependencies(upstream):  # or else it would be the same operation as the first time, and kept
            inputs = [tf.identity(x) for x in tensors[: len(asked)]]
        sources = [x for x, wanted in zip(inputs, asked, strict=True) if wanted]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            outputs = f(*inputs)
        return tape.gradient(
            outputs, sources, output_gradients=list(upstream), unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    return gradients


def block(
    layers: Sequence[keras.layers.Layer], f: Callable, x: tf.Tensor, fade: Sequence, noise: Noise | None = None
) -> tf.Tensor:
    """f(x, fade, noise), a block of these layers, of which x and the weights alone are kept for gradients.

    What the layers change themselves they change once. fade: a tuple of numbers.
    """
    variables = [variable for layer in layers for variable in layer.variables]
    trained = [variable for variable in variables if variable.trainable]
    others = [variable for variable in variables if not variable.trainable]
    weights = [tf.convert_to_tensor(variable.value) for variable in trained]
    before = [tf.convert_to_tensor(variable.value) for variable in others]
    # As inputs, and made here: the gradient of a tf.cond in which this is called finds no other tensors.
    passing = [tf.identity(value) for value in (*fade, *(noise.tensors() if noise else ()))]
    given = [tf.identity(x), *weights], [*before, *passing]
    moved, calls = [], []

    def pure(x, *rest):
        weights, before, fading, drawn = _split(rest, len(trained), len(others), len(fade))
        values = [*zip(trained, weights, strict=True), *zip(others, before, strict=True)]
        own = noise and noise.over(drawn, first)
        with keras.StatelessScope(state_mapping=values) as scope:
            y = f(x, type(fade)(*fading), own)
        after = [scope.get_current_value(variable) for variable in others]
        moved[:] = [new is not old for new, old in zip(after, before, strict=True)]
        calls[:] = [own.calls] if noise else []
        return [y, *(new for new, other in zip(after, moved, strict=True) if other)]

    first = noise.calls if noise else 0
    learnt = [True, *[asked_for_weights()] * len(weights), *[False] * len(given[1])]
    y, *after = recomputed(pure, learnt)(*given[0], *given[1])
    if noise:
        (noise.calls,) = calls
    for variable, value in zip((v for v, other in zip(others, moved, strict=True) if other), after, strict=True):
        variable.assign(value)
    return y


def _split(tensors: Sequence[tf.Tensor], *counts: int) -> list[Sequence[tf.Tensor]]:
    """So many, then so many, .., then all others."""
    ends = [0, *itertools.accumulate(counts), len(tensors)]
    return [tensors[begin:end] for begin, end in itertools.pairwise(ends)]
