"""Folders that appear under their name only when they are complete, whatever happens to the process that makes them."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pgan_tf.data.errors import DataError
from pgan_tf.errors import WAYS_ON, reason
from pgan_tf.files import lock_held, make_folder, settle, sync, temporary_name
from pgan_tf.places import for_each, is_stored, place, size_of, upload
from pgan_tf.text import shown

UNFINISHED = ".unfinished"  # in a folder on a store, while it is written


def check_new_folder(folder: str | os.PathLike) -> None:
    """Raises DataError unless `folder` does not exist or is empty, and has a name that a data set can have."""
    path = place(folder)
    if path.name.startswith("."):
        raise DataError(f"{path}: is a hidden name, as what is half written has; choose one without the dot")
    if shown(path.name) != path.name:
        raise DataError(f"{shown(str(path))}: its name has characters that cannot be shown; choose another one")
    check_whole(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise DataError(f"{path}: exists already; remove it or choose another output folder")


def check_whole(folder: Path) -> None:
    """Raises DataError for a folder on a store whose writing has not come to its end."""
    if is_stored(folder) and (folder / UNFINISHED).exists():
        raise DataError(
            f"{folder}: is being written, or its writing was cut off; if nobody writes it, remove it and write it again"
        )


def beside(out: str | os.PathLike, name: str) -> Path:
    """Where a file called `name`, for the making of `out`, can lie for a while: beside it, or among temporary ones."""
    return Path(tempfile.gettempdir(), name) if is_stored(out) else Path(out).resolve().with_name(name)


def check_readable(file: str | os.PathLike, advice: str) -> None:
    """Raises DataError unless `file` is a regular file that can be opened; `advice`: what to give instead."""
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):  # opening a pipe would wait for its other end
            raise DataError(f"{file}: not a file; {advice}")
        os.close(os.open(file, os.O_RDONLY))
    except FileNotFoundError:
        raise DataError(f"{file}: no such file; {advice}") from None
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {reason(error)}") from error


@contextmanager
def new_folder(folder: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary folder to fill; it becomes `folder` if the block succeeds and is removed if it fails.

    A process killed outright leaves the hidden temporary folder behind, never an incomplete `folder`; the next one that
    makes `folder` removes it. DataError: `folder` has something in it, another process is making it, or the disk fails.
    On a store: see `_new_on_store`.
    """
    check_new_folder(folder)
    if is_stored(folder):
        with _new_on_store(place(folder)) as temporary:
            yield temporary
        return
    path = Path(folder).resolve()
    with storing(folder):
        make_folder(path.parent)
    with _claim(path) as alone:
        check_new_folder(folder)  # the last one to hold the claim may have made it
        if alone:
            _remove_leftovers(path)
        temporary = temporary_name(path)
        with storing(folder):
            temporary.mkdir()
        try:
            yield temporary
            with storing(folder):
                settle(temporary)
                if path.is_dir():
                    path.rmdir()  # it was empty; the renaming fails on some systems while it is there
                temporary.rename(path)
                sync(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _new_on_store(folder: Path) -> Iterator[Path]:
    """The same on a store, which renames nothing: written among the temporary files, then copied file by file.

    While it is copied the folder holds UNFINISHED, by which readers know that it is not whole. If the copying fails,
    what has been copied is removed; of a process that is killed meanwhile it stays, and stays refused.
    """
    with tempfile.TemporaryDirectory(prefix="pgan_tf-") as aside:
        temporary = Path(aside, folder.name)
        temporary.mkdir()
        yield temporary
        check_new_folder(folder)
        with storing(folder):
            _copy_to_store(temporary, folder)


def _copy_to_store(source: Path, folder: Path) -> None:
    files = sorted(source.iterdir())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / UNFINISHED).write_text("")
        for_each(lambda file: upload(file, folder / file.name), files)
        for file in files:
            if size_of(folder / file.name) != size_of(file):
                raise OSError(f"{file.name} was not kept")
        (folder / UNFINISHED).unlink()
    except BaseException:
        with suppress(OSError):
            for file in (*files, Path(UNFINISHED)):  # in this order: what is left of it stays refused
                (folder / file.name).unlink(missing_ok=True)
            folder.rmtree(missing_ok=True)
        raise


@contextmanager
def storing(folder: str | os.PathLike) -> Iterator[None]:
    """Turns what a full disk or a drive that is gone raises within the block into a DataError about `folder`."""
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        way_on = f"the data set was not written: {WAYS_ON.get(error.errno, 'choose another place')}, and run it again"
        raise DataError(f"{folder}: cannot be written: {what}; {way_on}") from error


@contextmanager
def _claim(path: Path) -> Iterator[bool]:
    """Only one process at a time gets through; True where that is certain. DataError while another one is inside.

    By a lock on a hidden file, which the system lifts when a process ends, however it ends. Without locks, as on
    Windows, a second writer is found out when it gives its folder the final name.
    """
    lock = path.with_name(f".tmp-{path.name}.lock")
    busy = DataError(f"{path}: another process is writing it; wait for its end, or choose another output folder")
    with storing(path):
        file = lock.open("ab")
    with file:
        try:
            alone = lock_held(file.fileno())
            if alone and not _is_at(lock, file.fileno()):
                raise busy  # its owner removed the file after we had opened it: others lock a new one
        except BlockingIOError:
            raise busy from None
        try:
            yield alone
        finally:
            with suppress(OSError):
                lock.unlink()


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_leftovers(path: Path) -> None:
    """Removes the temporary folders of processes that were killed while they made `path`."""
    ours = re.compile(rf"\.tmp\d+-{re.escape(path.name)}")
    for entry in path.parent.iterdir():
        if ours.fullmatch(entry.name) and entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
