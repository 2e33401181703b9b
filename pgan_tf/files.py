"""Files and folders that appear under their name only when they are complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def temporary_name(path: Path) -> Path:
    """A hidden name beside `path`, so that renaming stays within one file system; the process id keeps two runs apart.

    The suffix stays: some writers choose their format by it.
    """
    return path.with_name(f".tmp{os.getpid()}-{path.name}")


@contextmanager
def new_file(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary name to write; it replaces `path` if the block succeeds and is removed if it fails."""
    path = Path(path)
    temporary = temporary_name(path)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replaced_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary folder to fill; it takes the place of `path` if the block succeeds, and is removed if not.

    The caller has made sure that a folder which is there already may go.
    """
    path = Path(path)
    temporary = temporary_name(path)
    old = temporary.with_name(f"{temporary.name}.old")
    try:
        temporary.mkdir()
        yield temporary
        if path.exists():
            path.rename(old)
        temporary.rename(path)
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        for folder in (temporary, old):
            shutil.rmtree(folder, ignore_errors=True)
