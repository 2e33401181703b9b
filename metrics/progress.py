"""How far a long measurement is: a bar where a person watches, a line now and then where nobody does, on stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 60.0


@contextlib.contextmanager
def progress(what: str, total: int | None, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Yields `advance(images)`, to be called with the images done since the last call; `total` may be unknown."""
    console = Console(stderr=True)
    if not shown:
        yield lambda images: None
    elif console.is_terminal:
        with _bar(console) as bar:
            clock = _Clock()
            task = bar.add_task(what, total=total, rate=0.0)
            yield lambda images: bar.update(task, advance=images, rate=clock.rate(images))
    else:
        yield _Lines(what, total).advance


class _Clock:
    """Images per second since the start."""

    def __init__(self):
        self.start, self.done = time.monotonic(), 0

    def rate(self, images: int) -> float:
        self.done += images
        return self.done / max(time.monotonic() - self.start, 1e-9)


def _bar(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed} images  {task.fields[rate]:.1f} img/s  ETA"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True)


class _Lines:
    """'reals: 12800 of 50000 images, 8.9 img/s, 1h 10m to go' once a minute."""

    def __init__(self, what: str, total: int | None):
        self._what, self._total, self._clock = what, total, _Clock()
        self._next = self._clock.start + SECONDS_BETWEEN_LINES

    def advance(self, images: int) -> None:
        rate = self._clock.rate(images)
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SECONDS_BETWEEN_LINES
        done = self._clock.done
        of, to_go = ("", "") if self._total is None else (f" of {self._total}", f", {self._left(rate)} to go")
        print(f"{self._what}: {done}{of} images, {rate:.1f} img/s{to_go}", file=sys.stderr, flush=True)

    def _left(self, rate: float) -> str:
        minutes = round(max(self._total - self._clock.done, 0) / rate / 60)
        return f"{minutes // 60}h {minutes % 60:02}m"
