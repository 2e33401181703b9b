"""The network that FID and the Inception Score are defined by: Inception of 2015-12-05, in Keras.

Two ways to feed it are in use, and they give different numbers: 'original' is that of TTUR (Heusel et al. 2017) and of
torch-fidelity, 'pytorch-fid' that of the tool of this name.
"""

from __future__ import annotations

import os

import keras
import numpy as np
import tensorflow as tf

from .. import resize
from ..errors import MetricError
from ..extractors.base import Activations, Extractor
from ..extractors.inception_table import BLOCKS, STEM, Branch, Conv, Fork, Pool, node_names
from ..weights import graphdef, locate, torch_file
from ..weights.batch_norm import fold, take

SIZE, CLASSES, EPSILON = 299, 1008, 0.001
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
PUBLISHED = locate.Published(
    title="inception-2015-12-05",
    variable="PGAN_INCEPTION_WEIGHTS",
    sums={
        "pt_inception-2015-12-05-6726825d.pth": SHA256,  # of pytorch-fid
        "weights-inception-2015-12-05-6726825d.pth": SHA256,  # of torch-fidelity, the same file
        "classify_image_graph_def.pb": None,
    },
    advice="pytorch-fid and torch-fidelity each leave it in torch.hub's cache when they run",
)
# Named, so that a training with other defaults (mixed precision, channels first) does not change a score.
FLOAT32 = dict(dtype="float32", trainable=False)
LAYOUT = dict(data_format="channels_last", **FLOAT32)
POOLS = {"average": keras.layers.AveragePooling2D, "max": keras.layers.MaxPooling2D}
TAPS = {64: "MaxPool_1", 192: "MaxPool_2", 768: "Mixed_6e", 2048: "Mixed_7c"}  # features -> the layer that is averaged


def load(weights: str | os.PathLike | None = None, mode: str = "original", tap: int = 2048) -> Extractor:
    """The extractor by its weights; with `weights` None they are looked for (see metrics.weights.locate).

    Args:
        weights: a .pth of pytorch-fid or torch-fidelity, or the GraphDef .pb of 2015.
        mode: how images are fed, 'original' or 'pytorch-fid'.
        tap: which features: 64, 192, 768 or 2048 (pytorch-fid's --dims); but for 2048 the name says so.

    The logits are those without the classifier's bias, all 1008. MetricError if there are no weights or wrong ones.
    """
    if mode not in MODES or tap not in TAPS:
        raise MetricError(f"inception-2015: no mode {mode!r} with {tap} features: {list(MODES)}, {list(TAPS)}")
    label, feed = MODES[mode]
    file = locate.find(PUBLISHED, weights)
    tensors = read(file.path)
    with locate.blamed_on(file.path):
        whole = network(tensors)
    model = keras.Model(whole.input, [whole.output[str(tap)], whole.output["logits_unbiased"]])

    def compute(images: tf.Tensor) -> Activations:
        return Activations(*model(feed(images), training=False))

    name = label if tap == 2048 else f"{label} ({tap} features)"
    return Extractor(name=name, sha256=file.sha256, features=tap, classes=CLASSES, compute=compute)


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of either published file by torch's names and layout: convolutions [out,in,kh,kw], fc [out,in]."""
    if os.fspath(path).endswith(".pb"):
        constants = graphdef.read(path)
        with locate.blamed_on(path):
            return from_graph(constants)
    return torch_file.read(path)


def from_graph(nodes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The GraphDef's constants by torch's names and layout. MetricError if one is missing."""
    missing = [node for node in node_names().values() if node not in nodes]
    if missing:
        raise MetricError(f"the graph has no constant {missing[0]}: this is the file of another network")
    return {name: _torch_layout(nodes[node]) for name, node in node_names().items()}


def _torch_layout(value: np.ndarray) -> np.ndarray:
    """[kh,kw,in,out] -> [out,in,kh,kw] and [in,out] -> [out,in]; a vector stays."""
    return value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T


# ---- input -----------------------------------------------------------------------------------------------------------


def original_input(images: tf.Tensor) -> tf.Tensor:
    """uint8 [N,H,W,C] -> [N,299,299,3] in -1 .. 1."""
    return (resize.bilinear_tf1(resize.to_rgb(images), SIZE) - 128.0) / 128.0


def pytorch_fid_input(images: tf.Tensor) -> tf.Tensor:
    """uint8 [N,H,W,C] -> [N,299,299,3] in -1 .. 1."""
    return 2.0 * resize.bilinear(tf.cast(resize.to_rgb(images), tf.float32) / 255.0, SIZE) - 1.0


MODES = {  # mode -> (how results are labelled, the input)
    "original": ("inception-2015", original_input),
    "pytorch-fid": ("inception-2015 (pytorch-fid)", pytorch_fid_input),
}


# ---- network ---------------------------------------------------------------------------------------------------------


def network(tensors: dict[str, np.ndarray]) -> keras.Model:
    """The network with the given tensors (torch's names and layout): [N,299,299,3] -> a dictionary of outputs.

    '64', '192', '768', '2048' are averages over space [N,tap]; 'logits' is the classifier's [N,1008], 'logits_unbiased'
    the same without its bias, which the Inception Score of TTUR and torch-fidelity reads. Layers have torch-fidelity's
    names. Batch normalisation is folded into the convolutions. MetricError if a tensor is missing or of another shape.
    """
    x = images = keras.Input((SIZE, SIZE, 3), dtype="float32")
    layers = {}
    for step in STEM:
        x = layers[step.name] = _step(step, x, step.name, tensors)
    for block in BLOCKS:
        branches = [_branch(branch, x, block.name, tensors) for branch in block.branches]
        x = layers[block.name] = keras.layers.Concatenate(name=block.name, **FLOAT32)(branches)  # [N,H,W,C]
    average = keras.layers.GlobalAveragePooling2D(**LAYOUT)
    outputs = {str(tap): average(layers[name]) for tap, name in TAPS.items()}  # [N,tap]
    dense = keras.layers.Dense(CLASSES, use_bias=False, kernel_initializer="zeros", name="logits_unbiased", **FLOAT32)
    outputs["logits_unbiased"] = dense(outputs["2048"])  # [N,1008]
    dense.kernel.assign(take(tensors, "fc.weight", (CLASSES, 2048)).T)
    bias = take(tensors, "fc.bias", (CLASSES,)).astype(np.float32)
    outputs["logits"] = outputs["logits_unbiased"] + bias  # [N,1008]
    return keras.Model(images, outputs, name="inception_2015")


def _branch(branch: Branch, x: keras.KerasTensor, block: str, tensors: dict[str, np.ndarray]) -> keras.KerasTensor:
    for step in branch:
        if isinstance(step, Fork):
            sides = [_step(side, x, f"{block}.{side.name}", tensors) for side in step]
            x = keras.layers.Concatenate(**FLOAT32)(sides)  # [N,H,W,2C]
        else:
            x = _step(step, x, f"{block}.{step.name}", tensors)
    return x


def _step(step: Conv | Pool, x: keras.KerasTensor, name: str, tensors: dict[str, np.ndarray]) -> keras.KerasTensor:
    """[N,H,W,C] -> [N,H',W',C']."""
    if isinstance(step, Pool):
        return POOLS[step.kind](3, step.strides, step.padding, name=name, **LAYOUT)(x)
    shape = (*step.kernel, x.shape[-1], step.filters)
    kernel, bias = fold(tensors, f"{name}.conv.weight", f"{name}.bn", shape, EPSILON)
    layer = keras.layers.Conv2D(
        step.filters, step.kernel, step.strides, step.padding,
        activation="relu", kernel_initializer="zeros", name=name, **LAYOUT,
    )  # fmt: skip
    y = layer(x)
    layer.kernel.assign(kernel)
    layer.bias.assign(bias)
    return y
