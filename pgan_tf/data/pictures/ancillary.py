"""Files without their metadata, for where a decoder gives up a good picture over a fault in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO

from pgan_tf.data.pictures.png import parts_of_the_picture
from pgan_tf.data.pictures.splice import Part, spliced

_META_BYTES = 2**20  # of an AVIF file, at its beginning: where the boxes are that tell what is in it
_EXIF_ITEM = re.compile(rb"(infe[\x02\x03]...(?:..|....)\0\0)Exif", re.DOTALL)


def without_metadata(stream: BinaryIO, kind: str) -> BinaryIO | None:
    """The same picture in a file without what it needs not; None where nothing can be left out."""
    return spliced(stream, PARTS[kind](stream)) if kind in PARTS else None


def _avif_parts(stream: BinaryIO) -> list[Part]:
    """With its EXIF data called something that nobody reads."""
    stream.seek(0)
    head = stream.read(_META_BYTES)
    size = stream.seek(0, 2)
    return [_EXIF_ITEM.sub(rb"\1none", head), range(len(head), size)]


PARTS: dict[str, Callable[[BinaryIO], list[Part]]] = {"PNG": parts_of_the_picture, "AVIF": _avif_parts}
