"""A picture file of any kind -> its pixels in memory, and what it takes to see them as a person does."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, NamedTuple, TypeVar

from PIL import Image

from pgan_tf.data.pictures.ancillary import without_metadata
from pgan_tf.data.pictures.depth import FULL, Range, unknown_range
from pgan_tf.data.pictures.flatten import Meaning
from pgan_tf.data.pictures.opening import (
    MAX_PIXELS,
    SMALLEST_SCALE,
    File,
    check_decoded,
    is_scalable,
    kind_of,
    open_stream,
    stream_of,
    trusting_our_limit,
)
from pgan_tf.data.pictures.orientation import ON_ITS_SIDE, TURNS, orientation_of
from pgan_tf.data.pictures.tagged import profile_of

LARGE = 2**25  # pixels; only above them is anything done at a smaller scale
_OPAQUE_WHERE_ALL_CLEAR = ("BMP", "TGA")  # programs leave the fourth byte 0 there
T = TypeVar("T")


class How(NamedTuple):
    """max_pixels: see `open_picture`. side: the least that the shorter side is needed with, if less than all will do.
    range: of deep samples. frame: counted from 0."""

    max_pixels: int = MAX_PIXELS
    side: int | None = None
    range: Range | None = None
    frame: int = 0


class Decoded(NamedTuple):
    """image: loaded, of any mode, as stored. turn: what makes it upright. size: width and height of the file's picture,
    upright. mode: Pillow's name. meaning: of the samples."""

    image: Image.Image
    turn: Image.Transpose | None
    size: tuple[int, int]
    mode: str
    meaning: Meaning


def with_decoded(file: File, how: How, use: Callable[[Decoded], T]) -> T:
    """use(the decoded picture). Raises what Pillow raises, DataError for what is not read here."""
    with stream_of(file) as stream, trusting_our_limit():
        try:
            return use(_decode(stream, stream, how))
        except Exception:
            plain = without_metadata(stream, kind_of(stream))
            if plain is None:
                raise
            return use(_decode(plain, stream, how))


def _decode(stream: BinaryIO, original: BinaryIO, how: How) -> Decoded:
    """`original`: the file with all its metadata."""
    image = open_stream(stream, how.max_pixels)
    kind, mode, size = kind_of(stream), image.mode, image.size
    profile = profile_of(image, original, kind)
    if how.frame:
        image.seek(how.frame)
    _scale_down(image, how.side)
    check_decoded(image, stream, how.max_pixels)
    image.load()
    orientation = orientation_of(image)
    size = size[::-1] if orientation in ON_ITS_SIDE else size
    return Decoded(image, TURNS.get(orientation), size, mode, _meaning(image, kind, profile, how.range))


def _scale_down(image: Image.Image, side: int | None) -> None:
    """Has a large JPEG decoded at the smallest scale that leaves four times the pixels that are needed on a side."""
    if side is None or image.width * image.height <= LARGE or not is_scalable(image):
        return
    scale = SMALLEST_SCALE
    while scale > 1 and min(image.size) // scale < 4 * side:
        scale //= 2
    image.draft(None, (image.width // scale, image.height // scale))


def _meaning(image: Image.Image, kind: str, profile: bytes | None, given: Range | None) -> Meaning:
    clear = image.info.get("transparency") if image.mode.startswith("I") else None
    opaque = kind in _OPAQUE_WHERE_ALL_CLEAR and image.mode == "RGBA" and image.getextrema()[3] == (0, 0)
    return Meaning(profile, given or _known_range(image, kind), opaque=opaque, clear=clear)


def _known_range(image: Image.Image, kind: str) -> Range:
    if image.mode == "F":
        raise unknown_range("floating-point")
    if image.mode == "I" and kind == "TIFF":
        raise unknown_range("32-bit and signed")
    return FULL
