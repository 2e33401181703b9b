"""What a layer needs where several replicas share a minibatch: means over all of it, and state that it keeps itself."""

from __future__ import annotations

import keras
import tensorflow as tf


def add_state(layer: keras.layers.Layer, name: str, shape: tuple, initializer) -> keras.Variable:
    """A variable that is not trained but changed by the layer's own passes; set it as an attribute of `layer`.

    Each replica changes its own copy, which needs no other replica and is therefore possible in compiled functions
    too; the layer sees to it that all compute the same. Outside of the replicas the first one's copy is read.
    """
    return keras.Variable(
        initializer, shape=shape, dtype=layer.variable_dtype, trainable=False, autocast=False,
        aggregation="only_first_replica", synchronization="on_read", name=name,
    )  # fmt: skip


def states(network: keras.Model) -> list[tf.Variable]:
    """What `add_state` made in a network's layers."""
    return [v.value for v in network.non_trainable_variables if v.synchronization == "on_read"]


def replicas() -> int:
    """How many share the minibatch, seen from one of them; 1 outside of them."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def global_mean(x: tf.Tensor, axes: list[int]) -> tuple[tf.Tensor, tf.Tensor]:
    """The mean of x over `axes` and over all replicas, and of how many numbers each mean is: ([...], []).

    With gradients of any order: those of the sum of all replicas' results. ValueError in a compiled function of
    several replicas, where nothing can be summed over them.
    """
    total = tf.reduce_sum(x, axes)
    count = tf.cast(tf.size(x) // tf.size(total), x.dtype)
    if replicas() == 1:
        return tf.reduce_mean(x, axes), count
    try:
        total, count = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, [total, count])
    except RuntimeError as error:
        reason = "statistics over several devices cannot be compiled: leave out --jit, or take another norm"
        raise ValueError(reason) from error
    return total / count, count
