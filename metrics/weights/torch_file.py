"""Reads the tensors of a file that torch.save wrote, without torch and without executing anything in it.

Both formats hold a pickle of {name: tensor}, where a tensor is a call of torch._utils._rebuild_tensor_v2 on a storage
named by its key (in a parameter, another call around it), and the storages' raw bytes:

    legacy  five pickles in a row - magic number, protocol, system, {name: tensor}, keys - and then for each key an
            int64 count and its bytes
    zip     FOLDER/data.pkl, FOLDER/byteorder (may be missing) and one stored entry FOLDER/data/KEY for each storage

A pickle is a program: this one is read by pickled.py, and may name what `_Builder` knows and nothing else.
Source: the documentation of torch.save and torch.serialization; no code of theirs.
"""

from __future__ import annotations

import io
import math
import os
import struct
import zipfile
from collections import OrderedDict
from typing import BinaryIO, NamedTuple

import numpy as np

from ..errors import MetricError
from . import pickled
from .pickled import Function, PickleError, Reading

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
MOST_OPERATIONS = 1_000_000  # InceptionV3 with its batch normalisation has 25,000

STORAGES = {  # torch's storage -> numpy's dtype; strings, since a pickle could change an object that it is given
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}


class _Storage(NamedTuple):
    key: str
    dtype: str
    count: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int  # these three in elements
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Refused(Exception):
    """Something in the file that does not belong into a file of weights."""


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """{name: array} of a file of torch.save; the arrays are read-only views of the file, not copies.

    MetricError for what is no such file, a damaged or truncated one, or one whose pickle asks for anything but tensors.
    """
    try:
        with open(path, "rb") as file:
            reader = _read_zip if file.read(4) == b"PK\x03\x04" else _read_legacy
            tensors, storages = reader(file)
        arrays = {name: _array(tensor, storages) for name, tensor in _entries(tensors)}
    except OSError as error:
        raise MetricError(f"{path}: cannot be read: {error.strerror or error}") from error
    except _Refused as error:
        raise MetricError(f"{path}: {error}; fetch the file again") from error
    if not arrays:
        raise MetricError(f"{path}: holds no tensors by name; save the network's state_dict()")
    return arrays


# ---- the two formats -------------------------------------------------------------------------------------------------


def _read_legacy(file: BinaryIO) -> tuple[object, dict[str, memoryview]]:
    """-> (the pickled object, {key: bytes of the storage})."""
    file.seek(0)
    content = file.read()
    if not content:
        raise _Refused("the file is empty")
    pickles = io.BytesIO(content)
    if _unpickle(pickles) != MAGIC or _unpickle(pickles) != PROTOCOL:
        raise _Refused("not a file of torch.save")
    system = _unpickle(pickles)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise _Refused("written on a big-endian machine")
    declared: dict[str, _Storage] = {}
    tensors = _unpickle(pickles, declared)
    keys = _unpickle(pickles)
    if not isinstance(keys, list) or not all(isinstance(key, str) and key in declared for key in keys):
        raise _Refused("the list of its storages is damaged")
    storages, at = {}, pickles.tell()
    for key in keys:
        begin = at + 8
        count = struct.unpack_from("<q", content, at)[0] if begin <= len(content) else -1
        at = begin + declared[key].count * np.dtype(declared[key].dtype).itemsize
        if at > len(content):
            raise _Refused(f"truncated: storage {_shown(key)} ends at byte {at} of {len(content)}")
        if count != declared[key].count:
            raise _Refused(f"damaged: storage {_shown(key)} has {count} elements, {declared[key].count} were announced")
        storages[key] = memoryview(content)[begin:at]
    return tensors, storages


def _read_zip(file: BinaryIO) -> tuple[object, dict[str, bytes]]:
    """-> (the pickled object, {key: bytes of the storage})."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = {info.filename.partition("/")[2]: info for info in archive.infolist()}
            if any(info.compress_type != zipfile.ZIP_STORED for info in entries.values()):
                raise _Refused("has compressed entries, which torch.save does not write")
            if sum(info.file_size for info in entries.values()) > file.seek(0, os.SEEK_END):
                raise _Refused("its entries claim to be longer than the file")
            parts = {name: archive.read(info) for name, info in entries.items()}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise _Refused(f"damaged or truncated zip file ({error})") from error
    if "data.pkl" not in parts:
        raise _Refused("a zip file, but not one of torch.save")
    if parts.get("byteorder", b"little") != b"little":
        raise _Refused("written on a big-endian machine")
    declared: dict[str, _Storage] = {}
    tensors, storages = _unpickle(io.BytesIO(parts["data.pkl"]), declared), {}
    for key, storage in declared.items():
        data, size = parts.get(f"data/{key}", b""), storage.count * np.dtype(storage.dtype).itemsize
        if len(data) != size:
            raise _Refused(f"damaged: storage {_shown(key)} has {len(data)} bytes, {size} were announced")
        storages[key] = data
    return tensors, storages


# ---- the pickle ------------------------------------------------------------------------------------------------------


class _Builder:
    """What a pickle of tensors may call; it notes the storages that are named."""

    def __init__(self, declared: dict[str, _Storage]):
        self._declared = declared

    def reading(self) -> Reading:
        names = {
            ("collections", "OrderedDict"): Function(_ordered_dict),
            ("torch._utils", "_rebuild_tensor_v2"): Function(self.tensor),
            ("torch._utils", "_rebuild_parameter"): Function(lambda tensor, *_: tensor),
            **{("torch", name): dtype for name, dtype in STORAGES.items()},
        }
        needless = "which no file of weights needs: do not trust this file"
        return Reading(names, needless, MOST_OPERATIONS, text="utf-8", persistent=self.storage)

    def storage(self, identity: object) -> _Storage:
        kind, dtype, key, _, count, *view = identity
        storage = _Storage(key, dtype, count)
        sound = kind == "storage" and isinstance(key, str) and dtype in STORAGES.values() and type(count) is int
        if not sound or count < 0 or any(view) or self._declared.setdefault(key, storage) != storage:
            raise _Refused("a storage in it is described wrongly")
        return storage

    def tensor(self, storage: _Storage, offset: int, shape: tuple, strides: tuple, *_: object) -> _Tensor:
        return _Tensor(storage, offset, shape, strides)


def _ordered_dict(pairs: object = ()) -> OrderedDict:
    if not isinstance(pairs, (list, tuple)) or not all(isinstance(pair, (list, tuple)) for pair in pairs):
        raise _Refused("damaged: a dictionary of what are no pairs")
    return OrderedDict(zip(pickled.check_keys(key for key, _ in pairs), (value for _, value in pairs), strict=True))


def _unpickle(content: BinaryIO, declared: dict[str, _Storage] | None = None) -> object:
    """The next pickle in the file; what storages it names go to `declared`."""
    try:
        return pickled.read(content, _Builder({} if declared is None else declared).reading())
    except PickleError as error:
        raise _Refused(str(error)) from error
    except _Refused:
        raise
    except Exception as error:  # a pickle is a program, and a damaged one can fail in any way
        raise _Refused(f"not a file of torch.save, or damaged ({type(error).__name__})") from error


def _shown(key: str) -> str:
    return repr(key[:60])[1:-1]  # one line, whatever the file calls it


def _entries(tensors: object) -> list[tuple[str, _Tensor]]:
    if not isinstance(tensors, dict):
        raise _Refused(f"holds no tensors by name, but {type(tensors).__name__}")
    return [(name, value) for name, value in tensors.items() if isinstance(value, _Tensor) and isinstance(name, str)]


def _array(tensor: _Tensor, storages: dict[str, memoryview | bytes]) -> np.ndarray:
    """A view of the storage, inside it. A tensor with no elements, or with more than its storage has, is refused."""
    storage, offset, shape, strides = tensor
    numbers = isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides)
    if not numbers or len(shape) > 8 or not all(type(n) is int and n >= 0 for n in (offset, *shape, *strides)):
        raise _Refused("damaged: a tensor's shape is not one")
    if not isinstance(storage, _Storage) or storage.key not in storages:
        raise _Refused("damaged: a tensor has no storage")
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if not 0 < math.prod(shape) <= storage.count or last >= storage.count:
        raise _Refused(f"damaged: a tensor of shape {shape} does not fit its storage of {storage.count} elements")
    flat = np.frombuffer(storages[storage.key], storage.dtype)  # [storage.count]
    steps = tuple(stride * flat.itemsize for stride in strides)
    return np.lib.stride_tricks.as_strided(flat[offset:], shape, steps, writeable=False)
