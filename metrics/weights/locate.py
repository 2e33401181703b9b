"""Where a file of weights is: named by the user, or where the known tools leave it; and whether it is the known file.

A file that is found is used only if its sha256 is that of the published one. A file that the user names is used
whatever it is (its tensors are checked by name and shape later), but a line says that it is not the published one.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .. import home
from ..errors import MetricError


class WeightFile(NamedTuple):
    """A file and its sha256 (hexadecimal)."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Published:
    """A published set of weights.

    Attributes:
        title: what it is, for messages.
        variable: the environment variable that may name the file.
        sums: {file name: sha256, or None where it is not known}, in the order in which they are looked for.
        advice: what to do when there is none, for messages.
    """

    title: str
    variable: str
    sums: Mapping[str, str | None]
    advice: str


def folders() -> list[Path]:
    """The current folder, torch.hub's cache (by TORCH_HOME, XDG_CACHE_HOME) and Keras' (by KERAS_HOME)."""
    cache = home.cache()
    torch = Path(os.environ.get("TORCH_HOME") or cache / "torch")
    keras = Path(os.environ.get("KERAS_HOME") or home.home() / ".keras")
    return [Path("."), torch / "hub" / "checkpoints", keras / "models"]


def find(published: Published, named: str | os.PathLike | None = None) -> WeightFile:
    """The file `named`, else the one that the environment variable names, else the first in the usual folders.

    MetricError if the named file is missing, if a file in the usual folders is not the published one, or if there is
    none: then it lists where was looked.
    """
    named = named or os.environ.get(published.variable)
    if named:
        return _identified(published, _existing(Path(os.path.expanduser(named))))
    path = _cached(published)
    if path is None:
        places = ", ".join(str(folder) for folder in folders())
        raise MetricError(
            f"no weights of {published.title}: looked for {' or '.join(published.sums)} in {places};"
            f" {published.advice}, or name the file by --weights or {published.variable}"
        )
    file, known = WeightFile(path, sha256_of(path)), published.sums[path.name]
    if known is None:
        _warn(file, f"its sum cannot be checked against a published one of {published.title}")
    elif file.sha256 != known:
        raise MetricError(
            f"{path}: not the published {published.title} (sha256 {file.sha256[:8]}.. instead of {known[:8]}..);"
            f" delete it and fetch it again, or name it by {published.variable} to use it all the same"
        )
    return file


def available(published: Published) -> bool:
    """Whether `find` has something to find, right or wrong, with nothing named."""
    return bool(os.environ.get(published.variable)) or _cached(published) is not None


def sha256_of(path: str | os.PathLike) -> str:
    """The sha256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def blamed_on(path: str | os.PathLike) -> Iterator[None]:
    """Puts the file's name in front of the MetricErrors raised within the block."""
    try:
        yield
    except MetricError as error:
        raise MetricError(f"{path}: {error}") from error


def _cached(published: Published) -> Path | None:
    candidates = (folder / name for name in published.sums for folder in folders())
    return next((path for path in candidates if path.is_file()), None)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MetricError(f"{path}: no such file of weights")
    return path


def _identified(published: Published, path: Path) -> WeightFile:
    file = WeightFile(path, sha256_of(path))
    if file.sha256 not in published.sums.values():
        _warn(file, f"this is not the published {published.title}")
    return file


def _warn(found: WeightFile, text: str) -> None:
    print(f"warning: {found.path}: {text}; its sha256 is {found.sha256}", file=sys.stderr)
