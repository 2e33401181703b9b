"""Writes files as torch.save does, in both its formats, opcode by opcode: for tests without torch."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
from pgan_tf.metrics.weights.torch_file import MAGIC, PROTOCOL

STORAGES = {"float32": b"FloatStorage", "float64": b"DoubleStorage", "int64": b"LongStorage", "float16": b"HalfStorage"}
ORDERED_DICT = b"ccollections\nOrderedDict\n)R"
SYSTEM = b"\x80\x02}(X\x0d\x00\x00\x00little_endian\x88u."


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def integer(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def integers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(integer, values)) + b"t"


def tensor(
    key: str, numel: int, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0, storage=b"FloatStorage"
) -> bytes:
    """The opcodes that make one tensor; all sizes are free, so that they can be wrong."""
    identity = b"(" + text("storage") + b"ctorch\n" + storage + b"\n" + text(key) + text("cpu") + integer(numel) + b"tQ"
    arguments = b"(" + identity + integer(offset) + integers(shape) + integers(strides) + b"\x89" + ORDERED_DICT + b"t"
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"R"


def pickled(entries: dict[str, bytes]) -> bytes:
    """The pickle of an OrderedDict of opcodes by name."""
    return b"\x80\x02" + ORDERED_DICT + b"(" + b"".join(text(k) + v for k, v in entries.items()) + b"u."


def _array(key: str, value: np.ndarray) -> bytes:
    strides = tuple(step // value.itemsize for step in value.strides)
    return tensor(key, value.size, value.shape, strides, storage=STORAGES[value.dtype.name])


def legacy(entries: dict[str, bytes], storages: dict[str, tuple[int, bytes]]) -> bytes:
    """A legacy file of any pickled entries, and {key: (count, bytes)}."""
    magic = b"\x80\x02\x8a\x0a" + MAGIC.to_bytes(10, "little") + b"."
    head = magic + b"\x80\x02" + integer(PROTOCOL) + b"." + SYSTEM + pickled(entries)
    keys = b"\x80\x02](" + b"".join(map(text, storages)) + b"e."
    return head + keys + b"".join(struct.pack("<q", count) + data for count, data in storages.values())


def write_legacy(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    arrays = {name: np.asarray(value, order="C") for name, value in arrays.items()}
    keys = {name: str(i) for i, name in enumerate(arrays)}
    storages = {keys[name]: (value.size, value.tobytes()) for name, value in arrays.items()}
    path.write_bytes(legacy({name: _array(keys[name], value) for name, value in arrays.items()}, storages))
    return path


def write_zip(path: Path, parts: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """A zip file of torch.save from its entries, 'data.pkl', 'data/0', ..."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in parts.items():
            archive.writestr(f"archive/{name}", data)
    return path
