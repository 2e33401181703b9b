"""Writes a source as a data set: all cores or a cluster, bounded memory, the same records whoever does the work."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from pgan_tf.data import beam
from pgan_tf.data.creation_report import Report
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.parallel import ordered_map
from pgan_tf.data.prepare import Outcome, prepare
from pgan_tf.data.source import PictureSource
from pgan_tf.data.writer import DatasetWriter, order
from pgan_tf.places import check_on_disk
from pgan_tf.progress import track

_CHUNK_BYTES = 2**21  # of records that a worker sends at once, so that memory does not grow with the resolution
_MOST_IN_A_CHUNK = 8


class Output(NamedTuple):
    """How a source becomes files; the flags of every create command, spelled as they are there."""

    shuffle: bool = True  # by a fixed seed
    strict: bool = False  # stop at an unreadable picture instead of skipping it
    workers: int = 1
    shards: int = 1  # files per resolution
    engine: str = "local"  # one of ENGINES
    beam_options: Sequence[str] = ()  # Apache Beam's own flags, such as --runner=FlinkRunner


class _Reordered(Sequence):
    """A sequence in another order, without a copy of it."""

    def __init__(self, items: Sequence, indices: np.ndarray):
        self._items, self._indices = items, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, where):
        index = self._indices[where]
        return [self._items[i] for i in index] if isinstance(where, slice) else self._items[index]


def write(out: str | os.PathLike, source: PictureSource, output: Output) -> Report:
    """Makes the data set `out`. An unreadable picture is left out, the order of the others stays; the report says so.

    Raises DataError: `out` exists, no picture can be read, (strict) one cannot, or a drive fails.
    """
    start = time.monotonic()
    check_new_folder(out)
    run = _engine(output)
    indices = order(len(source.items), output.shuffle)
    items = _Reordered(source.items, indices)
    report = Report(source=source.description, notes=list(source.notes), label_names=source.label_names)
    shape = source.resolution, source.channels
    with DatasetWriter(out, *shape, output.shards, len(items), source.own_size) as writer:
        written = np.zeros(len(items), bool)
        outcomes = track(run(writer, source, items, output), len(items), "writing")
        for place, outcome in enumerate(outcomes):
            if outcome.reason:
                skip(report, source.name(items[place]), outcome, output.strict)
                continue
            written[place] = True
            report.remarks.update(dict(outcome.remarks))
            if outcome.size:
                report.sizes[outcome.size] += 1
                report.examples.setdefault(outcome.size, source.name(items[place]))
                report.modes[outcome.mode] += 1
        if not written.any():
            raise DataError(
                f"{source.description}: none of the {len(items)} pictures can be read{_first_reason(report)}"
            )
        if source.labels is not None:
            writer.add_labels(source.labels[indices[written]])
            if source.label_names:
                writer.add_text("-labels.txt", source.label_names)
    label_size = 0 if source.labels is None else source.labels.shape[1]
    return report.finish(writer, label_size, time.monotonic() - start)


def skip(report: Report, name: str, outcome: Outcome, strict: bool) -> None:
    """Notes a picture that cannot be read; DataError where that is not allowed, or where it is not the picture."""
    if outcome.lost:
        raise DataError(
            f"{name}: {outcome.reason}; the drive or the file is gone, and the data set was not written; "
            "bring it back and run this again"
        )
    if strict:
        raise DataError(f"{name}: {outcome.reason} (--strict)")
    report.skipped.append((name, outcome.reason))


def _engine(output: Output) -> Engine:
    if output.engine not in ENGINES:
        raise DataError(f"--engine={output.engine}: must be one of {', '.join(ENGINES)}")
    if output.beam_options and output.engine != "beam":
        raise DataError(f"--beam_options are for --engine=beam, not for --engine={output.engine}")
    return ENGINES[output.engine]


def _local(writer: DatasetWriter, source: PictureSource, items: Sequence, output: Output) -> Iterator[Outcome]:
    """Processes on this machine; this one appends what they prepare."""
    chunk = max(1, min(_MOST_IN_A_CHUNK, _CHUNK_BYTES // writer.bytes_each))
    prepared = ordered_map(partial(prepare, load=source.load, own_size=source.own_size), items, output.workers, chunk)
    for place, (records, outcome) in enumerate(prepared):
        if records:
            writer.add_records(records, place)
        yield outcome


def _beam(writer: DatasetWriter, source: PictureSource, items: Sequence, output: Output) -> Iterator[Outcome]:
    check_on_disk(writer.folder, "what --engine=beam writes, which all its workers have to see,")
    return beam.run(writer, source.load, items, output.strict, output.beam_options)


def _first_reason(report: Report) -> str:
    return f" ({': '.join(report.skipped[0])})" if report.skipped else ""


# Each puts the records of all pictures that can be read into the writer's files, and yields what became of every item,
# in order; it may stop after one that ends the work.
Engine = Callable[[DatasetWriter, PictureSource, Sequence, Output], Iterator[Outcome]]
ENGINES: dict[str, Engine] = {"local": _local, "beam": _beam}
