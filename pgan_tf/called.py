"""How our programs are called: `python train.py` in the checkout, `pgan-train` where the package is installed."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from pgan_tf import CHECKOUT

WIDTH = 100  # columns of a page of help
MODULE = "python -m pgan_tf"  # and the program's name
_SCRIPT = re.compile(r"(?<![\w./-])(python )?(train|dataset_tool|evaluate|experiment|generate|network_tool)\.py\b")


def installed(program: str) -> str:
    """The installed command of a program: dataset_tool -> pgan-dataset."""
    return f"pgan-{program.removesuffix('_tool')}"


def as_called(text: str) -> str:
    """A text that names our scripts, with the commands that its reader has: as this process was called itself."""
    program = sys.argv[0] if sys.argv else ""
    if program.startswith(MODULE):
        return _SCRIPT.sub(lambda match: f"{MODULE} {match[2]}", text)
    if CHECKOUT and not os.path.basename(program).startswith("pgan-"):
        return text
    return _SCRIPT.sub(lambda match: installed(match[2]), text)


def page(text: str) -> str:
    """A text of help, `as_called` and set to WIDTH: prose is filled; of indented lines, which are examples, what is
    said behind them, after three spaces or more, stands in a column."""
    lines = as_called(text).splitlines()
    return "\n".join(line for kind, group in groupby(lines, _kind) for line in kind(list(group)))


def _kind(line: str) -> Callable[[list[str]], Iterable[str]]:
    """How lines of a kind are set: examples, empty ones, prose."""
    return _examples if line.startswith("  ") else _prose if line else list


def _prose(lines: list[str]) -> list[str]:
    return textwrap.wrap(" ".join(lines), WIDTH, break_on_hyphens=False)


def _examples(lines: list[str]) -> Iterator[str]:
    rows = [re.split(" {3,}", line.strip(), maxsplit=1) for line in lines]
    column = max((len(row[0]) for row in rows if len(row) == 2), default=0) + 3
    beside = all(column + 2 + len(row[1]) <= WIDTH for row in rows if len(row) == 2)
    for command, *said in rows:
        if said and beside:
            yield f"  {command:<{column}}{said[0]}"
            continue
        yield from (f"  # {words}" for words in said)
        yield "  " + " \\\n      ".join(textwrap.wrap(command, WIDTH - 8, break_on_hyphens=False))
