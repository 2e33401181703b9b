"""Pickles of data sets: what Python 2 and 3 write comes back, and nothing that a file asks for is ever run."""

from __future__ import annotations

import io
import os
import pickle
import struct

import numpy as np
import pytest

from pgan_tf.data import DataError
from pgan_tf.data.sources.pickled import load_pickle


class Python2Pickler(pickle._Pickler):
    """Protocol 2 as Python 2 writes it: its text, and the bytes of an array, are byte strings."""

    def __init__(self, file: io.BytesIO):
        super().__init__(file, protocol=2)

    def _save_string(self, value: str | bytes) -> None:
        content = value.encode("latin1") if isinstance(value, str) else value
        short = len(content) < 256
        code = pickle.SHORT_BINSTRING + bytes([len(content)]) if short else b"T" + struct.pack("<i", len(content))
        self.write(code + content)
        self.memoize(value)

    dispatch = {**pickle._Pickler.dispatch, str: _save_string, bytes: _save_string}


def python2_dumps(value: object) -> bytes:
    """As Python 2 and a numpy of its time."""
    file = io.BytesIO()
    Python2Pickler(file).dump(value)
    return file.getvalue().replace(b"numpy._core", b"numpy.core")


ARRAYS = {
    "pixels": np.arange(24, dtype=np.uint8).reshape(2, 12),
    "many": np.arange(600, dtype=np.uint8).reshape(3, 200),
    "fortran": np.asfortranarray(np.arange(12, dtype=np.int64).reshape(3, 4)),
    "big endian": np.arange(5, dtype=">f8"),
    "flags": np.array([True, False]),
    "scalar array": np.array(7.5, np.float32),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_python_3(protocol):
    tree = {**ARRAYS, "labels": [3, 1, 2], "pair": (1.5, None, True), "raw": b"\x00\xff", "none": b"", "set": {1, 2}}
    found = load_pickle(pickle.dumps({**tree, "last": np.int64(9)}, protocol), "file")
    assert found.pop("last") == 9
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert {name: found[name] for name in tree if name not in ARRAYS} == {
        name: value for name, value in tree.items() if name not in ARRAYS
    }


@pytest.mark.parametrize("module", ["numpy.core", "numpy._core"])
def test_both_generations_of_numpy(module):
    for protocol in (2, 5):
        content = pickle.dumps([ARRAYS["pixels"]], protocol)
        other = content.replace(b"numpy._core", b"numpy.core") if module == "numpy.core" else content
        other = resize_short_strings(other)
        np.testing.assert_array_equal(load_pickle(other, "file")[0], ARRAYS["pixels"])


def resize_short_strings(content: bytes) -> bytes:
    """After the replacement of a module's name: its length, in protocols 4 and up, and without the frame."""
    for name in (b"numpy.core.multiarray", b"numpy.core.numeric"):
        content = content.replace(bytes([pickle.SHORT_BINUNICODE[0], len(name) + 1]) + name,
                                  bytes([pickle.SHORT_BINUNICODE[0], len(name)]) + name)  # fmt: skip
    if content[2:3] == pickle.FRAME:
        content = content[:2] + content[11:]
    return content


def test_python_2_text_comes_as_bytes():
    found = load_pickle(python2_dumps({"data": ARRAYS["many"], "labels": [6, 9], "name": "a\xff"}), "file")
    assert found.keys() == {b"data", b"labels", b"name"}
    np.testing.assert_array_equal(found[b"data"], ARRAYS["many"])
    assert (found[b"labels"], found[b"name"]) == ([6, 9], b"a\xff")


def test_an_array_alone_and_in_a_list():
    np.testing.assert_array_equal(load_pickle(pickle.dumps(ARRAYS["pixels"]), "file"), ARRAYS["pixels"])
    first, second = load_pickle(pickle.dumps((ARRAYS["pixels"], [1])), "file")
    np.testing.assert_array_equal(first, ARRAYS["pixels"])
    assert second == [1]


class Asks:
    """Pickles as a call of anything."""

    def __init__(self, function, *arguments):
        self._call = function, arguments

    def __reduce__(self):
        return self._call


FOREIGN = {
    "posix.system|nt.system": Asks(os.system, "touch ran"),
    "builtins.eval": Asks(eval, "open('ran', 'w')"),
    "builtins.getattr": Asks(getattr, "text", "upper"),
    "builtins.open|_io.open|io.open": Asks(open, "ran", "w"),
    "numpy.load": Asks(np.load, "ran"),
    "collections.Counter": Asks(__import__("collections").Counter, "text"),
}


@pytest.mark.parametrize("names", FOREIGN)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_anything_else_is_refused_by_name(names, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="do not trust this file") as info:
        load_pickle(pickle.dumps({"data": FOREIGN[names]}, protocol), "batch")
    message = str(info.value).replace("__builtin__", "builtins")
    assert any(f"batch: its pickle asks for {name}," in message for name in names.split("|")), message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())  # nothing ran


def test_the_way_around_by_a_dotted_name_is_closed():
    content = b"\x80\x04\x8c\x08builtins\x8c\x0fcomplex.__doc__\x93."
    with pytest.raises(DataError, match=r"asks for builtins\.complex\.__doc__"):
        load_pickle(content, "file")


def test_a_pickle_cannot_change_the_reader():
    """BUILD sets attributes on what it is given: here on the function that stands for numpy's."""
    for name in (b"numpy.core.multiarray\n_reconstruct", b"numpy\ndtype", b"numpy\nndarray", b"builtins\nset"):
        with pytest.raises(DataError):
            load_pickle(b"\x80\x02c" + name + b"\nN}X\x01\x00\x00\x00aK\x01s\x86b.", "file")
    np.testing.assert_array_equal(load_pickle(pickle.dumps(ARRAYS["pixels"]), "file"), ARRAYS["pixels"])


def test_numpy_is_not_asked_to_believe():
    for value, reason in [
        (np.array([{}], object), "numpy type 'O8'"),
        (np.array(["a"]), "numpy type 'U1'"),
        (np.zeros(2, [("a", "u1")]), "numpy type 'V1'"),
    ]:
        with pytest.raises(DataError, match=reason):
            load_pickle(pickle.dumps(value, 2), "file")
    longer = pickle.dumps(ARRAYS["pixels"], 2).replace(b"K\x02K\x0c\x86", b"K\x02K\x0d\x86")
    with pytest.raises(DataError, match="damaged"):
        load_pickle(longer, "file")
    with pytest.raises(DataError, match="without its content"):
        load_pickle(b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R.", "file")


DAMAGED = {
    "empty": (b"", "not a pickle"),
    "text": (b"text", "not a pickle"),
    "no value": (b"\x80\x02.", "not a pickle"),
    "cut": (pickle.dumps([1, 2, 3])[:-3], "not a pickle"),
    "bytes by number": (b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.", "bytes by their number"),
    "long bytes": (b"\x80\x04\x8e" + b"\xff" * 8 + b".", "not a pickle"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged(case):
    content, reason = DAMAGED[case]
    with pytest.raises(DataError, match=f"file: .*{reason}") as info:
        load_pickle(content, "file")
    assert "\n" not in str(info.value)


def test_a_mark_far_away_takes_no_memory():
    assert load_pickle(b"\x80\x02]r\xff\xff\xff\x7f.", "file") == []


def test_text_is_made_into_bytes_no_more_than_once():
    """A pickle of a kilobyte could ask for the bytes of its text a million times."""
    text = b"X" + struct.pack("<I", 500) + b"a" * 500
    call = b"c_codecs\nencode\nq\x00" + text + b"q\x01X\x06\x00\x00\x00latin1q\x02\x86R"
    again = b"h\x00h\x01h\x02\x86R"
    assert load_pickle(b"\x80\x02" + call + b".", "file") == b"a" * 500
    with pytest.raises(DataError, match="asks for more bytes than it has"):
        load_pickle(b"\x80\x02(" + call + again * 10 + b"t.", "file")


def test_damage_anywhere_is_one_clear_line_or_harmless():
    rng = np.random.RandomState(0)
    whole = python2_dumps({"data": ARRAYS["pixels"], "labels": list(range(9)), "names": ["a", "b"]})
    for _ in range(500):
        content = bytearray(whole)
        content[rng.randint(len(content))] = rng.randint(256)
        end = rng.randint(1, len(content) + 1) if rng.randint(2) else len(content)
        assert "\n" not in complaint(bytes(content[:end]))


def complaint(content: bytes) -> str:
    """What is said about a pickle, nothing if it can be read; any other error is the test's failure."""
    try:
        load_pickle(content, "file")
    except DataError as error:
        return str(error)
    return ""
