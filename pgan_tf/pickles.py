"""Pickles read without running anything: numbers, text, containers and numpy arrays, nothing else.

A pickle is a program that may call any function that it names. This reader resolves a fixed table of names, none of
them a function of the file's choice, and builds the arrays itself from their bytes. Pickles of Python 2 and 3, of
numpy 1 and 2, of every protocol; the text of Python 2 comes back as bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import numpy as np

from pgan_tf.errors import UserError
from pgan_tf.metrics.weights.pickled import Function, Part, PickleError, Reading, read

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")  # numpy 1, numpy 2
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_NDARRAY = "numpy.ndarray"  # stands for the type; it is only ever passed to _reconstruct
_TYPE_CODE = re.compile(r"[biufc]\d{1,2}")  # of plain numbers
_BYTE_ORDERS = "<>|="
_ARCHIVES = {b"PK": "a zip archive, as PyTorch's and Keras' own files are", b"\x1f\x8b": "a gzip archive"}


def unpickle(content: bytes, reading: Reading, finish: Callable[[object], object]) -> object:
    """`finish` of what is found in a pickle.

    PickleError, a line without the file's name, for anything that fails but what `finish` refuses as a UserError.
    """
    for magic, archive in _ARCHIVES.items():  # its bytes would be read as instructions, which depend on its date
        if content.startswith(magic):
            raise PickleError(f"not a pickle but {archive}; give the pickle itself")
    try:
        return finish(read(io.BytesIO(content), reading))
    except (PickleError, UserError):
        raise
    except Exception as error:  # a pickle is a program, and a damaged one can fail in any way
        raise PickleError(f"not a pickle, or damaged ({type(error).__name__}); download it again") from error


def array_names() -> dict[tuple[str, str], object]:
    """The names in a pickle with which numpy makes arrays, and what reads them here."""
    return {
        ("numpy", "ndarray"): _NDARRAY,
        ("numpy", "dtype"): Function(lambda code, *_: _Type(code)),
        **{(module, "_reconstruct"): Function(_reconstruct) for module in _MULTIARRAY},
        **{(module, "scalar"): Function(_scalar) for module in _MULTIARRAY},
        **{(module, "_frombuffer"): Function(_from_buffer) for module in _NUMERIC},
    }


def _reconstruct(kind: object, *_: object) -> _Array:
    if kind is not _NDARRAY:
        raise PickleError("damaged: an array of an unknown kind")
    return _Array()


def _scalar(kind: _Type, content: bytes) -> int | float | complex:
    return np.frombuffer(content, _dtype(kind)).reshape(()).item()


def _from_buffer(content: bytes, kind: _Type, shape: tuple, order: str = "C", *_: object) -> _Array:
    array = _Array()
    array.set(content, kind, shape, order)
    return array


def _dtype(kind: object) -> np.dtype:
    if not isinstance(kind, _Type):
        raise PickleError("damaged: an array of no type")
    return kind.dtype


class _Type(Part):
    """Stands for a numpy.dtype while a pickle is read: numpy's own would believe any state that it is given."""

    def __init__(self, code: str | bytes):
        name = _text(code)
        if not _TYPE_CODE.fullmatch(name):
            raise PickleError(f"an array of numpy type {name[:20]!r}; only plain numbers can be read")
        self.dtype = np.dtype(name)

    def set_state(self, state: tuple) -> None:
        order = _text(state[1])
        if order not in tuple(_BYTE_ORDERS):
            raise PickleError(f"damaged: byte order {order[:20]!r}")
        self.dtype = self.dtype.newbyteorder(order)


def _text(value: object) -> str:
    if not isinstance(value, (str, bytes)):
        raise PickleError("damaged: a type whose name is none")
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
            raise PickleError("damaged: an array of no shape")
        self.value = np.frombuffer(content, _dtype(kind)).reshape(shape, order=order)


def as_array(value: object) -> object:
    """The numpy array that a part of a pickle stands for; any other part as it is."""
    if not isinstance(value, _Array):
        return value
    if value.value is None:
        raise PickleError("damaged: an array without its content")
    return value.value
