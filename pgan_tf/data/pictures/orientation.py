"""Which way up a picture is to be seen: one number of its EXIF data, of which nothing else is looked at."""

from __future__ import annotations

import re
import struct
from contextlib import suppress

from PIL import Image

_TAG = 0x0112
_ENTRY_BYTES = 12
_BYTES = {3: "H", 4: "I"}  # types of EXIF that cameras write it in
_XMP = re.compile(rb"tiff:Orientation(?:=\"|>)([1-8])")

# EXIF 2.3, tag Orientation -> what makes the stored picture upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ON_ITS_SIDE = frozenset([5, 6, 7, 8])


def orientation_of(image: Image.Image) -> int:
    """1..8; 1, which is upright, where nothing or nonsense is said. Call it after the pixels are loaded."""
    if hasattr(image, "tag_v2"):  # TIFF: Pillow turns it while it loads it, and takes the tag away
        value = image.tag_v2.get(_TAG)
        return value if value in TURNS else 1
    turn = orientation_in(_exif(image.info)) or _in_xmp(image.info)
    return turn if turn in TURNS else 1


def orientation_in(exif: bytes) -> int | None:
    """The tag's value in the first directory of EXIF data, with or without `Exif\\0\\0`; None where there is none."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return None
    with suppress(struct.error):
        (at,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, at)
        for entry in range(at + 2, at + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES):
            tag, kind = struct.unpack_from(order + "HH", exif, entry)
            if tag == _TAG:
                return struct.unpack_from(order + _BYTES.get(kind, "H"), exif, entry + 8)[0]
    return None


def _exif(info: dict) -> bytes:
    exif = info.get("exif")
    if isinstance(exif, bytes):
        return exif
    text = info.get("Raw profile type exif")  # ImageMagick's, in PNG: a name, a length, hexadecimal digits
    if isinstance(text, str):
        with suppress(ValueError):
            return bytes.fromhex("".join(text.split("\n")[3:]))
    return b""


def _in_xmp(info: dict) -> int | None:
    text = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    match = _XMP.search(text.encode("utf-8", "replace") if isinstance(text, str) else bytes(text))
    return int(match[1]) if match else None
