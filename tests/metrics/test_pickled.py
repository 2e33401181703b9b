"""Pickles as data: what plain ones hold comes back, and no program of a few bytes takes time, memory or a call."""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict

import nv_pickles
import pytest
import torch_files
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.weights import torch_file
from pgan_tf.metrics.weights.pickled import GREATEST_KEY, Function, PickleError, Reading, read

from pgan_tf.data import DataError
from pgan_tf.data.sources.pickled import load_pickle
from pgan_tf.interop.nvidia_file import read_file

PLAIN = Reading({("collections", "OrderedDict"): Function(OrderedDict)}, "which is not needed", most=1000)
TREE = {
    "text": "ä\n", "bytes": b"\x00\xff", "numbers": [0, 1, 300, 70_000, -1, 2**40, -(2**70)], "empty": [(), [], {}],
    "truths": (True, False, None), "four": (1, 2, 3, 4), 7: {"inner": [{}]}, None: 1, b"key": 2, 1.5: 3,
}  # fmt: skip


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_trees_come_back(protocol):
    tree = TREE if protocol >= 3 else {key: value for key, value in TREE.items() if b"" not in (key, value)}
    tree = {key: value for key, value in tree.items() if not isinstance(key, bytes) and not isinstance(value, bytes)}
    assert read(io.BytesIO(pickle.dumps(tree, protocol)), PLAIN) == tree
    ordered = OrderedDict(b=1, a=2)
    assert list(read(io.BytesIO(pickle.dumps(ordered, protocol)), PLAIN).items()) == [("b", 1), ("a", 2)]


def test_sets_bytes_and_shared_parts():
    shared = [1]
    tree = [shared, shared, {1, "a"}, frozenset([2]), b"bytes", bytearray(b"array")]
    found = read(io.BytesIO(pickle.dumps(tree, 5)), PLAIN)
    assert found == tree
    assert found[0] is found[1]


def test_one_after_another():
    file = io.BytesIO(pickle.dumps(1) + pickle.dumps([2]) + b"rest")
    assert (read(file, PLAIN), read(file, PLAIN), file.read()) == (1, [2], b"rest")


def test_python_2_text_is_bytes_or_decoded():
    content = b"\x80\x02U\x02\xc3\xa4."
    assert read(io.BytesIO(content), PLAIN) == b"\xc3\xa4"
    assert read(io.BytesIO(content), PLAIN._replace(text="utf-8")) == "ä"


# ---- programs --------------------------------------------------------------------------------------------------------

DOUBLED = b")" + b"2\x86" * 60  # a tuple of 2^60 tuples, in 121 bytes
ORDERED = b"ccollections\nOrderedDict\n"
PROGRAMS = {
    "a tuple as a key": b"}" + DOUBLED + b"Ns",
    "a tuple among keys": b"}(K\x01N" + DOUBLED + b"Nu",
    "a tuple as a key, at once": b"(" + DOUBLED + b"Nd",
    "a tuple in a set": b"\x8f(" + DOUBLED + b"\x90",
    "a tuple in a frozen set": b"(" + DOUBLED + b"\x91",
    "frozen sets as keys": b"}" + b"(" * 3 + b"\x91\x91\x91" + b"Ns",
    "a tuple in a set by its name": b"cbuiltins\nset\n](" + DOUBLED + b"e\x85R",
    "a tuple in a frozen set by its name": b"cbuiltins\nfrozenset\n](" + DOUBLED + b"e\x85R",
    "a tuple as a key of pairs": ORDERED + b"](" + DOUBLED + b"N\x86e\x85R",
    "numbers of the same hash as keys": b"}(" + b"\x8a\x08" + struct.pack("<q", GREATEST_KEY) + b"Nu",
    "a tuple as a type's name": b"cnumpy\ndtype\n" + DOUBLED + b"\x85R",
    "a tuple as a byte order": b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x85R(K\x03" + DOUBLED + b"NNtb",
    "a tuple as an encoding": b"c_codecs\nencode\nX\x01\x00\x00\x00a" + DOUBLED + b"\x86R",
    "a tuple as text": b"c_codecs\nencode\n" + DOUBLED + b"X\x06\x00\x00\x00latin1\x86R",
    "a tuple as bytes": b"cbuiltins\nbytes\n" + DOUBLED + b"\x85R",
    "a tuple as a number": b"cbuiltins\ncomplex\n" + DOUBLED + DOUBLED + b"\x86R",
    "a tuple as a name": DOUBLED + b"X\x01\x00\x00\x00a\x93",
    "a tuple as a storage": DOUBLED + b"Q",
    "operations without end": b"N0" * 2_000_001 + b"N",
    "a call of text": b"X\x02\x00\x00\x00os)R",
    "a state for a list": b"]}b",
    "items for a text": b"X\x01\x00\x00\x00aNNs",
    "an object of a class": b"(ios\nsystem\n",
    "an extension": b"\x82\x01",
    "an object with keywords": b"ccollections\nOrderedDict\n)}\x92",
    "more than there is": b"0",
    "a mark that is not there": b"t",
    "a memo that is not there": b"h\x07",
    "nothing": b"",
}


def data_set(program: bytes, tmp_path) -> None:
    load_pickle(b"\x80\x02" + program + b".", "file")


def network(program: bytes, tmp_path) -> None:
    (tmp_path / "n.pkl").write_bytes(b"\x80\x02" + program + b".")
    read_file(tmp_path / "n.pkl")


def weights(program: bytes, tmp_path) -> None:
    (tmp_path / "w.pth").write_bytes(torch_files.legacy({"x": program}, {}))
    torch_file.read(tmp_path / "w.pth")


@pytest.mark.parametrize("reader", [data_set, network, weights])
@pytest.mark.parametrize("program", PROGRAMS)
def test_hostile_programs_are_refused_in_no_time(reader, program, tmp_path):
    with pytest.raises((DataError, MetricError)) as info:
        reader(PROGRAMS[program], tmp_path)
    assert "\n" not in str(info.value)
    assert len(str(info.value)) < len(str(tmp_path)) + 300


def test_so_many_operations_and_no_more():
    assert read(io.BytesIO(b"\x80\x02" + b"N" * 998 + b"."), PLAIN) is None
    with pytest.raises(PickleError, match="more than 1,000 operations"):
        read(io.BytesIO(b"\x80\x02" + b"N" * 999 + b"."), PLAIN)


def test_the_original_s_networks_are_far_below_the_bound(tmp_path):
    (tmp_path / "n.pkl").write_bytes(nv_pickles.network_file(nv_pickles.tiny()))
    assert read_file(tmp_path / "n.pkl").networks.keys() == {"G", "D", "Gs"}
