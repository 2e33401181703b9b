"""Files and folders that appear under their name only when they are complete, and locks on them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


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
def new_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary folder to fill; it replaces `path` if the block succeeds and is removed if it fails."""
    path = Path(path).resolve()
    temporary, old = temporary_name(path), path.with_name(f".old{os.getpid()}-{path.name}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            path.rename(old)
        temporary.rename(path)
    finally:
        if old.exists() and not path.exists():  # the second renaming failed
            old.rename(path)
        for leftover in (temporary, old):
            shutil.rmtree(leftover, ignore_errors=True)


def lock_held(descriptor: int) -> bool:
    """Whether the file or folder is ours now; False where the system has no locks. BlockingIOError: someone else's."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # some network drives
        return False
    return True


def sha256(path: str | os.PathLike) -> str:
    """The SHA-256 of a file's bytes."""
    found = hashlib.sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 22):
            found.update(piece)
    return found.hexdigest()
