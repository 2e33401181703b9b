"""Colours by ICC profiles -> sRGB, by Little CMS. What profile is broken, or not of this kind of picture, is sRGB."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageCms

Convert = Callable[[Image.Image], Image.Image]
SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}  # of profiles -> Pillow's modes
_INTENT = ImageCms.Intent.PERCEPTUAL
_EXACT = ImageCms.Flags.NOOPTIMIZE  # else a table of few nodes, which is coarse where it is dark, and in Lab everywhere
_NO_DIFFERENCE = 1  # of 255; what rounding makes of sRGB to sRGB
_SPACE_AT = slice(16, 20)  # of a profile: ICC.1:2010, its header
_GRID = 17  # values a channel, to find that a profile is sRGB


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture of mode L, RGB, CMYK or LAB -> RGB, or L where it is grey; without a profile by Pillow's formulae."""
    convert = _converter(profile, image.mode) if profile or image.mode == "LAB" else None
    if convert is not None:
        return convert(image)
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def changes_colours(profile: bytes | None, mode: str) -> bool:
    """Whether `to_srgb` of a picture of mode L or RGB would change anything."""
    return profile is not None and _converter(profile, mode) is not None


def grey_as_told(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A grey picture that its decoder has made RGB or RGBA -> L or LA, where its profile is one of grey."""
    if profile is None or profile[_SPACE_AT] != b"GRAY" or image.mode not in ("RGB", "RGBA"):
        return image
    red, green, blue = image.split()[:3]
    if ImageChops.difference(red, green).getbbox() or ImageChops.difference(red, blue).getbbox():
        return image
    return image.convert({"RGB": "L", "RGBA": "LA"}[image.mode])


@lru_cache(maxsize=64)
def _converter(profile: bytes | None, mode: str) -> Convert | None:
    """None: as it is. Most pictures of a set have one profile: found to be sRGB, or made into a transform, once."""
    with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        if mode == "LAB":
            return _transform(ImageCms.createProfile("LAB"), mode, _EXACT)
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        of = SPACES.get(source.profile.xcolor_space)
        if of == mode == "CMYK":
            return _transform(source, mode)
        if of == mode == "RGB":
            convert = _transform(source, mode)
            return None if _is_identity(convert) else convert
        if mode == "L" and of in ("L", "RGB"):
            return _grey(_transform(source, of, _EXACT), of)
    return None


def _transform(source, mode: str, flags: ImageCms.Flags = ImageCms.Flags.NONE) -> Convert:
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", _INTENT, flags).apply


def _is_identity(convert: Convert) -> bool:
    steps = np.linspace(0, 255, _GRID).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(_GRID, -1, 3)  # [17,289,3]
    return _greatest_difference(colours, np.asarray(convert(Image.fromarray(colours)))) <= _NO_DIFFERENCE


def _grey(convert: Convert, of: str) -> Convert | None:
    """As a table of 256: grey stays grey."""
    ramp = np.arange(256, dtype=np.uint8)[None]  # [1,256]
    table = np.asarray(convert(Image.fromarray(ramp).convert(of)))[0, :, 1]  # [256], green
    if _greatest_difference(ramp[0], table) <= _NO_DIFFERENCE:
        return None
    return lambda image: image.point(table.tolist())


def _greatest_difference(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())
