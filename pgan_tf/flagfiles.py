"""Flagfiles: found by path or by name, and read as the words of a command line.

A line is a flag; empty lines and those that begin with # or // say nothing. `--flagfile=` inside reads another one.
Those of configs/ are in the installed package too, so `--flagfile=quickstart` means the same in every folder. The
comment at their head says by `data` how the data set is made.
"""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from pathlib import Path

from pgan_tf import CHECKOUT
from pgan_tf.option import ConfigError, shown
from pgan_tf.text import read_text

CONFIGS = (CHECKOUT or Path(__file__).resolve().parent) / "configs"
FLAGS, SUITE = ".flags", ".toml"
MOST_BYTES = 2**20  # of a flagfile
_FLAGFILE = re.compile(r"--?flagfile=(.*)")
_DATA = re.compile(r"#   data +(.*)")
_MORE = re.compile(r"#    {6,}(.*)")


def find(name: str, suffix: str = FLAGS, named_in: Path | None = None, about: str = "") -> Path:
    """The file that `name` means: a path, with or without the suffix, from the working directory or from the folder of
    the file that it is named in; else one of ours, such as quickstart, cpu/rr or configs/cpu/rr.flags.

    Files of ours mean files of ours, whatever lies in the working directory. ConfigError: there is no such file;
    `about` says what asks for it.
    """
    given, among = os.path.expanduser(name), _ours(name, suffix)
    places = [given, f"{given}{suffix}", *among]
    if named_in is not None:
        beside = named_in.parent / given
        own = CONFIGS in named_in.resolve().parents
        places = [*among, *places] if own else [*places[:2], beside, f"{beside}{suffix}", *among]
    for path in map(Path, places):
        if path.is_file():
            return path
    where = f"{named_in}: " if named_in else ""
    kind = "flagfile" if suffix == FLAGS else "suite file"
    raise ConfigError(f"{where}{about}there is no {kind} {name!r}; those that come with pgan_tf: {_listed(suffix)}")


def _listed(suffix: str) -> str:
    """The names of our files, of those in folders the folders alone, of which there are many: 'rr, .., cpu/.. (9)'."""
    alone = [name for name in known(suffix) if "/" not in name]
    folders = Counter(name.split("/")[0] for name in known(suffix) if "/" in name)
    return ", ".join([*alone, *(f"{folder}/... ({count})" for folder, count in folders.items())])


def _ours(name: str, suffix: str) -> list[Path]:
    name = name.removeprefix("configs/").removesuffix(suffix)
    return [CONFIGS / f"{name}{suffix}"] if name in known(suffix) else []


def known(suffix: str = FLAGS) -> list[str]:
    """The names of our files, as `find` takes them from anywhere."""
    return sorted(path.relative_to(CONFIGS).with_suffix("").as_posix() for path in CONFIGS.rglob(f"*{suffix}"))


def first(words: list[str]) -> list[str]:
    """The words of a command line, those of its flagfiles read and in front: what is said directly always wins."""
    names, others = split(words)
    return [*(flag for name in names for flag in read(find(name))), *others]


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """The names of the flagfiles among the words of a command line, and the other words."""
    names, others, rest = [], [], list(words)
    while rest:
        word, *rest = rest
        if word == "--":
            return names, [*others, word, *rest]
        if word in ("--flagfile", "-flagfile") and rest:
            word, rest = f"--flagfile={rest[0]}", rest[1:]
        match = _FLAGFILE.fullmatch(word)
        names.append(match[1]) if match else others.append(word)
    return names, others


def read(path: Path, within: tuple[Path, ...] = ()) -> list[str]:
    """The flags of a file and, in their place, of those that it names; `within`: the files that name this one.

    ConfigError: it is no text, it includes itself, or it names a file that is not there.
    """
    if path.resolve() in within:
        raise ConfigError(f"{path}: includes itself by --flagfile; take that line out")
    words = []
    for line in _lines(path):
        if match := _FLAGFILE.fullmatch(line):
            words += read(find(match[1], named_in=path), (*within, path.resolve()))
        elif line and not line.startswith(("#", "//")):
            if not line.startswith("-"):
                raise ConfigError(f"{path}: {shown(line)}: options begin with --")
            words.append(line)
    return words


def data_recipe(path: Path) -> str:
    """How the data set of a flagfile is made, by the head of the file or of one that it names; '' if none says it."""
    lines = _lines(path)
    for number, line in enumerate(lines):
        if found := _DATA.fullmatch(line):
            more = itertools.takewhile(bool, map(_MORE.fullmatch, lines[number + 1 :]))
            return " && ".join([found[1], *(match[1] for match in more)])
    inner = (find(match[1], named_in=path) for line in lines if (match := _FLAGFILE.fullmatch(line)))
    return next(filter(None, map(data_recipe, inner)), "")


def fault(error: Exception) -> str:
    """What absl says of a flag, in a line that the flag's value cannot make endless."""
    text = " ".join(str(error).removeprefix("ERROR:: ").split())
    return text if len(text) <= 300 else f"{text[:140]} ... {text[-140:]}"


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{path}: is {path.stat().st_size} bytes; a flagfile has a flag on each line")
        text = read_text(path)
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; a flagfile has a flag on each line") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if re.search(r"[\0-\x08\x0e-\x1f]", text):
        raise ConfigError(f"{path}: is not text; a flagfile has a flag on each line")
    return [line.strip() for line in text.split("\n")]
