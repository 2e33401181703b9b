"""What a person sees of a run: a live progress bar in a terminal, one line per tick elsewhere, and log.txt."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from pgan_tf.schedule import Stage


def duration(seconds: float) -> str:
    """93784 -> '1d 02h 03m', 125 -> '2m 05s'."""
    minutes, s = divmod(int(seconds + 0.5), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days}d {h:02}h {m:02}m"
    return f"{hours}h {m:02}m {s:02}s" if hours else f"{m}m {s:02}s"


@contextlib.contextmanager
def waiting(text: str, console: Console | None = None) -> Iterator[None]:
    """Says in a terminal what takes so long, as long as it does; a log is spared.

    No bar that moves by a thread of its own: whatever ends the process meanwhile, the terminal is as it was.
    """
    console = console or Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        yield
        return
    print(f"{text} ...", end="\r", file=console.file, flush=True)
    try:
        yield
    finally:
        print(" " * (len(text) + 4), end="\r", file=console.file, flush=True)


class ConsoleLog:
    """Lines for the terminal and log.txt, and two bars: the whole run and the stage."""

    def __init__(self, log: Path, total_kimg: float, console: Console | None = None):
        self._file = log.open("a", buffering=1, encoding="utf-8")
        self._console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._bars, self._total = None, total_kimg
        if self._console.is_terminal:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description:<18}"),
                BarColumn(bar_width=None),
                TextColumn("{task.completed:.1f}/{task.total:.1f} kimg  {task.fields[note]}"),
            )
            self._bars = Progress(*columns, console=self._console, expand=True, refresh_per_second=4)
            self._run = self._bars.add_task("run", total=total_kimg, note="")
            self._stage = self._bars.add_task("starting", total=1.0, note="")
            self._bars.start()

    def line(self, text: str) -> None:
        self._file.write(text + "\n")
        self._console.print(text, markup=False)

    def busy(self, text: str) -> None:
        """What happens while the bars stand still."""
        if self._bars is not None:
            self._bars.update(self._stage, description=text, note="")

    def advance(
        self, kimg: float, stage: Stage, stage_span: tuple[float, float], eta: float, rate: float, losses: tuple
    ) -> None:
        """Moves the bars: thousands of images, the stage's first and last, seconds to go, images/s, (D, G) losses."""
        if self._bars is None:
            return
        start, end = stage_span
        self._bars.update(self._run, completed=min(kimg, self._total), note=f"ETA {duration(eta)}  {rate:.1f} img/s")
        note = f"loss D {losses[0]:+.3f} G {losses[1]:+.3f}"
        self._bars.update(
            self._stage, description=str(stage), total=end - start, completed=min(kimg, end) - start, note=note
        )  # fmt: skip

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._file.close()
