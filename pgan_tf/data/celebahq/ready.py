"""CelebA-HQ as most people have it: 30,000 ready-made 1024x1024 pictures, in a folder or in a zip archive."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from pgan_tf.data.celebahq.checks import PICTURES, check_resolution
from pgan_tf.data.celebahq.create import Options, reduced
from pgan_tf.data.celebahq.geometry import SIDE
from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.source import Picture, PictureSource
from pgan_tf.data.sources.fitting import Files
from pgan_tf.data.sources.images import as_files, open_listing
from pgan_tf.data.sources.picture import EXTENSIONS, File, open_picture, read_picture

_GREATEST_FILE = 64 * 2**20  # bytes; the raw pixels are 3 MB


def create_celebahq_from_images(out: str | os.PathLike, images: str | os.PathLike, options: Options) -> Report:
    """Makes the data set `out` of 1024x1024 picture files in a folder or an archive, ordered by number.

    `10.png` comes after `9.png`, so names with and without leading zeros give the order of CelebA-HQ's list. A smaller
    resolution is made as by `create_celebahq`. Raises DataError before anything is written if there are not 30,000
    (unless allow_partial) or if a picture has another size.
    """
    check_new_folder(out)
    check_resolution(options.resolution)
    with open_listing(images, out) as listing:
        files = as_files(listing, images, _GREATEST_FILE)
        return _write(out, images, files, listing.notes(), options)


def _write(
    out: str | os.PathLike, images: str | os.PathLike, files: Files, notes: list[str], options: Options
) -> Report:
    items = sorted(files.items, key=lambda item: _by_number(files.name(item)))
    if not items:
        raise DataError(f"{images}: holds no pictures ({' '.join(sorted(EXTENSIONS))})")
    if len(items) != PICTURES and not options.allow_partial:
        raise DataError(
            f"{images}: {len(items)} pictures, CelebA-HQ has {PICTURES}; --allow_partial takes what is there"
        )
    for item in items:
        _check_size(item, files)
    source = PictureSource(
        f"{images} ({len(items)} ready-made pictures)", options.resolution, 3, items,
        partial(_load, open_file=files.open, resolution=options.resolution), name=files.name, notes=notes,
    )  # fmt: skip
    return write(out, source, options.output._replace(strict=options.output.strict or not options.allow_partial))


def _by_number(name: str) -> list[tuple[int, str]]:
    """Sorts digits by their value and the rest by its letters."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _check_size(item: Any, files: Files) -> None:
    """Reads the header only."""
    name = files.name(item)
    try:
        with open_picture(files.open(item)) as image:
            size = image.size
    except Exception as error:  # decoders raise anything
        raise DataError(f"{name}: no picture that can be read: {error}") from error
    if size != (SIDE, SIDE):
        raise DataError(f"{name}: {size[0]}x{size[1]}; ready-made CelebA-HQ has {SIDE}x{SIDE} pictures only")


def _load(item: Any, open_file: Callable[[Any], File], resolution: int) -> Picture:
    """Runs in a worker."""
    pixels = read_picture(open_file(item), channels=3)
    if pixels.shape != (SIDE, SIDE, 3):
        raise DataError(f"its shape is {list(pixels.shape)}")
    return Picture(reduced(pixels, resolution))
