"""The extractor `mnist-classifier`: a small network that reads digits, for Inception Scores and mode counts on MNIST.

Its weights come from `python -m pgan_tf.metrics.train_mnist_classifier`. A score measured with it is not comparable
with one of Inception's; two of them are comparable if they name the same sha256.

Source: Yamazaki, On Depth and Complexity of Generative Adversarial Networks (master's thesis), appendix B, Table B.1.
It reports 98.09% of the test digits right and a score of 9.97 on the training digits.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from .. import home
from ..errors import MetricError
from ..extractors.base import Activations, Extractor
from ..numpy_files import check_unpacked

NAME = "mnist-classifier"
COMMAND = "python -m pgan_tf.metrics.train_mnist_classifier [FOLDER]"
ENVIRONMENT = "PGAN_MNIST_CLASSIFIER"
FEATURES, CLASSES = 1024, 10
DIGIT, PADDED = 28, 32  # pixels a side: MNIST's own, and in data sets of powers of two, with a border of 2
_BATCH = 500
_HEADER = "header"
_MOST_UNPACKED = 2**28  # bytes; its weights have 13 million
_NOT_OURS = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    MemoryError,
    zipfile.BadZipFile,
)  # np.load's, of other files


class Saved(NamedTuple):
    """What a weights file holds."""

    arrays: dict[str, np.ndarray]  # 'conv1/kernel': float32
    header: dict  # of the training: 'accuracy' on the test digits, 'data', ...
    sha256: str  # of the whole file


# ---- the network -----------------------------------------------------------------------------------------------------


def build() -> keras.Model:
    """The network: float32 [N,28,28,1] in 0..1 -> (features [N,1024], logits [N,10]). Dropout acts in training only."""
    layers = keras.layers
    # Types and layout are named, so that a training with other defaults (mixed precision) does not change a score.
    convolution = dict(
        kernel_size=5, padding="same", activation="relu", data_format="channels_last", dtype="float32"
    )  # fmt: skip
    pooling = dict(pool_size=2, data_format="channels_last", dtype="float32")
    images = keras.Input([DIGIT, DIGIT, 1], dtype="float32", name="images")
    x = layers.Conv2D(32, name="conv1", **convolution)(images)  # [N,28,28,32]
    x = layers.MaxPooling2D(name="pool1", **pooling)(x)  # [N,14,14,32]
    x = layers.Conv2D(64, name="conv2", **convolution)(x)  # [N,14,14,64]
    x = layers.MaxPooling2D(name="pool2", **pooling)(x)  # [N,7,7,64]
    x = layers.Flatten(name="flat", dtype="float32")(x)  # [N,3136]
    features = layers.Dense(FEATURES, activation="relu", name="dense1", dtype="float32")(x)  # [N,1024]
    x = layers.Dropout(0.5, name="dropout", dtype="float32")(features)
    logits = layers.Dense(CLASSES, name="dense2", dtype="float32")(x)  # [N,10]
    return keras.Model(images, (features, logits), name="mnist_classifier")


def prepare(images: tf.Tensor) -> tf.Tensor:
    """uint8 [N,S,S,C] -> float32 [N,28,28,1], 0 = black and 1 = full: the network's input.

    Colour is averaged to grey. 28x28 stays as it is; of 32x32 the border of 2 is cut, which data sets of powers of two
    put around the digit. Other powers of two are taken for such pictures made larger or smaller: resized to 32x32 and
    cut; every other size is resized to 28x28. Shrinking takes the mean over each pixel's area, so that a picture
    enlarged by repeating its pixels comes back exactly; enlarging is bilinear. Raises MetricError.
    """
    side = _side(images)
    grey = tf.reduce_mean(tf.cast(images, tf.float32), axis=3, keepdims=True) / 255.0  # [N,S,S,1]
    size = PADDED if _power_of_two(side) else DIGIT
    if side != size:
        grey = tf.image.resize(grey, [size, size], method="area" if side > size else "bilinear")
    border = (size - DIGIT) // 2
    return grey[:, border : border + DIGIT, border : border + DIGIT, :]  # [N,28,28,1]


def _side(images: tf.Tensor) -> int:
    """The side of square images; MetricError for whatever cannot be a digit."""
    shape = images.shape
    if images.dtype != tf.uint8 or shape.rank != 4 or shape[3] not in (1, 3):
        raise MetricError(
            f"{NAME}: {images.dtype.name} {shape} images; give uint8 [N,H,W,C] with C 1 or 3, each picture one digit"
        )
    if shape[1] != shape[2] or not shape[1]:
        raise MetricError(f"{NAME}: {shape[1]}x{shape[2]} images; give square ones of a known size, 28x28 or 32x32")
    return shape[1]


def _power_of_two(n: int) -> bool:
    return n & (n - 1) == 0


def as_extractor(model: keras.Model, sha256: str) -> Extractor:
    """The network `model`, of the weights file with this sha256, as an extractor."""

    def compute(images: tf.Tensor) -> Activations:
        return Activations(*model(prepare(images), training=False))

    return Extractor(NAME, sha256, FEATURES, CLASSES, compute)


# ---- the weights file ------------------------------------------------------------------------------------------------


def default_path() -> Path:
    """Where weights are written and looked for: PGAN_MNIST_CLASSIFIER, else pgan_tf in the user's cache folder."""
    if os.environ.get(ENVIRONMENT):
        return Path(os.environ[ENVIRONMENT])
    return home.cache() / "pgan_tf" / f"{NAME}.npz"


def write(path: str | os.PathLike, model: keras.Model, header: dict) -> str:
    """Writes the weights and `header` (JSON values) as one .npz; returns its sha256.

    The file appears under its name only when it is complete. Equal weights make equal bytes. Raises OSError.
    """
    content = io.BytesIO()
    np.savez(content, **{_HEADER: np.array(json.dumps(header))}, **{k: v.numpy() for k, v in _variables(model).items()})
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp{os.getpid()}-{path.name}")  # beside it: renaming stays within one file system
    try:
        temporary.write_bytes(content.getbuffer())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return hashlib.sha256(content.getbuffer()).hexdigest()


def read(path: str | os.PathLike) -> Saved:
    """What `write` wrote. Nothing in the file is executed. Raises MetricError."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise MetricError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            check_unpacked(file, _MOST_UNPACKED)
            arrays = {name: file[name] for name in file.files}
        header = json.loads(str(arrays.pop(_HEADER)))
    except (*_NOT_OURS, AttributeError, TypeError) as error:
        raise MetricError(f"{path}: damaged, or no weights of the {NAME}; make them again: {COMMAND}") from error
    return Saved(arrays, header, hashlib.sha256(content).hexdigest())


def load(weights: str | os.PathLike | None = None) -> Extractor:
    """The extractor with the weights file `weights`, by default the one at `default_path()`.

    Its features [N,1024] are the activations before the last layer, its logits [N,10] those of the digits 0 to 9; its
    images are those of `prepare`. Raises MetricError.
    """
    path = Path(weights if weights is not None else default_path())
    if not path.is_file():
        raise MetricError(f"{path}: no weights of the {NAME} here; make them in some minutes: {COMMAND}")
    saved = read(path)
    model = build()
    variables = _variables(model)
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    if {name: array.shape for name, array in saved.arrays.items()} != shapes:
        raise MetricError(f"{path}: its arrays are not those of the {NAME}; make them again: {COMMAND}")
    for name, variable in variables.items():
        if saved.arrays[name].dtype != np.float32 or not np.isfinite(saved.arrays[name]).all():
            raise MetricError(f"{path}: {name} is not all finite float32 numbers; make them again: {COMMAND}")
        variable.assign(saved.arrays[name])
    return as_extractor(model, saved.sha256)


def _variables(model: keras.Model) -> dict[str, keras.Variable]:
    """The weights by the names of the file, in the order of the layers."""
    return {f"{layer.name}/{variable.name}": variable for layer in model.layers for variable in layer.weights}


# ---- for arrays ------------------------------------------------------------------------------------------------------


def logits(images: np.ndarray, extractor: Extractor) -> np.ndarray:
    """uint8 [N,S,S,C] -> float32 [N,10], in batches. Raises MetricError."""
    images = np.asarray(images)
    result = np.empty([len(images), extractor.classes], np.float32)
    spec = tf.TensorSpec([None, *images.shape[1:]], tf.as_dtype(images.dtype))
    compute = tf.function(lambda x: extractor.compute(x).logits, input_signature=[spec], autograph=False)
    for start in range(0, len(images), _BATCH):
        batch = slice(start, start + _BATCH)
        result[batch] = compute(tf.constant(images[batch])).numpy()
    return result


def classify(images: np.ndarray, extractor: Extractor | None = None) -> np.ndarray:
    """The digit in each image: uint8 [N,S,S,C] -> int64 [N]; by default with the weights at `default_path()`.

    Stacked MNIST holds one digit in each colour channel: give the channels one by one, images[..., c : c + 1], since
    colour is averaged here. Raises MetricError.
    """
    return logits(images, extractor or load()).argmax(axis=1)  # [N]
