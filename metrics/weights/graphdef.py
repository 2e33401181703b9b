"""Reads the constants of a frozen TensorFlow graph (.pb), without importing the graph: nothing of it can run.

Source: tensorflow/core/framework/graph.proto; the Inception of 2015 was published in this form.
"""

from __future__ import annotations

import math
import os

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from ..errors import MetricError


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """{name of the node: its value} for every numeric Const node of a serialized GraphDef.

    MetricError for what is no GraphDef, a truncated one, one without constants, or a constant longer than the file.
    """
    graph = tf.compat.v1.GraphDef()
    try:
        with open(path, "rb") as file:
            size = len(content := file.read())
        graph.ParseFromString(content)
    except OSError as error:
        raise MetricError(f"{path}: cannot be read: {error.strerror or error}") from error
    except DecodeError as error:
        raise MetricError(f"{path}: not a frozen TensorFlow graph, or truncated; fetch the file again") from error
    try:
        arrays = {node.name: _value(node, size) for node in graph.node if _is_numeric_constant(node)}
    except (ValueError, TypeError, KeyError) as error:
        raise MetricError(f"{path}: damaged: {error}; fetch the file again") from error
    if not arrays:
        raise MetricError(f"{path}: holds no constants; a frozen graph is needed, with its weights inside")
    return arrays


def _is_numeric_constant(node: tf.compat.v1.NodeDef) -> bool:
    if node.op != "Const" or "value" not in node.attr:
        return False
    kind = node.attr["value"].tensor.dtype
    return kind in (tf.float32.as_datatype_enum, tf.float64.as_datatype_enum, tf.int32.as_datatype_enum)


def _value(node: tf.compat.v1.NodeDef, limit: int) -> np.ndarray:
    """One number may stand for a whole tensor of it: the memory that a file can ask for is bounded by its size."""
    tensor = node.attr["value"].tensor
    shape = [axis.size for axis in tensor.tensor_shape.dim]
    if min(shape, default=0) < 0 or math.prod(shape) > limit:
        raise ValueError(f"constant {node.name} claims the shape {shape}")
    return tf.make_ndarray(tensor)
