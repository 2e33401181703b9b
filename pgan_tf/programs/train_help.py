"""`train.py --help`: examples, what is used most, then every option by section."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from pgan_tf.called import WIDTH, as_called, page
from pgan_tf.config import SECTIONS
from pgan_tf.option import option_text

COLUMN = 32  # where the explanations begin
HEAD = """\
Trains a progressive GAN, or goes on with a run. Examples:

  train.py --flagfile=quickstart                   a configuration; those of configs/ are found from anywhere
  train.py --flagfile=quickstart --total_kimg=50   what is said directly wins over the flagfile
  train.py --dataset=datasets/cats --preset=small   your images, in an hour or in --hours=...
  train.py --dataset=datasets/cats --dry_run       stages, memory and time on this machine; starts nothing
  train.py --dataset=datasets/cats --metrics=swd,fid
  train.py --resume=results/00000-cats-s1000       goes on after any kind of stop
"""
FOOT = (
    "A flagfile has a flag on each line. Exit status: 0 done, or stopped and saved; 1 a fault on the way; 2 bad input."
)
FLAGFILE = ("flagfile", None, "file of flags, or the name of one of configs/: quickstart, rr, cpu/rr")
MOST_USED = ["dataset", "total_kimg", "resolution", "max_label_size", "mirror_augment", "metrics", "result_dir"]

Row = tuple[str, Any, str]  # name, default, what it is


def text(program_flags: Iterable) -> str:
    """The page. program_flags: absl's flags of the program itself, which are no options of a run."""
    options = {row[0]: row for kind in SECTIONS.values() for row in _rows(kind)}
    own = [(flag.name, flag.default, flag.help) for flag in program_flags]
    lines = [page(HEAD), "", "Used most", *_lines([FLAGFILE, *(options[name] for name in MOST_USED), *own])]
    for kind in SECTIONS.values():
        if rows := [row for row in _rows(kind) if row[0] not in MOST_USED]:
            lines += ["", kind.__doc__.partition(".")[0], *_lines(rows)]
    return "\n".join([*lines, "", page(FOOT)])


def _rows(kind: type) -> Iterator[Row]:
    for field in dataclasses.fields(kind):
        choices = f" ({', '.join(field.metadata['choices'])})" if field.metadata["choices"] else ""
        yield field.name, getattr(kind(), field.name), field.metadata["help"] + choices


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    for name, default, what in rows:
        if default is None or default is False or default in ("", {}):
            flag = f"--{name}" + ("" if default is False else "=...")
        else:
            flag = f"--{name}={f'{default:g}' if isinstance(default, float) else option_text(default)}"
        wrapped = textwrap.wrap(as_called(what), WIDTH - COLUMN, break_on_hyphens=False)
        if len(flag) > COLUMN - 4:
            yield f"  {flag}"
        else:
            yield f"  {flag:<{COLUMN - 2}}{wrapped.pop(0)}"
        yield from (" " * COLUMN + line for line in wrapped)
