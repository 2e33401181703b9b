#!/usr/bin/env python3
"""Looks at trained networks and moves them between programs. `network_tool.py COMMAND --help` explains each command."""

from __future__ import annotations

import argparse
import os
import sys

os.environ["PGAN_TF_NO_KERAS"] = "1"  # while this file is read: --help need not wait for Keras
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pgan_tf.commands import network
from pgan_tf.commands.program import run_command
from pgan_tf.quiet import import_tensorflow_quietly

del os.environ["PGAN_TF_NO_KERAS"]

EPILOG = """\
Examples:

  network_tool.py import nvidia karras2018iclr-celebahq-1024x1024.pkl celebahq
  network_tool.py info celebahq
  network_tool.py info results/00000-quickstart-s1000
  network_tool.py export results/00000-quickstart-s1000 digits.onnx --format=onnx

Exit status: 0 done; 2 bad input, said in one line."""


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    network.add_commands(found.add_subparsers(metavar="COMMAND", required=True))
    return found


def main(argv: list[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    args = parser().parse_args(argv)
    import_tensorflow_quietly()
    from pgan_tf.config import ConfigError
    from pgan_tf.data.errors import DataError
    from pgan_tf.networks.saved import NetworkError

    return run_command(args, (NetworkError, DataError, ConfigError))


if __name__ == "__main__":
    sys.exit(main())
