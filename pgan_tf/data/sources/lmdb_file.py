"""LMDB databases, read without LMDB: its library maps the file, and a damaged or hostile one ends the whole process.

A file is pages of one size. The first two say where the newest tree begins; its branches hold keys and page numbers,
its leaves keys and values, or the numbers of the pages where long values lie. Keys ascend, as bytes (all numbers are
little-endian):

    page    u64 number | u16 - | u16 kind | u16 end of the offsets | u16 - | u16 offsets of its nodes
    node    u16, u16 size of the value, low and high | u16 flags | u16 size of the key | key | value
    meta    page of kind 8: u32 magic | u32 version | u64, u64 - | two trees | u64 last page | u64 transaction
    tree    u32 page size (of the first one) | u16 flags | u16 depth | u64, u64, u64 - | u64 entries | u64 root

Source: the description of the format in the documentation and the header of LMDB 0.9; no code of theirs.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pgan_tf.data.errors import DataError
from pgan_tf.data.stored import StoredBytes

_MAGIC, _VERSION = 0xBEEFC0DE, 1
_BRANCH, _LEAF, _OVERFLOW, _META = 1, 2, 4, 8
_LONG = 1  # flag of a node whose value lies on pages of its own
_NOWHERE = 2**64 - 1  # the root of an empty tree
_HEADER, _NODE = 16, 8  # bytes of a page and a node before their content
_MOST_DEPTH = 32  # the library's own
_PAGES_KEPT = 64
_META_STRUCT = struct.Struct("<QHHHH II QQ IHH QQQ QQ IHH QQQ QQ QQ")


class _Tree(NamedTuple):
    page_size: int
    last_page: int
    transaction: int
    depth: int
    entries: int
    root: int


class Node(NamedTuple):
    """An entry of a page: its key, its flags, and where in the page the rest of it begins and how long that is."""

    key: bytes
    flags: int
    size: int
    begin: int


class LMDBFile:
    """A database of keys and values. Every number in it is checked before it is used. DataError: it is damaged."""

    def __init__(self, path: Path):
        self.path = path
        self._file = StoredBytes(path)
        first = self._meta(0, 0)
        if first.page_size & (first.page_size - 1) or not 256 <= first.page_size <= 65536:
            raise self._damaged(f"pages of {first.page_size} bytes")
        self._tree = max(first, self._meta(1, first.page_size), key=lambda tree: tree.transaction)
        if (self._tree.last_page + 1) * first.page_size > self._file.size:
            raise DataError(f"{path}: is truncated; download it again")
        self._page_size = first.page_size
        self._page = lru_cache(maxsize=_PAGES_KEPT)(self._read_page)  # neighbours in order are on the same ones
        if self._tree.depth > _MOST_DEPTH:
            raise self._damaged(f"a tree of {self._tree.depth} levels")

    def keys(self) -> Iterator[bytes]:
        """All keys, in their order."""
        waiting = [(self._tree.root, 1)] if self._tree.root != _NOWHERE else []
        last, pages, count = None, 0, 0
        while waiting:
            number, depth = waiting.pop()
            pages += 1
            if pages > self._tree.last_page + 1 or depth > self._tree.depth:
                raise self._damaged("its pages lead back to themselves")
            _, kind, nodes = self._page(number)
            if kind == _BRANCH:
                waiting += [(self._child(node), depth + 1) for node in reversed(nodes)]
                continue
            for node in nodes:
                if last is not None and node.key <= last:
                    raise self._damaged("its keys are in no order")
                last, count = node.key, count + 1
                yield last
        if count != self._tree.entries:
            raise self._damaged(f"{count} of its {self._tree.entries} keys are there")

    def value(self, key: bytes) -> bytes:
        """The value of a key. KeyError where there is none, DataError where it is not to be had."""
        number = self._tree.root
        for _ in range(self._tree.depth):
            page, kind, nodes = self._page(number)
            if not nodes:
                break
            if kind == _BRANCH:  # the first key stands for all that are smaller
                number = self._child(nodes[bisect_right([node.key for node in nodes[1:]], key)])
                continue
            node = next((node for node in nodes if node.key == key), None)
            if node is None:
                break
            return self._value(node, page)
        raise KeyError(key)

    def _value(self, node: Node, page: bytes) -> bytes:
        if node.flags & ~_LONG:
            raise self._damaged("a value that is a database of its own")
        if not node.flags & _LONG:
            return page[node.begin : node.begin + node.size]
        (number,) = struct.unpack_from("<Q", page, node.begin)
        begin = number * self._page_size + _HEADER
        if not 1 < number <= self._tree.last_page or begin + node.size > self._file.size:
            raise self._damaged("a value beyond its end")
        if struct.unpack_from("<H", self._file.read(begin - _HEADER, _HEADER), 10)[0] != _OVERFLOW:
            raise self._damaged("a value where there is none")
        return self._file.read(begin, node.size)

    def _read_page(self, number: int) -> tuple[bytes, int, list[Node]]:
        """A page of the tree, its kind, its entries."""
        if not 1 < number <= self._tree.last_page:
            raise self._damaged(f"there is no page {number}")
        page = self._file.read(number * self._page_size, self._page_size)
        own, _, kind = struct.unpack_from("<QHH", page)
        if kind not in (_BRANCH, _LEAF) or own != number:
            raise self._damaged(f"page {number} is of kind {kind}, number {own}")
        return page, kind, list(self._nodes(number, page))

    def _nodes(self, number: int, page: bytes) -> Iterator[Node]:
        """The entries of a page, each of them within it."""
        kind, end = struct.unpack_from("<HH", page, 10)
        if not _HEADER <= end <= len(page) or end % 2:
            raise self._damaged(f"page {number} has no entries")
        for (offset,) in struct.iter_unpack("<H", page[_HEADER:end]):
            if offset + _NODE > len(page):
                raise self._damaged(f"an entry beyond page {number}")
            low, high, flags, key_size = struct.unpack_from("<HHHH", page, offset)
            begin = offset + _NODE + key_size
            size, held = low | high << 16, 0
            if kind == _LEAF:
                held = 8 if flags & _LONG else size
            if begin + held > len(page):
                raise self._damaged(f"an entry beyond page {number}")
            yield Node(page[offset + _NODE : begin], flags, size, begin)

    def _child(self, node: Node) -> int:
        return node.size | node.flags << 32

    def _meta(self, number: int, offset: int) -> _Tree:
        """What one of the first two pages says of the newest tree."""
        if offset + _META_STRUCT.size > self._file.size:
            raise self._damaged("it is too short")
        fields = _META_STRUCT.unpack(self._file.read(offset, _META_STRUCT.size))
        own, _, kind, _, _, magic, version, _, _, page_size = fields[:10]
        if (own, kind, magic) != (number, _META, _MAGIC):
            raise self._damaged("its first pages are not those of one")
        if version != _VERSION:
            raise DataError(f"{self.path}: version {version} of LMDB's format; only {_VERSION} can be read")
        _, flags, depth, _, _, _, entries, root, last_page, transaction = fields[17:]
        if flags:
            raise DataError(f"{self.path}: an LMDB database with several values or numbers for a key; LSUN has none")
        return _Tree(page_size, last_page, transaction, depth, entries, root)

    def _damaged(self, what: str) -> DataError:
        return DataError(f"{self.path}: no LMDB database, or damaged: {what}; download it again")
