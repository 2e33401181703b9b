"""The two text files that say which photographs make CelebA-HQ and where the faces are in them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from pgan_tf.data.errors import DataError
from pgan_tf.text import read_text

COLUMNS = ["idx", "orig_idx", "orig_file", "proc_md5", "final_md5"]
_POINTS = 10  # numbers in a row of landmarks


class Entry(NamedTuple):
    """One picture of CelebA-HQ."""

    index: int  # its number
    landmark_row: int  # of the original, counted from 0
    file: str  # the original's bare name
    processed_md5: str  # before the delta is added
    final_md5: str

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.index} ({self.file})"


def read_image_list(path: str | os.PathLike) -> list[Entry]:
    """The rows of image_list.txt, which comes with the deltas. DataError if it is missing or something else."""
    lines = _lines(path)
    if not lines or lines[0].split() != COLUMNS:
        raise DataError(f"{path}: its first line must be {' '.join(COLUMNS)}; take the file that comes with the deltas")
    return [_entry(path, number, line.split()) for number, line in enumerate(lines[1:])]


def read_landmarks(path: str | os.PathLike) -> list[tuple[str, tuple[int, ...]]]:
    """(file name, 10 coordinates) of each row of list_landmarks_celeba.txt. DataError if it is something else."""
    lines = _lines(path)
    if len(lines) < 2 or not lines[0].strip().isdecimal() or not lines[1].startswith("lefteye_x"):
        raise DataError(f"{path}: must start with a number and the names of the columns; take it from CelebA's Anno")
    rows = [line.split() for line in lines[2:]]
    if int(lines[0]) != len(rows):
        raise DataError(f"{path}: announces {lines[0].strip()} rows and has {len(rows)}; fetch it again")
    for number, row in enumerate(rows):
        if len(row) != 1 + _POINTS or not all(re.fullmatch(r"-?\d{1,6}", value) for value in row[1:]):
            raise DataError(f"{path}: row {number}: needs a file name and {_POINTS} whole numbers; fetch it again")
    return [(row[0], tuple(map(int, row[1:]))) for row in rows]


def _entry(path: str | os.PathLike, number: int, row: list[str]) -> Entry:
    numbers = [int(value) for value in row[:2] if re.fullmatch(r"\d{1,6}", value)]
    md5s = [value for value in row[3:] if re.fullmatch(r"[0-9a-f]{32}", value)]
    if len(row) != len(COLUMNS) or len(numbers) != 2 or len(md5s) != 2 or Path(row[2]).name != row[2]:
        raise DataError(f"{path}: row {number}: needs two numbers, a bare file name and two md5 sums; fetch it again")
    if numbers[0] != number:
        raise DataError(f"{path}: row {number} has idx {numbers[0]}; the rows must be in order, none left out")
    return Entry(*numbers, row[2], *md5s)


def _lines(path: str | os.PathLike) -> list[str]:
    """Those that are not empty."""
    try:
        lines = read_text(path).splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file; fetch it again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    return [line for line in lines if line.strip()]
