"""What lies in a folder or an archive: pictures, files with labels, and all others, each of them counted.

The one listing that all commands use. Its law: files listed = pictures + left alone, and the report says why.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgan_tf.data.pictures.formats import EXTENSIONS, HEAD_BYTES, looks_like_picture
from pgan_tf.data.sources.sides import DATASET_JSON, Sides

# Why a file is no picture of the set; keys of Listing.noted, and so lines of the report.
HIDDEN = "left alone: hidden, or the system's"
COMPANIONS = "left alone: further pictures of a sample, KEY.more.EXT beside KEY.EXT"
CIRCLES = "left alone: links to a folder that they lie in"
SPECIAL = "left alone: pipes, sockets and devices"
CLOSED = "left alone: folders that cannot be read"
WITH_LABELS = "read for their labels"
# What systems and drives put beside people's files; compared in small letters. (@eaDir holds Synology's thumbnails.)
_CLUTTER = frozenset(
    ("__macosx", "@eadir", "#recycle", "#snapshot", "$recycle.bin", "system volume information", "lost+found",
     "thumbs.db", "ehthumbs.db", "desktop.ini")
)  # fmt: skip
_SAMPLE_FILES = (".cls", ".json", ".txt")  # beside a picture of the same key they make it a sample of webdataset's
_NO_EXTENSION = re.compile(r"(\.[^a-zA-Z]*)?")  # none at all, or one without a letter: `photo`, `photo.2`


@dataclass
class Listing:
    """Attributes:
    pictures: what stands for each picture, in the order of their paths.
    paths: theirs, with slashes, within the folder or archive.
    others: files that are no pictures, by extension. noted: what else is not in the set, by why.
    sides: what the files with labels say. has_index: whether there is a dataset.json that was not read.
    """

    pictures: Sequence[Any] = ()
    paths: list[str] = field(default_factory=list)
    others: Counter = field(default_factory=Counter)
    noted: Counter = field(default_factory=Counter)
    sides: Sides = field(default_factory=Sides)
    has_index: bool = False

    @property
    def besides(self) -> int:
        """How many were listed that are no pictures of the set."""
        return self.others.total() + self.noted.total()

    def notes(self) -> list[str]:
        """Lines for the report."""
        notes = [f"{why} ({count})" for why, count in self.noted.most_common()]
        if self.others:
            kinds = ", ".join(f"{kind or 'no extension'} ({n})" for kind, n in self.others.most_common(5))
            more = f", and {len(self.others) - 5} kinds more" if len(self.others) > 5 else ""
            notes.append(f"left alone {self.others.total()} files that are no pictures: {kinds}{more}")
        return notes


class Sorter:
    """Sorts files one by one into a listing. `add`: keeps a picture."""

    def __init__(self, listing: Listing, add: Callable[[str, Any], None]):
        self.listing, self._add = listing, add

    def take(self, path: str, item: Any, size: int, read: Callable[[int], bytes]) -> None:
        """`path`: with slashes. read: so many of the file's first bytes, or all of them: `size`."""
        if is_hidden(path):
            self.listing.noted[HIDDEN] += 1
        elif is_picture(path, read):
            self._add(path, item)
        elif self.listing.sides.take(path, size, read):
            self.listing.noted[WITH_LABELS] += 1
        else:
            self.listing.others[_extension(path)] += 1
            self.listing.has_index |= path.rpartition("/")[2] == DATASET_JSON


def is_hidden(path: str) -> bool:
    """Whether a path of slashes leads to or through what systems and tools keep for themselves."""
    return any((part[0] == "." and part != "..") or part.lower() in _CLUTTER for part in path.split("/") if part)


def key_of(path: str) -> str:
    """webdataset's key of a sample: its path up to the first dot of the file's name."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + name.partition(".")[0]


def companions(pictures: Iterable[str], paths: Callable[[], Iterable[str]]) -> set[str]:
    """The pictures that are no samples of their own: KEY.more.EXT where there are KEY.EXT and KEY.cls, .json or .txt.

    So is webdataset's format; a picture that has such a file for itself, KEY.more.cls, is one. `paths`: those of all
    files; they are asked for only where a picture's name has more than one dot.
    """
    pictures = list(pictures)
    doubtful = [path for path in pictures if _stem(path) != key_of(path)]
    if not doubtful:
        return set()
    keys = {key_of(path) for path in doubtful}
    whole = {_stem(path) for path in pictures} & keys
    asked = keys | {_stem(path) for path in doubtful}
    labelled = {_stem(path) for path in paths() if _extension(path) in _SAMPLE_FILES} & asked
    return {path for path in doubtful if key_of(path) in whole & labelled and _stem(path) not in labelled}


def list_folder(folder: str | os.PathLike, sides: Sides | None = None) -> Listing:
    """The pictures in and below `folder` as relative paths, sorted.

    Told by extension, without one by their first bytes. Of hidden folders only the folder is counted. Links to folders
    are followed, but not those to a folder that they lie in. Only files are ever opened: a pipe would wait for ever.
    """
    listing = Listing(sides=sides or Sides())
    sorter, files = Sorter(listing, lambda path, item: listing.paths.append(path)), []
    closed: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=closed.append, followlinks=True):
        shown = [name for name in folders if not is_hidden(name)]
        listing.noted[HIDDEN] += len(folders) - len(shown)
        ways = [name for name in shown if not _leads_back(Path(parent, name))]
        listing.noted[CIRCLES] += len(shown) - len(ways)
        folders[:] = ways
        inner = os.path.relpath(parent, folder).replace(os.sep, "/")
        for name in names:
            path = name if inner == "." else f"{inner}/{name}"
            files.append(path)
            _take_file(sorter, path, os.path.join(parent, name))
    further = companions(listing.paths, lambda: files)
    listing.noted.update({COMPANIONS: len(further), CLOSED: len(closed)})
    listing.noted += Counter()  # without zeros
    listing.pictures = listing.paths = sorted(set(listing.paths) - further)
    return listing


def _take_file(sorter: Sorter, path: str, file: str) -> None:
    try:
        status = os.stat(file)
    except OSError:  # a link to nothing; where its name promises a picture, the report says that it cannot be read
        status = None
    if status and not stat.S_ISREG(status.st_mode):
        sorter.listing.noted[SPECIAL] += 1
        return

    def read(count: int) -> bytes:
        with open(file, "rb") as opened:
            return opened.read(count)

    sorter.take(path, path, status.st_size if status else 0, read)


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one of those around it: all pictures there would come over and over."""
    return folder.is_symlink() and folder.resolve() in [around.resolve() for around in folder.absolute().parents]


def is_picture(path: str, read: Callable[[int], bytes]) -> bool:
    """By the extension; without one, by the file's first bytes."""
    extension = _extension(path)
    if extension in EXTENSIONS:
        return True
    try:
        return _NO_EXTENSION.fullmatch(extension) is not None and looks_like_picture(read(HEAD_BYTES))
    except Exception:  # whatever cannot be read; it is counted with the files that are no pictures
        return False


def _extension(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]
