"""Writes a source as a data set: all cores, bounded memory, the same files whoever does the work."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.parallel import ordered_map
from pgan_tf.data.progress import track
from pgan_tf.data.sources.report import Report
from pgan_tf.data.sources.source import Picture, PictureSource
from pgan_tf.data.writer import DatasetWriter, encode_levels, order


class Output(NamedTuple):
    """How a source becomes files; the flags of every create command, spelled as they are there."""

    shuffle: bool = True  # by a fixed seed
    strict: bool = False  # stop at an unreadable picture instead of skipping it
    workers: int = 1


class Prepared(NamedTuple):
    """A picture on its way from a worker to the files: its records, or the reason why there are none."""

    records: list[bytes]
    size: tuple[int, int] | None
    mode: str
    reason: str


class _Reordered(Sequence):
    """A sequence in another order, without a copy of it."""

    def __init__(self, items: Sequence, indices: np.ndarray):
        self._items, self._indices = items, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, where):
        found = self._indices[where]
        return [self._items[i] for i in found] if isinstance(where, slice) else self._items[found]


def write(out: str | os.PathLike, source: PictureSource, output: Output) -> Report:
    """Makes the data set `out`. An unreadable picture is left out, the order of the others stays; the report says so.

    Raises DataError: `out` exists, no picture can be read, or (strict) one cannot.
    """
    start = time.monotonic()
    check_new_folder(out)
    indices = order(len(source.items), output.shuffle)
    items = _Reordered(source.items, indices)
    report = Report(source=source.description, notes=list(source.notes), label_names=source.label_names)
    prepared = ordered_map(partial(prepare, load=source.load), items, output.workers)
    with DatasetWriter(out, source.resolution, source.channels) as writer:
        written = []
        for place, picture in enumerate(track(prepared, len(items), "writing")):
            if picture.reason:
                skip(report, source.name(items[place]), picture.reason, output.strict)
                continue
            writer.add_records(picture.records)
            written.append(indices[place])
            if picture.size:
                report.sizes[picture.size] += 1
                report.modes[picture.mode] += 1
        if not written:
            raise DataError(f"{source.description}: none of the {len(items)} pictures can be read{_first_reason(report)}")
        if source.labels is not None:
            writer.add_labels(source.labels[written])
            if source.label_names:
                writer.add_text("-labels.txt", source.label_names)
    label_size = 0 if source.labels is None else source.labels.shape[1]
    return report.finish(writer, label_size, time.monotonic() - start)


def prepare(item: Any, load: Callable[[Any], Picture]) -> Prepared:
    """Runs in a worker, encoding included: the parent only appends bytes."""
    try:
        picture = load(item)
        return Prepared(encode_levels(picture.pixels), picture.size, picture.mode, "")
    except Exception as error:  # decoders raise anything
        return Prepared([], None, "", (str(error).splitlines() or [type(error).__name__])[0])


def skip(report: Report, name: str, reason: str, strict: bool) -> None:
    """Notes a picture that cannot be read; DataError where that is not allowed."""
    if strict:
        raise DataError(f"{name}: {reason} (--strict)")
    report.skipped.append((name, reason))


def _first_reason(report: Report) -> str:
    return f" ({': '.join(report.skipped[0])})" if report.skipped else ""
