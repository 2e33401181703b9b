"""What a person sees of a run: a live progress bar in a terminal, one line per tick elsewhere, and log.txt."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from pgan_tf.stages import Stage

INDENT = 10  # columns of "device    ", "training  ", "tick 12   "


def duration(seconds: float) -> str:
    """93784 -> '1d 02h 03m', 125 -> '2m 05s'."""
    minutes, s = divmod(int(seconds + 0.5), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days}d {h:02}h {m:02}m"
    return f"{hours}h {m:02}m {s:02}s" if hours else f"{m}m {s:02}s"


def fitted(line: str, console: Console) -> str:
    """A line as it is; in a terminal that is narrower it is broken between words, and goes on under its second column
    where it has one ("device    AMD ...").

    Nothing is broken within a word: a command, a path, an option can be copied.
    """
    if not console.is_terminal or len(line) <= console.width:
        return line
    indent = " " * INDENT if line[:INDENT].endswith("  ") else ""
    parts = textwrap.wrap(
        line, max(console.width, 2 * INDENT), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(parts)


def show(lines: Iterable[str]) -> None:
    """Prints lines, each fitted to the terminal."""
    console = Console(file=sys.stdout)
    print("\n".join(fitted(line, console) for line in lines))


@contextlib.contextmanager
def waiting(text: str, console: Console | None = None) -> Iterator[None]:
    """Says in a terminal what takes so long, as long as it does; a log is spared.

    No bar that moves by a thread of its own: whatever ends the process meanwhile, the terminal is as it was.
    """
    console = console or Console(file=sys.stdout, highlight=False, emoji=False)
    if not console.is_terminal:
        yield
        return
    print(f"{text} ...", end="\r", file=console.file, flush=True)
    try:
        yield
    finally:
        print(" " * (len(text) + 4), end="\r", file=console.file, flush=True)


class Screen(io.TextIOBase):
    """A stream that may end before we do: a closed pipe, a full disk. From then on nothing is written to it."""

    def __init__(self, stream: TextIO | None):
        self._stream = stream
        self.ended: str | None = None  # why
        self.tell: Callable[[str], object] | None = None  # is called with it

    @property
    def encoding(self) -> str:
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str) -> int:
        self._try(lambda stream: stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(lambda stream: stream.flush())

    def _try(self, act: Callable[[TextIO], object]) -> None:
        if self._stream is None:
            return
        try:
            act(self._stream)
        except (OSError, ValueError) as error:  # ValueError: it is closed
            stream, self._stream = self._stream, None
            self.ended = getattr(error, "strerror", None) or str(error)
            if self.tell:
                self.tell(self.ended)
            with contextlib.suppress(OSError, ValueError):  # what others write there, and what is still in its buffer
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class ConsoleLog:
    """Lines for the terminal and log.txt, and two bars: the whole run and the stage."""

    def __init__(self, log: Path, total_kimg: float, console: Console | None = None):
        self._file = log.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")
        self._console = console or Console(file=self._screen(), highlight=False, emoji=False, soft_wrap=True)
        self._bars, self._total = None, total_kimg
        if self._console.is_terminal:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description:<18}", markup=False),
                BarColumn(bar_width=None),
                TextColumn("{task.completed:.1f}/{task.total:.1f} kimg  {task.fields[note]}"),
            )
            self._bars = Progress(*columns, console=self._console, expand=True, refresh_per_second=4)
            self._run = self._bars.add_task("run", total=total_kimg, note="")
            self._stage = self._bars.add_task("starting", total=1.0, note="")
            self._bars.start()

    def _screen(self) -> Screen:
        """Stdout, with a line in log.txt when it ends."""
        screen = sys.stdout if isinstance(sys.stdout, Screen) else Screen(sys.stdout)
        screen.tell = lambda reason: self._file.write(f"stdout: {reason}; going on with this file alone\n")
        if screen.ended:
            screen.tell(screen.ended)
        return screen

    def line(self, text: str) -> None:
        self._file.write(text + "\n")
        self._console.print(fitted(text, self._console), markup=False)

    def reached(self, kimg: float) -> None:
        """Where a run goes on, before its first call."""
        if self._bars is not None:
            self._bars.update(self._run, completed=min(kimg, self._total))

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
        if isinstance(self._console.file, Screen):
            self._console.file.tell = None
        self._file.close()
