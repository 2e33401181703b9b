"""Files and folders that appear under their name only when they are complete and on the disk, and locks on them.

What happens to the process, or to the machine's power, at any moment: a name means either what it meant before or
what is new, whole. A disk may carry out a renaming before it has the content of what is renamed; so the content is
settled first, then the name, and only then does what was there before go.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path

from pgan_tf import signals

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_SYNCING = 16  # files at a time: a disk settles many for little more than the price of one


_TEMPORARY = r"\.(?P<kind>tmp|old)(?P<process>\d+)-"  # before the name that is meant


# ---- names -----------------------------------------------------------------------------------------------------------


def temporary_name(path: Path) -> Path:
    """A hidden name beside `path`, so that renaming stays within one file system; the process id keeps two runs apart.

    The suffix stays: some writers choose their format by it.
    """
    return path.with_name(f".tmp{os.getpid()}-{path.name}")


def intended_name(path: str | bytes | os.PathLike) -> str:
    """The name that a temporary one is to get; any other as it is."""
    return re.sub(_TEMPORARY + r"(?=[^/\\]+$)", "", os.fsdecode(path), flags=re.ASCII)


def _old_name(path: Path) -> Path:
    """Where what `path` held is while something else takes its place."""
    return path.with_name(f".old{os.getpid()}-{path.name}")


# ---- whole or not there ----------------------------------------------------------------------------------------------


@contextmanager
def new_file(path: str | os.PathLike, settled: bool = True) -> Iterator[Path]:
    """Yields a temporary name to write; it replaces `path` if the block succeeds and is removed if it fails.

    `settled`: the file is on the disk when this returns. Without, sooner or later: for what can be made again.
    """
    path = Path(path)
    if settled:
        clear_away(path)
    temporary = temporary_name(path)
    try:
        yield temporary
        if settled:
            settle(temporary)
        os.replace(temporary, path)
        if settled:
            sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_output(path: str | os.PathLike) -> Iterator[Path]:
    """`new_file` for what a user asked for by name: the folders that its name speaks of are made."""
    make_folder(Path(path).parent)
    with new_file(path) as temporary:
        yield temporary


@contextmanager
def new_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary folder to fill; it replaces `path` if the block succeeds and is removed if it fails."""
    path = Path(path).resolve()
    clear_away(path)
    temporary = temporary_name(path)
    try:
        make_folder(path.parent)
        temporary.mkdir()
        yield temporary
        replace_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def replace_folder(new: Path, path: Path) -> None:
    """Gives the folder `new` the name `path`, and removes what had it. On the disk when this returns.

    No system lets Python exchange two folders at once. Between the two renamings signals wait; of a process that is
    killed there, `clear_away` puts the old folder back.
    """
    settle(new)
    old = _old_name(path)
    with signals_deferred():
        if path.exists():
            os.rename(path, old)
        try:
            os.rename(new, path)
        except OSError:
            if old.exists():
                os.rename(old, path)
            raise
    sync(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def clear_away(path: str | os.PathLike) -> None:
    """Removes what processes that are gone have left of making `path`; puts back what one was about to replace."""
    path = Path(path).resolve()
    _clear_away(path.parent, re.escape(path.name))


def clear_folder(folder: Path) -> None:
    """The same for everything that was made in a folder which is this process's alone."""
    _clear_away(folder, ".+")


def _clear_away(folder: Path, names: str) -> None:
    ours = re.compile(rf"{_TEMPORARY}(?P<name>{names})", re.ASCII | re.DOTALL)
    with suppress(OSError):  # no such folder: whoever writes there will say so
        leftovers = [(match, entry) for entry in folder.iterdir() if (match := ours.fullmatch(entry.name))]
        for match, entry in leftovers:
            if _is_running(int(match["process"])):
                continue
            if match["kind"] == "old" and not (folder / match["name"]).exists():
                os.rename(entry, folder / match["name"])
            elif entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    """Whether it is another process that is there. Where asking would do harm (Windows) all are."""
    if process == os.getpid():  # the number of one that is gone: this one is only about to begin
        return False
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    return True


# ---- on the disk -----------------------------------------------------------------------------------------------------


def settle(path: Path) -> None:
    """Returns when a file, or a folder and all that is in it, is on the disk and not only on its way. OSError."""
    if not path.is_dir():
        sync(path)
        return
    folders, files = [], []
    for root, _, names in os.walk(path):
        folders.append(Path(root))
        files += [Path(root, name) for name in names]
    with ThreadPoolExecutor(_SYNCING) as pool:
        list(pool.map(sync, files))
    for folder in reversed(folders):
        sync(folder)


def sync(path: str | os.PathLike) -> None:
    """Returns when a file's content, or the names in a folder, are on the disk. Some file systems know no folders'."""
    folder = os.path.isdir(path)
    if folder and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if folder or os.name != "nt" else os.O_RDWR | os.O_BINARY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not folder or error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def make_folder(path: str | os.PathLike) -> None:
    """Makes a folder, and those above it, where they are not there yet; on the disk when this returns. OSError."""
    path = Path(path)
    if not path.is_dir():
        if path.parent != path:  # a drive that is not there
            make_folder(path.parent)
        if path.exists():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(path))
        path.mkdir(exist_ok=True)
        sync(path.parent)


def place_fault(folder: str | os.PathLike) -> str | None:
    """Why nothing can be written into a folder, which need not be there yet; None if it can. Leaves nothing behind."""
    place = Path(folder).absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        return f"{place} is a file"
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".tmp", dir=place))
    except OSError as error:
        return f"{place}: {error.strerror}"
    return None


def names_besides(folder: Path, patterns: Iterable[str]) -> list[str]:
    """What `folder` holds that no pattern (as in `*.png`) names: what a command must not take for its own."""
    return sorted(path.name for path in folder.iterdir() if not any(fnmatchcase(path.name, own) for own in patterns))


def append_text(path: str | os.PathLike, text: str) -> None:
    """Adds `text` to the end of a file, or of a new one; it is on the disk when this returns."""
    path = Path(path)
    new = not path.exists()
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync(path.parent)


# ---- signals, locks, hashes ------------------------------------------------------------------------------------------


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Within the block signals that end a program wait for its end. (To other threads than the main one none come.)"""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    try:
        with signals.handled(lambda number, _: came.append(number)):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)


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
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 22):
            digest.update(piece)
    return digest.hexdigest()
