"""Which engine a path asks for."""

from __future__ import annotations

from pathlib import Path

from pgan_tf.explore.engine import Engine, KerasEngine
from pgan_tf.explore.onnx_engine import OnnxEngine
from pgan_tf.networks.saved import NetworkError

ONNX = ".onnx"


def open_engine(path: Path) -> Engine:
    """Of whatever `path` is: see KerasEngine and OnnxEngine. NetworkError, one line."""
    return OnnxEngine(path) if path.suffix.lower() == ONNX else KerasEngine(path)


def check_given(path: Path) -> None:
    """NetworkError where nothing is at `path`."""
    if not path.exists():
        raise NetworkError(f"{path}: no such file or folder; give a run, a .keras file, an import or an exported .onnx")
