"""The chunks of a PNG file (PNG specification, third edition), for what Pillow does not tell of them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREATEST = 2**24  # bytes of a chunk that is looked into, and of what it unpacks to
_SEEN = frozenset([b"tRNS", b"eXIf"])  # of the ancillary chunks, those that a person sees the effect of
_TRANSPARENCY_BYTES = {0: 2, 2: 6, 3: 1}  # of tRNS at least, by the colour type of IHDR
_COLOUR_TYPE_AT = 25


class Chunk(NamedTuple):
    """start: of its length field. size: of its data."""

    name: bytes
    start: int
    size: int

    @property
    def span(self) -> range:
        return range(self.start, self.start + self.size + 12)


def chunks(stream: BinaryIO) -> Iterator[Chunk]:
    """All whole chunk headers in turn; ends where the file does."""
    at = len(SIGNATURE)
    while True:
        stream.seek(at)
        header = stream.read(8)
        if len(header) < 8:
            return
        size, name = struct.unpack(">I4s", header)
        yield Chunk(name, at, size)
        if name == b"IEND":
            return
        at += size + 12


def sound_data(stream: BinaryIO, chunk: Chunk) -> bytes | None:
    """A chunk's data; None where it is damaged or beyond all size."""
    if chunk.size > _GREATEST:
        return None
    stream.seek(chunk.start + 4)
    content = stream.read(chunk.size + 8)  # name, data, CRC
    if len(content) < chunk.size + 8 or zlib.crc32(content[:-4]) != int.from_bytes(content[-4:], "big"):
        return None
    return content[4:-4]


def header_chunks(stream: BinaryIO, names: frozenset[bytes]) -> dict[bytes, bytes]:
    """The data of the sound ones among the chunks of these names before the pixels."""
    found = {}
    for chunk in chunks(stream):
        if chunk.name == b"IDAT":
            break
        if chunk.name in names:
            data = sound_data(stream, chunk)
            if data is not None:
                found.setdefault(chunk.name, data)
    return found


def parts_of_the_picture(stream: BinaryIO) -> list[bytes | range]:
    """The signature and those chunks that tell its first frame; a damaged one that is ancillary is left out."""
    stream.seek(_COLOUR_TYPE_AT)
    least = _TRANSPARENCY_BYTES.get(int.from_bytes(stream.read(1), "big"), 0)
    kept = []
    for chunk in chunks(stream):
        critical = not chunk.name[0] & 0x20
        fits = chunk.name != b"tRNS" or chunk.size >= least
        if critical or (chunk.name in _SEEN and fits and sound_data(stream, chunk) is not None):
            kept.append(chunk.span)
    return [SIGNATURE, *kept]


def inflated_profile(data: bytes) -> bytes | None:
    """The ICC profile in an iCCP chunk's data; None where there is none that can be read."""
    _, _, packed = data.partition(b"\0")
    with suppress(zlib.error):
        unpacked = zlib.decompressobj().decompress(packed[1:], _GREATEST)
        return unpacked or None
    return None
