"""What a .keras file may hold, checked before Keras sees it.

Such a file names the classes and functions of which Keras makes objects, with arguments of the file's choice. Ours
name one network of this package and its options, which are plain values, and have the weights as HDF5: this form, and
no other, goes on to Keras. What can be built is never larger than the file.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path

import h5py
import keras
import tensorflow as tf

from pgan_tf.former import FORMER
from pgan_tf.hdf5 import HDF5Error, check_whole, own_datasets, shown
from pgan_tf.networks.base import Network
from pgan_tf.networks.families import FAMILIES

KINDS = {
    keras.saving.get_registered_name(kind): kind
    for family in FAMILIES.values() for kind in (family.generator, family.discriminator)
}  # fmt: skip
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MOST_BYTES = 2**32  # a network of 1024x1024 has 92 million
MOST_CONFIG = 2**16  # bytes
HIGHEST_RESOLUTION = 8192
POLICIES = ("float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16")
_FLOAT32 = 3.4e38
_OF_KERAS = {"name": "", "trainable": True}  # the options that each layer has; `dtype` apart


class Refused(ValueError):
    """A file that does not go on to Keras: why, without its name."""


def check_archive(path: Path) -> None:
    """Raises Refused, one line, unless `path` is a file as our networks are saved; OSError if it cannot be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            if size == 0:
                raise Refused("the file is empty; copy it again")
            if size > MOST_BYTES:
                raise Refused(f"has {size:,} bytes; no network is larger than {MOST_BYTES:,}")
            config, weights = _members(file, size)
        kind, options = _network(config)
        stored = _shapes(weights)
        wanted = [tuple(variable.shape) for variable in planned(kind, options, len(stored)).variables]
        if sorted(wanted) != sorted(stored):
            raise Refused(f"its options ask for {_size(wanted)}, its weights are {_size(stored)}; copy the file again")
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"no .keras file, or damaged: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """What an error says, on one line of bounded length."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return line if len(line) <= 200 else f"{line[:200]} ..."


def _members(file: io.BufferedReader, size: int) -> tuple[bytes, bytes]:
    """config.json and the weights. They are stored as they are, so no part can be longer than the file."""
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        names = sorted(part.filename for part in parts)
        if names != [CONFIG, METADATA, WEIGHTS]:
            odd = next((name for name in names if name not in (CONFIG, METADATA, WEIGHTS)), None)
            what = f"holds {shown(odd)}" if odd is not None else f"must hold {CONFIG}, {METADATA} and {WEIGHTS}, once"
            raise Refused(f"{what}: not a network that this program has saved")
        if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
            raise Refused("has compressed parts, which Keras does not write; it was packed by another program")
        if sum(part.file_size for part in parts) > size:
            raise Refused("damaged: its parts claim to be longer than the file")
        if archive.getinfo(CONFIG).file_size > MOST_CONFIG:
            raise Refused(f"its {CONFIG} has more than {MOST_CONFIG:,} bytes")
        return archive.read(CONFIG), archive.read(WEIGHTS)


# ---- config.json -----------------------------------------------------------------------------------------------------


def _network(content: bytes) -> tuple[type[Network], dict]:
    """The network that config.json asks for, and its options."""
    try:
        record = json.loads(content)
    except (RecursionError, ValueError):
        raise Refused(f"damaged: its {CONFIG} is no JSON") from None
    if not isinstance(record, dict):
        raise Refused(f"damaged: its {CONFIG} is no dictionary")
    name, module = record.get("registered_name"), record.get("module")
    kind = KINDS.get(name) if isinstance(name, str) else None
    ours = kind is not None and record.get("class_name") == kind.__name__
    if not ours or not isinstance(module, str) or not module.startswith("pgan_tf."):
        asked = ", ".join(shown(record.get(key)) for key in ("module", "class_name", "registered_name"))
        raise Refused(f"asks for {asked}; only a {' or '.join(KINDS)} is loaded: do not trust this file")
    options, build = record.get("config"), record.get("build_config")
    known = {"module", "class_name", "registered_name", "config", "build_config", "compile_config"}
    if not isinstance(options, dict) or record.keys() - known or record.get("compile_config"):
        raise Refused(f"its {CONFIG} asks for more than a network: do not trust this file")
    if build is not None and not (isinstance(build, dict) and build.keys() == {"input_shape"} and _is_plain(build)):
        raise Refused("its build_config is not an input shape: do not trust this file")
    return kind, options


def _is_plain(build: dict) -> bool:
    shape = build["input_shape"]
    shapes = shape if isinstance(shape, list) and shape and isinstance(shape[0], list) else [shape]
    return all(isinstance(shape, list) and all(size is None or type(size) is int for size in shape) for shape in shapes)


# ---- the options -----------------------------------------------------------------------------------------------------


def planned(kind: type[Network], options: dict, arrays: int) -> Network:
    """The network of options out of a file with so many arrays, for its names and shapes; it has no numbers.

    It is built as a graph, which takes no memory for them. Refused: the options are of no such network.
    """
    _check_options(kind, options)
    blocks = options.get("residual_blocks", 1)
    if blocks > arrays:
        raise Refused(f"residual_blocks is {shown(blocks)}, but its weights are {arrays} arrays")
    try:
        with tf.Graph().as_default():
            return kind.from_config(options)
    except Exception as error:  # whatever Keras and TensorFlow say of sizes that nothing can have
        raise Refused(f"its options are of no network: {first_line(error)}") from None


def _check_options(kind: type[Network], options: dict) -> None:
    """Each is one that the network has, and a plain value of the type of its default; the type of its numbers apart."""
    _check_policy(options.get("dtype", "float32"))
    defaults = kind.defaults() | dict.fromkeys(FORMER, True) | _OF_KERAS
    for name, value in options.items():
        if name == "dtype":
            continue
        if name not in defaults:
            raise Refused(f"has an option {shown(name)} that no {kind.__name__} has; is it of a newer version?")
        wanted = type(defaults[name])
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            raise Refused(f"{name} is {shown(value)}, not a value of type {wanted.__name__}: do not trust this file")
        if wanted is float and not -_FLOAT32 < value < _FLOAT32:
            raise Refused(f"{name} is {shown(value)}, not a number of float32")
    if options.get("resolution", 4) > HIGHEST_RESOLUTION:
        raise Refused(f"resolution is {shown(options['resolution'])}; the highest is {HIGHEST_RESOLUTION}")


def _check_policy(dtype: object) -> None:
    """The type of a network's numbers: a name, or Keras' dictionary around it."""
    name = dtype
    if isinstance(dtype, dict) and isinstance(dtype.get("config"), dict):
        name = dtype["config"].get("name")
        form = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}
        name = name if dtype == form else dtype
    if not isinstance(name, str) or name not in POLICIES:
        raise Refused(f"dtype is {shown(dtype)}; it may be {', '.join(POLICIES)}: do not trust this file")


# ---- the weights -----------------------------------------------------------------------------------------------------


def _shapes(content: bytes) -> list[tuple[int, ...]]:
    """Those of all arrays in the weights; each is in the file, whole."""
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            found = dict(own_datasets(file))
            for name, item in found.items():
                check_whole(name, item)
            return [item.shape for item in found.values()]
    except HDF5Error as error:
        raise Refused(f"its weights are not to be trusted: {error}") from None
    except Exception as error:  # h5py fails in many ways on a damaged file
        raise Refused(f"its weights are damaged: {first_line(error)}") from None


def _size(shapes: list[tuple[int, ...]]) -> str:
    return f"{len(shapes)} arrays with {sum(map(math.prod, shapes)):,} numbers"
