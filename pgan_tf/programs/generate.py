"""Pictures and videos with a trained network, and what it has learned. `generate.py COMMAND --help` explains each."""

from __future__ import annotations

import argparse
import logging

from pgan_tf.commands import compare, explore, generate, points
from pgan_tf.commands.flags import check_network, networks_here, program_parser
from pgan_tf.programs.loading import load_tensorflow

INTERRUPTED = "error: interrupted; nothing was written"
EPILOG = """\
NETWORK is the folder of a run (its newest snapshot), a .keras file, or the folder of an imported network. Examples:

  generate.py grid results/00000-quickstart-s1000
  generate.py grid results/00000-quickstart-s1000 digits.png --labels=all --grid_size=10x6
  generate.py images results/00000-emoji64-s1000 people/ --num=1000 --truncation=0.7
  generate.py interpolate results/00000-emoji64-s1000 people.mp4 --duration=20
  generate.py interpolate results/00000-emoji64-s1000 loop.gif --seeds=1,2,3 --grid_size=1x1
  generate.py training_video results/00000-emoji64-s1000 --source=fakes
  generate.py walk results/00000-emoji64-s1000 --dims=1-8,65-128
  generate.py style results/00000-emoji64-s1000 --dims=1-64
  generate.py neighbors results/00000-emoji64-s1000
  generate.py project results/00000-emoji64-s1000 me.jpg --fit=pad
  generate.py explore results/00000-emoji64-s1000                 all of it on a page in the browser
  generate.py samples results/00000-ring-s1000 points.npy         of points in the plane
  generate.py field results/00000-ring-s1000 ring.png             and what the discriminator says of them

The same seed gives the same pictures on every call, however many are asked for. Exit status: 0 done; 2 bad input, said
in one line; 130 interrupted."""


def parser() -> argparse.ArgumentParser:
    root = program_parser(__doc__, EPILOG)
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    generate.add_commands(commands)
    compare.add_commands(commands)
    points.add_commands(commands)
    explore.add_commands(commands)
    return root


def _same_on_every_call() -> None:
    """On a GPU the fastest kernel of the day would be taken, which may round otherwise; CPUs have no such choice."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()


def main(argv: list[str]) -> int:
    """Runs a command; returns the exit status."""
    args = parser().parse_args(argv)
    check_network(args)
    load_tensorflow()
    _same_on_every_call()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of each new network's graph in a training video
    with networks_here(args):
        return args.run(args)
