"""The folder of a run on a store: a copy on the disk is worked in, and what changes there is copied to the store.

On a store nothing is renamed, added to or locked. What holds there instead: every file is whole, as it was at one
moment. A checkpoint's manifest comes last, and a checkpoint counts by it alone. What a checkpoint goes on from, the
rows of metrics.jsonl before it, comes before it; and an older one goes when the newer one is there.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pgan_tf import stamps
from pgan_tf.errors import UserError
from pgan_tf.metrics.errors import MetricError
from pgan_tf.places import StoreError, download, for_each, is_stored, place, upload

EVERY = 30.0  # seconds between two looks at what has changed
_IDLE = 9  # times as long as a copying took nothing is copied: growing files are copied whole each time
_CHECKPOINTS, _MANIFEST, _CONFIG = "checkpoints/", "/manifest.json", ("config.json", "data.json")
_UNFINISHED = re.compile(r"(.*/)?\.(tmp|old)", re.DOTALL)
_NEWEST = ("fakes", "scores", "latents")  # of these pictures a run that goes on needs the newest


class NotCopied(StoreError):
    """A store did not take what was made for it. One line that says where it is."""


_mirrors: dict[Path, Mirror] = {}  # that are kept up, by their folder on the disk
_roots: dict[str, str] = {}  # {a folder of the disk: the one on a store whose copies it holds}


# ---- names -----------------------------------------------------------------------------------------------------------


def in_words(text: str) -> str:
    """A text for the user: of folders that are copies it names what they are copies of."""
    for here, there in tuple(_roots.items()):
        text = text.replace(here, there)
    return text


def original(folder: Path) -> Path:
    """What a folder is a copy of, or it itself."""
    said = in_words(str(folder))
    return place(said) if is_stored(said) else folder


def up_to_date(folder: Path) -> Path:
    """`original`, which has now what its copy has. OSError."""
    if folder in _mirrors:
        _mirrors[folder].push()
    return original(folder)


# ---- what of a run is copied -----------------------------------------------------------------------------------------


def all_but_events(names: list[str]) -> list[str]:
    """All of a run that our programs read: TensorBoard's files only grow, and are read on the store."""
    return [name for name in names if not name.startswith("events.out.tfevents")]


def to_go_on(names: list[str]) -> list[str]:
    """What a training goes on with: no networks of before, no pictures but the newest."""
    left = [name for name in all_but_events(names) if not re.fullmatch(r"network-[\d.]+\.keras", name)]
    for kind in _NEWEST:
        ours = [name for name in left if name.startswith(kind) and stamps.kimg(Path(name)) is not None]
        old = sorted(ours, key=lambda name: stamps.kimg(Path(name)))[:-1]
        left = [name for name in left if name not in old]
    return left


# ---- both sides ------------------------------------------------------------------------------------------------------


class Mirror:
    """A folder `here`, on the disk, and its copy `there`, on a store."""

    def __init__(self, here: Path, there: Path):
        self.here, self.there = here, there
        self._one_at_a_time = threading.Lock()
        self._copied: dict[str, tuple[int, int]] = {}  # {name: (size, time of change) when it was the same there}

    def pull(self, choose: Callable[[list[str]], list[str]]) -> None:
        """Brings the files that are chosen among the names of all."""
        names = choose(_stored_names(self.there))
        for folder in {os.path.dirname(name) for name in names} | {""}:
            (self.here / folder).mkdir(parents=True, exist_ok=True)
        for_each(lambda name: download(self.there / name, self.here / name), names)
        self._copied = self._look()

    def push(self) -> None:
        """Copies what has changed since the last time, and removes what is here no more. OSError."""
        with self._one_at_a_time:
            self._push(self._look())

    def _push(self, now: dict[str, tuple[int, int]]) -> None:
        changed = [name for name, state in now.items() if self._copied.get(name) != state]
        for stage in range(3):
            for_each(lambda name: self._upload(name, now[name]), [name for name in changed if _stage(name) == stage])
        gone = [name for name in self._copied if name not in now]
        for stage in reversed(range(3)):  # what it counts by goes first
            for_each(self._remove, [name for name in gone if _stage(name) == stage])

    def _look(self) -> dict[str, tuple[int, int]]:
        found = {}
        for folder, _, files in os.walk(self.here):  # which passes over a folder that is gone meanwhile
            for path in (Path(folder, file) for file in files):
                name = path.relative_to(self.here).as_posix()
                with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                    status = path.stat()
                    if path.is_file() and not _UNFINISHED.match(name):
                        found[name] = status.st_size, status.st_mtime_ns
        return found

    def _upload(self, name: str, state: tuple[int, int]) -> None:
        target = self.there / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            upload(self.here / name, target)
        except OSError:
            if (self.here / name).exists():
                raise  # else it is an older checkpoint, which a newer one has replaced
        else:
            self._copied[name] = state

    def _remove(self, name: str) -> None:
        (self.there / name).unlink(missing_ok=True)
        del self._copied[name]


def _stage(name: str) -> int:
    """When a file is copied: the run's own, those of checkpoints, what these count by."""
    return name.startswith(_CHECKPOINTS) + (name.startswith(_CHECKPOINTS) and name.endswith(_MANIFEST))


def _stored_names(folder: Path, above: str = "") -> list[str]:
    """All files in a folder on a store and below it, by their names within. OSError."""
    paths = sorted(folder.iterdir())
    names = []
    for path, is_folder in zip(paths, for_each(type(folder).is_dir, paths), strict=True):
        names += _stored_names(path, f"{above}{path.name}/") if is_folder else [above + path.name]
    return names


# ---- folders to work in ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def working(folder: Path, choose: Callable[[list[str]], list[str]] = all_but_events) -> Iterator[Path]:
    """A folder on the disk to work in: `folder` itself or, of one on a store, a copy whose changes go there.

    Of one that is not there the copy is empty. NotCopied: what was done did not all go there.
    """
    if not is_stored(folder):
        yield folder
        return
    with copied(folder, choose) as mirror, kept_up(mirror):
        yield mirror.here


@contextlib.contextmanager
def fetched(path: Path) -> Iterator[Path]:
    """A network on the disk, for the block: `path` itself or, of a file, a checkpoint or a folder on a store, a copy.

    With a network comes what lies beside it and says how it was trained.
    """
    if not is_stored(path) or not path.exists():
        yield path
        return
    whole = path.is_dir() and not (path / "counters.json").exists()
    run = path if whole else path.parent.parent if path.is_dir() else path.parent
    inner = "" if whole else str(path)[len(str(run)) + 1 :]

    def chosen(names: list[str]) -> list[str]:
        mine = [name for name in names if name == inner or name.startswith(f"{inner}/") or name in _CONFIG]
        return all_but_events(names) if whole else mine

    with copied(run, chosen) as mirror:
        yield mirror.here / inner


@contextlib.contextmanager
def copied(folder: Path, choose: Callable[[list[str]], list[str]]) -> Iterator[Mirror]:
    """A copy of a folder on a store, as far as it is chosen, for the block."""
    with scratch(folder.parent) as root:
        mirror = Mirror(root / folder.name, folder)
        mirror.here.mkdir()
        if folder.is_dir():
            mirror.pull(choose)
        yield mirror


@contextlib.contextmanager
def scratch(there: Path) -> Iterator[Path]:
    """A new folder on the disk for copies of what lies in `there`, by whose name errors within the block speak of it.

    It is removed at the end, but for NotCopied.
    """
    root = tempfile.mkdtemp(prefix="pgan_tf-")
    _roots[root] = str(there)
    try:
        yield Path(root)
    except NotCopied:
        raise
    except (UserError, MetricError) as error:
        error.args = (in_words(str(error)), *error.args[1:])
        shutil.rmtree(root, ignore_errors=True)
        raise
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise
    else:
        shutil.rmtree(root, ignore_errors=True)
    finally:
        del _roots[root]


@contextlib.contextmanager
def kept_up(mirror: Mirror) -> Iterator[None]:
    """Copies what changes to the store within the block, and what is left to copy at its end."""
    mirror.push()
    _mirrors[mirror.here] = mirror
    end = threading.Event()
    thread = threading.Thread(target=_keep_up, args=(mirror, end), name="mirror", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
        del _mirrors[mirror.here]
        try:
            mirror.push()
        except OSError as error:
            raise NotCopied(f"{error}; what it lacks is kept in {mirror.here}: copy it to {mirror.there}") from error


def _keep_up(mirror: Mirror, end: threading.Event) -> None:
    """Until the end has come. A store that cannot be reached for a while is tried again."""
    wait, silent = EVERY, True
    while not end.wait(wait):
        began = time.monotonic()
        try:
            mirror.push()
            silent = True
        except OSError as error:
            if silent:
                print(f"warning: {error}; the run goes on, and this is tried again", file=sys.stderr)
            silent = False
        wait = max(EVERY, _IDLE * (time.monotonic() - began))
