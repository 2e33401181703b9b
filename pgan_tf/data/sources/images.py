"""A data set from the pictures in a folder, whatever they are."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.sources.picture import EXTENSIONS, Target, default_resolution, load_picture, parse_colour
from pgan_tf.data.sources.report import Report
from pgan_tf.data.sources.source import Picture, PictureSource


class Options(NamedTuple):
    """How pictures become a data set; the flags of the command line, spelled as they are there."""

    resolution: int | None = None  # None: as large as the first picture allows
    fit: str = "crop"
    background: str = "white"
    mode: str = "rgb"
    shuffle: bool = True
    strict: bool = False  # stop at an unreadable file instead of skipping it
    workers: int = 1


def create_from_images(
    out: str | os.PathLike, folder: str | os.PathLike, options: Options, labels: str = "none"
) -> Report:
    """Makes the data set `out` of all pictures in `folder` and below it.

    They are sorted by relative path, then put in the order of `writer.order`. labels="folders": the folders directly in
    `folder` are the classes, sorted by name; labels are one-hot, the names go to `<name>-labels.txt`. Raises DataError.
    """
    check_new_folder(out)
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no such folder")
    files, others = list_pictures(folder)
    if not files:
        raise DataError(f"{folder}: holds no pictures ({' '.join(sorted(EXTENSIONS))})")
    classes = class_names(folder, files) if labels == "folders" else []
    report = Report(source=f"{folder} ({len(files)} picture files)")
    if others:
        kinds = ", ".join(f"{kind or 'no extension'} ({n})" for kind, n in others.most_common(5))
        report.notes.append(f"left alone {others.total()} files that are no pictures: {kinds}")
    return write_pictures(out, Path(folder), files, classes, options, report)


def list_pictures(folder: str | os.PathLike) -> tuple[list[str], Counter]:
    """Relative paths (with slashes) of the picture files in and below `folder`, sorted; the others, by extension.

    Told by extension; hidden files and folders are left out of both (macOS leaves `._name.jpg` beside every file).
    """
    pictures, others = [], Counter()
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            extension = Path(name).suffix.lower()
            if name.startswith("."):
                continue
            if extension in EXTENSIONS:
                pictures.append(Path(parent, name).relative_to(folder).as_posix())
            else:
                others[extension] += 1
    return sorted(pictures), others


def class_names(folder: str | os.PathLike, files: list[str]) -> list[str]:
    """The first-level folders of the relative paths `files`, sorted. DataError if a picture lies in none."""
    loose = [file for file in files if "/" not in file]
    if loose:
        where = f"{len(loose)} pictures lie directly in {folder} ({loose[0]})"
        raise DataError(f"--labels=folders: {where}; move them into folders")
    return sorted({file.split("/")[0] for file in files})


def write_pictures(
    out: str | os.PathLike, root: Path, files: list[str], classes: list[str], options: Options, report: Report
) -> Report:
    """Makes the data set `out` of `files`, sorted paths relative to `root`; `classes`: first folders that are labels.

    An unreadable file is left out, the order of the others stays; `report` gets its name and the reason.
    """
    target = _target(root, files, options, report)
    labels = None
    if classes:
        columns = {name: column for column, name in enumerate(classes)}
        labels = np.eye(len(classes), dtype=np.float32)[[columns[file.split("/")[0]] for file in files]]
    source = PictureSource(
        report.source, target.resolution, target.channels, files, partial(_load, root=root, target=target),
        labels=labels, label_names=classes, notes=report.notes,
    )  # fmt: skip
    written = write(out, source, Output(options.shuffle, options.strict, options.workers))
    _note_enlarged(written, target)
    return written


def _load(file: str, root: Path, target: Target) -> Picture:
    """Runs in a worker."""
    try:
        return Picture(*load_picture(root / file, target))
    except Exception as error:
        raise DataError(str(error).replace(str(root / file), Path(file).name) or type(error).__name__) from error


def _target(root: Path, files: list[str], options: Options, report: Report) -> Target:
    background = parse_colour(options.background)
    resolution = options.resolution
    if resolution is None:
        resolution, file = _first_resolution(root, files)
        report.notes.append(f"--resolution={resolution} was chosen after the first picture, {file}")
    return Target(resolution, options.fit, background, options.mode)


def _first_resolution(root: Path, files: list[str]) -> tuple[int, str]:
    for file in files:
        with suppress(Exception):  # Pillow's decoders raise anything; the file is reported when it is loaded
            return default_resolution(root / file), file
    raise DataError(f"{root}: none of the {len(files)} picture files can be read ({files[0]} is the first)")


def _note_enlarged(report: Report, target: Target) -> None:
    smaller = sum(n for size, n in report.sizes.items() if min(size) < target.resolution)
    if smaller:
        report.notes.append(
            f"{smaller} pictures have a side below {target.resolution} pixels; enlarging makes them soft"
        )
