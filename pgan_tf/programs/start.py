"""Where every program starts and ends: whatever happens, the user reads one line, and the status says what kind it is.

Status 0: done; 1: a fault on the way, or a check that failed; 2: wrong input; 130: interrupted.
"""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
from functools import partial

import pgan_tf
from pgan_tf.errors import UserError

PROGRAMS = {
    "train": "train a progressive GAN, or go on with a run",
    "dataset_tool": "make, show, extract, compare and check data sets",
    "evaluate": "measure generated images",
    "experiment": "compare systems over several seeds",
    "generate": "make pictures and videos with a trained network",
    "network_tool": "look at trained networks, import and export them",
}


def start(name: str, argv: list[str] | None = None) -> None:
    """Runs a program of PROGRAMS and ends the process with its status; argv: its words, by default the process's."""
    sys.exit(run(name, sys.argv[1:] if argv is None else argv))


def run(name: str, argv: list[str]) -> int:
    """Runs a program -> its exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name != "dataset_tool":  # whose worker processes inherit it and start in a tenth of a second
        os.environ.pop("PGAN_TF_NO_KERAS", None)
    said = "interrupted"
    try:
        signal.signal(signal.SIGTERM, _terminate)
        _print_any_name()
        from pgan_tf.metrics.errors import MetricError

        program = importlib.import_module(f"pgan_tf.programs.{name}")
        said = program.INTERRUPTED
        return _ended(program, argv, MetricError)
    except KeyboardInterrupt:
        print(said, file=sys.stderr)
        return 130


def _ended(program, argv: list[str], metric_error: type[Exception]) -> int:
    try:
        return program.main(argv)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.status
    except metric_error as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is not installed: pip install {_package(error.name)}", file=sys.stderr)
        return 2
    except OSError as error:  # no space, no permission
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        return 2


def _package(module: str | None) -> str:
    """What pip calls the package of a module that is not there."""
    if module not in EXTRAS:
        return str(module)
    return f"-e '.[{EXTRAS[module]}]'" if pgan_tf.CHECKOUT else f"'pgan_tf[{EXTRAS[module]}]'"


# The extra of setup.py that brings a module.
EXTRAS = {
    "mlxtend": "quickstart",
    "scipy": "metrics",
    "lmdb": "lsun",
    "h5py": "hdf5",
    "jpeglib": "celebahq",
    "cryptography": "celebahq",
    "mtcnn": "faces",
    "apache_beam": "beam",
    "matplotlib": "experiments",
    "tomli": "experiments",
    "tomllib": "experiments",
    "onnx": "export",
    "imageio_ffmpeg": "video",
}


def _print_any_name() -> None:
    """Lets stdout escape what its encoding lacks, as stderr does: a file's name may be no valid text at all."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _terminate(number, frame) -> None:
    raise KeyboardInterrupt  # so that `kill` cleans up as Ctrl-C does


# The installed commands.
train, dataset_tool, evaluate, experiment, generate, network_tool = (partial(start, name) for name in PROGRAMS)
