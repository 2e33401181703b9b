"""Labels of pictures from the folders that they lie in, or from small files beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from pgan_tf.data.errors import DataError
from pgan_tf.data.label_rows import Labels, from_values
from pgan_tf.text import decode

DATASET_JSON = "dataset.json"  # StyleGAN2-ADA's and StyleGAN3's, at the root of a zip or folder
_SUFFIXES = {"cls": ".cls", "json": ".json"}  # webdataset's, beside each picture
_FIELD = "label"


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
    return from_values([file.split("/")[depth] for file in files], where)


def _common_folders(files: Sequence[str]) -> int:
    """How many first folders say nothing: all pictures lie below the same ones, and in folders there."""
    depth = 0
    while len({tuple(file.split("/")[: depth + 1]) for file in files}) == 1 and _all_below(files, depth + 1):
        depth += 1
    return depth


def _all_below(files: Sequence[str], depth: int) -> bool:
    return all(file.count("/") > depth for file in files)


def _from_cls(files: Sequence[str], texts: Texts, where: Any, field: str) -> Labels:
    return from_values([_number_or_name(_text(file, texts, ".cls")) for file in files], where)


def _from_json(files: Sequence[str], texts: Texts, where: Any, field: str) -> Labels:
    index = None if field else texts.get(DATASET_JSON)
    if index is not None:
        return _from_index(files, index, where)
    return from_values([_field(file, _text(file, texts, ".json"), field or _FIELD) for file in files], where)


def _from_index(files: Sequence[str], index: bytes, where: Any) -> Labels:
    """StyleGAN's dataset.json: {"labels": [[path, 3 or [0.1, 0.2]], ...]}; `null` for no labels."""
    try:
        entries = json.loads(decode(index))["labels"]
        table = None if entries is None else dict(entries)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{where}: {DATASET_JSON} is not StyleGAN's index of labels; give --labels=none") from error
    if table is None:
        raise DataError(f"{where}: {DATASET_JSON} has no labels; give --labels=none")
    missing = [file for file in files if file not in table]
    if missing:
        raise DataError(f"{where}: {DATASET_JSON} has no label for {len(missing)} pictures ({missing[0]})")
    values = [table[file] for file in files]
    return from_values(values, where)


def _text(file: str, texts: Texts, suffix: str) -> str:
    content = texts.get(key_of(file) + suffix)
    if content is None:
        raise DataError(f"--labels={suffix[1:]}: {file} has no {key_of(file)}{suffix} beside it")
    return decode(content, "replace").strip()


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
