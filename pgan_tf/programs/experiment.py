"""Compares systems fairly: several flagfiles times several seeds, trained, measured, and put into one table."""

from __future__ import annotations

import argparse
import shlex
import sys

from pgan_tf import CHECKOUT, flagfiles
from pgan_tf.called import as_called
from pgan_tf.commands.flags import location, program_parser, whole
from pgan_tf.programs.loading import load_tensorflow
from pgan_tf.text import table_console

INTERRUPTED = "interrupted; everything is saved, the same command goes on"
EPILOG = """\
Examples:

  experiment.py run configs/cpu/columbia.toml --dry_run     what is done and what is missing
  experiment.py run configs/cpu/columbia.toml --jobs=2      does what is missing; stop and repeat it as you like
  experiment.py table configs/cpu/columbia.toml             tables, plots and TensorBoard's HParams of what is complete

A suite file lists flagfiles, seeds, budget and metrics; configs/cpu/columbia.toml is one, and
docs/experiments.md explains its keys and what is on the page."""


def parser() -> argparse.ArgumentParser:
    root = program_parser(__doc__, EPILOG)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run_parser = commands.add_parser("run", help="train and measure what is missing")
    run_parser.add_argument(
        "--jobs", type=whole(1, 1024), default=1, help="runs at the same time (default: %(default)s)"
    )
    run_parser.add_argument("--dry_run", action="store_true", help="print what is done and what is missing")
    table_parser = commands.add_parser("table", help="write the report: tables, plots, TensorBoard's HParams")
    for sub, action in ((run_parser, run), (table_parser, table)):
        sub.add_argument(
            "suite", type=location, metavar="SUITE", help="a suite file, or the name of one of configs/: cpu/columbia"
        )
        sub.set_defaults(action=action)
    return root


def run(args: argparse.Namespace) -> int:
    from pgan_tf.devices import gpu_ids
    from pgan_tf.experiments.runner import Runner
    from pgan_tf.experiments.suite_data import check_data
    from pgan_tf.experiments.suite_file import read_suite

    suite = read_suite(flagfiles.find(args.suite, flagfiles.SUITE))
    check_data(suite)
    if args.dry_run:
        return show(suite)
    failed = Runner(suite, program, args.jobs, gpus=gpu_ids()).run()
    if failed:
        print(f"error: {len(failed)} failed: {', '.join(failed)}; the same command tries again", file=sys.stderr)
        return 1
    print(as_called(f"all is done; next: python experiment.py table {shlex.quote(args.suite)}"))
    return 0


def show(suite) -> int:
    """A line for each run of the suite: where it is and how far."""
    from rich.table import Table

    from pgan_tf.experiments.runs import states

    listing = Table("run", "folder", "kimg", "state", box=None, pad_edge=False, header_style="bold")
    for state in states(suite):
        word = "complete" if state.complete else "trained" if state.trained else "begun" if state.folder else "missing"
        listing.add_row(state.name, str(state.folder or ""), f"{state.kimg:.1f}", word)
    table_console().print(listing)
    return 0


def table(args: argparse.Namespace) -> int:
    from pgan_tf.experiments.suite_file import read_suite
    from pgan_tf.experiments.suite_report import write_report

    suite = read_suite(flagfiles.find(args.suite, flagfiles.SUITE))
    for path in write_report(suite, args.suite):
        print(f"wrote {path}")
    return 0


def program(name: str) -> list[str]:
    """The words that start another of our programs, from whatever folder this one was started in."""
    return [sys.executable, *([str(CHECKOUT / f"{name}.py")] if CHECKOUT else ["-m", "pgan_tf", name])]


def main(argv: list[str]) -> int:
    """Runs a command; returns the exit status."""
    args = parser().parse_args(argv)
    load_tensorflow()
    return args.action(args)
