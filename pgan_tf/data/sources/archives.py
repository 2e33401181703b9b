"""Pictures in archives and webdataset shards, read where they are.

An archive is listed once; then each picture is read from its place in the file, in any order, by any process. No name
in an archive becomes the name of a file, so none can lead outside of anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from pgan_tf.data.errors import DataError
from pgan_tf.data.sources.links import REPLACED, unpacked
from pgan_tf.data.sources.listing import COMPANIONS, Listing, Sorter, companions, is_hidden, is_picture
from pgan_tf.data.sources.members import Members
from pgan_tf.data.sources.packing import Scratch, check_archive, is_archive_name, stem_of
from pgan_tf.data.sources.scanning import SCANNERS, Found, reading
from pgan_tf.data.sources.sides import Sides

SPECIAL = "left alone: neither files nor links that unpacking makes files of"
_RANGE = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}")
_MOST_ARCHIVES = 10**6

Scan = Callable[[], Iterator[Found]]


def find_archives(path: str | os.PathLike) -> list[str]:
    """The archives that `path` means: itself, a pattern a-{000..123}.tar, or a folder of nothing but archives.

    Told by their first bytes, whatever they are called. Empty where it means a folder of pictures. Raises DataError.
    """
    text = os.fspath(path)
    if os.path.isdir(text):
        return _archives_in(text)
    archives = [text] if os.path.exists(text) else _expand(text)
    if len(archives) == 1 and not os.path.exists(text):
        return []
    for archive in archives:
        if not os.path.isfile(archive):
            raise DataError(f"{archive}: no such file")
        check_archive(archive)
    return archives


def list_members(archives: Sequence[str], scratch: Scratch, sides: Sides | None = None) -> Listing:
    """The pictures in the archives as Members, and what else lies there.

    Of several archives, a path begins with the archive's name without extension, as if that were a folder. Of files
    with one name in one archive the last counts, as if they were unpacked. Raises DataError.
    """
    listing, members, further = Listing(sides=sides or Sides()), Members(), set()
    for archive, prefix in zip(archives, _prefixes(archives), strict=True):
        with reading(archive):
            place, packing = scratch.readable(archive, several=len(archives) > 1)
            further |= _list_one(partial(SCANNERS[packing], place, prefix), listing, members)
    replaced, dropped = members.sort(further)
    listing.noted.update({REPLACED: replaced, COMPANIONS: dropped})
    listing.noted = +listing.noted  # without zeros
    listing.pictures, listing.paths = members, members.paths()
    return listing


def _list_one(scan: Scan, listing: Listing, members: Members) -> set[str]:
    """Adds an archive's files; returns the pictures that are no samples of their own."""
    first, part = members.mark(), Listing(sides=listing.sides)
    files: Callable[[], Iterable[Found]] = scan
    if not _take_all(scan(), part, members):  # it has links
        members.cut(first)
        part = Listing(sides=listing.sides)
        files = partial(unpacked, scan, part.noted)
        _take_all(files(), part, members)
    listing.others += part.others
    listing.has_index |= part.has_index
    listing.noted += part.noted
    return companions(members.added(first), lambda: (found.path for found in files()))


def _take_all(files: Iterable[Found], listing: Listing, members: Members) -> bool:
    """False as soon as a file is a link: what that means only the whole list tells."""
    sorter = Sorter(listing, lambda path, member: members.add(member._replace(path=path)))
    for found in files:
        if found.link is not None:
            return False
        if found.member is None:
            listing.noted[SPECIAL] += 1
        else:
            sorter.take(found.path, found.member, found.member.size, found.read)
    return True


# ---- which archives --------------------------------------------------------------------------------------------------


def _expand(text: str) -> list[str]:
    """a-{08..11}.tar -> a-08.tar, a-09.tar, a-10.tar, a-11.tar; as a shell with braces does."""
    names, most = [text], _MOST_ARCHIVES
    while match := _RANGE.search(names[0]):
        low, high = match.groups()
        numbers = range(int(low), int(high) + 1)
        most //= max(1, len(numbers))
        if not numbers or not most:
            raise DataError(f"{text}: {match[0]} must rise, and all of the pattern means a million archives at most")
        wanted = [f"{number:0{len(low)}d}" for number in numbers]
        names = [name.replace(match[0], number, 1) for name in names for number in wanted]
    return names


def _archives_in(folder: str) -> list[str]:
    """The archives in a folder that has neither pictures nor folders; else none."""
    entries = sorted((entry for entry in os.scandir(folder) if not is_hidden(entry.name)), key=lambda entry: entry.name)
    archives = [entry.path for entry in entries if is_archive_name(entry.name) and entry.is_file()]
    if not archives or any(entry.is_dir() or _is_picture(entry) for entry in entries):
        return []
    return archives


def _is_picture(entry: os.DirEntry) -> bool:
    def read(count: int) -> bytes:
        with open(entry.path, "rb") as file:
            return file.read(count)

    return entry.is_file() and is_picture(entry.name, read)


def _prefixes(archives: Sequence[str]) -> list[str]:
    """The folder that each of several archives stands for: the shortest names that tell all of them apart."""
    if len(archives) == 1:
        return [""]
    common = os.path.commonpath([os.path.abspath(os.path.dirname(archive)) for archive in archives])
    ways: list[Callable[[str], str]] = [stem_of, os.path.basename, lambda name: os.path.relpath(name, common)]
    for way in ways:
        names = [way(archive).replace(os.sep, "/") for archive in archives]
        if len(set(names)) == len(names):
            break
    return [f"{name}/" for name in names]
