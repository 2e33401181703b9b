"""What every create command makes of its files, and what every engine writes: a list of items and a way to load one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np


class Picture(NamedTuple):
    """One picture as a data set stores it, and what it was before, for the report."""

    pixels: np.ndarray  # uint8 [R,R,C]
    size: tuple[int, int] | None = None  # width and height of the file, where they vary
    mode: str = ""  # Pillow's name
    remarks: tuple[tuple[str, int], ...] = ()  # what else the report counts, and by how much


@dataclass(frozen=True)
class PictureSource:
    """A set of pictures in the order of its files; the engine shuffles.

    Attributes:
        description: where the pictures come from, for the report.
        resolution: side of every picture, a power of two. channels: 1 or 3.
        items: one per picture, small and picklable: a file's name, a key, a row of an array.
        load: item -> Picture. Picklable (a function of a module, or a partial of one): it runs in worker processes.
            Raises what it likes for a picture that cannot be read; the engine names it by `name`, counts and skips it.
        name: item -> what a message calls it.
        labels: float32 [N,L] in the order of the items, or None.
        label_names: of the L classes.
        notes: decisions taken for the user, lines of the report.
        own_size: the resolution may be any size, and is the only one that is stored.
    """

    description: str
    resolution: int
    channels: int
    items: Sequence[Any]
    load: Callable[[Any], Picture]
    name: Callable[[Any], str] = str
    labels: np.ndarray | None = None
    label_names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    own_size: bool = False


def as_picture(pixels: np.ndarray) -> Picture:
    """The `load` of a source whose items are pictures already, uint8 [R,R,C]."""
    return Picture(pixels)
