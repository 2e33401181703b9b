"""Pictures of any size and kind, wherever they lie, made into a data set as the flags say."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.sources.picture import MAX_PIXELS, File, Target, default_resolution, load_picture, parse_colour
from pgan_tf.data.sources.report import Report
from pgan_tf.data.sources.sides import MAX_SIDE_BYTES
from pgan_tf.data.sources.source import Picture, PictureSource

MAX_FILE_BYTES = 2**28
_MEASURED = 1000  # pictures whose headers tell how large a set should be
_NAMED = 3


class Options(NamedTuple):
    """How pictures become a data set; the flags of the command line, spelled as they are there."""

    resolution: int | None = None  # None: as large as most pictures allow
    fit: str = "crop"
    background: str = "white"
    mode: str = "rgb"
    max_pixels: int = MAX_PIXELS  # of a picture; a larger one counts as unreadable
    max_file_bytes: int = MAX_FILE_BYTES  # of a member of an archive, unpacked; a larger one counts as unreadable
    max_side_bytes: int = MAX_SIDE_BYTES  # of a file with the labels of all pictures; see sides.py
    output: Output = Output()  # how the files are written


class Files(NamedTuple):
    """Picture files in the order of the set, the engine shuffles.

    items: small and picklable, one per file. open: item -> path or open file; picklable, runs in a worker. name: item
    -> what messages call it. labels, label_names: as in PictureSource.
    """

    items: Sequence[Any]
    open: Callable[[Any], File]
    name: Callable[[Any], str] = str
    labels: np.ndarray | None = None
    label_names: Sequence[str] = ()


def write_files(out: str | os.PathLike, files: Files, options: Options, report: Report) -> Report:
    """Makes the data set `out` of `files`; `report` brings where they come from and notes. Raises DataError."""
    target = _target(files, options, report)
    load = partial(load_file, open_file=files.open, name=files.name, target=target)
    source = PictureSource(
        report.source, target.resolution, target.channels, files.items, load, files.name,
        files.labels, list(files.label_names), report.notes,
    )  # fmt: skip
    written = write(out, source, options.output)
    _note_enlarged(written, target)
    return written


def load_file(item: Any, open_file: Callable[[Any], File], name: Callable[[Any], str], target: Target) -> Picture:
    """Runs in a worker."""
    file = open_file(item)
    try:
        return load_picture(file, target)
    except Exception as error:
        message = str(error).replace(str(file), os.path.basename(name(item)))
        raise DataError(message or type(error).__name__) from error


def _target(files: Files, options: Options, report: Report) -> Target:
    background = parse_colour(options.background)
    resolution = options.resolution
    if resolution is None:
        resolution = _usual_resolution(files, options.max_pixels, report.source)
        report.notes.append(f"--resolution={resolution} was chosen: half of the pictures or more are as large")
    return Target(resolution, options.fit, background, options.mode, options.max_pixels)


def _usual_resolution(files: Files, max_pixels: int, source: str) -> int:
    """The largest that half of the pictures have without being enlarged; of many, some spread over all tell it."""
    found, reason = [], ""
    for index in range(0, len(files.items), max(1, len(files.items) // _MEASURED)):
        item = files.items[index]
        try:
            found.append(default_resolution(files.open(item), max_pixels))
        except Exception as error:  # Pillow's decoders raise anything; the file is reported when it is loaded
            reason = reason or f"{files.name(item)}: {(str(error).splitlines() or [type(error).__name__])[0]}"
    if not found:
        raise DataError(f"{source}: none of the {len(files.items)} picture files can be read ({reason})")
    return statistics.median_low(found)


def _note_enlarged(report: Report, target: Target) -> None:
    small = {size: n for size, n in report.sizes.items() if min(size) < target.resolution}
    if small:
        names = [f"{report.examples[size]} {size[0]}x{size[1]}" for size in sorted(small, key=min)[:_NAMED]]
        report.notes.append(
            f"{sum(small.values())} pictures have a side below {target.resolution} pixels ({', '.join(names)}"
            f"{' ...' * (sum(small.values()) > len(names))}); enlarging makes them soft"
        )
