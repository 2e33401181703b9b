"""Which picture formats are read. No others are ever tried: some decoders start programs, some were never hardened."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

HEAD_BYTES = 64  # as many of a file's first bytes tell what it is

_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)  # bytes; OS/2, Windows, and V2 to V5
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")


class Format(NamedTuple):
    """pillow: its names of the format. extensions: in small letters. matches: whether a file begins like one.

    bytes_per_pixel: of memory while it is decoded and made RGB, at most; measured.
    needs: what to install where Pillow does not read it.
    """

    pillow: tuple[str, ...]
    extensions: tuple[str, ...]
    matches: Callable[[bytes], bool]
    bytes_per_pixel: int = 8
    needs: str = "needs a Pillow that was built with it: pip install -U pillow"


def _begins(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


def _is_bmp(head: bytes) -> bool:
    return head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _is_portable_map(head: bytes) -> bool:
    return re.match(rb"P[1-6fF]\s+(#[^\n]*\n\s*)*(\d|#|$)", head) is not None


def _has_brand(*brands: bytes) -> Callable[[bytes], bool]:
    """Of an ISO media file: its major brand, or of those it is compatible with."""

    def matches(head: bytes) -> bool:
        end = min(int.from_bytes(head[:4], "big"), len(head))
        return head[4:8] == b"ftyp" and any(head[at : at + 4] in brands for at in (8, *range(16, end - 3, 4)))

    return matches


def _never(head: bytes) -> bool:
    """TGA has no signature: only a file's name tells it."""
    return False


FORMATS = {
    "PNG": Format(("PNG",), (".png", ".apng"), _begins(b"\x89PNG\r\n\x1a\n")),
    "JPEG": Format(("JPEG", "MPO"), (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), _begins(b"\xff\xd8\xff")),
    "WebP": Format(("WEBP",), (".webp",), _is_webp, bytes_per_pixel=20),
    "GIF": Format(("GIF",), (".gif",), _begins(b"GIF87a", b"GIF89a")),
    "BMP": Format(("BMP",), (".bmp",), _is_bmp),
    "TIFF": Format(("TIFF",), (".tif", ".tiff"), _begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    "AVIF": Format(
        ("AVIF",),
        (".avif",),
        _has_brand(*_AVIF_BRANDS),
        bytes_per_pixel=16,
    ),
    "HEIC": Format(
        ("HEIF",),
        (".heic", ".heif", ".hif"),
        _has_brand(*_HEIF_BRANDS),
        needs="needs a package: pip install 'pgan_tf[heic]'",
    ),
    "JPEG 2000": Format(
        ("JPEG2000",),
        (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
        _begins(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
        bytes_per_pixel=25,
    ),
    "PPM": Format(("PPM",), (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"), _is_portable_map),
    "TGA": Format(("TGA",), (".tga",), _never),
}
EXTENSIONS = frozenset(extension for row in FORMATS.values() for extension in row.extensions)


def looks_like_picture(first_bytes: bytes) -> bool:
    """Whether a file that begins so (HEAD_BYTES of it are enough) is a picture, for files whose name does not tell."""
    return format_of(first_bytes) is not None


def format_of(first_bytes: bytes) -> str | None:
    """The row of FORMATS that a file beginning so belongs to, as far as that can be told."""
    return next((name for name, row in FORMATS.items() if row.matches(first_bytes)), None)
