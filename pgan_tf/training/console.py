"""What a person sees of a run: a line per tick, what moves between them (bars.py), and log.txt."""

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

from pgan_tf import notebook
from pgan_tf.mirror import in_words
from pgan_tf.training.bars import bars

INDENT = 10  # columns of "device    ", "training  ", "tick 12   "


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
    """Says in a terminal or a notebook what takes so long, as long as it does; a log is spared.

    No bar that moves by a thread of its own: whatever ends the process meanwhile, the terminal is as it was.
    """
    if notebook.in_notebook():
        with contextlib.closing(notebook.Line()) as line:
            line.show(f"{text} ...")
            yield
            line.show("")
        return
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
    """Lines for the screen and log.txt, and what moves between them: `reached`, `busy`, `advance`, see NoBars."""

    def __init__(self, log: Path, total_kimg: float, console: Console | None = None):
        self._file = log.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")
        terminal = False if notebook.in_notebook() else None  # whose streams say that they are one; None: as it says
        self._console = console or Console(
            file=self._screen(), highlight=False, emoji=False, soft_wrap=True, force_jupyter=False,
            force_terminal=terminal,
        )  # fmt: skip
        self._bars = bars(total_kimg, self._console)
        self.reached, self.busy, self.advance = self._bars.reached, self._bars.busy, self._bars.advance

    def _screen(self) -> Screen:
        """Stdout, with a line in log.txt when it ends."""
        screen = sys.stdout if isinstance(sys.stdout, Screen) else Screen(sys.stdout)
        screen.tell = lambda reason: self._file.write(f"stdout: {reason}; going on with this file alone\n")
        if screen.ended:
            screen.tell(screen.ended)
        return screen

    def line(self, text: str) -> None:
        text = in_words(text)
        self._file.write(text + "\n")
        self._console.print(fitted(text, self._console), markup=False)

    def close(self) -> None:
        self._bars.close()
        if isinstance(self._console.file, Screen):
            self._console.file.tell = None
        self._file.close()
