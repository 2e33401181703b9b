"""Pickles read without running anything: numbers, text, containers and numpy arrays, nothing else.

A pickle is a program that may call any function that it names. This reader resolves a fixed table of names, none of
them a function of the file's choice, and builds the arrays itself from their bytes. Pickles of Python 2 and 3, of
numpy 1 and 2, of every protocol; the text of Python 2 comes back as bytes. `load_pickle` reads those of data sets,
pgan_tf/interop those of networks.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable

import numpy as np

from pgan_tf.data.errors import DataError

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")  # numpy 1, numpy 2
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_BUILTINS = ("__builtin__", "builtins")  # Python 2, Python 3
_NDARRAY = "numpy.ndarray"  # stands for the type; it is only ever passed to _reconstruct
_TYPE_CODE = re.compile(r"[biufc]\d{1,2}")  # of plain numbers
_BYTE_ORDERS = "<>|="
_MOST_MARKS = 1_000_000  # the reader makes a table as long as the highest mark that a pickle sets


def load_pickle(content: bytes, where: str) -> object:
    """What a pickle holds; arrays at the top, or directly in a list, tuple or dict at the top, as numpy arrays.

    where: the file's name for messages. DataError: it names any other global, holds an array that is not of plain
    numbers, or is damaged.
    """
    return unpickle(content, where, _DataSetUnpickler, _with_arrays)


def unpickle(content: bytes, where: str, reader: type[ArrayUnpickler], finish: Callable[[object], object]) -> object:
    """`finish` of what `reader` finds in a pickle. DataError, one line that begins with `where`, if anything fails."""
    try:
        _check_operations(content, reader.most_operations)
        return finish(reader(content).load())
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    except Exception as error:  # a pickle is a program, and a damaged one can fail in any way
        raise DataError(f"{where}: not a pickle, or damaged ({type(error).__name__}); download it again") from error


def _check_operations(content: bytes, most: float) -> None:
    """Walks through the program without running it: every length that it states is there, nothing in it grows."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        if opcode.name in ("PUT", "LONG_BINPUT") and int(argument) > _MOST_MARKS:
            raise DataError("damaged: its pickle sets more than a million marks")
        if count >= most:
            raise DataError(f"damaged: its pickle has more than {most:,} operations")


class ArrayUnpickler(pickle.Unpickler):
    """Resolves the names of numpy's arrays and those that a subclass adds; any other is refused.

    What they stand for are bound methods: a pickle cannot set attributes on those.
    """

    needless = "which no data set needs: do not trust this file"  # what a message says of other names
    most_operations = math.inf  # of the pickle's program; each can take some hundred bytes of memory

    def __init__(self, content: bytes):
        super().__init__(io.BytesIO(content), encoding="bytes")
        self._globals = {
            ("numpy", "ndarray"): _NDARRAY,
            ("numpy", "dtype"): self._dtype,
            **{(module, "_reconstruct"): self._reconstruct for module in _MULTIARRAY},
            **{(module, "scalar"): self._scalar for module in _MULTIARRAY},
            **{(module, "_frombuffer"): self._frombuffer for module in _NUMERIC},
        }

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self._globals:
            wanted = repr(f"{module}.{name}"[:100])[1:-1]  # one line, whatever the file calls it
            raise DataError(f"its pickle asks for {wanted}, {self.needless}")
        return self._globals[module, name]

    def _dtype(self, code: str | bytes, *_: object) -> _Type:
        return _Type(code)

    def _reconstruct(self, kind: object, *_: object) -> _Array:
        if kind is not _NDARRAY:
            raise DataError("damaged: an array of an unknown kind")
        return _Array()

    def _scalar(self, kind: _Type, content: bytes) -> int | float | complex:
        return np.frombuffer(content, kind.dtype).reshape(()).item()

    def _frombuffer(self, content: bytes, kind: _Type, shape: tuple, order: str = "C", *_: object) -> _Array:
        array = _Array()
        array.value = np.frombuffer(content, kind.dtype).reshape(shape, order=order)
        return array


class _DataSetUnpickler(ArrayUnpickler):
    """Also resolves the sets, complex numbers and bytes that data sets hold."""

    def __init__(self, content: bytes):
        super().__init__(content)
        self._globals |= {
            ("_codecs", "encode"): self._encode,
            **{(module, kind.__name__): kind for module in _BUILTINS for kind in (set, frozenset, complex)},
            **{(module, name): self._bytes for module in _BUILTINS for name in ("bytes", "bytearray")},
        }

    def _encode(self, text: str, encoding: str) -> bytes:
        """How Python 3 writes bytes in protocols 0 to 2."""
        if encoding != "latin1":
            raise DataError(f"damaged: bytes encoded as {encoding!r}")
        return text.encode("latin1")

    def _bytes(self, *values: object) -> bytes:
        if any(isinstance(value, int) for value in values):
            raise DataError("damaged: asks for bytes by their number")  # as many as it likes
        return bytes(*values)


class _Type:
    """Stands for a numpy.dtype while a pickle is read: numpy's own would believe any state that it is given."""

    def __init__(self, code: str | bytes):
        name = code.decode("latin1") if isinstance(code, bytes) else str(code)
        if not _TYPE_CODE.fullmatch(name):
            raise DataError(f"an array of numpy type {name[:20]!r}; only plain numbers can be read")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple) -> None:
        order = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
        if order not in tuple(_BYTE_ORDERS):
            raise DataError(f"damaged: byte order {str(order)[:20]!r}")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stands for a numpy.ndarray while a pickle is read, for the same reason."""

    value: np.ndarray | None = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, kind, fortran, content = state
        self.value = np.frombuffer(content, kind.dtype).reshape(shape, order="F" if fortran else "C")


def _with_arrays(tree: object) -> object:
    if isinstance(tree, dict):
        return {key: as_array(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(as_array(value) for value in tree)
    return as_array(tree)


def as_array(value: object) -> object:
    """The numpy array that a part of a pickle stands for; any other part as it is."""
    if not isinstance(value, _Array):
        return value
    if value.value is None:
        raise DataError("damaged: an array without its content")
    return value.value
