"""TIFF's directories (TIFF 6.0, BigTIFF) read without Pillow, for the layouts that it takes for others or not at all.

A picture of those is read as if it were a grey one of bytes, which Pillow only unpacks; the bytes become samples here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.data.pictures.opening import identified
from pgan_tf.data.pictures.splice import spliced

Tags = dict[int, tuple]
_TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 16: "Q"}  # those of the tags below
_GREATEST = 2**24  # bytes of a tag's values
_MOST_PAGES = 2**16
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_STRIPS, _ORIENTATION, _SAMPLES, _ROWS, _STRIP_BYTES, _PLANAR, _PREDICTOR = 273, 274, 277, 278, 279, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _EXTRA, _FORMAT, _PROFILE = 322, 323, 324, 325, 338, 339, 34675
_KIND, _REDUCED_OR_MASK = 254, 0b101
_UNPACKED = frozenset([1, 5, 8, 32773, 32946, 34925, 50000])  # plain, LZW, deflate, PackBits, LZMA, Zstandard
_SEPARATE, _DIFFERENCES = 2, 2  # values of planar configuration and predictor
MIN_IS_WHITE, MIN_IS_BLACK, RGB, CMYK = 0, 1, 2, 5  # photometric interpretations
COLOURS = {MIN_IS_WHITE: 1, MIN_IS_BLACK: 1, RGB: 3, CMYK: 4}
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
MULTIPLIED = 1  # see Layout.alpha
_KINDS = {UNSIGNED: "u", SIGNED: "i", FLOAT: "f"}


class Layout(NamedTuple):
    """How a page is stored. order: '<' or '>'. big: BigTIFF. tags: their values, the rest is what they say."""

    order: str
    big: bool
    tags: Tags

    def one(self, tag: int, default: int = 0) -> int:
        return self.tags.get(tag, (default,))[0]

    @property
    def size(self) -> tuple[int, int]:
        return self.one(_WIDTH), self.one(_HEIGHT)

    @property
    def bits(self) -> int:
        """Of each sample; 0 where they differ."""
        bits = set(self.tags.get(_BITS, (1,)))
        return bits.pop() if len(bits) == 1 else 0

    @property
    def samples(self) -> int:
        return self.one(_SAMPLES, 1)

    @property
    def format(self) -> int:
        return self.one(_FORMAT, UNSIGNED)

    @property
    def photometric(self) -> int:
        return self.one(_PHOTOMETRIC)

    @property
    def is_separate(self) -> bool:
        return self.samples > 1 and self.one(_PLANAR, 1) == _SEPARATE

    @property
    def orientation(self) -> int:
        return self.one(_ORIENTATION, 1)

    @property
    def profile(self) -> bytes | None:
        return bytes(self.tags.get(_PROFILE, ())) or None

    @property
    def alpha(self) -> int:
        """ExtraSamples of the first sample behind the colours: 1 colours are multiplied by it, 2 not, 0 no alpha."""
        colours = COLOURS.get(self.photometric, self.samples)
        return self.tags.get(_EXTRA, (2 if self.photometric == RGB else 0,))[0] if self.samples > colours else 0

    def __str__(self) -> str:
        kind = {SIGNED: "signed ", FLOAT: "floating-point "}.get(self.format, "")
        bits = "/".join(map(str, self.tags.get(_BITS, (1,))[:8]))
        return (
            f"TIFF with {self.samples} {kind}samples of {bits} bits (photometric interpretation {self.photometric}, "
            f"compression {self.one(_COMPRESSION, 1)})"
        )


def pages(stream: BinaryIO) -> Iterator[Layout]:
    """The pages of a TIFF file in turn; ends where its chain of directories does, or makes no sense."""
    stream.seek(0)
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2], "<")
    big = head[2:4] in (b"+\0", b"\0+")
    seen: set[int] = set()
    try:
        at = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]
        while at and at not in seen and len(seen) < _MOST_PAGES:
            seen.add(at)
            tags, at = _directory(stream, at, order, big)
            yield Layout(order, big, tags)
    except (struct.error, OSError, OverflowError):
        return


def whole_pages(stream: BinaryIO) -> list[int]:
    """The numbers of the pages, from 0, but for smaller copies of others, and masks."""
    return [number for number, page in enumerate(pages(stream)) if not page.one(_KIND) & _REDUCED_OR_MASK]


def _directory(stream: BinaryIO, at: int, order: str, big: bool) -> tuple[Tags, int]:
    count_code, entry_code, next_code = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    entry_size = struct.calcsize("=" + entry_code)
    stream.seek(at)
    (count,) = struct.unpack(order + count_code, stream.read(struct.calcsize("=" + count_code)))
    if count > 2**16:
        raise struct.error("no directory has so many entries")
    table = stream.read(count * entry_size + struct.calcsize("=" + next_code))
    tags = {}
    for i in range(count):
        tag, kind, number, value = struct.unpack_from(order + entry_code, table, i * entry_size)
        code = f"{order}{number}{_TYPES.get(kind, '')}"
        if kind in _TYPES and 0 < struct.calcsize(code) <= _GREATEST:
            tags[tag] = struct.unpack(code, _value(stream, value, struct.calcsize(code), order))
    return tags, struct.unpack_from(order + next_code, table, count * entry_size)[0]


def _value(stream: BinaryIO, field: bytes, size: int, order: str) -> bytes:
    """A short value stands in the entry itself, a long one where that points."""
    if size <= len(field):
        return field[:size]
    stream.seek(int.from_bytes(field, "little" if order == "<" else "big"))
    return stream.read(size)


# ---- samples ---------------------------------------------------------------------------------------------------------


def can_unpack(layout: Layout) -> bool:
    """Whether `read_samples` reads this page."""
    tiled = _TILES in layout.tags
    return (
        layout.bits in (8, 16, 32, 64)
        and layout.format in _KINDS
        and (layout.format != FLOAT or layout.bits > 8)
        and layout.one(_COMPRESSION, 1) in _UNPACKED
        and layout.one(_FILL_ORDER, 1) == 1
        and layout.one(_PREDICTOR, 1) in (1, _DIFFERENCES)
        and (tiled or _STRIPS in layout.tags)
        and min(layout.size) > 0
    )


def read_samples(stream: BinaryIO, layout: Layout) -> np.ndarray:
    """The samples of a page, [H,W,S], of the type that they are stored in. Raises what Pillow raises."""
    planes = layout.samples if layout.is_separate else 1
    if not layout.is_separate:
        return _plane(stream, layout, 0, 1, layout.samples)
    return np.concatenate([_plane(stream, layout, i, planes, 1) for i in range(planes)], axis=-1)


def _plane(stream: BinaryIO, layout: Layout, index: int, planes: int, samples: int) -> np.ndarray:
    """[H,W,samples]: one of the planes that are stored one after another."""
    width, height = layout.size
    dtype = np.dtype(f"{layout.order}{_KINDS[layout.format]}{layout.bits // 8}")
    grey = identified(_as_bytes(stream, layout, index, planes, samples * dtype.itemsize), "TIFF")
    pixels = np.asarray(grey).view(dtype).reshape(height, width, samples)
    if layout.one(_PREDICTOR, 1) == _DIFFERENCES:
        pixels = _summed(pixels, layout.one(_TILE_WIDTH, width))
    return pixels.astype(dtype.newbyteorder("="), copy=False)


def _summed(differences: np.ndarray, tile_width: int) -> np.ndarray:
    """Undoes horizontal differencing, which begins anew with each tile."""
    sums = np.empty(differences.shape, differences.dtype.newbyteorder("="))
    for left in range(0, differences.shape[1], tile_width):
        part = differences[:, left : left + tile_width].astype(sums.dtype)
        np.cumsum(part, axis=1, dtype=sums.dtype, out=sums[:, left : left + tile_width])
    return sums


def _as_bytes(stream: BinaryIO, layout: Layout, index: int, planes: int, pixel: int) -> BinaryIO:
    """The file with another directory at its end: one plane as a grey picture of bytes, `pixel` of them a pixel."""
    width, height = layout.size
    offsets, counts = (_TILES, _TILE_BYTES) if _TILES in layout.tags else (_STRIPS, _STRIP_BYTES)
    share = len(layout.tags[offsets]) // planes
    tags = {
        _WIDTH: [width * pixel], _HEIGHT: [height], _BITS: [8], _COMPRESSION: [layout.one(_COMPRESSION, 1)],
        _PHOTOMETRIC: [MIN_IS_BLACK], _SAMPLES: [1], _ROWS: [layout.one(_ROWS, height)],
        _TILE_WIDTH: [layout.one(_TILE_WIDTH) * pixel], _TILE_HEIGHT: [layout.one(_TILE_HEIGHT)],
    }  # fmt: skip
    for tag in (offsets, counts):
        tags[tag] = list(layout.tags.get(tag, ())[index * share : (index + 1) * share])
    unused = (_TILE_WIDTH, _TILE_HEIGHT) if offsets == _STRIPS else (_ROWS,)
    end = stream.seek(0, 2)
    head, directory = _written({t: tags[t] for t in sorted(tags) if t not in unused and tags[t]}, layout, end)
    return spliced(stream, [head, range(len(head), end), directory])


def _written(tags: dict[int, list[int]], layout: Layout, at: int) -> tuple[bytes, bytes]:
    """-> (the head of a file whose directory lies at `at`, that directory and its long values). Bytes have no order."""
    order, big = "<", layout.big
    word, kind, room = ("Q", 16, 8) if big else ("I", 4, 4)
    table = struct.pack(order + ("Q" if big else "H"), len(tags))
    beyond = at + len(table) + len(tags) * (20 if big else 12) + struct.calcsize(word)
    values = b""
    for tag, numbers in tags.items():
        content = struct.pack(f"{order}{len(numbers)}{word}", *numbers)
        if len(content) > room:
            content, values = struct.pack(order + word, beyond + len(values)), values + content
        table += struct.pack(f"{order}HH{word}", tag, kind, len(numbers)) + content
    head = b"II" + (struct.pack(order + "HHHQ", 43, 8, 0, at) if big else struct.pack(order + "HI", 42, at))
    return head, table + bytes(struct.calcsize(word)) + values


def unread(layout: Layout) -> DataError:
    """The refusal of a page that nothing here reads."""
    return DataError(f"a {layout} is not read here; convert it to PNG")
