"""How far a search is: a bar on a terminal, a line now and then elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS_BETWEEN_LINES = 10.0

Watch = Callable[[str, int, int, float], None]  # what is counted, how many are done, of how many, smallest loss so far


@contextmanager
def watched() -> Iterator[Watch]:
    """Yields what is to be called after each piece of the work."""
    if not sys.stderr.isatty():
        yield _Lines().tell
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("loss {task.fields[loss]:.4f}"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, progress.TaskID] = {}

        def tell(what: str, done: int, total: int, loss: float) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, loss=loss)
            bar.update(tasks[what], completed=done, loss=loss)

        yield tell


class _Lines:
    """'steps: 120 of 500, loss 0.1234, 38 s left'."""

    def __init__(self):
        self._what, self._start = "", 0.0  # what is counted, and since when
        self._called = self._shown = time.monotonic()  # the last call, the last line

    def tell(self, what: str, done: int, total: int, loss: float) -> None:
        if what != self._what:
            self._what, self._start = what, self._called
        self._called = time.monotonic()
        if done == total or self._called - self._shown >= SECONDS_BETWEEN_LINES:
            self._shown = self._called
            left = (total - done) * (self._called - self._start) / done
            print(f"{what}: {done} of {total}, loss {loss:.4f}, {left:.0f} s left", file=sys.stderr, flush=True)
