"""A decoded picture of any mode -> opaque sRGB, a strip at a time, so that a large one is never there twice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from pgan_tf.data.pictures.colour import changes_colours, to_srgb
from pgan_tf.data.pictures.depth import FULL, Range, grey_of, is_deep

Box = tuple[int, int, int, int]  # left, top, right, bottom
STRIP_PIXELS = 2**22
_GREY, _BASES = ("1", "L", "LA", "La"), ("L", "RGB", "CMYK", "LAB")


class Meaning(NamedTuple):
    """What the samples of a decoded picture mean.

    profile: ICC, or None for sRGB. range: of deep samples. inverted: the smallest deep sample is white. opaque: its
    alpha, if it has any, says nothing. clear: the value of a deep sample that is transparent.
    """

    profile: bytes | None = None
    range: Range = FULL
    inverted: bool = False
    opaque: bool = False
    clear: int | None = None


def flattened(
    image: Image.Image, meaning: Meaning, background: tuple[int, int, int], box: Box | None = None, factor: int = 1
) -> Image.Image:
    """-> RGB: what is within `box` of a loaded picture, on the background where it is transparent.

    factor: each side by so much smaller, every pixel the mean of the factor^2 that it covers.
    """
    left, top, right, bottom = box or (0, 0, *image.size)
    if factor == 1 and _is_plain(image, meaning):
        return image if (left, top, right, bottom) == (0, 0, *image.size) else image.crop(box)
    rows = max(1, STRIP_PIXELS // (right - left) // factor) * factor
    if rows >= bottom - top:
        return _reduced(_opaque(_cropped(image, (left, top, right, bottom)), meaning, background), factor)
    result = Image.new("RGB", (-(-(right - left) // factor), -(-(bottom - top) // factor)))
    for begin in range(top, bottom, rows):
        strip = image.crop((left, begin, right, min(begin + rows, bottom)))
        result.paste(_reduced(_opaque(strip, meaning, background), factor), (0, (begin - top) // factor))
    return result


def _is_plain(image: Image.Image, meaning: Meaning) -> bool:
    plain = image.mode == "RGB" and not image.has_transparency_data
    return plain and not changes_colours(meaning.profile, "RGB")


def _cropped(image: Image.Image, box: Box) -> Image.Image:
    return image if box == (0, 0, *image.size) else image.crop(box)


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    return image.reduce(factor) if factor > 1 else image


def _opaque(image: Image.Image, meaning: Meaning, background: tuple[int, int, int]) -> Image.Image:
    """Colours first, then transparency: the background is sRGB already."""
    if is_deep(image.mode):
        image = _shallow(image, meaning)
    if image.mode == "La":  # colours times alpha
        image = image.convert("LA")
    if not image.has_transparency_data or meaning.opaque:
        return _as_mode(to_srgb(_without_alpha(image), meaning.profile), "RGB")
    seen = _as_mode(image, "RGBA")
    if changes_colours(meaning.profile, "L" if image.mode in _GREY else "RGB"):
        alpha = seen.getchannel("A")
        seen = _as_mode(to_srgb(_without_alpha(image), meaning.profile), "RGB")
        seen.putalpha(alpha)
    return Image.alpha_composite(Image.new("RGBA", image.size, background), seen).convert("RGB")


def _shallow(image: Image.Image, meaning: Meaning) -> Image.Image:
    """A deep picture -> L or LA."""
    grey = grey_of(image, meaning.range, meaning.inverted)
    if meaning.clear is not None:
        seen = np.asarray(image) != meaning.clear  # [H,W]
        grey.putalpha(Image.fromarray(seen.astype(np.uint8) * 255))
    return grey


def _without_alpha(image: Image.Image) -> Image.Image:
    """-> L, RGB, CMYK or LAB."""
    image.info.pop("transparency", None)  # the converted picture would inherit it
    return image if image.mode in _BASES else image.convert("L" if image.mode in _GREY else "RGB")


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)
