"""Inception v3 of keras.applications: the weights are Keras' own (ImageNet, 2016), not those that FID is defined by.

Its numbers are comparable only with others of 'inception-keras'.
"""

from __future__ import annotations

import os
from pathlib import Path

import keras
import tensorflow as tf

from .. import resize
from ..errors import MetricError
from ..extractors.base import Activations, Extractor
from ..weights.locate import sha256_of

NAME, SIZE, FEATURES, CLASSES = "inception-keras", 299, 2048, 1000
FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/{FILE}"
MD5 = "9a0d58056eeedaa3f26cb7ebd46da564"  # Keras' own check of the download


def load(weights: str | os.PathLike | None = None) -> Extractor:
    """The extractor: average-pooled features [N,2048], logits [N,1000].

    Args:
        weights: an .h5 of keras.applications.InceptionV3 with its top; by default Keras' cache (~/.keras/models or
            KERAS_HOME), to which it is fetched when it is not there.

    MetricError if the file is missing or wrong, or cannot be fetched.
    """
    path = Path(weights or _fetched())
    if not path.is_file():
        raise MetricError(f"{path}: no such file of weights")
    model = _network(path)

    def compute(images: tf.Tensor) -> Activations:
        return Activations(*model(_input(images), training=False))

    return Extractor(NAME, sha256_of(path), FEATURES, CLASSES, compute)


def _fetched() -> str:
    try:
        return keras.utils.get_file(FILE, URL, cache_subdir="models", file_hash=MD5)
    except Exception as error:  # Keras raises a bare Exception for whatever went wrong
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MetricError(f"{NAME}: no weights, {reason}; fetch {URL} and name the file by --weights") from error


def _network(path: Path) -> keras.Model:
    """[N,299,299,3] -> features [N,2048], logits [N,1000]."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # keras.applications takes no other way to name the type
    try:
        whole = keras.applications.InceptionV3(weights=None, classifier_activation=None)
    finally:
        keras.config.set_dtype_policy(policy)
    whole.trainable = False
    try:
        whole.load_weights(path)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise MetricError(f"{path}: not the weights of keras.applications.InceptionV3 with its top") from error
    return keras.Model(whole.input, [whole.get_layer("avg_pool").output, whole.output])


def _input(images: tf.Tensor) -> tf.Tensor:
    """uint8 [N,H,W,C] -> [N,299,299,3] in -1 .. 1."""
    return resize.bilinear_antialiased(resize.to_rgb(images), SIZE) / 127.5 - 1.0
