"""Progressive growing of GANs in Keras 3 on TensorFlow.

    import pgan_tf

    pgan_tf.create_dataset("datasets/mnist", "mnist")
    run = pgan_tf.train(pgan_tf.read_config("quickstart"))
    pgan_tf.image_grid(run.generator.sample(100, seed=1))

The names of __all__ are loaded when they are first used, TensorFlow when something computes: importing the package
takes a fraction of a second. `keras.saving.load_model` finds the package's classes once this is imported.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgan_tf.api import (
        Generator,
        Run,
        create_dataset,
        evaluate,
        image_grid,
        open_dataset,
        read_config,
        train,
    )
    from pgan_tf.config import Config
    from pgan_tf.errors import UserError

__version__ = "0.2.0"
__all__ = [
    "Config",
    "Generator",
    "Run",
    "UserError",
    "create_dataset",
    "evaluate",
    "image_grid",
    "open_dataset",
    "read_config",
    "train",
]

_ABOVE = Path(__file__).resolve().parents[1]
# The checkout that this is, None where the package was installed. Its programs and the folder of pgan_tf.metrics lie
# beside this folder; the installed package has the metrics inside, for `metrics` is a name that others want too.
CHECKOUT = _ABOVE if (_ABOVE / "metrics" / "swd.py").is_file() else None
if CHECKOUT:
    __path__.append(str(CHECKOUT))

# TensorFlow takes oneDNN for its convolutions by itself only on CPUs with instructions for neural networks. With AVX2
# alone oneDNN is faster too, several times in the gradients. It has to be asked for before TensorFlow loads.
if platform.machine().lower() in ("x86_64", "amd64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# TensorFlow by itself takes nearly all of a GPU's memory at once, so that nothing else of ours would run beside a
# training: the page that explores it, a metric, a second run.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

_HOMES = {"Config": "pgan_tf.config", "UserError": "pgan_tf.errors"}  # of names of __all__; the others' is pgan_tf.api


def __getattr__(name: str):
    """Names of __all__, and the networks, when they are first asked for."""
    if name == "networks":
        return importlib.import_module("pgan_tf.networks")
    if name not in __all__:
        raise AttributeError(f"module 'pgan_tf' has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOMES.get(name, "pgan_tf.api")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "networks"})


def _is_ours() -> bool:
    """Whether one of our programs is starting: by a script beside this folder, by `python -m`, or as installed."""
    program = os.path.basename(sys.argv[0]) if sys.argv else ""
    return os.environ.get("PGAN_TF_NO_KERAS") == "1" or program == "-m" or program.startswith("pgan-")


def other_backend() -> str:
    """What is wrong with the backend that Keras is set to; '' if it is TensorFlow. One in keras.json does not count."""
    os.environ["KERAS_BACKEND"] = name = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if "keras" in sys.modules:
        name = sys.modules["keras"].config.backend()
    if name == "tensorflow":
        return ""
    return f"KERAS_BACKEND={name}: pgan_tf works with TensorFlow only; unset it, or set KERAS_BACKEND=tensorflow"


if not _is_ours():  # they say it in a line of their own, and load the networks where their work begins
    if other_backend():
        raise ImportError(other_backend())
    from pgan_tf.registration import register

    register()
    del register
