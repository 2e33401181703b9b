"""The one place that opens picture files: known formats only, regular files only, a limit to what they may hold."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError, features

from pgan_tf.data.errors import DataError
from pgan_tf.data.pictures.ancillary import without_metadata
from pgan_tf.data.pictures.formats import FORMATS, HEAD_BYTES, format_of

File = str | os.PathLike | BinaryIO
MAX_PIXELS = 2**26  # 8192 x 8192: decoded in a quarter of a gigabyte
UNTOLD = "TGA"  # the format that no signature tells
SMALLEST_SCALE = 8  # a JPEG file can be decoded at an eighth of its size
BUDGET = 8  # bytes of memory for each pixel of the limit: a format that takes more may have fewer pixels


@contextmanager
def open_picture(file: File, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """Yields the picture, only its header read so far.

    `file`: a path, or an open file. DataError: no regular file, no format that is read here, a package is missing, or
    more pixels than allowed (few bytes can promise many).
    """
    with stream_of(file) as stream, trusting_our_limit():
        try:
            image = open_stream(stream, max_pixels)
        except Exception:
            plain = without_metadata(stream, kind_of(stream))
            if plain is None:
                raise
            image = open_stream(plain, max_pixels)
        yield image


@contextmanager
def stream_of(file: File) -> Iterator[BinaryIO]:
    """Yields the file, open. DataError where it is a pipe or a device: some never answer, others never end."""
    if not isinstance(file, (str, os.PathLike)):
        yield file
        return
    if not stat.S_ISREG(os.stat(file).st_mode):
        raise DataError("is no regular file, but a folder, a pipe or a device")
    with open(file, "rb") as stream:
        yield stream


@contextmanager
def trusting_our_limit() -> Iterator[None]:
    """Within it Pillow refuses nothing for its size, `open_stream` has, and says nothing about odd metadata."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def open_stream(stream: BinaryIO, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The picture in a file that is open and stays so, only its header read. DataError as by `open_picture`."""
    kind = kind_of(stream)
    image = identified(stream, kind)
    parts = SMALLEST_SCALE**2 if is_scalable(image) else 1
    check_pixels(image.size, max_pixels, FORMATS[kind].bytes_per_pixel, parts)
    return image


def identified(stream: BinaryIO, kind: str) -> Image.Image:
    """As `open_stream`, of a row of FORMATS and without a limit."""
    if not READABLE.get(kind, lambda: True)():
        raise DataError(f"{kind} {FORMATS[kind].needs}")
    try:
        return Image.open(stream, formats=FORMATS[kind].pillow)
    except UnidentifiedImageError as error:  # its own message names the file by a path, or an address in memory
        raise DataError("cannot identify image file; it is damaged, or no picture") from error


def check_pixels(size: tuple[int, int], max_pixels: int, bytes_per_pixel: int, parts: int = 1) -> None:
    """DataError for a picture of more pixels than allowed. parts: how many of them become one while it is decoded."""
    allowed = min(max_pixels, max_pixels * BUDGET // bytes_per_pixel)
    if size[0] * size[1] > allowed * parts:
        why = f" ({allowed:,} of this kind, which takes more memory)" if allowed != max_pixels else ""
        raise DataError(
            f"{size[0]}x{size[1]} has more pixels than --max_pixels={max_pixels} allows{why}; "
            "raise the limit if it is meant"
        )


def is_scalable(image: Image.Image) -> bool:
    """Whether it can be decoded at a part of its size. A progressive JPEG is in memory as a whole all the same."""
    return image.format in ("JPEG", "MPO") and not image.info.get("progressive")


def kind_of(stream: BinaryIO) -> str:
    """The row of FORMATS that an open file belongs to."""
    stream.seek(0)
    return format_of(stream.read(HEAD_BYTES)) or UNTOLD


def _heif_is_readable() -> bool:
    if "HEIF" not in Image.OPEN:
        with suppress(ImportError):
            from pillow_heif import register_heif_opener

            register_heif_opener()
    return "HEIF" in Image.OPEN


# What not every Pillow reads: whether this one does.
READABLE = {
    "HEIC": _heif_is_readable,
    "AVIF": lambda: "avif" in features.modules and features.check("avif"),
    "WebP": lambda: features.check("webp"),
    "JPEG 2000": lambda: features.check("jpg_2000"),
}
