"""A data set a few megabytes at a time, and the names of its classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.points import PointDataset
from pgan_tf.progress import track
from pgan_tf.text import read_text

_BATCH_BYTES = 2**24


def batches(dataset: RecordDataset, indices: np.ndarray, what: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields (some of `indices`, their pictures uint8 [n, R, R, C]) in order. `what`: for the progress bar."""
    size = max(1, _BATCH_BYTES // (dataset.resolution**2 * dataset.channels))
    for place in track(range(len(indices)), len(indices), what):
        if place % size == 0:
            chosen = indices[place : place + size]
            yield chosen, dataset.read(dataset.resolution, chosen)


def label_names(dataset: RecordDataset | PointDataset) -> list[str]:
    """The names of the classes from `<name>-labels.txt`; [] without labels or without one name for each."""
    path = dataset.folder / f"{dataset.name}-labels.txt"
    names = read_text(path).splitlines() if path.is_file() else []
    return names if len(names) == dataset.label_size else []


def evenly_spaced(count: int, most: int) -> np.ndarray:
    """At most `most` of 0..count-1, int64, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
