"""A progress bar on a terminal, a line that moves in a notebook, an occasional line elsewhere; the last on stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from pgan_tf import notebook
from pgan_tf.text import digits

Item = TypeVar("Item")

_SECONDS_BETWEEN_LINES = 10.0


def track(items: Iterable[Item], total: int, what: str, unit: str = "images") -> Iterator[Item]:
    """Yields `items`, showing how many of `total` are done, how fast, and the time left. `what`: for the user."""
    show = _in_place if notebook.in_notebook() else _bar if sys.stderr.isatty() else _lines
    return show(items, total, what, unit)


def _bar(items: Iterable[Item], total: int, what: str, unit: str) -> Iterator[Item]:
    from rich import progress  # not needed, so not imported, for --help or in a pipe
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[speed]} " + f"{unit}/s"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, speed="0")
        start = time.monotonic()
        for done, item in enumerate(items, 1):
            yield item
            bar.update(task, completed=done, speed=_speed(done, start))


def _in_place(items: Iterable[Item], total: int, what: str, unit: str) -> Iterator[Item]:
    start = time.monotonic()
    with contextlib.closing(notebook.Line()) as line:
        for done, item in enumerate(items, 1):
            yield item
            line.show(f"{what}: {done} of {total}, {_speed(done, start)} {unit}/s")


def _lines(items: Iterable[Item], total: int, what: str, unit: str) -> Iterator[Item]:
    start = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES:
            last, left = now, f"{(total - done) * (now - start) / done:.0f} s left"
            print(f"{what}: {done} of {total}, {_speed(done, start)} {unit}/s, {left}", file=sys.stderr, flush=True)


def _speed(done: int, start: float) -> str:
    """Items a second since `start`, of time.monotonic."""
    return digits(done / max(time.monotonic() - start, 1e-9), 3)
