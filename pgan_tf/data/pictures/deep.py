"""Pictures of several deep samples a pixel, which Pillow has no mode for: as arrays, then as 8-bit pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from pgan_tf.data.errors import DataError
from pgan_tf.data.pictures import tiff
from pgan_tf.data.pictures.depth import FULL, Range, to_8_bits, unknown_range
from pgan_tf.data.pictures.opening import identified

MODES = {(1, False): "L", (1, True): "LA", (3, False): "RGB", (3, True): "RGBA", (4, False): "CMYK"}


class Deep(NamedTuple):
    """samples: [H,W,S], colours before alpha. colours: 1, 3 or 4 of them. full: what its numbers may be, where that is
    known. inverted: the smallest is white. multiplied: the colours are multiplied by the alpha."""

    samples: np.ndarray
    colours: int
    full: Range | None
    inverted: bool = False
    multiplied: bool = False


class Reader(NamedTuple):
    """applies: whether it is for a picture that is open, and with a range or not. read: file and picture -> samples.

    bytes_per_pixel: of memory meanwhile; measured.
    """

    applies: Callable[[Image.Image, bool], bool]
    read: Callable[[BinaryIO, Image.Image], Deep]
    bytes_per_pixel: int


def as_picture(deep: Deep, given: Range | None) -> Image.Image:
    """-> L, LA, RGB, RGBA or CMYK. DataError without any range."""
    wanted = given or deep.full
    if wanted is None:
        raise unknown_range(f"{deep.samples.dtype.itemsize * 8}-bit {_WORDS[deep.samples.dtype.kind]}")
    colours = to_8_bits(deep.samples[..., : deep.colours], wanted)  # [H,W,C]
    if deep.inverted:
        colours = 255 - colours
    image = Image.fromarray(colours[..., 0] if deep.colours == 1 else colours, MODES[deep.colours, False])
    if deep.samples.shape[-1] == deep.colours:
        return image
    alpha = to_8_bits(deep.samples[..., deep.colours], _whole(deep.samples.dtype))  # [H,W]
    if deep.multiplied:
        mode = {1: "La", 3: "RGBa"}[deep.colours]
        return Image.merge(mode, [*image.split(), Image.fromarray(alpha)]).convert(mode.upper())
    image.putalpha(Image.fromarray(alpha))
    return image


def _whole(dtype: np.dtype) -> Range:
    return Range(0, 1) if dtype.kind == "f" else Range(0, int(np.iinfo(dtype).max))


# ---- PNG and PPM -----------------------------------------------------------------------------------------------------


def _png_applies(image: Image.Image, ranged: bool) -> bool:
    """16-bit colours, of which Pillow keeps the upper half: where a range is given, or one of them is transparent."""
    return raw_mode(image) in _LOWER_HALF and (ranged or "transparency" in image.info)


def _read_png(stream: BinaryIO, image: Image.Image) -> Deep:
    half = _LOWER_HALF[raw_mode(image)]
    if half is None:
        raise DataError("--range is not for 16-bit grey with transparency; convert it to 16-bit grey")
    image.load()
    lower = identified(stream, "PNG")
    lower.tile = [(*tile[:3], half) for tile in lower.tile]
    samples = np.asarray(image).astype(np.uint16)  # [H,W,S]
    samples <<= 8
    samples |= np.asarray(lower)
    if "transparency" in image.info:
        seen = (samples != np.array(image.info["transparency"])).any(axis=-1, keepdims=True)  # [H,W,1]
        samples = np.concatenate([samples, seen.astype(np.uint16) * 65535], axis=-1)
    return Deep(samples, 3, FULL)


def _ppm_applies(image: Image.Image, ranged: bool) -> bool:
    """Binary samples up to a number that is no full byte: Pillow takes them one by one."""
    return bool(image.tile) and image.tile[0][0] == "ppm"


def _read_ppm(stream: BinaryIO, image: Image.Image) -> Deep:
    _, _, start, (_, most) = image.tile[0][:4]
    (width, height), samples = image.size, 3 if image.mode == "RGB" else 1
    dtype = np.dtype(">u2" if most > 255 else "u1")
    stream.seek(start)
    content = stream.read(width * height * samples * dtype.itemsize)
    if len(content) < width * height * samples * dtype.itemsize:
        raise DataError("image file is truncated")
    pixels = np.frombuffer(content, dtype).reshape(height, width, samples)
    return Deep(pixels.astype(dtype.newbyteorder("=")), samples, Range(0, most))


def raw_mode(image: Image.Image) -> str:
    """How Pillow unpacks it."""
    args = image.tile[0][3] if image.tile else ""
    return args if isinstance(args, str) else ""


_WORDS = {"u": "unsigned", "i": "signed", "f": "floating-point"}
_LOWER_HALF = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": None}  # Pillow's raw modes
READERS = {"PNG": Reader(_png_applies, _read_png, 25), "PPM": Reader(_ppm_applies, _read_ppm, 14)}


# ---- TIFF ------------------------------------------------------------------------------------------------------------


def is_readable(page: tiff.Layout) -> bool:
    """Whether `read_tiff` reads this page."""
    colours = tiff.COLOURS.get(page.photometric, 0)
    return tiff.can_unpack(page) and 0 < colours <= page.samples and not (page.alpha and colours == 4)


def is_rare(page: tiff.Layout, ranged: bool) -> bool:
    """Whether Pillow would take this page for another layout, give it up, or lose what --range needs."""
    deep, grey = page.bits > 8, page.photometric in (tiff.MIN_IS_WHITE, tiff.MIN_IS_BLACK)
    return is_readable(page) and (
        page.is_separate
        or (page.photometric == tiff.MIN_IS_WHITE and deep)
        or (grey and page.samples > 1)
        or page.bits > 16
        or page.format != tiff.UNSIGNED
        or (deep and ranged)
        or (page.big and page.order == ">")
    )


def read_tiff(stream: BinaryIO, page: tiff.Layout) -> Deep:
    """A page that `is_readable`."""
    colours = tiff.COLOURS[page.photometric]
    used = colours + bool(page.alpha)
    samples = tiff.read_samples(stream, page)[..., :used]
    known = samples.dtype in (np.uint8, np.uint16)
    full = Range(0, int(np.iinfo(samples.dtype).max)) if known else None
    return Deep(samples, colours, full, page.photometric == tiff.MIN_IS_WHITE, page.alpha == tiff.MULTIPLIED)
