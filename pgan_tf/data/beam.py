"""A data set by an Apache Beam pipeline: this machine's DirectRunner, or a cluster that shares a file system with it.

The shuffled items are cut into parts, blocks of pictures in a row. A worker makes the records of one part at a time and
appends them to files of its own; another step puts the parts of each shard together in order. So no worker holds more
than one picture, none waits for the one before it, and the records are those of the local engine, in the same order.
What Beam may do twice (it repeats failed work) leaves files that nobody takes, or finds the work done.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pgan_tf.data.errors import DataError
from pgan_tf.data.files import storing
from pgan_tf.data.prepare import Outcome, prepare
from pgan_tf.data.writer import DatasetWriter
from pgan_tf.files import new_file

_PART = 256  # pictures
_COPY_BYTES = 2**24


class Finished(NamedTuple):
    """A part whose records are written: its first place, its files, highest resolution first, and its outcomes."""

    begin: int
    files: list[str]
    outcomes: list[Outcome]


def run(
    writer: DatasetWriter, load: Callable, items: Sequence, strict: bool, options: Sequence[str]
) -> Iterator[Outcome]:
    """Puts the records of all `items` into the writer's files; yields what became of each, as the local engine does.

    options: Beam's own flags. Raises DataError: no apache_beam is installed, the options or the pipeline fail.
    """
    try:
        import apache_beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise DataError("--engine=beam needs Apache Beam: pip install apache-beam") from error
    folder = writer.paths(0)[0].parent / "parts"
    with storing(writer.folder):
        folder.mkdir()
    files = {shard: [str(path) for path in writer.paths(shard)] for shard in range(len(writer.blocks))}
    pictures = partial(
        write_part, folder=str(folder), levels=len(writer.resolutions), load=load, strict=strict,
        own_size=writer.own_size,
    )  # fmt: skip
    try:
        with apache_beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            (
                pipeline
                | "parts" >> apache_beam.Create(list(_parts(writer.blocks, items)))
                | "spread" >> apache_beam.Reshuffle()
                | "pictures" >> apache_beam.Map(pictures)
                | "by shard" >> apache_beam.GroupByKey()
                | "shards" >> apache_beam.Map(partial(join_parts, folder=str(folder), files=files))
            )
    except Exception as error:  # a runner's errors are of no common kind, their text is the worker's traceback
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise DataError(
            f"--engine=beam: the pipeline failed: {lines[-1] if lines else type(error).__name__}"
        ) from error
    except SystemExit as error:  # argparse's way; it has said on stderr what is wrong
        raise DataError(f"--beam_options: Apache Beam does not take {' '.join(options)}") from error
    for shard, block in enumerate(writer.blocks):
        outcomes = json.loads((folder / f"{shard}.json").read_text(encoding="utf-8"))
        for place, (size, mode, reason, lost, remarks) in zip(block, outcomes, strict=False):
            if not reason:
                writer.add_written(place)
            yield Outcome(size and tuple(size), mode, reason, lost, tuple(map(tuple, remarks)))
    shutil.rmtree(folder)


def _parts(blocks: list[range], items: Sequence) -> Iterator[tuple[int, int, list[Any]]]:
    """Yields (shard, first place, items) of every part."""
    for shard, block in enumerate(blocks):
        for begin in range(block.start, block.stop, _PART):
            yield shard, begin, items[begin : min(begin + _PART, block.stop)]


def write_part(
    part: tuple[int, int, list[Any]], folder: str, levels: int, load: Callable, strict: bool, own_size: bool = False
) -> tuple[int, Finished]:
    """Runs in a Beam worker: the records of a part, one file for each level, under a name that no other try has."""
    shard, begin, items = part
    files = [f"{folder}/{begin}-{uuid.uuid4().hex}-{level}" for level in range(levels)]
    outcomes = []
    with storing(folder), ExitStack() as stack:
        opened = [stack.enter_context(open(file, "wb")) for file in files]
        for item in items:
            records, outcome = prepare(item, load, own_size)
            outcomes.append(outcome)
            if outcome.lost or (outcome.reason and strict):
                break  # the end of the whole work, which only the process that started it can announce
            for file, record in zip(opened, records, strict=False):
                file.write(record)
    return shard, Finished(begin, files, outcomes)


def join_parts(shard_and_parts: tuple[int, Iterable[Finished]], folder: str, files: dict[int, list[str]]) -> int:
    """Runs in a Beam worker: makes the files of a shard and its list of outcomes; returns the shard's number."""
    shard, parts = shard_and_parts
    parts = sorted((Finished(*part) for part in parts), key=lambda part: part.begin)
    report = Path(folder, f"{shard}.json")
    if report.exists():
        return shard  # a second try
    with storing(folder):
        for level, target in enumerate(files[shard]):
            with new_file(target) as temporary, temporary.open("wb") as joined:
                for part in parts:
                    with open(part.files[level], "rb") as file:
                        shutil.copyfileobj(file, joined, _COPY_BYTES)
        with new_file(report) as temporary:
            temporary.write_text(json.dumps([outcome for part in parts for outcome in part.outcomes]), encoding="utf-8")
        for part in parts:
            for file in part.files:
                with suppress(OSError):
                    Path(file).unlink()
    return shard
