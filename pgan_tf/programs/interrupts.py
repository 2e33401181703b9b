"""Ctrl-C, SIGTERM and a terminal that is gone, at any moment of a program.

Where a program works, they raise KeyboardInterrupt, so that what is half written goes away. Where it only loads,
nothing is open yet, and it ends at once. In between lie imports in the middle of the work: an exception inside somebody
else's import may be swallowed or become another one, so it comes when they are over.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pgan_tf import signals

STATUS = 130
_AGAIN_SECONDS = 0.05


class Interrupts:
    """What the process does on the signals. `said`: the line for the user. `came`: whether work was interrupted."""

    def __init__(self):
        self.said, self.came = "interrupted", False
        self._loading, self._stderr = False, 2

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Takes the signals, and what Python would otherwise print of an interrupt that it cannot raise."""
        self.said, self.came = "interrupted", False
        self._stderr = os.dup(2)  # the terminal's, also while others are kept silent
        hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        try:
            with signals.handled(self._on_signal):
                yield
        finally:
            sys.unraisablehook = hook
            os.close(self._stderr)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """While modules are loaded and nothing else is done."""
        self._loading = True
        try:
            yield
        finally:
            self._loading = False

    def _on_signal(self, number: int, frame) -> None:
        if self._loading:
            with suppress(OSError):
                os.write(self._stderr, f"{self.said}\n".encode())
            os._exit(STATUS)
        if signals.in_import(frame):
            self._again(number)
            return
        self.came = True
        raise KeyboardInterrupt

    def _again(self, number: int) -> None:
        timer = threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), number))
        timer.daemon = True
        timer.start()

    def _unraisable(self, unraisable) -> None:
        """A KeyboardInterrupt in a callback or a destructor would be lost, after a dozen lines about it."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            self._again(signal.SIGINT)
        else:
            sys.__unraisablehook__(unraisable)


INTERRUPTS = Interrupts()


def ignore_from_now_on(status: int) -> None:
    """Nothing is left to do but to end: a signal does just that, whatever Python is about."""
    for number in signals.ENDING:
        signal.signal(number, lambda *_: os._exit(status))
