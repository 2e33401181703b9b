"""Where every program starts and ends: whatever happens, the user reads one line, and the status says what kind it is.

Status 0: done; 1: a fault on the way, or a check that failed; 2: wrong input; 130: interrupted.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from functools import partial

from pgan_tf.called import as_called
from pgan_tf.programs.interrupts import INTERRUPTS, STATUS, ignore_from_now_on

PROGRAMS = {
    "train": "train a progressive GAN, or go on with a run",
    "dataset_tool": "make, show, extract, compare and check data sets",
    "evaluate": "measure generated images",
    "experiment": "compare systems over several seeds",
    "generate": "make pictures and videos with a trained network",
    "network_tool": "look at trained networks, import and export them",
}
NO_MEMORY = b"error: out of memory; allow more (ulimit -v), or end other programs\n"


def start(name: str, argv: list[str] | None = None) -> None:
    """Runs a program of PROGRAMS and ends the process with its status; argv: its words, by default the process's."""
    try:
        status = run(name, sys.argv[1:] if argv is None else argv)
    except MemoryError:  # too little is left to say more, or to end in order
        os.write(2, NO_MEMORY)
        os._exit(1)
    ignore_from_now_on(status)
    sys.exit(status)


def run(name: str, argv: list[str]) -> int:
    """Runs a program -> its exit status."""
    _open_standard_streams()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name != "dataset_tool":  # whose worker processes inherit it and start in a tenth of a second
        os.environ.pop("PGAN_TF_NO_KERAS", None)
    try:
        with INTERRUPTS.handled():
            return _run(name, argv)
    except KeyboardInterrupt:  # between two lines of ours
        return STATUS


def _run(name: str, argv: list[str]) -> int:
    try:
        _print_any_name()
        with INTERRUPTS.loading():
            program = importlib.import_module(f"pgan_tf.programs.{name}")
            INTERRUPTS.said = program.INTERRUPTED
        status = program.main(argv)
        if sys.stdout:
            sys.stdout.flush()  # what cannot be written shows here
        return status
    except KeyboardInterrupt:
        print(INTERRUPTS.said, file=sys.stderr)
        return STATUS
    except SystemExit:  # argparse's, after --help or a wrong word
        forget_output()
        raise
    except Exception as error:
        return _ended(error)


def _ended(error: Exception) -> int:
    """Says what ended the program -> its status. Raises what is a fault of ours."""
    from pgan_tf.endings import ending

    if INTERRUPTS.came:  # what somebody's code made of the interrupt
        print(INTERRUPTS.said, file=sys.stderr)
        return STATUS
    said = ending(error)
    if said is None:
        raise error
    line, status = said
    if line:
        print(as_called(line), file=sys.stderr)
    forget_output()
    return status


def forget_output() -> None:
    """Where stdout takes nothing any more, nor will it take what Python flushes at its end."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _open_standard_streams() -> None:
    """Where stdin, stdout or stderr are closed, the next file to be opened would be taken for them and written into."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))


def _print_any_name() -> None:
    """Lets our streams escape what their encoding lacks: a file's name may be no valid text at all."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


# The installed commands.
train, dataset_tool, evaluate, experiment, generate, network_tool = (partial(start, name) for name in PROGRAMS)
