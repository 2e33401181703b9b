"""CelebA-HQ as most people have it: 30,000 ready-made 1024x1024 pictures, in a folder or in a zip archive."""

from __future__ import annotations

import io
import os
import re
import zipfile
from functools import lru_cache, partial
from pathlib import Path

from PIL import Image

from pgan_tf.data.celebahq.checks import PICTURES, check_resolution
from pgan_tf.data.celebahq.create import Options, reduced
from pgan_tf.data.celebahq.geometry import SIDE
from pgan_tf.data.engine import write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.sources.images import list_pictures
from pgan_tf.data.sources.picture import EXTENSIONS, read_picture
from pgan_tf.data.sources.report import Report
from pgan_tf.data.sources.source import Picture, PictureSource

_GREATEST_FILE = 64 * 2**20  # bytes; the raw pixels are 3 MB


def create_celebahq_from_images(out: str | os.PathLike, images: str | os.PathLike, options: Options) -> Report:
    """Makes the data set `out` of 1024x1024 picture files in a folder (and below) or a .zip, ordered by their numbers.

    `10.png` comes after `9.png`, so names with and without leading zeros give the order of CelebA-HQ's list. A smaller
    resolution is made as by `create_celebahq`. Raises DataError before anything is written if there are not 30,000
    (unless allow_partial) or if a picture has another size.
    """
    check_new_folder(out)
    check_resolution(options.resolution)
    path = Path(images)
    files = sorted(_list(path), key=_by_number)
    if not files:
        raise DataError(f"{path}: holds no pictures ({' '.join(sorted(EXTENSIONS))})")
    if len(files) != PICTURES and not options.allow_partial:
        raise DataError(f"{path}: {len(files)} pictures, CelebA-HQ has {PICTURES}; --allow_partial takes what is there")
    _check_sizes(path, files)
    source = PictureSource(
        f"{path} ({len(files)} ready-made pictures)", options.resolution, 3, files,
        partial(_load, path=path, resolution=options.resolution),
    )  # fmt: skip
    return write(out, source, options.output._replace(strict=options.output.strict or not options.allow_partial))


def _list(path: Path) -> list[str]:
    if path.is_dir():
        return list_pictures(path)[0]
    if not path.is_file():
        raise DataError(f"{path}: no such folder or zip archive")
    try:
        names = _open_zip(path).namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path}: not a folder, and no zip archive that can be read: {error}") from error
    return [name for name in names if Path(name).suffix.lower() in EXTENSIONS and not _hidden(name)]


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in Path(name).parts)


def _by_number(name: str) -> list[tuple[int, str]]:
    """Sorts digits by their value and the rest by its letters."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _check_sizes(path: Path, files: list[str]) -> None:
    """Reads the headers only."""
    for file in files:
        try:
            with Image.open(_content(path, file)) as image:
                size = image.size
        except Exception as error:  # decoders raise anything
            raise DataError(f"{path}: {file}: no picture that can be read: {error}") from error
        if size != (SIDE, SIDE):
            raise DataError(
                f"{path}: {file}: {size[0]}x{size[1]}; ready-made CelebA-HQ has {SIDE}x{SIDE} pictures only"
            )


def _load(file: str, path: Path, resolution: int) -> Picture:
    """Runs in a worker."""
    pixels = read_picture(_content(path, file), channels=3)
    if pixels.shape != (SIDE, SIDE, 3):
        raise DataError(f"{file}: its shape is {list(pixels.shape)}")
    return Picture(reduced(pixels, resolution))


def _content(path: Path, file: str) -> Path | io.BytesIO:
    if path.is_dir():
        return path / file
    with _open_zip(path).open(file) as entry:
        content = entry.read(_GREATEST_FILE + 1)
    if len(content) > _GREATEST_FILE:
        raise DataError(f"{path}: {file}: more than {_GREATEST_FILE >> 20} MB unpacked; that is no 1024x1024 picture")
    return io.BytesIO(content)


@lru_cache(maxsize=1)
def _open_zip(path: Path) -> zipfile.ZipFile:
    """Open once a process: the list of 30,000 names takes a while to read."""
    return zipfile.ZipFile(path)
