"""Folders that appear under their name only when they are complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgan_tf.data.errors import DataError
from pgan_tf.files import temporary_name


def check_new_folder(folder: str | os.PathLike) -> None:
    """Raises DataError unless `folder` does not exist or is empty."""
    path = Path(folder)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise DataError(f"{path}: exists already; remove it or choose another output folder")


@contextmanager
def new_folder(folder: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary folder to fill; it becomes `folder` if the block succeeds and is removed if it fails.

    A process killed outright leaves the hidden temporary folder behind, never an incomplete `folder`.
    """
    check_new_folder(folder)
    path = Path(folder).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    temporary.mkdir()
    try:
        yield temporary
        if path.is_dir():
            path.rmdir()  # it was empty; the renaming fails on some systems while it is there
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
