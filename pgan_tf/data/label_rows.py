"""Labels as data sets store them, float32 [N,L], and the one check that labels from anywhere have to pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pgan_tf.data.errors import DataError

MOST_CLASSES = 2**16
_MOST_NUMBERS = 2**28  # of a label matrix: 1 GiB


class Labels(NamedTuple):
    """labels: float32 [N,L], or None. names: of the L classes, where they have any."""

    labels: np.ndarray | None = None
    names: Sequence[str] = ()


def label_matrix(labels: np.ndarray, count: int, where: Any) -> np.ndarray:
    """An array of labels -> float32 [count, L]: numbers [count, L] as they are; classes one-hot.

    Classes are integers [count] or [count, 1] from 0; L is the greatest one plus one. `where`: for messages. Raises
    DataError.
    """
    if labels.dtype.kind not in "biuf" or labels.ndim not in (1, 2) or len(labels) != count or labels.size == 0:
        form = f"{labels.dtype} of shape {list(labels.shape)}"
        raise DataError(f"{where}: labels are {form}; {count} images need numbers [{count}] or [{count}, L]")
    if labels.ndim == 1 or (labels.shape[1] == 1 and labels.dtype.kind != "f"):
        return one_hot(labels.reshape(-1), None, where)
    return vectors(labels, where)


def vectors(rows: np.ndarray, where: Any) -> np.ndarray:
    """Numbers or flags [N,L] -> float32 [N,L]. DataError where float32 cannot hold them as finite numbers."""
    _check_size(*rows.shape, where)
    with np.errstate(over="ignore"):
        matrix = rows.astype(np.float32)  # [N,L]
    if not np.isfinite(matrix).all():
        row = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
        raise DataError(f"{where}: labels are not all finite numbers (row {row}); repair them or leave them out")
    return matrix


def are_classes(rows: np.ndarray) -> bool:
    """Whether each of labels [N,L] is one class: a 1 among zeros."""
    return bool(((np.count_nonzero(rows, axis=1) == 1) & (rows.max(axis=1) == 1)).all())


def vector_notes(rows: np.ndarray | None) -> list[str]:
    """A note where labels [N,L] are no classes, so that nobody takes them for such."""
    if rows is None or are_classes(rows):
        return []
    numbers = f"lists of {rows.shape[1]} numbers" if rows.shape[1] > 1 else "one number each"
    return [f"labels are {numbers}, stored as they are; not one class a picture"]


def one_hot(labels: np.ndarray, classes: int | None, where: Any) -> np.ndarray:
    """Classes [N] from 0 -> float32 [N, classes]; None: as many as there are. DataError if one is out of range."""
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(f"{where}: labels are {labels.dtype} of shape {list(labels.shape)}; classes are integers [N]")
    least, greatest = int(labels.min()), int(labels.max())
    size = greatest + 1 if classes is None else classes
    if least < 0 or greatest >= size:
        classes_are = f"0 to {size - 1}" if classes else "numbered from 0 up"
        raise DataError(f"{where}: labels from {least} to {greatest}, but classes are {classes_are}")
    if size > MOST_CLASSES:
        raise DataError(
            f"{where}: labels of {size} classes for {len(labels)} images are too many, more than {MOST_CLASSES};"
            " number them from 0 up"
        )
    _check_size(len(labels), size, where)
    matrix = np.zeros((len(labels), size), np.float32)  # [N,L]
    matrix[np.arange(len(labels)), labels.astype(np.int64)] = 1
    return matrix


def from_values(values: Sequence[Any], where: Any) -> Labels:
    """What text files say, one value a picture -> labels.

    All are integers, the classes; or all names of classes, which are sorted; or all lists of as many numbers. Raises
    DataError.
    """
    kinds = {type(value) for value in values}
    if kinds == {str}:
        empty = sum(not value.strip() for value in values)
        if empty:
            raise DataError(f"{where}: {empty} labels are empty, no names of classes; complete them or leave them out")
        names = sorted(set(values))
        columns = {name: column for column, name in enumerate(names)}
        return Labels(one_hot(np.array([columns[value] for value in values]), len(names), where), names)
    if kinds == {int}:
        bound = 2**62  # far beyond what is allowed, and not beyond int64
        return Labels(one_hot(np.array([max(-bound, min(value, bound)) for value in values]), None, where))
    if kinds == {list}:
        return Labels(vectors(_rows(values, where), where))
    types = " and ".join(sorted(kind.__name__ for kind in kinds)) or "none"
    raise DataError(f"{where}: labels must be all numbers of classes, all names or all lists of numbers, not {types}")


def _rows(values: Sequence[list], where: Any) -> np.ndarray:
    """float64 [N,L] of lists of L numbers each, or of flags."""
    lengths = {len(value) for value in values}
    kinds = {type(number) for value in values for number in value}
    if len(lengths) != 1 or not (kinds <= {int, float} or kinds == {bool}) or not kinds:
        raise DataError(f"{where}: labels must be lists of as many numbers each")
    try:
        return np.array(values, np.float64)  # [N,L]
    except OverflowError:  # an integer of hundreds of digits
        return np.full((len(values), *lengths), np.inf)


def _check_size(count: int, size: int, where: Any) -> None:
    if count * size > _MOST_NUMBERS:
        raise DataError(f"{where}: {size} label numbers for each of {count} images are too many")
