"""Links in an archive, resolved within it as a system would resolve them after unpacking; none leads outside."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from pgan_tf.data.errors import DataError
from pgan_tf.data.sources.listing import CIRCLES, HIDDEN, is_hidden
from pgan_tf.data.sources.members import read_first
from pgan_tf.data.sources.scanning import Found

OUTSIDE = "left alone: links that lead out of the archive"
NOWHERE = "left alone: links to nothing in the archive"
ENDLESS = "left alone: links that lead in a circle"
REPLACED = "left alone: replaced by a later file of the same name in the archive"
_MOST_LINKS = 40  # on one way, as in Linux
_MOST_FILES = 100_000  # behind links to folders, beyond ten times as many as there are without

Tree = dict[str, Found]  # by path


class _Lost(Exception):
    """A way that ends nowhere; its text is a reason to note."""


class _Place(NamedTuple):
    """A folder on the way through the archive: the path by which it was reached, what it really is, the one before."""

    seen: str
    real: str
    before: _Place | None

    def is_around(self, real: str) -> bool:
        """Whether `real` is this folder, or one of those before it."""
        place: _Place | None = self
        while place is not None and place.real != real:
            place = place.before
        return place is not None


def unpacked(scan: Callable[[], Iterator[Found]], noted: Counter) -> Iterator[Found]:
    """The archive's files as unpacking would leave them, those behind links under the names of the links too.

    Yields nothing that is a link, and counts in `noted` why one is none of a file. DataError where links to folders
    within folders make far more files than there are.
    """
    tree: Tree = {}
    for found in scan():
        if found.hard:
            target = tree.get(found.link)
            if target is None:
                noted[NOWHERE] += 1
                continue
            found = target._replace(path=found.path)
        noted[REPLACED] += found.path in tree
        tree[found.path] = found
    left = 10 * len(tree) + _MOST_FILES
    for found in _walk(tree, noted):
        left -= 1
        if left < 0:
            raise DataError("its links to folders make far more files than it holds; unpack it and give the folder")
        yield found._replace(read=partial(read_first, found.member)) if found.member else found


def _walk(tree: Tree, noted: Counter) -> Iterator[Found]:
    """All files, as a walk from the first folder on sees them that follows links, but none back to where it is."""
    folders = _folders(tree)
    places = [_Place("", "", None)]
    while places:
        place = places.pop()
        for name, is_folder in folders[place.real].items():
            seen, real = _join(place.seen, name), _join(place.real, name)
            if is_folder:
                places.append(_Place(seen, real, place))
            found = tree.get(real)
            if found is None:
                continue
            if found.link is None:
                yield found._replace(path=seen)
            elif is_hidden(seen):
                noted[HIDDEN] += 1
            else:
                yield from _behind(real, seen, place, places, tree, folders, noted)


def _behind(
    link: str, seen: str, place: _Place, places: list[_Place], tree: Tree, folders: dict, noted: Counter
) -> Iterator[Found]:
    """The file behind a link; or its folder becomes one of `places` to walk through."""
    try:
        real = _resolve(link, tree)
    except _Lost as reason:
        noted[str(reason)] += 1
        return
    if real in tree:
        yield tree[real]._replace(path=seen)
    elif real not in folders:
        noted[NOWHERE] += 1
    elif place.is_around(real):
        noted[CIRCLES] += 1
    else:
        places.append(_Place(seen, real, place))


def _resolve(path: str, tree: Tree) -> str:
    """Where a path leads when all links on the way are followed. Raises _Lost."""
    real, parts, links = "", path.split("/")[::-1], 0
    while parts:
        part = parts.pop()
        if part == ".." and not real:
            raise _Lost(OUTSIDE)
        if part in ("", ".", ".."):
            real = posixpath.dirname(real) if part == ".." else real
            continue
        found = tree.get(_join(real, part))
        if found is None or found.link is None:
            real = _join(real, part)
            continue
        links += 1
        if found.link.startswith("/"):
            raise _Lost(OUTSIDE)
        if links > _MOST_LINKS:
            raise _Lost(ENDLESS)
        parts += found.link.split("/")[::-1]
    return real


def _folders(tree: Tree) -> dict[str, dict[str, bool]]:
    """{folder: {what is in it: whether that is a folder}}."""
    folders: dict[str, dict[str, bool]] = {"": {}}
    for path in tree:
        inner, is_folder = path, False
        while True:
            folder, _, name = inner.rpartition("/")
            known = folder in folders
            content = folders.setdefault(folder, {})
            content[name] = content.get(name, False) or is_folder
            if known:
                break
            inner, is_folder = folder, True
    return folders


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
