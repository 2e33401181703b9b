"""Hooks of mkdocs: the page of all options, from where they are declared; what GitHub reads otherwise than mkdocs."""

from __future__ import annotations

import dataclasses
import re

from mkdocs.structure.files import File

from pgan_tf.config import SECTIONS
from pgan_tf.option import option_text
from pgan_tf.text import plain

HEAD = """\
# Options

Of `train.py` as flags, of `pgan_tf.read_config` as keyword arguments; `config.json` of a run holds all of them.
"""


def page() -> str:
    """A table for each section of pgan_tf/config.py."""
    lines = [HEAD]
    for kind in SECTIONS.values():
        lines += [f"## {re.split('[.:]', kind.__doc__)[0]}", "", "| option | default | |", "|---|---|---|"]
        lines += [_row(field, getattr(kind(), field.name)) for field in dataclasses.fields(kind)]
        lines += [""]
    return "\n".join(lines)


def _row(field: dataclasses.Field, default) -> str:
    about = field.metadata
    only = f"; of {', '.join(about['families'])}" if about["families"] else ""
    choices = f": {', '.join(f'`{name}`' for name in about['choices'])}" if about["choices"] else ""
    shown = option_text(default)
    return f"| `{field.name}` | {f'`{shown}`' if shown else ''} | {plain(about['help'])}{choices}{only} |"


def on_files(files, config):
    """Puts the page among those of docs/."""
    files.append(File.generated(config, "options.md", content=page()))
    return files


def on_page_markdown(markdown: str, page, **_) -> str:
    """A bar in the code of a table's cell, which GitHub wants escaped, stands as it is; links to files of the checkout
    that are no pages are their names."""
    markdown = re.sub(r"^\|.*$", lambda row: re.sub(r"`[^`]*`", _unescaped, row[0]), markdown, flags=re.M)
    above = "../" * (page.file.src_uri.count("/") + 1)
    return re.sub(rf"\[([^\]]*)\]\({re.escape(above)}([^)]*)\)", _named, markdown)


def _named(link: re.Match) -> str:
    text, path = link.groups()
    return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"


def _unescaped(code: re.Match) -> str:
    return code[0].replace(r"\|", "|")
