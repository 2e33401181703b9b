"""One picture file of any kind -> the uint8 array that a data set holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageColor

from pgan_tf.data.errors import DataError
from pgan_tf.data.pictures.decode import LARGE, Decoded, How, size_of, with_decoded
from pgan_tf.data.pictures.depth import Range, is_deep
from pgan_tf.data.pictures.flatten import Box, flattened
from pgan_tf.data.pictures.formats import EXTENSIONS as EXTENSIONS  # for those who list files
from pgan_tf.data.pictures.formats import looks_like_picture as looks_like_picture
from pgan_tf.data.pictures.opening import MAX_PIXELS as MAX_PIXELS
from pgan_tf.data.pictures.opening import File as File
from pgan_tf.data.pictures.opening import open_picture as open_picture
from pgan_tf.data.pictures.orientation import ON_ITS_SIDE, orientation_of
from pgan_tf.data.source import Picture
from pgan_tf.data.writer import is_resolution

FITS = ("crop", "pad", "stretch")
MODES = ("rgb", "grey")
WHITE = (255, 255, 255)
MORE_FRAMES, FRAMES_LEFT_OUT, DIM = "files with more frames", "frames left out", "dim"  # remarks
_GREATEST_DEFAULT = 1024  # without --resolution; photographs are larger than anyone means to train on
_TURN = Image.Transpose
_MIRRORS_X = (_TURN.FLIP_LEFT_RIGHT, _TURN.ROTATE_180, _TURN.ROTATE_90, _TURN.TRANSVERSE)  # right comes before left
_MIRRORS_Y = (_TURN.FLIP_TOP_BOTTOM, _TURN.ROTATE_180, _TURN.ROTATE_270, _TURN.TRANSVERSE)


@dataclass(frozen=True)
class Target:
    """What every picture is made into.

    resolution: side in pixels. fit: `crop` the middle square, `pad` to a square, or `stretch`. background: RGB, 0..255,
    under transparent pixels and in the padding. mode: `rgb` or `grey`. max_pixels: larger pictures are not decoded.
    range: the samples that are black and white where they have more than 8 bits; None: all of 16 bits, others are
    refused. own_size: the resolution need be no power of two.
    """

    resolution: int
    fit: str = "crop"
    background: tuple[int, int, int] = (255, 255, 255)
    mode: str = "rgb"
    max_pixels: int = MAX_PIXELS
    range: Range | None = None
    own_size: bool = False

    def __post_init__(self) -> None:
        if not (self.own_size or is_resolution(self.resolution)):
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


def load_picture(file: File, target: Target, frame: int = 0) -> Picture:
    """Reads a picture file -> the square uint8 [R, R, C], its own (width, height) and Pillow mode, remarks.

    `file`: a path, or an open file. Colours by its profile, as sRGB; turned as its EXIF orientation says; laid on the
    background before it is resized, so that the colours hidden under transparent pixels never bleed in; resized by
    Lanczos. Raises what Pillow raises, and DataError.
    """
    how = How(target.max_pixels, target.resolution, target.range, frame)
    image, found = with_decoded(file, how, partial(_within, target=target))
    square = _resized(image, target)
    pixels = np.asarray(square.convert("L") if target.mode == "grey" else square)
    pixels = pixels.reshape(target.resolution, target.resolution, target.channels)
    return Picture(pixels, found.size, found.mode, _remarks(found))


def read_opaque(
    file: File, background: tuple[int, int, int] = WHITE, max_pixels: int = MAX_PIXELS
) -> tuple[Image.Image, str]:
    """Reads a picture file -> (RGB, upright, on the background where it is transparent; its own Pillow mode)."""
    return with_decoded(file, How(max_pixels), lambda found: (_upright(found, background), found.mode))


def read_picture(file: File, channels: int | None = None) -> np.ndarray:
    """A picture file as it is -> uint8 [H,W,C], turned as its EXIF orientation says, white under transparent pixels.

    `channels`: 1 or 3; by default 1 for a grey file, 3 for all others. Raises what Pillow raises, and DataError.
    """
    image, mode = read_opaque(file)
    grey = channels == 1 if channels else _is_grey(mode)
    pixels = np.asarray(image.convert("L") if grey else image)
    return pixels.reshape(*pixels.shape[:2], -1)


def picture_kind(file: File) -> tuple[tuple[int, int], bool]:
    """A picture's (width, height) as seen, and whether `read_picture` would find it grey; of squares by the header."""
    with open_picture(file) as image:
        mode = image.mode
        if image.width != image.height:
            image.load()  # only then it is sure which way up it is
        turned = image.width != image.height and orientation_of(image) in ON_ITS_SIDE
        return image.size[:: -1 if turned else 1], _is_grey(mode)


def default_resolution(file: File, max_pixels: int = MAX_PIXELS) -> int:
    """The largest power of two, 4 to 1024, not above the smaller side of this picture. Raises what Pillow raises."""
    side = min(size_of(file, max_pixels))
    return max(4, min(_GREATEST_DEFAULT, 2 ** (side.bit_length() - 1)))


def _is_grey(mode: str) -> bool:
    return mode in ("1", "L") or is_deep(mode)


def _upright(found: Decoded, background: tuple[int, int, int]) -> Image.Image:
    image = flattened(found.image, found.meaning, background)
    return image if found.turn is None else image.transpose(found.turn)


def _remarks(found: Decoded) -> tuple[tuple[str, int], ...]:
    remarks = ((MORE_FRAMES, 1), (FRAMES_LEFT_OUT, found.frames - 1)) if found.frames > 1 else ()
    return (*remarks, (DIM, 1)) if found.dim else remarks


def _within(found: Decoded, target: Target) -> tuple[Image.Image, Decoded]:
    """-> (RGB, upright: of it what `target` shows, at four times the size or more; the rest of what was found)."""
    width, height = found.image.size
    box = 0, 0, width, height
    if target.fit == "crop":
        box = _middle_square(width, height, found.turn)
    across, down = box[2] - box[0], box[3] - box[1]
    factor = max(1, min(across, down) // (4 * target.resolution)) if across * down > LARGE else 1
    image = flattened(found.image, found.meaning, target.background, _in_wholes(box, factor), factor)
    image = image if found.turn is None else image.transpose(found.turn)
    return image, found._replace(image=None)


def _in_wholes(box: Box, factor: int) -> Box:
    """`box` without what `factor` does not divide, from both ends: less than a quarter of a pixel that is wanted."""
    left, top, right, bottom = box
    across, down = (right - left) % factor, (bottom - top) % factor
    return left + across // 2, top + down // 2, right - (across + 1) // 2, bottom - (down + 1) // 2


def _middle_square(width: int, height: int, turn: Image.Transpose | None) -> Box:
    """In the stored picture, what is the middle square of the upright one, to the pixel where sides are odd."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2  # whole pixels: a picture that fits stays as it is
    if turn in _MIRRORS_X:
        left = width - side - left
    if turn in _MIRRORS_Y:
        top = height - side - top
    return left, top, left + side, top + side


def _resized(image: Image.Image, target: Target) -> Image.Image:
    side, (width, height) = target.resolution, image.size
    if target.fit != "pad":
        return image.resize((side, side), Image.Resampling.LANCZOS)
    longer = max(width, height)
    size = max(1, round(width * side / longer)), max(1, round(height * side / longer))
    paper = Image.new("RGB", (side, side), target.background)
    paper.paste(image.resize(size, Image.Resampling.LANCZOS), ((side - size[0]) // 2, (side - size[1]) // 2))
    return paper
