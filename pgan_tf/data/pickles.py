"""Pickles read without running anything: numbers, text, containers and numpy arrays, nothing else.

A pickle is a program that may call any function that it names. This reader resolves a fixed table of names, none of
them a function of the file's choice, and builds the arrays itself from their bytes. Pickles of Python 2 and 3, of
numpy 1 and 2, of every protocol; the text of Python 2 comes back as bytes. `load_pickle` reads those of data sets,
pgan_tf/interop those of networks.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.metrics.weights.pickled import Function, Part, PickleError, Reading, check_keys, read

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")  # numpy 1, numpy 2
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_BUILTINS = ("__builtin__", "builtins")  # Python 2, Python 3
_NDARRAY = "numpy.ndarray"  # stands for the type; it is only ever passed to _reconstruct
_TYPE_CODE = re.compile(r"[biufc]\d{1,2}")  # of plain numbers
_BYTE_ORDERS = "<>|="
_MOST_OPERATIONS = 2_000_000  # CIFAR-100 has half a million


def load_pickle(content: bytes, where: str) -> object:
    """What a pickle holds; arrays at the top, or directly in a list, tuple or dict at the top, as numpy arrays.

    where: the file's name for messages. DataError: it names any other global, holds an array that is not of plain
    numbers, has keys that are no plain values, or is damaged.
    """
    return unpickle(content, where, _data_set(content), _with_arrays)


def unpickle(content: bytes, where: str, reading: Reading, finish: Callable[[object], object]) -> object:
    """`finish` of what is found in a pickle. DataError, one line that begins with `where`, if anything fails."""
    try:
        return finish(read(io.BytesIO(content), reading))
    except (DataError, PickleError) as error:
        raise DataError(f"{where}: {error}") from error
    except Exception as error:  # a pickle is a program, and a damaged one can fail in any way
        raise DataError(f"{where}: not a pickle, or damaged ({type(error).__name__}); download it again") from error


def array_names() -> dict[tuple[str, str], object]:
    """The names in a pickle with which numpy makes arrays, and what reads them here."""
    return {
        ("numpy", "ndarray"): _NDARRAY,
        ("numpy", "dtype"): Function(lambda code, *_: _Type(code)),
        **{(module, "_reconstruct"): Function(_reconstruct) for module in _MULTIARRAY},
        **{(module, "scalar"): Function(_scalar) for module in _MULTIARRAY},
        **{(module, "_frombuffer"): Function(_from_buffer) for module in _NUMERIC},
    }


def _data_set(content: bytes) -> Reading:
    """Also resolves the sets, complex numbers and bytes that data sets hold."""
    budget = _Budget(len(content))
    names = {
        ("_codecs", "encode"): Function(budget.encode),
        **{(module, "set"): Function(lambda items=(): set(check_keys(items))) for module in _BUILTINS},
        **{(module, "frozenset"): Function(lambda items=(): frozenset(check_keys(items))) for module in _BUILTINS},
        **{(module, "complex"): Function(_complex) for module in _BUILTINS},
        **{(module, name): Function(budget.bytes) for module in _BUILTINS for name in ("bytes", "bytearray")},
    }
    return Reading(array_names() | names, "which no data set needs: do not trust this file", _MOST_OPERATIONS)


class _Budget:
    """Bytes that a pickle has made out of its text: never more than it has itself, however often it asks."""

    def __init__(self, length: int):
        self._left = length

    def encode(self, text: str, encoding: str) -> bytes:
        """How Python 3 writes bytes in protocols 0 to 2."""
        if encoding != "latin1" or type(text) is not str:
            raise DataError("damaged: bytes that are no text in latin1")
        self._spend(len(text))
        return text.encode("latin1")

    def bytes(self, value: object = b"", encoding: str = "latin1") -> bytes:
        if type(value) is str:
            return self.encode(value, encoding)
        if type(value) not in (bytes, bytearray, list):
            raise DataError("damaged: asks for bytes by their number")  # as many as it likes
        self._spend(len(value))
        return bytes(value)

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise DataError("damaged: asks for more bytes than it has")


def _complex(real: float, imaginary: float) -> complex:
    if not isinstance(real, (int, float)) or not isinstance(imaginary, (int, float)):
        raise DataError("damaged: a complex number of something else")
    return complex(real, imaginary)


def _reconstruct(kind: object, *_: object) -> _Array:
    if kind is not _NDARRAY:
        raise DataError("damaged: an array of an unknown kind")
    return _Array()


def _scalar(kind: _Type, content: bytes) -> int | float | complex:
    return np.frombuffer(content, _dtype(kind)).reshape(()).item()


def _from_buffer(content: bytes, kind: _Type, shape: tuple, order: str = "C", *_: object) -> _Array:
    array = _Array()
    array.set(content, kind, shape, order)
    return array


def _dtype(kind: object) -> np.dtype:
    if not isinstance(kind, _Type):
        raise DataError("damaged: an array of no type")
    return kind.dtype


class _Type(Part):
    """Stands for a numpy.dtype while a pickle is read: numpy's own would believe any state that it is given."""

    def __init__(self, code: str | bytes):
        name = _text(code)
        if not _TYPE_CODE.fullmatch(name):
            raise DataError(f"an array of numpy type {name[:20]!r}; only plain numbers can be read")
        self.dtype = np.dtype(name)

    def set_state(self, state: tuple) -> None:
        order = _text(state[1])
        if order not in tuple(_BYTE_ORDERS):
            raise DataError(f"damaged: byte order {order[:20]!r}")
        self.dtype = self.dtype.newbyteorder(order)


def _text(value: object) -> str:
    if not isinstance(value, (str, bytes)):
        raise DataError("damaged: a type whose name is none")
    return value.decode("latin1") if isinstance(value, bytes) else value


class _Array(Part):
    """Stands for a numpy.ndarray while a pickle is read, for the same reason."""

    value: np.ndarray | None = None

    def set_state(self, state: tuple) -> None:
        _, shape, kind, fortran, content = state
        self.set(content, kind, shape, "F" if fortran is True else "C")

    def set(self, content: bytes, kind: _Type, shape: tuple[int, ...], order: str) -> None:
        """A view of the bytes."""
        if type(shape) is not tuple or not all(type(size) is int for size in shape) or order not in ("C", "F"):
            raise DataError("damaged: an array of no shape")
        self.value = np.frombuffer(content, _dtype(kind)).reshape(shape, order=order)


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
