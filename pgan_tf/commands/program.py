"""How the programs with sub-commands run one and end."""

from __future__ import annotations

import argparse
import io
import signal
import sys


def run_command(args: argparse.Namespace, bad_input: tuple[type[Exception], ...]) -> int:
    """Runs the command that was chosen; returns the exit status: 2 after a line on bad input, 130 if interrupted.

    bad_input: the exceptions whose text is that line.
    """
    signal.signal(signal.SIGTERM, _terminate)
    _print_any_name()
    try:
        return args.run(args)
    except bad_input as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # no space, no permission
        print(f"error: {error.filename or 'writing'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; nothing was written", file=sys.stderr)
        return 130


def _print_any_name() -> None:
    """Lets stdout escape what its encoding lacks, as stderr does: a file's name may be no valid text at all."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _terminate(number, frame) -> None:
    raise KeyboardInterrupt  # so that `kill` cleans up as Ctrl-C does
