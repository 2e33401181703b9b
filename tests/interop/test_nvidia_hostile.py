"""Files that want harm, or are damaged: nothing in them runs, no memory is taken, and one line says what is wrong."""

import contextlib
import copyreg
import gzip
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import nv_pickles
import pytest
from nv_pickles import Network

from pgan_tf.data import DataError
from pgan_tf.interop.nvidia_file import read_file
from pgan_tf.programs import start

MOST_MEMORY = 40 * 2**20  # bytes, beside the file itself


class Asks:
    """Pickled, it asks the reader to call a function."""

    def __init__(self, function, *arguments):
        self._call = function, arguments

    def __reduce__(self):
        return self._call


def complaint(content: bytes, tmp_path) -> str:
    """What is said of a file, on how little memory."""
    path = tmp_path / "file.pkl"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as info:
            read_file(path)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(content) + MOST_MEMORY
    finally:
        tracemalloc.stop()
    message = str(info.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) < 400
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.pkl"]  # nothing ran
    return message.removeprefix(f"{path}: ")


FUNCTIONS = {
    "posix.system|nt.system": (os.system, "touch ran"),
    "builtins.eval": (eval, "open('ran', 'w')"),
    "builtins.exec": (exec, "open('ran', 'w')"),
    "builtins.getattr": (getattr, "text", "upper"),
    "builtins.bytearray": (bytearray, 10**10),
    "builtins.set": (set, (1, 2)),
    "_codecs.encode": (__import__("codecs").encode, "text", "latin1"),
    "numpy.load": (np.load, "ran"),
    "copyreg._reconstructor|copy_reg._reconstructor": (copyreg._reconstructor, object, object, None),
    "collections.OrderedDict": (__import__("collections").OrderedDict,),
}
PLACES = {
    "at the top": lambda bad: bad,
    "as a network": lambda bad: (bad, Network({}), Network({})),
    "as a state": lambda bad: (Network(bad), Network({}), Network({})),
    "as an option": lambda bad: (Network({"version": 2, "static_kwargs": {"resolution": bad}}),) * 3,
    "as a weight": lambda bad: (Network({"version": 2, "variables": [("lod", 0.0), ("4x4/Dense/weight", bad)]}),) * 3,
    "as a key": lambda bad: (Network({"version": 2, "static_kwargs": {bad: 1}}),) * 3,
}


def changed(role: str, **parts):
    """The three networks, one of which has other parts in its state."""
    states = nv_pickles.tiny()
    states[role] |= parts
    return tuple(Network(states[name]) for name in states)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("names", FUNCTIONS)
def test_functions_are_refused_by_name(names, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for protocol in (2, 4):
        content = nv_pickles.dumps(PLACES[place](Asks(*FUNCTIONS[names])), protocol)
        message = complaint(content, tmp_path).replace("__builtin__", "builtins")
        wanted = [f"its pickle asks for {name}, which no ProGAN network needs" for name in names.split("|")]
        assert any(message.startswith(text) for text in wanted), message


def test_a_function_inside_of_another_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nested = Asks(np.core.multiarray._reconstruct if np.__version__ < "2" else np._core.multiarray._reconstruct,
                  np.ndarray, (Asks(os.system, "touch ran"),), b"b")  # fmt: skip
    assert "system, which no ProGAN network needs" in complaint(nv_pickles.dumps(nested), tmp_path)


NAMES = {
    b"\x8c\x06tfutil\x8c\x10Network.__init__\x93.": "tfutil.Network.__init__",
    b"\x8c\x06tfutil\x8c\x03run\x93.": "tfutil.run",
    b"\x8c\x18dnnlib.tflib.network\x00\x00\x00\x00\x8c\x07Network\x93.": "dnnlib.tflib.network",
    b"\x8c\x08builtins\x8c\x05ev\nal\x93.": r"builtins.ev\nal",
    b"\x8d" + struct.pack("<Q", 10**5) + b"m" * 10**5 + b"\x8c\x01n\x93.": "mmmm",
}


@pytest.mark.parametrize("content", NAMES, ids=NAMES.get)
def test_other_names_are_refused(content, tmp_path):
    assert complaint(b"\x80\x04" + content, tmp_path).startswith(f"its pickle asks for {NAMES[content]}")


def test_a_file_cannot_change_the_reader(tmp_path):
    """BUILD sets attributes on what it is given: here on the classes that stand for the network and the array."""
    for name in (b"ctfutil\nNetwork\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\ndtype\n"):
        content = b"\x80\x02" + name + b"}X\x0c\x00\x00\x00__setstate__K\x01sb."
        complaint(content, tmp_path)
    (tmp_path / "file.pkl").write_bytes(nv_pickles.network_file(nv_pickles.tiny()))
    assert read_file(tmp_path / "file.pkl").networks.keys() == {"G", "D", "Gs"}


# ---- memory ----------------------------------------------------------------------------------------------------------

GOOD = nv_pickles.network_file(nv_pickles.tiny())
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
FLOAT = b"cnumpy\ndtype\nX\x02\x00\x00\x00f4\x89\x88\x87R"


def array(count: bytes, content: bytes) -> bytes:
    """An array that claims `count` (an opcode) numbers and has `content`."""
    return b"\x80\x03" + ARRAY + b"(K\x01" + count + b"\x85" + FLOAT + b"\x89" + content + b"tb."


HEAVY = {
    "an array that claims 10 GB": (array(b"\x8a\x05" + (25 * 10**8).to_bytes(5, "little"), b"C\x04abcd"), "damaged"),
    "bytes that claim 10 GB": (b"\x80\x04\x8e" + struct.pack("<Q", 10**10) + b"abc.", "damaged"),
    "a text that claims 10 GB": (b"\x80\x04\x8d" + struct.pack("<Q", 10**10) + b"abc.", "damaged"),
    "a frame that claims 10 GB": (b"\x80\x04\x95" + struct.pack("<Q", 10**10) + b"K\x01.", "damaged|holds 1"),
    "a mark far away": (b"\x80\x02]r" + struct.pack("<I", 2**31) + b".", "holds a list"),
    "a million containers": (b"\x80\x02(" + b"}" * 10**6 + b"t.", "more than 100,000 operations"),
    "lists that double": (b"\x80\x02]" + b"(22e" * 40000 + b".", "damaged|operations|holds"),
    "a long number": (b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"\x01.", "damaged"),
    "a zip bomb": (None, "not a pickle but a zip archive"),
    "a gzip bomb": (gzip.compress(bytes(10**8)), "not a pickle but a gzip archive"),
}


def test_variables_that_share_their_bytes_take_no_memory(tmp_path):
    """One array for all the variables of its shape: each would be a copy here."""
    states = nv_pickles.tiny()
    for role in states:
        variables = dict(states[role]["variables"])
        largest = max(variables, key=lambda name: np.size(variables[name]))
        shared = np.zeros(np.shape(variables[largest]), "f2")
        states[role]["variables"] += [(f"more{number}", shared) for number in range(200)]
    assert "its variables have" in complaint(nv_pickles.network_file(states), tmp_path)


@pytest.mark.parametrize("case", HEAVY)
def test_no_memory_is_taken(case, tmp_path):
    content, expected = HEAVY[case]
    if content is None:
        with zipfile.ZipFile(tmp_path / "file.pkl", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data.pkl", bytes(10**8))
        content = (tmp_path / "file.pkl").read_bytes()
    message = complaint(content, tmp_path)
    assert any(words in message for words in expected.split("|")), message


@pytest.mark.parametrize("second", range(0, 60, 2))
def test_what_is_said_of_an_archive_does_not_depend_on_its_date(second, tmp_path):
    """The date stands where a pickle would have its first instructions."""
    with zipfile.ZipFile(tmp_path / "file.pkl", "w") as archive:
        archive.writestr(zipfile.ZipInfo("data.pkl", (2026, 11, 27, 10, 0, second)), b"nothing")
    assert "not a pickle but a zip archive" in complaint((tmp_path / "file.pkl").read_bytes(), tmp_path)


def test_a_file_too_large_to_be_one_is_not_read(tmp_path):
    path = tmp_path / "file.pkl"
    with path.open("wb") as stream:
        stream.truncate(10 * 2**30)  # takes no room on the disk
    tracemalloc.start()
    with pytest.raises(DataError, match="no network is larger than"):
        read_file(path)
    assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    tracemalloc.stop()


# ---- damage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_truncated(share, tmp_path):
    assert "not a pickle, or damaged" in complaint(GOOD[: int(share * len(GOOD))], tmp_path)


def test_damage_anywhere_is_one_line_or_harmless(tmp_path):
    random = np.random.RandomState(0)
    for _ in range(60):
        content = bytearray(GOOD)
        content[random.randint(len(content))] = random.randint(256)
        (tmp_path / "file.pkl").write_bytes(content)
        with contextlib.suppress(DataError):  # any other error is the test's failure
            read_file(tmp_path / "file.pkl")


def without(name: str):
    return lambda variables: [pair for pair in variables if pair[0] != name]


def with_value(name: str, change):
    return lambda variables: [(key, change(value) if key == name else value) for key, value in variables]


WRONG_VARIABLES = {
    "G: lacks the variable 4x4/Conv/weight": ("G", without("4x4/Conv/weight")),
    "Gs: lacks the variable ToRGB_lod1/bias": ("Gs", without("ToRGB_lod1/bias")),
    "G: lod None is not in 0 .. 1": ("G", without("lod")),
    "D: 4x4/Dense0/weight has the shape": ("D", with_value("4x4/Dense0/weight", np.transpose)),
    "D: 4x4/Conv/weight has the shape (0,": ("D", with_value("4x4/Conv/weight", lambda x: x[:0])),
    "D: has a variable 'other/weight', which its options": ("D", lambda v: [*v, ("other/weight", np.zeros(3, "f4"))]),
    "'4x4/Conv/weight', or there are two of it": ("G", lambda v: [*v, *v[2:3]]),
    "damaged: a variable is called 7": ("G", lambda v: [*v, (7, np.zeros(3, "f4"))]),
    "damaged: its variables are not a list": ("G", lambda v: dict(v)),
    "damaged: its variables are not": ("G", lambda v: [*v, "text"]),
    "'4x4/Conv/bias' is 1.5, not an array": ("G", with_value("4x4/Conv/bias", lambda x: 1.5)),
    "numbers of type int32, not floats": ("G", with_value("4x4/Conv/bias", lambda x: x.astype("i4"))),
    "numbers that are not finite": ("G", with_value("4x4/Conv/bias", lambda x: x * np.nan)),
    "8x8/Conv1_down/bias' has numbers that are not": (
        "D",
        with_value("8x8/Conv1_down/bias", lambda x: x.astype("f8") + 1e300),
    ),
    "lod nan is not in": ("D", with_value("lod", lambda x: np.float32("nan"))),
    "lod inf is not in": ("D", with_value("lod", lambda x: np.float32("inf"))),
    "lod -0.5 is not in": ("D", with_value("lod", lambda x: np.float32(-0.5))),
    "lod 1.5 is not in 0 .. 1, the range of 8 pixels": ("D", with_value("lod", lambda x: np.float32(1.5))),
    "lod 'high' is not in": ("D", with_value("lod", lambda x: "high")),
}


@pytest.mark.parametrize("words", WRONG_VARIABLES)
def test_wrong_variables(words, tmp_path):
    role, change = WRONG_VARIABLES[words]
    states = nv_pickles.tiny()
    states[role]["variables"] = change(states[role]["variables"])
    assert words in complaint(nv_pickles.network_file(states), tmp_path)


WRONG_OPTIONS = [
    {"resolution": 2**40}, {"resolution": 33}, {"resolution": 2}, {"resolution": "8"}, {"resolution": True},
    {"resolution": 8.0}, {"fmap_base": 10**9}, {"fmap_base": 0}, {"fmap_max": 10**30}, {"fmap_max": -1},
    {"fmap_decay": float("nan")}, {"fmap_decay": 1e300}, {"fmap_decay": -1.0}, {"latent_size": 0},
    {"latent_size": 2**62}, {"label_size": -1}, {"num_channels": 0}, {"use_wscale": "yes"}, {"use_pixelnorm": 1},
    {"pixelnorm_epsilon": float("inf")}, {"fused_scale": None}, {"structure": "fixed"}, {"dtype": "int8"},
    {"mbstd_group_size": -4}, {"fmap_max": 10**5000},
]  # fmt: skip


@pytest.mark.parametrize("kwargs", WRONG_OPTIONS)
def test_absurd_options(kwargs, tmp_path):
    (name,) = kwargs
    states = nv_pickles.tiny()
    states["G"]["static_kwargs"] |= kwargs
    message = complaint(nv_pickles.network_file(states), tmp_path)
    assert message.startswith(f"G: option {name}=") or "damaged" in message, message
    assert "must be" in message or "damaged" in message


@pytest.mark.parametrize(
    "kwargs", [{"fmap_max": 2**20, "fmap_base": 2**24}, {"resolution": 65536}, {"latent_size": 2**24}]
)
def test_options_larger_than_the_arrays_take_no_memory(kwargs, tmp_path):
    states = nv_pickles.tiny()
    states["D"]["static_kwargs"] |= kwargs
    states["G"]["static_kwargs"] |= kwargs
    assert "its options ask for" in complaint(nv_pickles.network_file(states), tmp_path)


@pytest.mark.parametrize("name", ["use_styles", "tanh_at_end", "x" * 5000, "a\nb"], ids=lambda name: name[:12])
def test_unknown_options_are_refused_by_name(name, tmp_path):
    states = nv_pickles.tiny()
    states["Gs"]["static_kwargs"][name] = True
    assert complaint(nv_pickles.network_file(states), tmp_path).startswith(f"Gs: has an option {name[:60]!r}"[:60])


OTHERS = {
    "not the three networks": [[1, 2, 3], (Network({}),) * 2, 7, None, [Network({})] * 3, {"G": Network({})}],
    "damaged: a network without its state": [(Network(5),) * 3],
    "version 3 of the format": [(Network({"version": 3}),) * 3],
    "version None of the format": [(Network({}),) * 3],
    "made by 'D_stylegan'; only G_paper": [changed("G", build_func_name="D_stylegan")],
    "made by 'G_paper'; only D_paper": [changed("D", build_func_name="G_paper")],
    "its static_kwargs are None": [changed("D", static_kwargs=None)],
}


@pytest.mark.parametrize("words", OTHERS)
def test_other_contents(words, tmp_path):
    for tree in OTHERS[words]:
        assert words in complaint(nv_pickles.dumps(tree), tmp_path)


def test_a_network_without_state(tmp_path):
    content = b"\x80\x02" + b"ctfutil\nNetwork\n)\x81" * 3 + b"\x87."
    assert "without its state" in complaint(content, tmp_path)


def test_an_array_without_content(tmp_path):
    states = nv_pickles.tiny()
    states["G"]["variables"][1] = (
        "4x4/Dense/weight",
        Asks(np.ndarray.__reduce__(np.zeros(1))[0], np.ndarray, (0,), b"b"),
    )
    assert "an array without its content" in complaint(nv_pickles.network_file(states), tmp_path)


# ---- the command -----------------------------------------------------------------------------------------------------


def test_the_command_says_one_line_and_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(Asks(os.system, "touch ran")))
    for command in (["import", "nvidia", "bad.pkl", "out"], ["info", "bad.pkl"]):
        assert start.run("network_tool", command) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: bad.pkl: its pickle asks for")
        assert err.count("\n") == 1
    assert start.run("network_tool", ["import", "nvidia", "none.pkl", "out"]) == 2
    assert "none.pkl: no such file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.pkl"]
