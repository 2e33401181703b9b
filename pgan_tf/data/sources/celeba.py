"""CelebA, the aligned pictures of 178x218: a folder of them, or the zip as distributed, which is not unpacked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.parallel import ordered_map
from pgan_tf.data.source import Picture, PictureSource
from pgan_tf.data.sources.archives import find_archives, list_members
from pgan_tf.data.sources.fitting import MAX_FILE_BYTES, Files
from pgan_tf.data.sources.members import member_name, open_member
from pgan_tf.data.sources.packing import Scratch
from pgan_tf.data.sources.picture import File, open_picture, read_opaque
from pgan_tf.progress import track
from pgan_tf.text import shown

COUNT = 202_599
WIDTH, HEIGHT = 178, 218
_HALF = 64  # of the side
_NAME = re.compile(r"(.*/)?\d{6}\.(jpg|png)")
_PNG = "img_align_celeba_png"  # what NVIDIA's tool reads
_PLACES = ("", "img_align_celeba", "Img", "Img/img_align_celeba", "img_align_celeba/img_align_celeba", _PNG)
_ZIP = "img_align_celeba.zip"


def create_celeba(
    out: str | os.PathLike, folder: str | os.PathLike, cx: int = 89, cy: int = 121, output: Output | None = None,
    allow_partial: bool = False,
) -> Report:  # fmt: skip
    """Makes the data set `out`: 128x128 around column `cx` and row `cy` of each aligned picture, sorted by name.

    folder: has 000001.jpg ... 202599.jpg (or .png), or img_align_celeba/ or Img/, or img_align_celeba.zip; or is that
    zip. No labels. Raises DataError, before anything is written: not all are there, or one is not 178x218.
    allow_partial: some are enough, and unreadable ones are skipped.
    """
    check_new_folder(out)
    if not (_HALF <= cx <= WIDTH - _HALF and _HALF <= cy <= HEIGHT - _HALF):
        raise DataError(f"--cx={cx} --cy={cy}: cx must be 64 to {WIDTH - _HALF}, cy 64 to {HEIGHT - _HALF}")
    output = output or Output()
    with Scratch(out) as scratch:
        return _write(out, _find(folder, scratch), folder, (cx, cy), output, allow_partial)


def _write(
    out: str | os.PathLike, files: Files, folder: str | os.PathLike, centre: tuple[int, int], output: Output,
    allow_partial: bool,
) -> Report:  # fmt: skip
    if len(files.items) != COUNT and not allow_partial:
        raise DataError(
            f"{folder}: {len(files.items)} aligned pictures, CelebA has {COUNT};"
            " complete it, or give --allow_partial for a part of it"
        )
    _check_sizes(files, output.workers, allow_partial)
    cx, cy = centre
    box = cx - _HALF, cy - _HALF, cx + _HALF, cy + _HALF
    description = f"{folder} ({len(files.items)} picture files)"
    load = partial(_load, open_file=files.open, box=box)
    return write(out, PictureSource(description, 2 * _HALF, 3, files.items, load, files.name), output)


def _find(folder: str | os.PathLike, scratch: Scratch) -> Files:
    if os.path.isfile(folder):
        return _in_zip(folder, scratch)
    if not os.path.isdir(folder):
        raise DataError(f"{folder}: no such folder or zip")
    for place in _PLACES:
        path = Path(folder, place)
        names = sorted(name for name in os.listdir(path) if _NAME.fullmatch(name)) if path.is_dir() else []
        if names:
            return Files(names, partial(os.path.join, path))
        if (path / _ZIP).is_file():
            return _in_zip(path / _ZIP, scratch)
    raise DataError(f"{folder}: holds no 000001.jpg ..., img_align_celeba/ or {_ZIP}")


def _in_zip(path: str | os.PathLike, scratch: Scratch) -> Files:
    listing = list_members(find_archives(path), scratch)
    others = [shown(name) for name in listing.paths if not _NAME.fullmatch(name)]
    if others or not listing.paths:
        raise DataError(f"{path}: holds {others[0] if others else 'no pictures'}; it should hold 000001.jpg ... only")
    return Files(listing.pictures, partial(open_member, max_bytes=MAX_FILE_BYTES), member_name)


def _check_sizes(files: Files, workers: int, allow_unreadable: bool) -> None:
    sizes = ordered_map(partial(_size, open_file=files.open), files.items, workers)
    for item, size in zip(files.items, track(sizes, len(files.items), "checking sizes"), strict=True):
        if size is None and not allow_unreadable:
            raise DataError(f"{files.name(item)}: cannot be read; download it again, or give --allow_partial")
        if size not in (None, (WIDTH, HEIGHT)):
            raise DataError(
                f"{files.name(item)}: {size[0]}x{size[1]}, aligned CelebA has {WIDTH}x{HEIGHT}; take img_align_celeba"
            )


def _size(item: Any, open_file: Callable[[Any], File]) -> tuple[int, int] | None:
    """Runs in a worker, as `_load` does. None where the file is no picture."""
    try:
        with open_picture(open_file(item)) as image:
            return image.size
    except Exception:  # Pillow's decoders raise anything
        return None


def _load(item: Any, open_file: Callable[[Any], File], box: Sequence[int]) -> Picture:
    image, mode = read_opaque(open_file(item))
    return Picture(np.asarray(image.crop(box)), image.size, mode)
