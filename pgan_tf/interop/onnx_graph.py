"""The generator as an ONNX graph, written node by node. Images and features are NCHW here, as ONNX has them.

Not by tf2onnx, which takes 10 GB of memory for the paper's network of 1024 pixels. It must agree with the `call` of
each generator in IMAGES; the blocks are those of networks/blocks.py themselves, applied to the values of this graph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import tensorflow as tf

from pgan_tf.layers import EqualizedConv2D, LatentProjection, PixelNorm, StridedConv2D
from pgan_tf.layers.activations import LEAK
from pgan_tf.layers.equalized import Equalized
from pgan_tf.layers.norms import BatchNorm, LayerNorm
from pgan_tf.networks import Generator
from pgan_tf.networks.base import GeneratorNetwork
from pgan_tf.networks.blocks import find_block, plain, residual
from pgan_tf.networks.dcgan import ConvolutionalGenerator
from pgan_tf.networks.saved import NetworkError

OPSET, IR_VERSION = 18, 8  # read by every onnxruntime since 1.14
FIRST = "first"  # the name of what the first layer makes, truncated: there pgan_tf.explore takes hold
TRUNCATION = "truncation"


@dataclass(frozen=True)
class Value:
    """A tensor of the graph, so that blocks can add two."""

    graph: Graph
    name: str

    def __add__(self, other: Value) -> Value:
        return self.graph.node("Add", self, other)


# Rows of layers.activations and layers.norms, as ONNX has them: the rows of a test hold that none is missing.
ACTIVATIONS = {
    "leaky_relu": ("LeakyRelu", {"alpha": LEAK}),
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
    "linear": ("Identity", {}),
}


class Graph:
    """Nodes and constants, as they are added."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def node(self, operation: str, *inputs: Value | None, output: str = "", **attributes) -> Value:
        """Adds a node with one output; None is an optional input that is left out."""
        from onnx import helper

        name = output or f"{operation}_{len(self.nodes)}"
        names = [value.name if value else "" for value in inputs]
        self.nodes.append(helper.make_node(operation, names, [name], name=name, **attributes))
        return Value(self, name)

    def constant(self, array, dtype=np.float32) -> Value:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return Value(self, name)


class Operations:
    """What the `call` of a generator does with tensors, in a graph."""

    def __init__(self, network: GeneratorNetwork, graph: Graph, centre: Callable[[Value], Value] | None = None):
        """`centre`: see `truncated`; None leaves truncation out."""
        self.network, self.graph, self.centre = network, graph, centre

    def pixel_norm(self, norm: PixelNorm, x: Value) -> Value:
        """Over the axis 1: [N,L] or [N,C,H,W]."""
        g, axes, square = self.graph, self.graph.constant([1], np.int64), self.graph.node("Mul", x, x)
        weights = norm.feature_weights(self.network.beta, tf.float32)
        if weights is not None:  # some features are still fading in
            square = g.node("Mul", square, g.constant(weights.numpy().reshape([-1, *[1] * self.places(norm)])))
        mean_square = g.node("ReduceMean", square, axes, keepdims=1)
        return g.node("Div", x, g.node("Sqrt", mean_square + g.constant(norm.epsilon)))

    def places(self, norm: PixelNorm) -> int:
        """How many axes there are behind that of the features."""
        return 0 if norm is self.network.pixel_norm else 2

    def batch_norm(self, norm: BatchNorm, x: Value) -> Value:
        """By the moving averages: [N,C,H,W]."""
        factor = norm.gain.numpy() / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
        shift = norm.bias.numpy() - norm.moving_mean.numpy() * factor
        factor, shift = (self.graph.constant(array[:, None, None]) for array in (factor, shift))  # [C,1,1]
        return self.graph.node("Mul", x, factor) + shift

    def layer_norm(self, norm: LayerNorm, x: Value) -> Value:
        """Over all features of a sample: [N,C,H,W]."""
        g, axes = self.graph, self.graph.constant([1, 2, 3], np.int64)
        centred = g.node("Sub", x, g.node("ReduceMean", x, axes, keepdims=1))
        variance = g.node("ReduceMean", g.node("Mul", centred, centred), axes, keepdims=1)
        x = g.node("Div", centred, g.node("Sqrt", variance + g.constant(norm.epsilon)))
        gain, bias = (g.constant(variable.numpy()[:, None, None]) for variable in (norm.gain, norm.bias))  # [C,1,1]
        return g.node("Mul", x, gain) + bias

    def unit(self, layer: Equalized, x: Value) -> Value:
        """A layer with its activation and its norm, as networks.unit has them."""
        unit, options = self.network.units[layer.name], self.network.options
        x = self.dense(layer, x) if isinstance(layer, LatentProjection) else self.convolve(layer, x)
        operation, attributes = ACTIVATIONS[options.g_activation]
        steps = [lambda x: self.graph.node(operation, x, **attributes)]
        if unit.norm is not None:
            steps.insert(1 if unit.norm_last else 0, partial(NORMS[type(unit.norm)], self, unit.norm))
        for step in steps:
            x = step(x)
        return x

    def dense(self, layer: LatentProjection, x: Value) -> Value:
        """[N,L+K] -> [N,C,S,S]."""
        g, beta = self.graph, self.network.beta
        x = g.node("MatMul", x, g.constant(layer.scaled_weight(beta).numpy()))
        x = g.node("Reshape", x, g.constant([-1, layer.filters, layer.base, layer.base], np.int64))
        return x + g.constant(layer.faded_bias(beta).numpy()[:, None, None]) if layer.has_bias else x  # + [C,1,1]

    def convolve(self, layer: EqualizedConv2D | StridedConv2D, x: Value) -> Value:
        """[N,C,H,W] -> [N,D,H,W], or [N,D,2H,2W]. Kernels [h,w,..] become [..,h,w], the last axis first."""
        beta, up = self.network.beta, layer.resample == "up"
        kernel = self.graph.constant(layer.kernel(beta).numpy().transpose(3, 2, 0, 1))
        bias = self.graph.constant(layer.faded_bias(beta).numpy()) if layer.has_bias else None
        if up:
            return self.graph.node("ConvTranspose", x, kernel, bias, strides=[2, 2], pads=[1] * 4)
        return self.graph.node("Conv", x, kernel, bias, pads=[layer.kernel_size // 2] * 4)

    def enlarge(self, x: Value) -> Value:
        """Each pixel twice in both directions."""
        scales = self.graph.constant([1, 1, 2, 2])
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.graph.node("Resize", x, None, scales, **how)

    def fade(self, old: Value, new: Value) -> Value:
        difference = self.graph.node("Sub", new, old)
        return old + self.graph.node("Mul", difference, self.graph.constant(self.network.alpha))

    def used(self, x: Value) -> Value:
        """GeneratorNetwork.used: [N,L+K] -> [N,latents used + K]."""
        network, now = self.network, self.network.latent_part().now
        if now == network.latent_size:
            return x
        columns = [*range(now), *range(network.latent_size, network.latent_size + network.label_size)]
        return self.graph.node("Gather", x, self.graph.constant(columns, np.int64), axis=1)

    def first(self, x: Value) -> Value:
        """The layers before all others: [N,L+K] -> [N,C,S,S]."""
        network, x = self.network, self.used(x)
        x = self.pixel_norm(network.pixel_norm, x) if network.options.normalize_latents else x
        x = self.unit(network.dense, x)
        return self.graph.node("Identity", self.truncated(x) if self.centre else x, output=FIRST)

    def truncated(self, x: Value) -> Value:
        """Moved towards the mean of its label, as in inference.truncation; at 1 not at all, to the bit."""
        g = self.graph
        less = g.node("Sub", Value(g, TRUNCATION), g.constant(1.0))
        return x + g.node("Mul", g.node("Sub", x, self.centre(x)), less)

    def output(self, images: Value) -> Value:
        """What a generator ends with."""
        return images if self.network.options.g_output == "linear" else self.graph.node("Tanh", images)

    def progressive(self, x: Value) -> Value:
        """Generator.call: [N,L+K] -> [N,C,R,R]."""
        network, block = self.network, find_block(self.network.options.g_block)
        x = old = self.unit(network.conv, self.first(x))
        for up, *convolutions in network.blocks:
            old = x
            x = self.unit(up, x if network.options.fused_scale else self.enlarge(x))
            x = block.apply([partial(self.unit, layer) for layer in convolutions], x)
        images = self.convolve(network.to_rgb[0], x)
        if network.fading:
            images = self.fade(self.enlarge(self.convolve(network.to_rgb[1], old)), images)
        return self.output(images)

    def stages(self, x: Value) -> Value:
        """ConvolutionalGenerator.call: [N,L+K] -> [N,C,R,R]."""
        x = self.first(x)
        for stage in self.network.stages:
            steps = [partial(self.unit, layer) for layer in stage.layers]
            if stage.shortcut is None:
                x = plain(steps, x)
                continue
            first, second, *later = steps
            x = residual(later, second(first(x)) + self.enlarge(self.convolve(stage.shortcut, x)))
        return self.output(self.convolve(self.network.out, x))

    def pixels(self, images: Value) -> Value:
        """[N,C,R,R] -> uint8 [N,R,R,C], as grids.to_uint8."""
        g = self.graph
        x = g.node("Mul", images + g.constant(1.0), g.constant(127.5))
        x = g.node("Clip", g.node("Round", x), g.constant(0.0), g.constant(255.0))
        return g.node("Transpose", g.node("Cast", x, to=2), perm=[0, 2, 3, 1], output="images")  # 2: uint8


def centre_by_label(graph: Graph, centres: np.ndarray) -> Callable[[Value], Value]:
    """What `truncated` moves to: of [K,S,S,C] the row of each label, or of [1,S,S,C] the one."""
    table = centres.transpose(0, 3, 1, 2)  # [K,C,S,S]
    if len(table) == 1:
        return lambda x: graph.constant(table)
    rows, shape = graph.constant(table.reshape(len(table), -1)), graph.constant([-1, *table.shape[1:]], np.int64)
    return lambda x: graph.node("Reshape", graph.node("MatMul", Value(graph, "labels"), rows), shape)


def build(network: GeneratorNetwork, note: str, centres: np.ndarray | None = None):
    """The onnx.ModelProto of a float32 generator; `note` becomes its doc_string. NetworkError: it has no such form.

    `centres`: float32 [K,S,S,C] of inference.truncation; with them there is an input of one number, the truncation.
    """
    if any(type(norm) not in NORMS for norm in network.norms):
        raise NetworkError(f"g_norm={network.options.g_norm} has no form in ONNX; give --format=saved_model or tflite")
    from onnx import TensorProto, helper

    graph = Graph()
    inputs = {"latents": network.latent_size, **({"labels": network.label_size} if network.label_size else {})}
    values = [Value(graph, name) for name in inputs]
    operations = Operations(network, graph, None if centres is None else centre_by_label(graph, centres))
    joined = graph.node("Concat", *values, axis=1) if network.label_size else values[0]
    images = IMAGES[type(network)](operations, joined)
    operations.pixels(images)
    graph.node("Identity", images, output="images_nchw")
    size, channels = network.resolution, network.num_channels
    described = helper.make_graph(
        graph.nodes, "generator",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width]) for name, width in inputs.items()]
        + [helper.make_tensor_value_info(TRUNCATION, TensorProto.FLOAT, [1])] * (centres is not None),
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", size, size, channels]),
         helper.make_tensor_value_info("images_nchw", TensorProto.FLOAT, ["N", channels, size, size])],
        graph.constants,
    )  # fmt: skip
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(described, opset_imports=opsets, ir_version=IR_VERSION, doc_string=note)


NORMS = {
    PixelNorm: Operations.pixel_norm, BatchNorm: Operations.batch_norm, LayerNorm: Operations.layer_norm,
}  # fmt: skip
IMAGES = {Generator: Operations.progressive, ConvolutionalGenerator: Operations.stages}
