"""Text as people have it and read it: small files of any system, names that are shown, times in words."""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 200  # columns

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # of Windows


def decode(content: bytes, errors: str = "strict") -> str:
    """UTF-8, or what a byte order mark says (Windows' editors and shells write one). UnicodeDecodeError if strict."""
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    return content.decode(encoding, errors)


def read_text(path: str | os.PathLike) -> str:
    """A whole text file. Raises what reading raises, and UnicodeDecodeError, a ValueError."""
    return decode(Path(path).read_bytes())


def shown(text: str) -> str:
    """A name for people: what would break a line or is no text (bytes of a file's name) is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def plain(text: str) -> str:
    """A name as Markdown that shows it as it is, on one line."""
    return re.sub(r"([\\`*_\[\]<>|~&#])", r"\\\1", shown(text))


def digits(value: float, count: int) -> str:
    """(0.1234, 2) -> '0.12', (165.4, 2) -> '165': so many digits, and of large numbers all before the point."""
    return f"{value:.{count}g}" if abs(value) < 10**count - 0.5 else f"{value:.0f}"


def duration(seconds: float) -> str:
    """93784 -> '1d 02h 03m', 125 -> '2m 05s'."""
    minutes, s = divmod(int(seconds + 0.5), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days}d {h:02}h {m:02}m"
    return f"{hours}h {m:02}m {s:02}s" if hours else f"{m}m {s:02}s"


def table_console() -> Console:
    """Prints tables: as wide as the terminal, and in a file or a pipe so wide that nothing need be broken."""
    from rich.console import Console

    width = None if Console().is_terminal else WIDE  # None: the terminal's
    return Console(width=width, highlight=False, markup=False, emoji=False)
