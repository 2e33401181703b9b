"""What an HDF5 file may hold to be read: data sets whose bytes lie in it.

A link may lead to any file of this machine, a data set's bytes may lie in one (external storage) or be put together
from several (virtual). Whoever passes on such a file would be sent ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

MOST_OBJECTS = 100_000  # groups and data sets
MOST_CHUNK = 2**28  # bytes that reading one number may unpack


class HDF5Error(ValueError):
    """Something that does not belong into a file of numbers: what, without the file's name."""


def own_datasets(file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """Yields each data set with its path in `file`. HDF5Error where one, or a link, leads to another file."""
    import h5py

    waiting, seen = [("/", file)], set()
    while waiting:
        path, item = waiting.pop()
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:  # it has two names, or a group holds itself
            continue
        seen.add(address)
        if len(seen) + len(waiting) > MOST_OBJECTS:
            raise HDF5Error(f"has more than {MOST_OBJECTS:,} parts")
        if isinstance(item, h5py.Dataset):
            _check_place(path, item)
            yield path, item
        elif isinstance(item, h5py.Group):
            waiting += [(_join(path, name), item[name]) for name in _names(path, item)]


def _names(path: str, group: h5py.Group) -> Iterator[str]:
    """The names in a group that stand for its own parts."""
    import h5py

    for count, name in enumerate(group):
        if count == MOST_OBJECTS:
            raise HDF5Error(f"has more than {MOST_OBJECTS:,} parts")
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise HDF5Error(f"{shown(_join(path, name))} is a link to another file, {shown(link.filename)}")
        if not isinstance(link, h5py.SoftLink):  # what such a link leads to has a name of its own, or is not there
            yield name


def _join(path: str, name: str) -> str:
    return f"{path}/{name}".lstrip("/")


def _check_place(name: str, item: h5py.Dataset) -> None:
    if item.external:
        raise HDF5Error(f"{shown(name)} has its numbers in another file, {shown(item.external[0][0])}")
    if item.is_virtual:
        raise HDF5Error(f"{shown(name)} is virtual: its numbers are those of other files")


def check_whole(name: str, item: h5py.Dataset) -> None:
    """HDF5Error unless a data set has plain numbers, as many as it declares, in pieces that fit into memory."""
    if item.shape is None or item.dtype.kind not in "biufV" or item.dtype.fields is not None:
        raise HDF5Error(f"{shown(name)} holds {item.dtype}, not plain numbers")
    if item.chunks is None:
        missing = item.id.get_storage_size() < item.nbytes
    else:
        missing = item.id.get_num_chunks() < math.prod(-(-n // c) for n, c in zip(item.shape, item.chunks, strict=True))
        if math.prod(item.chunks) * item.dtype.itemsize > MOST_CHUNK:
            raise HDF5Error(f"{shown(name)} is packed in pieces {list(item.chunks)}, more than {MOST_CHUNK:,} bytes")
    if missing:
        raise HDF5Error(f"{shown(name)} {list(item.shape)} has less numbers than it declares")


def shown(name: object) -> str:
    """A name out of a foreign file as it may stand in a line on the terminal."""
    return repr(name)[:100]
