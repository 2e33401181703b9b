"""Five points of a face, from and to a file in the format of CelebA's list_landmarks_celeba.txt."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.files import new_file
from pgan_tf.text import read_text

POINTS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")  # left and right as one looks at the picture
_NUMBERS = 2 * len(POINTS)
_HEADER = " ".join(f"{point}_{axis}" for point in POINTS for axis in "xy")


class Face(NamedTuple):
    """One face in a picture: the file's path below the folder, with slashes, and x and y of the five points.

    A point is in pixels of the upright picture; (0, 0) is the middle of its first pixel. Faces may share a file.
    """

    file: str
    numbers: tuple[float, ...]

    @property
    def points(self) -> np.ndarray:
        """float64 [5,2], in the order of POINTS."""
        return np.reshape(self.numbers, (-1, 2)).astype(np.float64)


def read_landmarks(path: str | os.PathLike) -> list[Face]:
    """The faces of a file in its order: one a line, the file's name and ten numbers.

    CelebA's two lines above them (how many, and the names of the columns) may be missing. Raises DataError.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: no file of landmarks can be read here ({error})") from error
    promised = int(lines[0]) if lines and lines[0].strip().isdecimal() else None
    faces = [
        _face(path, number, line)
        for number, line in enumerate(lines, 1)
        if line.strip() and not (number == 1 and promised is not None) and line.split() != _HEADER.split()
    ]
    if not faces:
        raise DataError(f"{path}: holds no landmarks; a line is a file's name and {_NUMBERS} numbers")
    if promised not in (None, len(faces)):
        raise DataError(f"{path}: its first line promises {promised} faces, {len(faces)} are there; fetch it again")
    return faces


def write_landmarks(path: str | os.PathLike, faces: Sequence[Face]) -> None:
    """Writes what `read_landmarks` reads, with the two lines above."""
    rows = [f"{face.file} {' '.join(f'{number:g}' for number in face.numbers)}" for face in faces]
    with new_file(path) as temporary:
        temporary.write_text("\n".join([str(len(faces)), _HEADER, *rows, ""]), encoding="utf-8")


def _face(path: str | os.PathLike, number: int, line: str) -> Face:
    name, *words = line.rsplit(maxsplit=_NUMBERS)  # a name may have spaces in it
    try:
        numbers = tuple(float(word) for word in words)
    except ValueError:
        numbers = ()
    if len(numbers) != _NUMBERS or not np.isfinite(numbers).all():
        raise DataError(f"{path}: line {number} is not a file's name and {_NUMBERS} numbers: {line[:60]}")
    return Face(name.strip(), numbers)
