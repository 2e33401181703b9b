"""A generator in the file formats of other runtimes. Each function writes one file or folder, the note in it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import tensorflow as tf

from pgan_tf import growth
from pgan_tf.interop import onnx_graph
from pgan_tf.interop.signature import Signature
from pgan_tf.networks import Generator
from pgan_tf.plain import plain_path

NOTE = "README.md"  # the name of the note where a format has room for files
# All that the folder of a SavedModel ever holds.
SAVED_MODEL_NAMES = ("saved_model.pb", "fingerprint.pb", "variables", "assets", "assets.extra", "debug", NOTE)


def write_saved_model(network: Generator, path: Path, note: str) -> None:
    """A folder that TensorFlow loads without Keras and without this package."""
    signature = Signature(network)
    with plain_path(path) as plain:
        tf.saved_model.save(signature, plain, signatures={"serving_default": signature.generate})
    (path / NOTE).write_text(note)


def write_tflite(network: Generator, path: Path, note: str) -> None:
    """A flatbuffer of built-in operations only. The note is a zip archive at its end, as TFLite's metadata are."""
    signature = Signature(network)
    concrete = [signature.generate.get_concrete_function()]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(concrete, signature)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(NOTE, note)


def write_onnx(network: Generator, path: Path, note: str) -> None:
    """An ONNX graph with the weights in it; its batch dimension is named N."""
    import onnx

    model = onnx_graph.build(growth.float32_copy(network), note)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
