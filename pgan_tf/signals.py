"""The signals that ask a program to end: Ctrl-C, SIGTERM, and SIGHUP of a terminal that is gone (a lost ssh)."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from collections.abc import Callable, Iterator

HANGUP = getattr(signal, "SIGHUP", None)  # None: Windows
ENDING = tuple(number for number in (signal.SIGINT, signal.SIGTERM, HANGUP) if number is not None)
OF_THE_TERMINAL = tuple(number for number in ENDING if number != signal.SIGTERM)  # it sends them to our children too


@contextlib.contextmanager
def handled(handler: Callable) -> Iterator[None]:
    """Within the block `handler(number, frame)` is called for each of ENDING. Of the main thread only.

    A SIGHUP that is ignored, as nohup has it, stays so: who asked for that wants the program to go on.
    """
    taken = [number for number in ENDING if number != HANGUP or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, _after_the_terminal(handler)) for number in taken}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, signal.SIG_DFL if former is None else former)


def in_import(frame) -> bool:
    """Whether somebody's import is under way, which may swallow what a handler raises, or make another error of it."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def leave_dead_terminal() -> None:
    """What is printed from now on goes nowhere if it went to a terminal that is gone: no line shall fail for that."""
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            if stat.S_ISCHR(os.fstat(descriptor).st_mode) and not os.isatty(descriptor):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)


def _after_the_terminal(handler: Callable) -> Callable:
    def handle(number: int, frame) -> None:
        if number == HANGUP:
            leave_dead_terminal()
        handler(number, frame)

    return handle
