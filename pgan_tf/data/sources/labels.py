"""Labels of pictures from the folders that they lie in, or from small files beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from pgan_tf.data.errors import DataError

DATASET_JSON = "dataset.json"  # StyleGAN2-ADA's and StyleGAN3's, at the root of a zip or folder
_SUFFIXES = {"cls": ".cls", "json": ".json"}  # webdataset's, beside each picture
_MOST_CLASSES = 2**16
_FIELD = "label"


class Labels(NamedTuple):
    """labels: float32 [N,L], or None. names: of the L classes, where they have any."""

    labels: np.ndarray | None = None
    names: Sequence[str] = ()


class Texts(Protocol):
    """Small files by their path within the set."""

    def get(self, path: str) -> bytes | None: ...


class SideFiles:
    """The files in and below a folder."""

    def __init__(self, folder: str | os.PathLike):
        self._folder = folder

    def get(self, path: str) -> bytes | None:
        try:
            return Path(self._folder, path).read_bytes()
        except FileNotFoundError:
            return None


def find_labels(labels: str, files: Sequence[str], texts: Texts, where: Any) -> Labels:
    """The labels of `files`, sorted relative paths, by the value of the flag --labels.

    none. folders: the first folders that tell the pictures apart. cls: a number or a name in KEY.cls beside KEY.EXT.
    json, json:FIELD: the FIELD (`label`) of the object in KEY.json, a number or a name; or, without FIELD, StyleGAN's
    dataset.json, with a number or a list of numbers for each picture. Numbers and names become one-hot rows.
    `where`: for messages. Raises DataError where a picture has no label.
    """
    kind, _, field = labels.partition(":")
    if kind not in LABELS or (field and kind != "json"):
        raise DataError(f"--labels={labels}: must be one of {', '.join(LABELS)}, json:FIELD")
    return LABELS[kind](files, texts, where, field)


def side_suffix(labels: str) -> str:
    """What the files with labels end in, beside the pictures; '' where there are none."""
    return _SUFFIXES.get(labels.partition(":")[0], "")


def key_of(path: str) -> str:
    """webdataset's key of a sample: its path up to the first dot of the file's name."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + name.partition(".")[0]


def one_hot(values: Sequence[int | str], where: Any) -> Labels:
    """Numbers 0..L-1, or names of classes, which are sorted -> one-hot rows. Raises DataError."""
    kinds = {type(value) for value in values}
    if kinds == {str}:
        names = sorted(set(values))
        columns = {name: column for column, name in enumerate(names)}
        return Labels(_rows([columns[value] for value in values], len(names), where), names)
    if kinds != {int}:
        raise DataError(f"{where}: labels must be all numbers of classes or all names, not {_kinds(kinds)}")
    if min(values) < 0:
        raise DataError(f"{where}: label {min(values)}; numbers of classes start at 0")
    return Labels(_rows(values, max(values) + 1, where))


def _rows(columns: Sequence[int], classes: int, where: Any) -> np.ndarray:
    if classes > _MOST_CLASSES:
        raise DataError(f"{where}: {classes} classes, more than {_MOST_CLASSES}; these are no numbers of classes")
    rows = np.zeros((len(columns), classes), np.float32)  # [N,L]
    rows[np.arange(len(columns)), columns] = 1
    return rows


def _kinds(kinds: set[type]) -> str:
    return " and ".join(sorted(kind.__name__ for kind in kinds)) or "none"


def _none(files: Sequence[str], texts: Texts, where: Any, field: str) -> Labels:
    return Labels()


def _from_folders(files: Sequence[str], texts: Texts, where: Any, field: str) -> Labels:
    if not files:
        return Labels()
    depth = _common_folders(files)
    loose = [file for file in files if file.count("/") <= depth]
    if loose:
        raise DataError(
            f"--labels=folders: {len(loose)} pictures lie directly in {where} ({loose[0]}); move them into folders"
        )
    return one_hot([file.split("/")[depth] for file in files], where)


def _common_folders(files: Sequence[str]) -> int:
    """How many first folders say nothing: all pictures lie below the same ones, and in folders there."""
    depth = 0
    while len({tuple(file.split("/")[: depth + 1]) for file in files}) == 1 and _all_below(files, depth + 1):
        depth += 1
    return depth


def _all_below(files: Sequence[str], depth: int) -> bool:
    return all(file.count("/") > depth for file in files)


def _from_cls(files: Sequence[str], texts: Texts, where: Any, field: str) -> Labels:
    return one_hot([_number_or_name(_text(file, texts, ".cls")) for file in files], where)


def _from_json(files: Sequence[str], texts: Texts, where: Any, field: str) -> Labels:
    index = None if field else texts.get(DATASET_JSON)
    if index is not None:
        return _from_index(files, index, where)
    return one_hot([_field(file, _text(file, texts, ".json"), field or _FIELD) for file in files], where)


def _from_index(files: Sequence[str], index: bytes, where: Any) -> Labels:
    """StyleGAN's dataset.json: {"labels": [[path, 3 or [0.1, 0.2]], ...]}; `null` for no labels."""
    try:
        entries = json.loads(index)["labels"]
        table = None if entries is None else dict(entries)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{where}: {DATASET_JSON} is not StyleGAN's index of labels; give --labels=none") from error
    if table is None:
        raise DataError(f"{where}: {DATASET_JSON} has no labels; give --labels=none")
    missing = [file for file in files if file not in table]
    if missing:
        raise DataError(f"{where}: {DATASET_JSON} has no label for {len(missing)} pictures ({missing[0]})")
    values = [table[file] for file in files]
    return _vectors(values, where) if isinstance(values[0], list) else one_hot(values, where)


def _vectors(values: list[Any], where: Any) -> Labels:
    try:
        return Labels(np.array(values, np.float32).reshape(len(values), len(values[0])))  # [N,L]
    except (ValueError, TypeError) as error:
        raise DataError(f"{where}: the labels in {DATASET_JSON} must be lists of as many numbers each") from error


def _text(file: str, texts: Texts, suffix: str) -> str:
    content = texts.get(key_of(file) + suffix)
    if content is None:
        raise DataError(f"--labels={suffix[1:]}: {file} has no {key_of(file)}{suffix} beside it")
    return content.decode("utf-8", "replace").strip()


def _number_or_name(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 10 else text


def _field(file: str, text: str, field: str) -> Any:
    try:
        return json.loads(text)[field]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"--labels=json:{field}: {key_of(file)}.json holds no object with `{field}`") from error


LABELS: dict[str, Callable[[Sequence[str], Texts, Any, str], Labels]] = {
    "none": _none,
    "folders": _from_folders,
    "cls": _from_cls,
    "json": _from_json,
}
