"""Labels of pictures from the folders that they lie in, or from small files beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import Any

from pgan_tf.data.errors import DataError
from pgan_tf.data.label_rows import Labels, from_values
from pgan_tf.data.sources.listing import key_of
from pgan_tf.data.sources.sides import DATASET_JSON, Sides, clean
from pgan_tf.text import shown

_PART = re.compile(
    r"(train(ing)?|test(ing)?|val(id(ation)?)?|dev|eval(uation)?)[-_ ]?(set|data|[a-d]|\d+)?", re.IGNORECASE
)  # names of folders that are parts of a set: train, val2017, testB


def check_kind(labels: str) -> None:
    """Raises DataError for a value of the flag --labels that none has."""
    kind, _, field = labels.partition(":")
    level = kind == "folders" and re.fullmatch(r"[1-9]\d?", field)
    if kind not in LABELS or (field and kind != "json" and not level):
        raise DataError(f"--labels={labels}: must be one of {', '.join(LABELS)}, json:FIELD, folders:LEVEL")


def find_labels(labels: str, files: Sequence[str], sides: Sides, where: Any) -> Labels:
    """The labels of `files`, sorted relative paths, by the value of the flag --labels.

    none. folders: the first folders that tell the pictures apart; folders:2: the second ones of their paths. cls: a
    number or a name in KEY.cls beside KEY.EXT. json, json:FIELD: the FIELD (`label`) of the object in KEY.json; or,
    without FIELD, StyleGAN's dataset.json. Numbers and names become one-hot rows, lists of numbers are rows.
    `where`: for messages. Raises DataError where a picture has no label.
    """
    check_kind(labels)
    kind, _, field = labels.partition(":")
    return LABELS[kind](files, sides, where, field)


def from_index(files: Sequence[str], sides: Sides, where: Any, empty_is_none: bool = False) -> Labels | None:
    """The labels in dataset.json, each in the outermost folder around a picture that has one; None without such files.

    Raises DataError where a picture has none, and for a file without labels, or `empty_is_none`.
    """
    if not sides.indices or (empty_is_none and all(sides.index(folder) == {} for folder in sides.indices)):
        return None
    values, missing = [], []
    for file in files:
        around = file.split("/")[:-1]
        folders = ("/".join(around[:depth]) for depth in range(len(around) + 1))
        folder = next((folder for folder in folders if folder in sides.indices), None)
        table = None if folder is None else sides.index(folder)
        if table == {}:
            raise DataError(f"{where}: {shown(_in(folder, DATASET_JSON))} has no labels; take it away")
        inner = clean(file[len(folder) :] if folder else file)
        if table is None or inner not in table:
            missing.append(file)
        else:
            values.append(table[inner])
    if missing:
        some = f"{len(missing)} picture{'s' * (len(missing) > 1)} ({shown(missing[0])})"
        raise DataError(f"{where}: {DATASET_JSON} has no label for {some}; complete it, or take it away")
    return from_values(values, where)


def _none(files: Sequence[str], sides: Sides, where: Any, field: str) -> Labels:
    return Labels()


def _from_folders(files: Sequence[str], sides: Sides, where: Any, level: str) -> Labels:
    if not files:
        return Labels()
    depth = int(level) - 1 if level else _common_folders(files)
    loose = [file for file in files if file.count("/") <= depth]
    if loose:
        place = f"lie directly in {where}" if not level else f"lie above the folders of level {level} in {where}"
        raise DataError(f"--labels=folders: {len(loose)} pictures {place} ({shown(loose[0])}); move them into folders")
    names = [file.split("/")[depth] for file in files]
    if not level:
        _check_parts(set(names), depth, where)
    return from_values(names, where)


def _check_parts(names: set[str], depth: int, where: Any) -> None:
    """train/ and test/ are parts of a set, not classes; it is for the user to say."""
    parts = sorted(name for name in names if _PART.fullmatch(name))
    if len(parts) > 1:
        raise DataError(
            f"--labels=folders: {', '.join(map(shown, parts))} in {where} look like parts of a set, not classes; "
            f"--labels=folders:{depth + 2} takes the folders below them, --labels=folders:{depth + 1} these; "
            f"or give the folder {shown(parts[-1])} only"
        )


def _common_folders(files: Sequence[str]) -> int:
    """How many first folders say nothing: all pictures lie below the same ones, and in folders there."""
    depth = 0
    while len({tuple(file.split("/")[: depth + 1]) for file in files}) == 1 and _all_below(files, depth + 1):
        depth += 1
    return depth


def _all_below(files: Sequence[str], depth: int) -> bool:
    return all(file.count("/") > depth for file in files)


def _from_beside(files: Sequence[str], sides: Sides, where: Any, field: str) -> Labels:
    """From a file of the picture's whole name without extension, else from one of webdataset's key."""
    values = []
    for file in files:
        found = (sides.of(stem) for stem in (os.path.splitext(file)[0], key_of(file)))
        value = next((value for value in found if value is not None), None)
        if value is None:
            name = shown(key_of(file) + sides.suffix)
            raise DataError(f"--labels={sides.suffix[1:]}: {shown(file)} has no {name} beside it")
        values.append(value)
    return from_values(values, where)


def _from_json(files: Sequence[str], sides: Sides, where: Any, field: str) -> Labels:
    indexed = from_index(files, sides, where)
    return _from_beside(files, sides, where, field) if indexed is None else indexed


def _in(folder: str | None, name: str) -> str:
    return f"{folder}/{name}" if folder else name


LABELS: dict[str, Callable[[Sequence[str], Sides, Any, str], Labels]] = {
    "none": _none,
    "folders": _from_folders,
    "cls": _from_beside,
    "json": _from_json,
}
