"""Small files with labels beside the pictures, read while they are listed: only what they say is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from pgan_tf.data.errors import DataError
from pgan_tf.text import decode

DATASET_JSON = "dataset.json"  # StyleGAN2-ADA's and StyleGAN3's: the labels of all pictures in and below its folder
MAX_SIDE_BYTES = 2**26
_SHARE = 64  # a file beside one picture may have so much less than one for all
_SUFFIXES = {"cls": ".cls", "json": ".json"}  # webdataset's
_FIELD = "label"
_PARSED_BYTES = 2**29


class Sides:
    """What the files with labels say, by the value of the flag --labels.

    max_bytes: of a file for all pictures, and of everything that is kept of the others; a file beside one picture may
    have a 64th of it. Larger ones are not read: where a picture needs such a file, `of` and `index` say so.
    """

    def __init__(self, labels: str = "none", max_bytes: int = MAX_SIDE_BYTES):
        kind, _, field = labels.partition(":")
        self.suffix, self._field = _SUFFIXES.get(kind, ""), field or _FIELD
        self._with_index = kind == "json" and not field
        self._limit = self._left = max_bytes
        self._values: dict[str, Any] = {}  # by the path without extension; a DataError where it cannot be read
        self._indices: dict[str, Any] = {}  # by folder
        self._known: dict[str, str] = {}  # one string for each name of a class

    def take(self, path: str, size: int, read: Callable[[int], bytes]) -> bool:
        """Reads the file if it has labels; says whether it has. read: so many of its first bytes."""
        stem, extension = os.path.splitext(path)
        folder, _, name = path.rpartition("/")
        if self._with_index and name == DATASET_JSON:
            self._indices[folder] = self._read(path, size, self._limit, read, _index)
        elif self.suffix and extension.lower() == self.suffix:
            self._values[stem] = self._read(path, size, self._limit // _SHARE, read, self._value)
        else:
            return False
        return True

    def of(self, stem: str) -> Any:
        """What the file STEM.cls or STEM.json says; None where there is none. Raises DataError."""
        return _raised(self._values.get(stem))

    def index(self, folder: str) -> dict[str, Any] | None:
        """{path below the folder: label} of its dataset.json; None where there is none. Raises DataError."""
        return _raised(self._indices.get(folder))

    @property
    def indices(self) -> set[str]:
        """The folders that have a dataset.json."""
        return set(self._indices)

    def _read(self, path: str, size: int, limit: int, read: Callable, parse: Callable[[str, bytes], Any]) -> Any:
        if size > limit:
            share = "" if limit == self._limit else f"the {_SHARE}th part of "
            return DataError(
                f"{path}: a file with labels of {size} bytes, more than {share}--max_side_bytes={self._limit};"
                " raise the limit if it is meant"
            )
        if self._left < 0:
            return self._spent(path)
        try:
            value = parse(path, read(size))
        except DataError as error:
            return error
        except Exception as error:  # damage in an archive raises anything
            return DataError(f"{path}: cannot be read ({(str(error).splitlines() or [type(error).__name__])[0]})")
        self._left -= size if isinstance(value, dict) else _weight(value)
        return self._spent(path) if self._left < 0 else value

    def _spent(self, path: str) -> DataError:
        most = f"all labels together take more than --max_side_bytes={self._limit}"
        return DataError(f"{path}: {most}; raise the limit if they are meant")

    def _value(self, path: str, content: bytes) -> Any:
        if self.suffix == ".cls":
            text = decode(content, "replace").strip()
            is_number = text.removeprefix("-").isdecimal() and len(text) < 10
            return int(text) if is_number else self._known.setdefault(text, text)
        try:
            value = parse_json(path, content)[self._field]
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"--labels=json:{self._field}: {path} holds no object with `{self._field}`") from error
        if not isinstance(value, (str, int, float)) and not _are_numbers(value):
            raise DataError(f"{path}: labels are a number, a name, or a list of numbers, not {str(value)[:40]}")
        return self._known.setdefault(value, value) if isinstance(value, str) else value


def parse_json(path: str, content: bytes) -> Any:
    """What a JSON file holds. ValueError where it is none; DataError where it would take far more memory than bytes."""
    needed = 72 * (content.count(b"[") + content.count(b"{")) + 32 * (content.count(b",") + content.count(b'"'))
    if needed > _PARSED_BYTES:
        raise DataError(f"{path}: would take {needed:,} bytes of memory: too many lists, objects and numbers")
    try:
        return json.loads(decode(content))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def clean(path: str) -> str:
    """A path as archives and indices of any system have it, with slashes and without parts that say nothing."""
    return "/".join(part for part in path.replace("\\", "/").split("/") if part not in ("", "."))


def _index(path: str, content: bytes) -> dict[str, Any]:
    """StyleGAN's {"labels": [[path, 3 or [0.1, 0.2]], ...]} -> {path: label}; {} for `null`, no labels."""
    try:
        entries = parse_json(path, content)["labels"]
        table: dict[str, Any] = {}
        for entry in [] if entries is None else entries:
            name, *labels = entry
            if len(labels) != 1:
                number = f"{len(labels)} labels; give one class, or one list of numbers, for each picture"
                raise DataError(f"{path}: {name} has {number}")
            known = table.setdefault(clean(name), labels[0])
            if known is not labels[0] and known != labels[0]:
                raise DataError(f"{path}: {name} has two labels, {known} and {labels[0]}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is not StyleGAN's index of labels; take it away") from error
    return table


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and {*map(type, value)} <= {int, float, bool}


def _weight(value: Any) -> int:
    """About how many bytes a label takes."""
    return 32 * len(value) if isinstance(value, (str, list)) else 8


def _raised(value: Any) -> Any:
    if isinstance(value, DataError):
        raise value
    return value
