"""LMDB read without its library: the same keys and values, and no file that ends the process."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from pgan_tf.data import DataError
from pgan_tf.data.sources.lmdb_file import LMDBFile

lmdb = pytest.importorskip("lmdb")

PAGE = 4096


def write(folder, entries: dict[bytes, bytes], **options):
    with lmdb.open(str(folder), map_size=2**26, **options) as environment:
        for part in range(2):  # in two transactions: the newest one counts
            with environment.begin(write=True) as transaction:
                for key, value in list(entries.items())[part::2]:
                    transaction.put(key, value)
    return folder / "data.mdb"


RANDOM = np.random.RandomState(0)
SETS = {
    "few": {b"a": b"1", b"b": b""},
    "long values": {b"%d" % i: RANDOM.bytes(int(RANDOM.randint(0, 20_000))) for i in range(60)},
    "two levels": {RANDOM.bytes(20): b"%d" % i for i in range(500)},
    "three levels": {b"%05d" % i + b"k" * 400: b"%d" % i for i in range(2000)},
}


@pytest.mark.parametrize("name", SETS)
def test_the_same_as_the_library(name, tmp_path):
    entries = SETS[name]
    database = LMDBFile(write(tmp_path / "db", entries))
    assert list(database.keys()) == sorted(entries)
    assert {key: database.value(key) for key in entries} == entries
    for key in (b"", b"\0", b"zzzz", next(iter(entries)) + b"\0"):
        with pytest.raises(KeyError):
            database.value(key)


def test_deleted_entries_are_gone(tmp_path):
    path = write(tmp_path / "db", SETS["two levels"])
    gone = sorted(SETS["two levels"])[::3]
    with lmdb.open(str(tmp_path / "db"), map_size=2**26) as environment, environment.begin(write=True) as transaction:
        for key in gone:
            transaction.delete(key)
    assert list(LMDBFile(path).keys()) == sorted(SETS["two levels"].keys() - set(gone))


def test_an_empty_one(tmp_path):
    assert list(LMDBFile(write(tmp_path / "db", {})).keys()) == []


# ---- damage ----------------------------------------------------------------------------------------------------------


def everything(path) -> str:
    """Reads all keys of a file and some values; what is said about it, nothing if it can be read."""
    try:
        database = LMDBFile(path)
        for key in list(database.keys())[::40]:
            database.value(key)
    except (DataError, KeyError) as error:
        return str(error) or "no such key"
    return ""


@pytest.mark.parametrize("name", ["long values", "three levels"])
def test_damage_anywhere_is_one_line_or_other_content(name, tmp_path):
    path, rng = write(tmp_path / "db", SETS[name]), np.random.RandomState(1)
    whole = path.read_bytes()
    pages = [at for at in range(0, len(whole), PAGE) if whole[at + 10] in (1, 2, 4, 8)]
    said = 0
    for case in range(200):
        content, page = bytearray(whole), pages[rng.randint(len(pages))] if case % 2 else PAGE * rng.randint(2)
        for _ in range(rng.randint(1, 4)):
            content[page + rng.randint(160 if case % 3 else PAGE)] = rng.randint(256)
        path.write_bytes(content if case % 5 else content[: rng.randint(len(content))])
        message = everything(path)
        assert "\n" not in message
        said += bool(message)
    assert said > 50


def patched(path, tree: dict[int, bytes] | None = None, pages: dict[int, bytes] | None = None) -> None:
    """Overwrites bytes of both meta pages, and of the file."""
    content = bytearray(path.read_bytes())
    for offset, value in (tree or {}).items():
        for meta in (0, PAGE):
            content[meta + offset : meta + offset + len(value)] = value
    for offset, value in (pages or {}).items():
        content[offset : offset + len(value)] = value
    path.write_bytes(content)


ROOT, DEPTH, FLAGS, LAST, SIZE = 128, 94, 92, 136, 40
LIES = {
    "its root is a page of its own beginning": {ROOT: struct.pack("<Q", 0)},
    "its root is beyond its end": {ROOT: struct.pack("<Q", 2**63)},
    "its last page is beyond its end": {LAST: struct.pack("<Q", 2**40)},
    "its pages have no size": {SIZE: bytes(4)},
    "its pages are as large as memory": {SIZE: struct.pack("<I", 2**31)},
    "its pages have an odd size": {SIZE: struct.pack("<I", 4095)},
    "it is deeper than any": {DEPTH: struct.pack("<H", 60_000)},
    "it has several values for a key": {FLAGS: struct.pack("<H", 4)},
    "another version": {20: struct.pack("<I", 2)},
    "of the other byte order": {16: struct.pack(">I", 0xBEEFC0DE)},
}


@pytest.mark.parametrize("lie", LIES)
def test_what_the_first_pages_say_is_not_believed(lie, tmp_path):
    path = write(tmp_path / "db", SETS["three levels"])
    patched(path, LIES[lie])
    assert everything(path).startswith(f"{path}: ")


def test_a_tree_that_leads_back_to_itself_ends(tmp_path):
    """Every branch points at the root: without a bound its keys would never end."""
    path = write(tmp_path / "db", SETS["three levels"])
    content = path.read_bytes()
    root = max(struct.unpack_from("<Q", content, meta + ROOT)[0] for meta in (0, PAGE))
    branches = [at for at in range(2 * PAGE, len(content), PAGE) if struct.unpack_from("<H", content, at + 10)[0] == 1]
    pages = {}
    for at in branches:
        for (offset,) in struct.iter_unpack(
            "<H", content[at + 16 : at + struct.unpack_from("<H", content, at + 12)[0]]
        ):
            pages[at + offset] = struct.pack("<IH", root, 0)
    patched(path, pages=pages)
    assert "lead back to themselves" in everything(path)
