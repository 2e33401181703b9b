"""The command of generate.py that shows networks on a page."""

from __future__ import annotations

import argparse
import sys

from pgan_tf.commands.flags import anywhere, command, whole

INTERRUPTED = 130
NETWORK = "folder of a run (its newest snapshot), a .keras file, folder of an imported network, an exported .onnx"


def add_commands(commands) -> None:
    """Adds it to argparse's sub-commands."""
    text = "show networks on a page in the browser: draw, change, mix, interpolate, find pictures"
    sub = command(commands, "explore", _explore, text)
    sub.add_argument("network", type=anywhere, metavar="NETWORK", nargs="+", help=NETWORK)
    here = "address to serve at (default: 127.0.0.1, for this machine alone; 0.0.0.0: for all that can reach it)"
    sub.add_argument("--host", metavar="ADDRESS", help=here)
    sub.add_argument("--port", type=whole(1, 65535), metavar="N", help="(default: the first free one from 7860 on)")


def _explore(args: argparse.Namespace) -> int:
    from pgan_tf.explore.serve import serve

    try:
        serve(args.network, args.host, args.port)
    except KeyboardInterrupt:
        print("stopped; nothing is kept of the visits", file=sys.stderr)
    return INTERRUPTED
