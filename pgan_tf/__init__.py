"""Progressive growing of GANs in Keras 3 on TensorFlow.

Importing the package registers its Keras classes, so that `keras.saving.load_model` finds them. Our programs load Keras
when their work begins, so that --help is there at once; the data tools and their workers never do. They say so by
PGAN_TF_NO_KERAS=1.
"""

import os
import platform
import sys
from pathlib import Path

__version__ = "0.2.0"

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


def _keras_can_wait() -> bool:
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


if not _keras_can_wait():
    if other_backend():
        raise ImportError(other_backend())
    from pgan_tf import networks as networks
