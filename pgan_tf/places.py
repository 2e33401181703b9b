"""Where a user's word for a file or a folder leads: to the disk, or to a store such as gs://bucket/folder.

On the disk it is a pathlib.Path and nothing else. On a store it is a path of etils' epath, which has pathlib's methods,
over TensorFlow's file systems (gs://, and ram:// in memory) or, where TensorFlow knows the scheme not, over those of
fsspec (s3:// by s3fs, az:// by adlfs, ...). A store has no locks, no links, no renaming and no appending that cost
little: what is written there is written aside on the disk, and then copied whole.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import functools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from pgan_tf.errors import UserError
from pgan_tf.files import new_file
from pgan_tf.quiet import silence

AT_ONCE = 128  # requests to a store
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+)://")  # two letters at least: one is a drive

Item = TypeVar("Item")
Result = TypeVar("Result")


class StoreError(UserError, OSError):
    """A store that cannot be reached, or refuses. One line that names the place."""

    status = 1


class PlaceError(UserError):
    """A place that cannot be used for what it was given for. One line that names it."""


# What fsspec opens that is no store of files, or is on this machine.
_NO_STORES = {
    "file", "local", "ftp", "sftp", "ssh", "http", "https", "zip", "tar", "data", "git", "github", "reference",
}  # fmt: skip


# ---- words -----------------------------------------------------------------------------------------------------------


def scheme(word: str | os.PathLike) -> str:
    """'gs' of gs://bucket/folder; '' of what is on the disk, file:///folder included."""
    match = _SCHEME.match(os.fspath(word)) if isinstance(word, (str, os.PathLike)) else None
    kind = match[1].lower() if match else ""
    return "" if kind == "file" else kind


def is_stored(word: str | os.PathLike) -> bool:
    """Whether a path leads to a store."""
    return bool(scheme(word))


def place(word: str | os.PathLike) -> Path:
    """The path that a user's word means. PlaceError, one line, for a store that nothing here can speak to."""
    if isinstance(word, Path) or type(word).__module__ == __name__:
        return word
    text = os.fspath(word)
    kind = scheme(text)
    if kind:
        try:
            return _path_class(kind)(kind + text[len(kind) :])
        except PlaceError as error:
            raise PlaceError(f"{text}: {error}") from None
    return Path(text[len("file://") :] if text.lower().startswith("file:///") else text)


def absolute(word: str | os.PathLike) -> str:
    """The same place by a name that means it from any folder."""
    return str(place(word)) if is_stored(word) else os.path.abspath(place(word))


def name_of(word: str | os.PathLike) -> str:
    """The last part of a place's name, also of '.'."""
    return place(word).name if is_stored(word) else place(word).resolve().name


def check_on_disk(word: str, what: str) -> str:
    """The word itself. PlaceError for a place on a store, where `what` cannot be."""
    if is_stored(word):
        raise PlaceError(f"{word}: {what} has to be on a disk; copy it there, or give a local name")
    return word


# ---- stores ----------------------------------------------------------------------------------------------------------


@functools.cache
def _path_class(kind: str) -> type:
    """epath's path for a scheme; it lists a few, and the others are made like them."""
    os.environ.setdefault("GCS_READ_CACHE_DISABLED", "1")  # else TensorFlow fetches blocks of 128 MB for each read
    from etils.epath import gpath

    class StorePath(gpath.PosixGPath):
        """A path on a store."""

        _uri_scheme, store = kind, _store(kind)
        _backend = _Told(store.backend)

        @property
        def _path_str(self) -> str:
            parts = self.parts[1:] if self.parts[:1] != ("/",) else self.parts[2:]  # ('/', 'gs', ..) of those it lists
            return f"{kind}://" + "/".join(parts)

        def __reduce__(self):
            return place, (str(self),)

        def resolve(self, strict: bool = False):
            return self

    StorePath.__module__ = __name__
    return StorePath


def _store(kind: str) -> _TensorFlow | _Fsspec:
    """Who speaks to the stores of a scheme. PlaceError where nobody does."""
    import fsspec

    with silence():
        import tensorflow as tf

    if kind in tf.io.gfile.get_registered_schemes():
        return _TensorFlow(kind)
    try:
        if kind in _NO_STORES:
            raise ValueError(kind)
        fsspec.get_filesystem_class(kind)
    except ValueError:
        known = "gs://, s3://, az://, hdfs://"
        raise PlaceError(
            f"{kind}:// is no store that this program can use, as {known} are; copy it to a disk"
        ) from None
    except ImportError as error:
        raise PlaceError(f"{kind}:// needs a plug-in: {_plug_in(error)}; or copy it to a disk") from None
    return _Fsspec(kind)


def _plug_in(error: ImportError) -> str:
    """'pip install s3fs', of what fsspec says."""
    module = re.search(r"pip install (\S+)|[Ii]nstall (\S+)", str(error))
    return f"pip install {(module[1] or module[2]).strip('.,')}" if module else str(error).splitlines()[0]


class _TensorFlow:
    """TensorFlow's own file systems."""

    def __init__(self, kind: str):
        from etils.epath import backend

        self.backend, self._replaces = backend.tf_backend, kind != "ram"  # a file in memory would be added to

    def opened(self, path: str) -> Any:
        """A file to read ranges of."""
        return self.backend.gfile.GFile(path, "rb")

    def read(self, file: Any, offset: int, length: int) -> bytes:
        file.seek(offset)
        return file.read(length)

    def put(self, source: str, target: str) -> None:
        """A file of the disk to the store, where it appears whole."""
        if not self._replaces and self.backend.gfile.exists(target):
            self.backend.gfile.remove(target)
        self.backend.gfile.copy(source, target, overwrite=True)

    def get(self, source: str, target: str) -> None:
        """A file of the store to the disk."""
        self.backend.gfile.copy(source, target, overwrite=True)


class _Fsspec:
    """fsspec's, one of a scheme."""

    def __init__(self, kind: str):
        import fsspec
        from etils.epath import backend

        # What it remembers of folders others may have changed.
        self._system = system = functools.partial(fsspec.filesystem, kind, use_listings_cache=False)

        class Backend(type(backend.fsspec_backend)):
            def fs(self, path: str | os.PathLike) -> Any:
                """That of any scheme."""
                return system()

        self.backend = Backend()

    def opened(self, path: str) -> str:
        return path

    def read(self, file: str, offset: int, length: int) -> bytes:
        return self._system().cat_file(file, start=offset, end=offset + length)

    def put(self, source: str, target: str) -> None:
        self._system().put_file(source, target)

    def get(self, source: str, target: str) -> None:
        self._system().get_file(source, target)


class _Told:
    """A backend of epath whose faults are a line that names the place."""

    def __init__(self, backend: Any):
        self._backend = backend

    def __getattr__(self, name: str) -> Callable:
        method = getattr(self._backend, name)
        around = _opened if name == "open" else _called
        return functools.partial(around, method)


def _called(method: Callable, path: str, *arguments: Any, **options: Any) -> Any:
    with told(path):
        return method(path, *arguments, **options)


@contextlib.contextmanager
def _opened(method: Callable, path: str, mode: str) -> Iterator[Any]:
    with told(path), method(path, mode) as file:
        yield file


@contextlib.contextmanager
def told(path: str | os.PathLike) -> Iterator[None]:
    """Within, what a store's library raises becomes StoreError, or the FileNotFoundError that it means."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        kind = type(error)
        if kind.__name__ == "NotFoundError" or isinstance(error, FileNotFoundError):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
        if kind.__module__ == "builtins" and not isinstance(error, OSError):
            raise  # a fault of ours
        words = (getattr(error, "message", None) or str(error) or kind.__name__).splitlines()[0]
        raise StoreError(f"{path}: the store does not do it: {words}") from error


# ---- files of stores -------------------------------------------------------------------------------------------------


def for_each(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """function(item) of all items, in their order, which wait for the store at the same time."""
    items = list(items)
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(len(items), AT_ONCE), thread_name_prefix="file") as pool:
        return list(pool.map(function, items))


class Ranges:
    """A file on a store of which ranges are read, by many threads at once."""

    def __init__(self, path: Path):
        self.path, self._idle = path, collections.deque(maxlen=2)  # open files, which have buffers

    def read(self, offset: int, length: int) -> bytes:
        """Fewer bytes at the end of the file. OSError."""
        store = self.path.store
        with told(self.path):
            try:
                file = self._idle.pop()
            except IndexError:
                file = store.opened(str(self.path))
            content = store.read(file, offset, length)
        self._idle.append(file)
        return content


def size_of(path: Path) -> int:
    """Of a file, in bytes. OSError."""
    status = path.stat()
    return status.length if is_stored(path) else status.st_size


def upload(file: Path, to: Path) -> None:
    """Copies a file of the disk to a store, where it appears whole. OSError; then it is not there."""
    try:
        with told(to):
            to.store.put(str(file), str(to))
    except BaseException:
        with contextlib.suppress(OSError):
            to.unlink(missing_ok=True)
        raise


def download(path: Path, to: Path) -> None:
    """Copies a file of a store to the disk, where it appears whole. OSError."""
    with new_file(to, settled=False) as temporary, told(path):
        path.store.get(str(path), str(temporary))
