"""One picture file of any kind -> the uint8 array that a data set holds."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageColor, ImageOps, UnidentifiedImageError

from pgan_tf.data.errors import DataError
from pgan_tf.data.pictures.formats import EXTENSIONS as EXTENSIONS  # for those who list files
from pgan_tf.data.pictures.formats import looks_like_picture as looks_like_picture
from pgan_tf.data.writer import is_resolution

FITS = ("crop", "pad", "stretch")
MODES = ("rgb", "grey")
MAX_PIXELS = 2**28  # 16384 x 16384; decoding such a picture takes about 1 GB
_GREATEST_DEFAULT = 1024  # without --resolution; photographs are larger than anyone means to train on

File = str | os.PathLike | BinaryIO


@dataclass(frozen=True)
class Target:
    """What every picture is made into.

    resolution: side in pixels. fit: `crop` the middle square, `pad` to a square, or `stretch`. background: RGB, 0..255,
    under transparent pixels and in the padding. mode: `rgb` or `grey`. max_pixels: larger pictures are not decoded.
    """

    resolution: int
    fit: str = "crop"
    background: tuple[int, int, int] = (255, 255, 255)
    mode: str = "rgb"
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        if not is_resolution(self.resolution):
            raise DataError(f"--resolution={self.resolution}: must be a power of two, 4 to 8192")
        if self.fit not in FITS:
            raise DataError(f"--fit={self.fit}: must be one of {', '.join(FITS)}")
        if self.mode not in MODES:
            raise DataError(f"--mode={self.mode}: must be one of {', '.join(MODES)}")

    @property
    def channels(self) -> int:
        return 3 if self.mode == "rgb" else 1


def parse_colour(text: str) -> tuple[int, int, int]:
    """A colour's name or #rrggbb -> its RGB, 0..255. Raises DataError."""
    try:
        red, green, blue = ImageColor.getrgb(text)
    except ValueError as error:
        raise DataError(f"--background={text}: not a colour; give a name such as white, or #rrggbb") from error
    return red, green, blue


def load_picture(file: File, target: Target) -> tuple[np.ndarray, tuple[int, int], str]:
    """Reads a picture file -> (uint8 [R, R, C], its own (width, height) as seen, its own Pillow mode).

    `file`: a path, or an open file. The first frame of an animation; turned as its EXIF orientation says; laid on the
    background before it is resized, so that the colours hidden under transparent pixels never bleed in; resized by
    Lanczos. Raises what Pillow raises.
    """
    image, mode = read_opaque(file, target.background, target.max_pixels)
    square = _fit(image, target)
    pixels = np.asarray(square.convert("L") if target.mode == "grey" else square)
    return pixels.reshape(target.resolution, target.resolution, target.channels), image.size, mode


def read_opaque(
    file: File, background: tuple[int, int, int] = (255, 255, 255), max_pixels: int = MAX_PIXELS
) -> tuple[Image.Image, str]:
    """Reads a picture file -> (RGB, upright, on the background where it is transparent; its own Pillow mode)."""
    with open_picture(file, max_pixels) as image:
        return _flatten(ImageOps.exif_transpose(image), background), image.mode


def read_picture(file: File, channels: int | None = None) -> np.ndarray:
    """A picture file as it is -> uint8 [H,W,C], turned as its EXIF orientation says, white under transparent pixels.

    `channels`: 1 or 3; by default 1 for a grey file, 3 for all others. Raises what Pillow raises.
    """
    with Image.open(file) as image:
        grey = channels == 1 if channels else image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;16")
        flat = _flatten(ImageOps.exif_transpose(image), (255, 255, 255))
    pixels = np.asarray(flat.convert("L") if grey else flat)
    return pixels.reshape(*pixels.shape[:2], -1)


def default_resolution(file: File, max_pixels: int = MAX_PIXELS) -> int:
    """The largest power of two, 4 to 1024, not above the smaller side of this picture. Raises what Pillow raises."""
    with open_picture(file, max_pixels) as image:
        side = min(image.size)
    return max(4, min(_GREATEST_DEFAULT, 2 ** (side.bit_length() - 1)))


@contextmanager
def open_picture(file: File, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """Yields the picture, only its header read so far. DataError for more pixels: few bytes can promise many."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels / 2  # Pillow raises above twice this number
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on large pictures and odd metadata; what is an error stays one
            with Image.open(file) as image:
                yield image
    except Image.DecompressionBombError as error:
        raise DataError(f"has more pixels than --max_pixels={max_pixels}; raise the limit if it is meant") from error
    except UnidentifiedImageError as error:  # its own message names the file by a path, or an address in memory
        raise DataError("cannot identify image file; it is damaged, or no picture") from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _flatten(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """Any mode -> an opaque RGB picture."""
    if image.mode == "F":
        raise DataError("floating-point pixels have no known range; convert the file to 8 or 16 bits")
    if image.mode.startswith("I"):
        image = _from_16_bits(image)
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, background)
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Grey 16-bit pixels -> 8 bits, rounded. Pillow's own conversion would clip them at 255."""
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise DataError("32-bit pixels have no known range; convert the file to 8 or 16 bits")
    return Image.fromarray(np.rint(values / 257).astype(np.uint8))


def _fit(image: Image.Image, target: Target) -> Image.Image:
    side, (width, height) = target.resolution, image.size
    if target.fit == "crop":
        square = min(width, height)
        left, top = (width - square) // 2, (height - square) // 2  # whole pixels: a picture that fits stays as it is
        image = image.crop((left, top, left + square, top + square))
    if target.fit != "pad":
        return image.resize((side, side), Image.Resampling.LANCZOS)
    longer = max(width, height)
    size = max(1, round(width * side / longer)), max(1, round(height * side / longer))
    paper = Image.new("RGB", (side, side), target.background)
    paper.paste(image.resize(size, Image.Resampling.LANCZOS), ((side - size[0]) // 2, (side - size[1]) // 2))
    return paper
