"""What a file says its colours mean: an ICC profile, embedded or made of what the format has instead."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from PIL import Image

from pgan_tf.data.errors import DataError
from pgan_tf.data.pictures import profiles
from pgan_tf.data.pictures.png import header_chunks, inflated_profile

_PNG_CHUNKS = frozenset([b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"])
_SRGB_GAMMA, _GAMMA_TOLERANCE = 1 / 2.2, 0.05  # a gAMA chunk of this means sRGB, whose curve is near it
_GAMMAS = (0.1, 10.0)  # others are nonsense
_BOX_BYTES = 2**20  # of an AVIF, HEIC or JPEG 2000 file, at its beginning: where the boxes are that describe it
_BMP_V5, _BMP_EMBEDDED = 124, b"DEBM"
_GREATEST = 2**24  # bytes of a profile


def profile_of(image: Image.Image, stream: BinaryIO, kind: str) -> bytes | None:
    """The ICC profile that the pixels are to be read by; None: they are sRGB, or nothing is said, which means the same.

    Where the format has other words for it, browsers' order of precedence: cICP, ICC, sRGB, then gAMA and cHRM in PNG;
    ICC, then `nclx` in AVIF and HEIC. DataError for HDR pictures.
    """
    return FINDERS.get(kind, _embedded)(image, stream)


def _embedded(image: Image.Image, stream: BinaryIO) -> bytes | None:
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile else None


def _in_png(image: Image.Image, stream: BinaryIO) -> bytes | None:
    chunks = header_chunks(stream, _PNG_CHUNKS)
    if len(chunks.get(b"cICP", b"")) == 4:
        return _from_code_points(chunks[b"cICP"][0], chunks[b"cICP"][1])
    profile = inflated_profile(chunks[b"iCCP"]) if b"iCCP" in chunks else None
    if profile or b"sRGB" in chunks:
        return profile
    return _from_gamma(chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b""))


def _from_gamma(gama: bytes, chrm: bytes) -> bytes | None:
    """PNG specification 11.3.2.1 and 11.3.2.2."""
    gamma = struct.unpack(">I", gama)[0] / 100_000 if len(gama) == 4 else _SRGB_GAMMA
    xy = [value / 100_000 for value in struct.unpack(">8I", chrm)] if len(chrm) == 32 else profiles.BT709
    is_srgb = abs(gamma / _SRGB_GAMMA - 1) < _GAMMA_TOLERANCE or not _GAMMAS[0] <= gamma <= _GAMMAS[1]
    near = all(abs(a - b) < 0.002 for a, b in zip(xy, profiles.BT709, strict=True))
    return None if is_srgb and near else profiles.rgb_profile(xy, None if is_srgb else 1 / gamma)


def _from_code_points(primaries: int, curve: int) -> bytes | None:
    if curve in profiles.HDR_CURVES:
        raise DataError("an HDR picture (PQ or HLG), brighter than 0..255 can tell; convert it to an ordinary one")
    return profiles.from_code_points(primaries, curve)


def _in_boxes(image: Image.Image, stream: BinaryIO) -> bytes | None:
    """AVIF and HEIC: ISO/IEC 23008-12, the box `colr`."""
    profile = _embedded(image, stream)
    if profile:
        return profile
    head = _head(stream)
    at = head.find(b"colrnclx")
    return _from_code_points(*struct.unpack_from(">HH", head, at + 8)) if 0 <= at <= len(head) - 12 else None


def _in_jpeg2000(image: Image.Image, stream: BinaryIO) -> bytes | None:
    """ISO/IEC 15444-1, the box `colr` of method 2 or 3: an ICC profile."""
    head = _head(stream)
    at, end = head.find(b"colr"), head.find(b"jp2c")
    if at < 4 or (0 <= end < at) or head[at + 4 : at + 5] not in (b"\2", b"\3"):
        return None
    return head[at + 7 : at - 4 + int.from_bytes(head[at - 4 : at], "big")] or None


def _in_bmp(image: Image.Image, stream: BinaryIO) -> bytes | None:
    """BITMAPV5HEADER with LCS `PROFILE_EMBEDDED`."""
    head = _head(stream)
    with suppress(struct.error):
        (size,) = struct.unpack_from("<I", head, 14)
        start, length = struct.unpack_from("<II", head, 14 + 112)
        if size == _BMP_V5 and head[14 + 56 : 14 + 60] == _BMP_EMBEDDED and length < _GREATEST:
            stream.seek(14 + start)
            return stream.read(length) or None
    return None


def _head(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read(_BOX_BYTES)


FINDERS: dict[str, Callable[[Image.Image, BinaryIO], bytes | None]] = {
    "PNG": _in_png,
    "AVIF": _in_boxes,
    "HEIC": _in_boxes,
    "JPEG 2000": _in_jpeg2000,
    "BMP": _in_bmp,
}
