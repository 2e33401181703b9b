"""A source as picture files: a folder, a .zip, or the folders that tensorflow-datasets reads."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder, new_folder
from pgan_tf.data.parallel import ordered_map
from pgan_tf.data.source import Picture, PictureSource
from pgan_tf.data.tools.readers import LABEL_NAMES, LABELS
from pgan_tf.files import new_file
from pgan_tf.grids import to_pillow
from pgan_tf.progress import track
from pgan_tf.text import shown

_NOT_IN_A_NAME = str.maketrans({character: "_" for character in '/\\:*?"<>|\0'})


def to_folder(out: str | os.PathLike, source: PictureSource, split: str, output: Output) -> None:
    """img%08d.png, labels.npy, and labels.txt with the names of the classes."""
    with new_folder(out) as temporary:
        for name, content in _members(source, _numbered(source), output.workers):
            (temporary / name).write_bytes(content)


def to_zip(out: str | os.PathLike, source: PictureSource, split: str, output: Output) -> None:
    """The same in one file. PNG does not shrink any further, so it is stored."""
    path = Path(out)
    if path.exists():
        raise DataError(f"{path}: exists already; remove it or choose another output file")
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, content in _members(source, _numbered(source), output.workers):
            archive.writestr(zipfile.ZipInfo(name), content)  # no date: the same pictures give the same file


def to_class_folders(out: str | os.PathLike, source: PictureSource, split: str, output: Output) -> None:
    """<split>/<class>/img%08d.png: `tfds.folder_dataset.ImageFolder(out)` loads it. Without labels one class, `all`."""
    check_new_folder(out)
    if split.translate(_NOT_IN_A_NAME) != split or split in {"", ".", ".."}:
        raise DataError(f"--split={shown(split)}: names a folder within {out}, such as train; leave out what is more")
    classes = _classes(source)
    names = [f"{split}/{folder}/{name}" for folder, name in zip(classes, _numbered(source), strict=True)]
    with new_folder(out) as temporary:
        for folder in set(classes):
            (temporary / split / folder).mkdir(parents=True)
        for name, content in _pictures(source, names, output.workers):
            (temporary / name).write_bytes(content)


def to_records(out: str | os.PathLike, source: PictureSource, split: str, output: Output) -> None:
    """A data set in the source's order; the lower resolutions are made anew."""
    try:
        write(out, source, output._replace(shuffle=False, strict=True))
    except DataError as error:  # here nobody has said --strict
        raise DataError(str(error).removesuffix(" (--strict)")) from error


def _numbered(source: PictureSource) -> list[str]:
    return [f"img{index:08d}.png" for index in range(len(source.items))]


def _members(source: PictureSource, names: Sequence[str], workers: int) -> Iterator[tuple[str, bytes]]:
    """Yields (name, content) of all files."""
    yield from _pictures(source, names, workers)
    if source.labels is not None:
        file = io.BytesIO()
        np.save(file, source.labels)
        yield LABELS, file.getvalue()
    if source.label_names:
        yield LABEL_NAMES, "".join(f"{name}\n" for name in source.label_names).encode()


def _pictures(source: PictureSource, names: Sequence[str], workers: int) -> Iterator[tuple[str, bytes]]:
    contents = ordered_map(partial(_png, load=source.load, name=source.name), source.items, workers)
    return zip(names, track(contents, len(names), "writing pictures"), strict=True)


def _classes(source: PictureSource) -> list[str]:
    """The folder of each picture."""
    if source.labels is None:
        return ["all"] * len(source.items)
    one_hot = (np.count_nonzero(source.labels, axis=1) == 1) & (source.labels.max(axis=1) == 1)  # [N]
    if not one_hot.all():
        where = int(np.flatnonzero(~one_hot)[0])
        raise DataError(
            f"label {where} of {source.description} is {source.labels[where].tolist()}: folders are for one class a "
            "picture; convert to a folder or .zip, which keep labels as numbers"
        )
    digits = len(str(source.labels.shape[1] - 1))
    names = source.label_names or [f"{column:0{digits}d}" for column in range(source.labels.shape[1])]
    folders = [name.translate(_NOT_IN_A_NAME) for name in names]
    if len(set(folders)) < len(folders) or {"", ".", ".."} & set(folders):
        raise DataError(
            f"{source.description}: its class names {', '.join(names[:10])} make no folders, one for each; "
            "rename them in its -labels.txt"
        )
    return [folders[column] for column in source.labels.argmax(axis=1)]


def _png(item: Any, load: Callable[[Any], Picture], name: Callable[[Any], str]) -> bytes:
    """Runs in a worker: the parent only writes bytes."""
    try:
        picture = load(item)
    except Exception as error:  # decoders raise anything
        raise DataError(f"{name(item)}: {error}; remove or replace it") from error
    file = io.BytesIO()
    to_pillow(picture.pixels).save(file, format="PNG")
    return file.getvalue()
