"""Decodes JPEG files as libjpeg 8d does; Pillow's libjpeg-turbo gives other values in most photographs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.data.pictures.opening import MAX_PIXELS, open_picture

VERSION = "8d"
_END = b"\xff\xd9"


def require_jpeglib() -> None:
    """DataError if the decoder is not installed."""
    try:
        import jpeglib  # noqa: F401
    except ImportError as error:
        raise DataError(
            "create_celebahq: needs the package jpeglib for libjpeg 8d; pip install 'pgan_tf[celebahq]'"
        ) from error


def decode_jpeg(path: str | os.PathLike) -> np.ndarray:
    """A JPEG file -> uint8 [H,W,C], C = 1 or 3. DataError if it is missing, no JPEG, or beyond all size.

    Of a file that is cut off the rest is grey, and libjpeg only prints a line: see `cut_off`. The version of libjpeg is
    a setting of the whole process, so use processes, not threads, for more files at a time.
    """
    require_jpeglib()
    import jpeglib

    _check_size(path)
    jpeglib.version.set(VERSION)
    try:
        pixels = jpeglib.read_spatial(str(path)).spatial  # decodes at this access, with the version set now
    except Exception as error:  # it raises all kinds
        raise DataError(f"{path}: no JPEG file that can be decoded; fetch it again") from error
    return np.ascontiguousarray(pixels)


def cut_off(path: str | os.PathLike) -> bool:
    """Whether a JPEG file lacks its end; a few bytes after the end are common."""
    return _END not in Path(path).read_bytes()[-64:]


def pixels_md5(pixels: np.ndarray) -> str:
    """The md5 of uint8 [H,W,C] as it lies in memory, the one that the makers of CelebA-HQ published for 000001.jpg."""
    return hashlib.md5(np.ascontiguousarray(pixels).tobytes(), usedforsecurity=False).hexdigest()


def _check_size(path: str | os.PathLike) -> None:
    """Looks at the header only."""
    try:
        with open_picture(path) as image:
            width, height = image.size
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except Exception as error:  # decoders raise anything
        raise DataError(f"{path}: no JPEG file that can be read: {error}") from error
    if width * height > MAX_PIXELS:  # Pillow decodes a large one smaller; libjpeg 8d is asked for all of it
        raise DataError(
            f"{path}: {width}x{height} pixels, more than {MAX_PIXELS:,}; no photograph of CelebA; fetch it again"
        )
