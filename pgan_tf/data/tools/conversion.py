"""Data sets into picture files and back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from pgan_tf.data.engine import Output
from pgan_tf.data.errors import DataError
from pgan_tf.data.source import PictureSource
from pgan_tf.data.tools import writers
from pgan_tf.data.tools.readers import Part, open_source, read_records
from pgan_tf.places import check_on_disk, place

Writer = Callable[[str | os.PathLike, PictureSource, str, Output], None]
KINDS: dict[str, Writer] = {
    "folder": writers.to_folder,
    "zip": writers.to_zip,
    "tfds": writers.to_class_folders,
    "records": writers.to_records,
}


TRAIN = "train"  # of an ImageFolder, where nobody says


def extract(folder: str | os.PathLike, out: str | os.PathLike, workers: int = 1) -> int:
    """Writes the pictures of a data set to the folder or .zip `out` as img%08d.png; returns how many.

    labels.npy beside them holds the labels, labels.txt the names of the classes. `convert` makes the same data set of
    `out` again (with `own_size` where it has one). Raises DataError.
    """
    source = read_records(place(folder))
    kind = "zip" if Path(out).suffix.lower() == ".zip" else "folder"
    KINDS[kind](out, source, "", Output(workers=workers))
    return len(source.items)


def convert(
    path: str | os.PathLike, out: str | os.PathLike, to: str, split: str | None = None, output: Output | None = None,
    own_size: bool = False,
) -> int:  # fmt: skip
    """Turns a data set, folder or archive of pictures, or tensorflow-datasets' ImageFolder into another kind of set.

    Every pixel and the order stay; returns how many pictures there are. to: a key of KINDS: `folder` and `zip` (PNG
    files, labels.npy), `tfds` (<split>/<class>/<picture>, which `tfds.folder_dataset.ImageFolder(out)` loads),
    `records` (a data set). split: which part of an ImageFolder is read or written; None: train. output: workers, and
    for `records` shards and engine. own_size: records of a size that is no power of two are wanted. Raises DataError.
    """
    if to not in KINDS:
        raise DataError(f"--to={to}: must be one of {', '.join(KINDS)}")
    output = output or Output()
    if to != "records":
        check_on_disk(out, f"what --to={to} makes")
    if to != "records" and output.shards != 1:
        raise DataError(f"--shards={output.shards}: only --to=records is cut into shards")
    if own_size and to != "records":
        raise DataError("--own_size: goes with --to=records; picture files keep their size anyway")
    # With tfds a split that is not there is the name of the one that is made.
    part = Part(TRAIN if split is None else split, must_be=split is not None and to != "tfds")
    with open_source(path, part, out, any_size=own_size or to != "records") as source:
        KINDS[to](out, source, part.split, output)
        return len(source.items)
