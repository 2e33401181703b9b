"""A picture file of any kind -> its pixels in memory, and what it takes to see them as a person does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice
from typing import BinaryIO, NamedTuple, TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from pgan_tf.data.errors import DataError
from pgan_tf.data.memory import room_for
from pgan_tf.data.pictures import tiff
from pgan_tf.data.pictures.ancillary import without_metadata
from pgan_tf.data.pictures.colour import grey_as_told
from pgan_tf.data.pictures.deep import READERS, as_picture, is_rare, is_readable, raw_mode, read_tiff
from pgan_tf.data.pictures.depth import FULL, Range, is_deep, unknown_range
from pgan_tf.data.pictures.flatten import Meaning
from pgan_tf.data.pictures.formats import FORMATS
from pgan_tf.data.pictures.frames import frames_in
from pgan_tf.data.pictures.opening import (
    MAX_PIXELS,
    SMALLEST_SCALE,
    File,
    check_pixels,
    is_scalable,
    kind_of,
    open_picture,
    open_stream,
    stream_of,
    trusting_our_limit,
)
from pgan_tf.data.pictures.orientation import ON_ITS_SIDE, TURNS, orientation_of
from pgan_tf.data.pictures.tagged import profile_of

LARGE = 2**25  # pixels; only above them is anything done at a smaller scale
_OPAQUE_WHERE_ALL_CLEAR = ("BMP", "TGA")  # programs leave the fourth byte 0 there
_GREY_AS_COLOURS = ("AVIF", "HEIC")  # whose decoders make grey with alpha RGBA
_SAMPLES_OF_FEW_BITS = {"L;2": 85, "L;4": 17}  # Pillow's raw modes of PNG: what it multiplies samples by
_RGB_BYTES, _OTHER_BYTES, _LARGE_BYTES = 9, 12, 6  # of memory for a pixel: it, and what it is made into; measured
_TWELVE_BITS = Range(0, 4095)
T = TypeVar("T")


class How(NamedTuple):
    """What is wanted of a file.

    max_pixels: as in `open_picture`. side: what the shorter side will be reduced to, if at all. range: of deep samples.
    frame: which, from 0.
    """

    max_pixels: int = MAX_PIXELS
    side: int | None = None
    range: Range | None = None
    frame: int = 0


class Decoded(NamedTuple):
    """image: loaded, of any mode, as stored. turn: what makes it upright.

    size: width and height of the file's picture, upright. mode: Pillow's name for it. meaning: of the samples. frames:
    how many the file has. dim: it is of 16 bits, and 12 would do.
    """

    image: Image.Image | None
    turn: Image.Transpose | None
    size: tuple[int, int]
    mode: str
    meaning: Meaning
    frames: int = 1
    dim: bool = False


def with_decoded(file: File, how: How, use: Callable[[Decoded], T]) -> T:
    """use(the decoded picture). Raises what Pillow raises, and DataError for what is not read here."""
    with stream_of(file) as stream, trusting_our_limit(), ExitStack() as held:
        try:
            return use(_decode(stream, stream, how, held))
        except Exception:
            decoded = _decode_otherwise(stream, how, held)
            if decoded is None:
                raise
            return use(decoded)


def size_of(file: File, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height as they are stored, by the header alone. Raises as `with_decoded`."""
    with stream_of(file) as stream:
        page = next(tiff.pages(stream), None) if kind_of(stream) == "TIFF" else None
        if page is not None and is_rare(page, ranged=False):
            check_pixels(page.size, max_pixels, _deep_bytes(page.bits, page.samples))
            return page.size
        with open_picture(stream, max_pixels) as image:
            return image.size


def _decode(stream: BinaryIO, original: BinaryIO, how: How, held: ExitStack) -> Decoded:
    """`original`: the file with all its metadata. held: holds the memory that is accounted for."""
    kind = kind_of(stream)
    page = next(islice(tiff.pages(stream), how.frame, None), None) if kind == "TIFF" else None
    frames = len(tiff.whole_pages(stream)) if page else 1
    if page is not None and is_rare(page, how.range is not None):
        return _decode_rare(stream, page, how, held)._replace(frames=frames)
    try:
        image = open_stream(stream, how.max_pixels)
        frames = frames if page else len(frames_in(image, stream))
        image.seek(how.frame)
    except DataError as error:
        if page is None or not isinstance(error.__cause__, UnidentifiedImageError):
            raise
        raise tiff.unread(page) from error
    mode, size = image.mode, image.size
    profile = profile_of(image, original, kind)
    given = None if _range_is_told(image, kind) else how.range
    _scale_down(image, how.side)
    reader = READERS.get(kind)
    by_samples = reader is not None and reader.applies(image, given is not None)
    each = reader.bytes_per_pixel if by_samples else FORMATS[kind].bytes_per_pixel
    check_pixels(image.size, how.max_pixels, each)
    held.enter_context(room_for(_memory(image, size, each)))
    meaning = _meaning(image, kind, given)._replace(profile=profile)
    may_be_grey = kind in _GREY_AS_COLOURS or raw_mode(image) == "LA;16B"  # which Pillow has as RGBA
    image = _by_samples(stream, image, kind, given) if by_samples else _loaded(image)
    opaque = kind in _OPAQUE_WHERE_ALL_CLEAR and image.mode == "RGBA" and image.getextrema()[3] == (0, 0)
    orientation = orientation_of(image)
    size = size[::-1] if orientation in ON_ITS_SIDE else size
    dim = meaning.range == FULL and image.mode.startswith("I;16") and np.asarray(image).max() <= _TWELVE_BITS.high
    if may_be_grey:
        image = grey_as_told(image, profile)
    return Decoded(image, TURNS.get(orientation), size, mode, meaning._replace(opaque=opaque), frames, dim)


def _decode_otherwise(stream: BinaryIO, how: How, held: ExitStack) -> Decoded | None:
    """What Pillow gives up, read without its metadata; None where there is no such way."""
    kind = kind_of(stream)
    page = next(islice(tiff.pages(stream), how.frame, None), None) if kind == "TIFF" else None
    if page is not None and is_readable(page):
        return _decode_rare(stream, page, how, held)
    plain = without_metadata(stream, kind)
    return None if plain is None else _decode(plain, stream, how, held)


def _decode_rare(stream: BinaryIO, page: tiff.Layout, how: How, held: ExitStack) -> Decoded:
    bytes_per_pixel = _deep_bytes(page.bits, page.samples)
    check_pixels(page.size, how.max_pixels, bytes_per_pixel)
    held.enter_context(room_for(page.size[0] * page.size[1] * bytes_per_pixel))
    image = as_picture(read_tiff(stream, page), how.range)
    size = page.size[::-1] if page.orientation in ON_ITS_SIDE else page.size
    mode = "I" if image.mode == "L" else image.mode
    return Decoded(image, TURNS.get(page.orientation), size, mode, Meaning(page.profile))


def _memory(image: Image.Image, size: tuple[int, int], decoding: int) -> int:
    """Bytes, about, until it is RGB. size: of the file, at full scale. decoding: bytes for each pixel."""
    coefficients = 6 * size[0] * size[1] if image.info.get("progressive") else 0
    pixels = image.width * image.height
    plain = _RGB_BYTES if image.mode == "RGB" else _OTHER_BYTES
    return coefficients + pixels * max(plain if pixels <= LARGE else _LARGE_BYTES, decoding)


def _deep_bytes(bits: int, samples: int) -> int:
    """Of memory for a pixel of samples that Pillow has no mode for."""
    return _RGB_BYTES + 2 * samples * bits // 8


def _scale_down(image: Image.Image, side: int | None) -> None:
    """Has a large JPEG decoded at the smallest scale that leaves four times the pixels that are needed on a side."""
    if side is None or image.width * image.height <= LARGE or not is_scalable(image):
        return
    scale = SMALLEST_SCALE
    while scale > 1 and min(image.size) // scale < 4 * side:
        scale //= 2
    image.draft(None, (image.width // scale, image.height // scale))


def _range_is_told(image: Image.Image, kind: str) -> bool:
    """Whether the file tells its greatest sample, and Pillow has made 65535 of it."""
    decoder, args = image.tile[0][0] if image.tile else "", image.tile[0][3] if image.tile else ""
    return kind == "JPEG 2000" or decoder == "ppm_plain" or (decoder == "ppm" and args[1] < FULL.high)


def _meaning(image: Image.Image, kind: str, given: Range | None) -> Meaning:
    """Of a picture that is not loaded yet. DataError where nobody can know."""
    if given is None and (image.mode == "F" or (image.mode == "I" and kind == "TIFF")):
        raise unknown_range("floating-point" if image.mode == "F" else "32-bit")
    raw = image.tile[0][3] if image.tile else ""
    raw = raw if isinstance(raw, str) else str(raw[:1])
    clear = image.info.get("transparency")
    if isinstance(clear, int) and raw in _SAMPLES_OF_FEW_BITS:
        image.info["transparency"] = clear * _SAMPLES_OF_FEW_BITS[raw]
    return Meaning(
        range=given or (_TWELVE_BITS if "I;12" in raw else FULL), clear=clear if is_deep(image.mode) else None
    )


def _loaded(image: Image.Image) -> Image.Image:
    image.load()
    return image


def _by_samples(stream: BinaryIO, image: Image.Image, kind: str, given: Range | None) -> Image.Image:
    """The picture with 8 bits of samples that Pillow has no mode for."""
    deep = READERS[kind].read(stream, image)
    picture = as_picture(deep, given if deep.full.high > 255 else None)
    picture.info = {name: value for name, value in image.info.items() if name != "transparency"}
    return picture
