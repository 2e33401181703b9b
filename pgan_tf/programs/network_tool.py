"""Looks at trained networks and moves them between programs. `network_tool.py COMMAND --help` explains each command."""

from __future__ import annotations

import argparse

from pgan_tf.commands import network
from pgan_tf.commands.flags import check_network, networks_here, program_parser
from pgan_tf.programs.loading import load_tensorflow

INTERRUPTED = "error: interrupted; nothing was written"
EPILOG = """\
Examples:

  network_tool.py import nvidia karras2018iclr-celebahq-1024x1024.pkl celebahq
  network_tool.py info celebahq
  network_tool.py info results/00000-quickstart-s1000
  network_tool.py export results/00000-quickstart-s1000 digits.onnx --format=onnx

Exit status: 0 done; 2 bad input, said in one line."""


def parser() -> argparse.ArgumentParser:
    root = program_parser(__doc__, EPILOG)
    network.add_commands(root.add_subparsers(metavar="COMMAND", required=True))
    return root


def main(argv: list[str]) -> int:
    """Runs a command; returns the exit status."""
    args = parser().parse_args(argv)
    check_network(args)
    load_tensorflow()
    with networks_here(args):
        return args.run(args)
