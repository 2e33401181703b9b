"""The pickles of data sets: numbers, text, containers and arrays. Nothing in them is run."""

from __future__ import annotations

from pgan_tf.data.errors import DataError
from pgan_tf.metrics.weights.pickled import Function, PickleError, Reading, check_keys
from pgan_tf.pickles import array_names, as_array, unpickle

_BUILTINS = ("__builtin__", "builtins")  # Python 2, Python 3
_MOST_OPERATIONS = 2_000_000  # CIFAR-100 has half a million


def load_pickle(content: bytes, where: str) -> object:
    """What a pickle holds; arrays at the top, or directly in a list, tuple or dict at the top, as numpy arrays.

    where: the file's name for messages. DataError: it names any other global, holds an array that is not of plain
    numbers, has keys that are no plain values, or is damaged.
    """
    try:
        return unpickle(content, _data_set(content), _with_arrays)
    except PickleError as error:
        raise DataError(f"{where}: {error}") from error


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
            raise PickleError("damaged: bytes that are no text in latin1")
        self._spend(len(text))
        return text.encode("latin1")

    def bytes(self, value: object = b"", encoding: str = "latin1") -> bytes:
        if type(value) is str:
            return self.encode(value, encoding)
        if type(value) not in (bytes, bytearray, list):
            raise PickleError("damaged: asks for bytes by their number")  # as many as it likes
        self._spend(len(value))
        return bytes(value)

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise PickleError("damaged: asks for more bytes than it has")


def _complex(real: float, imaginary: float) -> complex:
    if not isinstance(real, (int, float)) or not isinstance(imaginary, (int, float)):
        raise PickleError("damaged: a complex number of something else")
    return complex(real, imaginary)


def _with_arrays(tree: object) -> object:
    if isinstance(tree, dict):
        return {key: as_array(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(as_array(value) for value in tree)
    return as_array(tree)
