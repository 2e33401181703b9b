"""Pictures of any size and kind, wherever they lie, made into a data set as the flags say."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.memory import ALL, room_for
from pgan_tf.data.pictures.depth import parse_range
from pgan_tf.data.source import Picture, PictureSource
from pgan_tf.data.sources.frames import FRAMES, Frame, all_frames, frame_bytes, frame_name, open_frame
from pgan_tf.data.sources.picture import (
    DIM,
    FRAMES_LEFT_OUT,
    MAX_PIXELS,
    MORE_FRAMES,
    File,
    Target,
    default_resolution,
    load_picture,
    parse_colour,
)
from pgan_tf.data.sources.sides import MAX_SIDE_BYTES
from pgan_tf.data.writer import is_resolution

MAX_FILE_BYTES = 2**27
_LARGE_FILE = 2**25  # bytes; one in memory is worked at alone
_MEASURED = 1000  # pictures whose headers tell how large a set should be
_NAMED = 3


class Options(NamedTuple):
    """How pictures become a data set; the flags of the command line, spelled as they are there."""

    resolution: int | None = None  # None: as large as most pictures allow
    fit: str = "crop"
    background: str = "white"
    mode: str = "rgb"
    range: str | None = None  # LOW,HIGH, of deep samples
    frames: str = "first"  # of an animation, pages of a TIFF; one of FRAMES
    max_pixels: int = MAX_PIXELS  # of a picture; a larger one counts as unreadable
    max_file_bytes: int = MAX_FILE_BYTES  # of a member of an archive, unpacked; a larger one counts as unreadable
    max_side_bytes: int = MAX_SIDE_BYTES  # of a file with the labels of all pictures; see sides.py
    output: Output = Output()  # how the files are written
    own_size: bool = False  # the resolution need be no power of two; then no lower one is stored


def _no_bytes(item: Any) -> int:
    return 0


class Files(NamedTuple):
    """Picture files in the order of the set, the engine shuffles.

    items: small and picklable, one per file. open: item -> path or open file; picklable, runs in a worker. name: item
    -> what messages call it. labels, label_names: as in PictureSource. in_memory: item -> bytes of what `open` gives,
    where that is no path.
    """

    items: Sequence[Any]
    open: Callable[[Any], File]
    name: Callable[[Any], str] = str
    labels: np.ndarray | None = None
    label_names: Sequence[str] = ()
    in_memory: Callable[[Any], int] = _no_bytes


def write_files(out: str | os.PathLike, files: Files, options: Options, report: Report) -> Report:
    """Makes the data set `out` of `files`; `report` brings where they come from and notes. Raises DataError."""
    if options.frames not in FRAMES:
        raise DataError(f"--frames={options.frames}: must be one of {', '.join(FRAMES)}")
    target = _target(files, options, report)
    load = load_file
    if options.frames == "all":
        files, load = _with_all_frames(files, options, report), load_frame
    load = partial(load, files=files._replace(items=(), labels=None), target=target)
    source = PictureSource(
        report.source, target.resolution, target.channels, files.items, load, files.name,
        files.labels, list(files.label_names), report.notes, own_size=not is_resolution(target.resolution),
    )  # fmt: skip
    written = write(out, source, options.output)
    written.besides = report.besides
    _note_enlarged(written, target)
    _note_remarks(written)
    return written


def load_file(item: Any, files: Files, target: Target, frame: int = 0) -> Picture:
    """Runs in a worker."""
    with room_for(ALL if files.in_memory(item) > _LARGE_FILE else 0):
        file = files.open(item)
        try:
            return load_picture(file, target, frame)
        except Exception as error:
            raise DataError(_reason(error, file, files.name(item))) from error


def load_frame(item: Frame, files: Files, target: Target) -> Picture:
    """Runs in a worker. The file's other frames are items too: none is left out."""
    picture = load_file(item, files, target, item.number)
    return picture._replace(remarks=tuple(remark for remark in picture.remarks if remark[0] == DIM))


def _reason(error: Exception, file: File, name: str) -> str:
    """What is wrong with a file, without its path."""
    return str(error).replace(str(file), os.path.basename(name)) or type(error).__name__


def _with_all_frames(files: Files, options: Options, report: Report) -> Files:
    frames = all_frames(files.items, files.open, options.output.workers, options.max_pixels)
    report.notes.append(f"{len(frames)} frames were found in {len(files.items)} files")
    labels = None if files.labels is None else files.labels[np.asarray(frames.owners)]  # [frames,L]
    return Files(
        frames, partial(open_frame, open_file=files.open), partial(frame_name, name=files.name), labels,
        files.label_names, partial(frame_bytes, in_memory=files.in_memory),
    )  # fmt: skip


def _target(files: Files, options: Options, report: Report) -> Target:
    background = parse_colour(options.background)
    known = None if options.range is None else parse_range(options.range)
    resolution = options.resolution
    if resolution is None:
        resolution = _usual_resolution(files, options.max_pixels, report.source)
        report.notes.append(f"--resolution={resolution} was chosen: half of the pictures or more are as large")
    if not (options.own_size or is_resolution(resolution)):
        rule = "must be a power of two, 4 to 8192; for networks that do not grow any other, with --own_size"
        raise DataError(f"--resolution={resolution}: {rule}")
    return Target(resolution, options.fit, background, options.mode, options.max_pixels, known, options.own_size)


def _usual_resolution(files: Files, max_pixels: int, source: str) -> int:
    """The largest that half of the pictures have without being enlarged; of many, some spread over all tell it."""
    sides, first = [], ""
    for index in range(0, len(files.items), max(1, len(files.items) // _MEASURED)):
        file = name = files.name(files.items[index])
        try:
            file = files.open(files.items[index])
            sides.append(default_resolution(file, max_pixels))
        except Exception as error:  # Pillow's decoders raise anything; the file is reported when it is loaded
            first = first or f"{name}: {_reason(error, file, name)}"
    if not sides:
        raise DataError(f"{source}: none of the {len(files.items)} picture files can be read ({first})")
    return statistics.median_low(sides)


def _note_remarks(report: Report) -> None:
    files, left_out, dim = (report.remarks[name] for name in (MORE_FRAMES, FRAMES_LEFT_OUT, DIM))
    if files:
        report.notes.append(f"{files} files have more frames: {left_out} left out; --frames=all takes them")
    if dim:
        report.notes.append(
            f"{dim} pictures of 16 bits have no value above 4095; if they are of 12 bits, give --range=0,4095"
        )


def _note_enlarged(report: Report, target: Target) -> None:
    small = {size: n for size, n in report.sizes.items() if min(size) < target.resolution}
    if small:
        names = [f"{report.examples[size]} {size[0]}x{size[1]}" for size in sorted(small, key=min)[:_NAMED]]
        report.notes.append(
            f"{sum(small.values())} pictures have a side below {target.resolution} pixels ({', '.join(names)}"
            f"{' ...' * (sum(small.values()) > len(names))}); enlarging makes them soft"
        )
