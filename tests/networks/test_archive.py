"""A .keras file is data: what names anything but our networks is refused before Keras sees it, and nothing runs."""

from __future__ import annotations

import io
import json
import marshal
import zipfile
from base64 import b64encode
from unittest import mock

import h5py
import keras
import numpy as np
import pytest

from pgan_tf.networks import Discriminator, Generator, Network
from pgan_tf.networks.archive import CONFIG, METADATA, WEIGHTS
from pgan_tf.networks.saved import NetworkError, load_network

OPTIONS = dict(resolution=8, fmap_base=32, fmap_max=4)


@pytest.fixture(scope="module")
def parts(tmp_path_factory) -> dict[str, bytes]:
    """The members of a sound file."""
    path = tmp_path_factory.mktemp("sound") / "g.keras"
    Generator(**OPTIONS).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, parts: dict[str, bytes], compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def refusal(path, kind=Generator) -> str:
    with mock.patch.object(keras.saving, "load_model") as keras_load, pytest.raises(NetworkError) as info:
        load_network(path, kind)
    keras_load.assert_not_called()
    message = str(info.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < len(str(path)) + 500
    return message[len(str(path)) :]


@pytest.mark.parametrize("kind", [Generator, Discriminator])
@pytest.mark.parametrize("policy", ["float32", "bfloat16", "mixed_bfloat16", "float64"])
@pytest.mark.parametrize("fading", [False, True])
def test_what_we_save_is_loaded(tmp_path, kind, policy, fading):
    network = kind(**OPTIONS, fading=fading, label_size=2, dtype=policy, name="any_name")
    network.save(tmp_path / "n.keras")
    again = load_network(tmp_path / "n.keras", Network)
    assert again.get_config() == network.get_config()
    for old, new in zip(network.variables, again.variables, strict=True):
        np.testing.assert_array_equal(old.numpy(), new.numpy())


# ---- config.json -----------------------------------------------------------------------------------------------------


def _lambda() -> dict:
    code = b64encode(marshal.dumps((lambda x: __import__("os").mkdir("ran")).__code__)).decode()
    inner = {"class_name": "__lambda__", "config": {"value": {"code": code, "defaults": None, "closure": None}}}
    return {"module": "keras.layers", "class_name": "Lambda", "config": {"function": inner}, "registered_name": None}


def _function(module: str, name: str) -> dict:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


CALL = {
    "module": "keras.layers", "class_name": "Lambda", "registered_name": None,
    "config": {"function": _function("os", "system"), "arguments": {"command": "touch ran"}},
}  # fmt: skip
SAFE_MODE_OFF = _function("keras.config", "enable_unsafe_deserialization")

WHOLE = {  # in place of the network
    "a Lambda": _lambda(),
    "a Lambda that calls by name": CALL,
    "a Sequential": {
        "module": "keras", "class_name": "Sequential", "config": {"layers": [CALL]}, "registered_name": None
    },
    "a function": _function("os", "system"),
    "eval": _function("builtins", "eval"),
    "popen": _function("subprocess", "Popen"),
    "the end of safe mode": SAFE_MODE_OFF,
    "our name around another's class": {**CALL, "registered_name": "pgan_tf>Generator"},
    "our class by another name": {
        "module": "os", "class_name": "Generator", "config": {}, "registered_name": "pgan_tf>Generator"
    },
    "another class of ours": {
        "module": "pgan_tf.layers.equalized", "class_name": "EqualizedDense", "config": {"units": 1},
        "registered_name": "pgan_tf>EqualizedDense",
    },
    "a list": [CALL],
    "a number": 3,
    "null": None,
    "a name that is a list": {"class_name": ["Generator"], "registered_name": ["pgan_tf>Generator"], "config": {}},
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_another_thing_than_a_network(case, parts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = packed(tmp_path / "x.keras", {**parts, CONFIG: json.dumps(WHOLE[case]).encode()})
    refusal(path)
    assert [file.name for file in tmp_path.iterdir()] == ["x.keras"]  # nothing ran


INSIDE = {  # option -> value, in the network's options
    "a lambda as an option": {"alpha": _lambda()},
    "a call as an option": {"g_block": CALL},
    "a function by name": {"use_leakyrelu": _function("os", "system")},
    "an option of another class": {"layers": [CALL]},
    "the form of a functional model": {"layers": [CALL], "input_layers": [], "output_layers": []},
    "the network itself": {"self": 1},
    "a policy of another class": {"dtype": CALL},
    "a policy that is quantized": {
        "dtype": {
            "module": "keras.dtype_policies", "class_name": "QuantizedDTypePolicy", "registered_name": None,
            "config": {"mode": "int8", "source_name": "float32"},
        }
    },
    "a policy with more in it": {
        "dtype": {
            "module": "keras", "class_name": "DTypePolicy", "registered_name": None,
            "config": {"name": "float32", "more": CALL},
        }
    },
    "a policy with more around it": {
        "dtype": {
            "module": "keras", "class_name": "DTypePolicy", "registered_name": None, "config": {"name": "float32"},
            "build_config": CALL,
        }
    },
    "a policy of another class by its own name": {
        "dtype": {
            "module": "os", "class_name": "DTypePolicy", "registered_name": None, "config": {"name": "float32"},
        }
    },
    "a switch for a seed": {"seed": True},
    "a policy of no name": {"dtype": {"config": {"name": ["float32"]}}},
    "a type of text": {"dtype": "string"},
    "a text for a number": {"resolution": "8"},
    "a fraction for a number": {"fmap_max": 4.5},
    "a number for a switch": {"fading": 1},
    "a switch for a number": {"label_size": True},
    "no number": {"alpha": float("nan")},
    "a number without end": {"alpha": float("inf")},
    "a number of 400 digits": {"alpha": 10**400},
    "an unknown block": {"g_block": "eval"},
    "more maps than are stored": {"fmap_base": 2**40, "fmap_max": 2**30},
    "more maps than can be": {"fmap_base": 10**30, "fmap_max": 10**30},
    "less maps than one": {"fmap_base": -5},
    "more labels than are stored": {"label_size": 2**40},
    "more latents than are stored": {"latent_size": 2**40},
    "more channels than are stored": {"num_channels": 2**33},
    "more pixels than are stored": {"resolution": 1024},
    "more pixels than can be": {"resolution": 2**20},
    "pixels of many digits": {"resolution": 2**4000},
    "no pixels": {"resolution": 0},
    "more layers than are stored": {"residual_blocks": 10**9, "g_block": "residual"},
    "layers for ever": {"residual_blocks": 10**400, "g_block": "residual"},
}  # fmt: skip


@pytest.mark.parametrize("case", INSIDE)
def test_options_that_are_none(case, parts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = json.loads(parts[CONFIG])
    record["config"] |= INSIDE[case]
    refusal(packed(tmp_path / "x.keras", {**parts, CONFIG: json.dumps(record).encode()}))
    assert [file.name for file in tmp_path.iterdir()] == ["x.keras"]


AROUND = {  # key -> value, beside the network's options, which are sound
    "another class": {"class_name": "Lambda"},
    "another module": {"module": "os"},
    "compilation": {"compile_config": {"optimizer": CALL}},
    "building": {"build_config": CALL},
    "a shape that is none": {"build_config": {"input_shape": [CALL]}},
    "an object shared": {"shared_object_id": 1},
    "more": {"anything": CALL},
    "no options": {"config": None},
    "options by name": {"config": "Generator"},
}


@pytest.mark.parametrize("case", AROUND)
def test_more_than_a_network(case, parts, tmp_path):
    record = json.loads(parts[CONFIG]) | AROUND[case]
    refusal(packed(tmp_path / "x.keras", {**parts, CONFIG: json.dumps(record).encode()}))


# ---- the weights -----------------------------------------------------------------------------------------------------


def _first(file: h5py.File) -> str:
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names[0]


def _replaced(file: h5py.File, **how) -> None:
    name, shape = _first(file), file[_first(file)].shape
    del file[name]
    file.create_dataset(name, shape, "f4", **how)


def _external_link(file):
    name = _first(file)
    del file[name]
    file[name] = h5py.ExternalLink("/etc/hostname", "/data")


def _virtual(file):
    name, shape = _first(file), file[_first(file)].shape
    del file[name]
    layout = h5py.VirtualLayout(shape, "f4")
    layout[...] = h5py.VirtualSource("other.h5", "data", shape)
    file.create_virtual_dataset(name, layout)


def _text(file):
    name = _first(file)
    del file[name]
    file[name] = ["text"]


def _loop(file):
    file["conv/again"] = file["conv"]
    file["more"] = np.zeros(3, np.float32)


def _huge(file):
    name = _first(file)
    del file[name]
    file.create_dataset(name, (2**20, 2**20), "f4", chunks=(64, 64), compression="gzip")


def _soft_link(file):
    name = _first(file)
    del file[name]
    file[name] = h5py.SoftLink("/gone")


FOREIGN = {
    "a link to another file": (_external_link, "is a link to another file, '/etc/hostname'"),
    "numbers in another file": (lambda f: _replaced(f, external=[("/etc/hostname", 0, 999)]), "has its numbers in"),
    "numbers of other files": (_virtual, "is virtual"),
    "text": (_text, "not plain numbers"),
    "more arrays than the network has": (_loop, "its weights are"),
    "a shape of terabytes": (_huge, "has less numbers than it declares"),
    "a link to nothing": (_soft_link, "its weights are"),
    "numbers that were never written": (lambda f: _replaced(f, chunks=True), "has less numbers than it declares"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_weights_that_lie_elsewhere(case, parts, tmp_path):
    change, words = FOREIGN[case]
    (tmp_path / "w.h5").write_bytes(parts[WEIGHTS])
    with h5py.File(tmp_path / "w.h5", "a") as file:
        change(file)
    assert words in refusal(packed(tmp_path / "x.keras", {**parts, WEIGHTS: (tmp_path / "w.h5").read_bytes()}))


# ---- the archive -----------------------------------------------------------------------------------------------------


def test_the_archive_itself(parts, tmp_path):
    path = tmp_path / "x.keras"
    path.write_bytes(b"")
    assert "the file is empty" in refusal(path)
    path.write_bytes(b"text")
    assert "no .keras file" in refusal(path)
    assert "holds 'assets/vocabulary.txt'" in refusal(packed(path, {**parts, "assets/vocabulary.txt": b"x"}))
    assert "must hold config.json" in refusal(packed(path, {CONFIG: parts[CONFIG], METADATA: b"{}"}))
    assert "compressed" in refusal(packed(path, parts, zipfile.ZIP_DEFLATED))
    assert "more than 65,536 bytes" in refusal(packed(path, {**parts, CONFIG: b" " * 70_000}))
    assert "no JSON" in refusal(packed(path, {**parts, CONFIG: b"[" * 60_000}))
    assert "its weights are damaged" in refusal(packed(path, {**parts, WEIGHTS: parts[WEIGHTS][:-1000]}))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(packed(path, parts), "a") as archive:
        archive.writestr(CONFIG, json.dumps(CALL))
    assert "once" in refusal(path)
    (tmp_path / "folder.keras").mkdir()
    assert "cannot be read: Is a directory" in refusal(tmp_path / "folder.keras")
    assert "cannot be read: No such file" in refusal(tmp_path / "gone.keras")


@pytest.mark.parametrize("name", ["x.h5", "x.hdf5", "x.zip", "x"])
def test_no_other_format_of_keras(name, parts, tmp_path):
    assert "not a .keras file" in refusal(packed(tmp_path / name, parts))


def test_damage_anywhere_is_one_line_or_a_network(parts, tmp_path):
    """Of the headers and the directory, where it matters; a changed number is not seen without a checksum."""
    rng = np.random.RandomState(0)
    whole = packed(tmp_path / "w.keras", parts).read_bytes()
    begin = len(whole) - 400
    for _ in range(60):
        content = bytearray(whole)
        content[begin + rng.randint(400) if rng.randint(2) else rng.randint(1000)] = rng.randint(256)
        (tmp_path / "x.keras").write_bytes(content)
        try:
            load_network(tmp_path / "x.keras")
        except NetworkError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_a_part_longer_than_the_file(parts, tmp_path):
    """A directory that lies: two entries for the same bytes, the weights 4 GB long."""
    content = bytearray(packed(tmp_path / "x.keras", parts).read_bytes())
    at = content.rindex(WEIGHTS.encode()) - 46
    content[at + 20 : at + 28] = (2**32 - 2).to_bytes(4, "little") * 2
    (tmp_path / "x.keras").write_bytes(content)
    assert "longer than the file" in refusal(tmp_path / "x.keras")
    assert io.BytesIO(content).getbuffer().nbytes < 10**6
