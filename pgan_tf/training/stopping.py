"""Ctrl-C, SIGTERM and a lost terminal while a run trains: it stops where nothing is half done, and saves what it is.

Python hears of a signal between two of its own steps, not within a call of TensorFlow, which may take minutes on a
slow device. So a thread listens too: it tells that the signal was heard, and a second Ctrl-C ends the process there.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

from pgan_tf import signals

PATIENCE_SECONDS = 2.0  # in which Python should have heard of a signal
_HEARD = b"stopping as soon as the step that is under way is done; Ctrl-C once more ends at once\n"
_ENDED = b"interrupted within a step; go on from the last checkpoint with --resume\n"


class StopNow(BaseException):
    """Ends what a signal has interrupted. No Exception: nobody's code shall take it for a fault of its own."""


class Stopping:
    """`signal`: the name of the one that came first, None before. A second Ctrl-C raises KeyboardInterrupt.

    `tell` is called when the first has come.
    """

    def __init__(self):
        self.signal: str | None = None
        self.tell: Callable[[], object] = lambda: None
        self._at_once = False
        self._heard_at, self._over = -math.inf, threading.Event()

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Takes the signals, which come to the main thread: in another one there are none to take."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with signals.handled(self._on_signal):
            before = signal.set_wakeup_fd(writer)
            threading.Thread(target=self._listen, args=(reader,), daemon=True).start()
            try:
                yield
            finally:
                signal.set_wakeup_fd(before)
                self._over.set()
                os.close(writer)  # ends the thread

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Nothing within the block is lost or spoilt by a stop: a signal ends it with StopNow, at any moment."""
        self.check()
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False
        self.check()

    def check(self) -> None:
        """StopNow if a signal has come."""
        self.follow(self.number())

    def number(self) -> int:
        """The signal that has come, as the system numbers it; 0: none."""
        return signal.Signals[self.signal].value if self.signal else 0

    def follow(self, number: int) -> None:
        """StopNow if it is a signal's number: it has come to the process that decides for all."""
        if number:
            self.signal = signal.Signals(number).name
            raise StopNow

    def _on_signal(self, number: int, frame) -> None:
        self._heard_at = time.monotonic()
        if self.signal and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self.signal:
            self.signal = signal.Signals(number).name
            self.tell()
        if self._at_once and not signals.in_import(frame):  # which might swallow it; the end of the block will do
            raise StopNow

    def _listen(self, reader: int) -> None:
        """Runs in the thread: a byte for each signal, as soon as it comes."""
        told = False
        with os.fdopen(reader, "rb", buffering=0) as heard:
            while came := heard.read(1):
                at = time.monotonic()
                if self._over.wait(PATIENCE_SECONDS):
                    return
                if self._heard_at > at - PATIENCE_SECONDS:  # Python may be faster than this thread
                    continue
                if told and came[0] == signal.SIGINT:
                    _say(_ENDED)
                    os._exit(130)
                elif not told:
                    _say(_HEARD)
                told = True


def _say(line: bytes) -> None:
    with contextlib.suppress(OSError):
        os.write(2, line)
