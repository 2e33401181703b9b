"""The TFRecord file format and the two kinds of record that we keep in it, without TensorFlow.

A file is a row of records, each framed as (all little-endian)

    uint64 length | uint32 masked CRC-32C of those 8 bytes | payload, `length` bytes | uint32 masked CRC-32C of it

and the payload is a serialized `tf.train.Example` with two features, as NVIDIA's ProGAN data tool writes it: `shape`,
three int64 [C, H, W], and `data`, the raw uint8 pixels in C,H,W order. Pictures are [H, W, C] everywhere else here.
Points of the plane are kept alike, many to a record: `shape` [N, 2] and `data`, little-endian float32.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import google_crc32c
import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.data.remote import RemoteBytes
from pgan_tf.data.stored import StoredBytes, open_bytes

HEADER_BYTES = 12
FOOTER_BYTES = 4
WRONG_CRC = "the CRC of the data is wrong: the record is damaged; copy the file again, or write the data set again"
_LENGTH = struct.Struct("<Q")
_CRC = struct.Struct("<I")

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protocol buffer wire types
_VARINT_BITS = 70  # ten bytes of seven bits hold the longest, of 64 bits
_INT64_LIST, _BYTES_LIST = 3, 1  # field numbers in tf.train.Feature


class Layout(NamedTuple):
    """Where the pixels of an image record are: their shape and where in the payload they start."""

    channels: int
    height: int
    width: int
    offset: int

    @property
    def size(self) -> int:
        return self.channels * self.height * self.width


# ---- framing ---------------------------------------------------------------------------------------------------------


def masked_crc(data: bytes) -> int:
    """CRC-32C, rotated right by 15 bits plus a constant: TensorFlow's guard against CRCs of data that holds CRCs."""
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def frame(payload: bytes) -> bytes:
    """The bytes of one record in a file."""
    length = _LENGTH.pack(len(payload))
    return b"".join((length, _CRC.pack(masked_crc(length)), payload, _CRC.pack(masked_crc(payload))))


def masked_crcs(rows: np.ndarray) -> np.ndarray:
    """`masked_crc` of each of the rows, uint8 [n, bytes] -> uint32 [n]."""
    crcs = np.fromiter(map(google_crc32c.value, rows), np.uint32, len(rows))
    return ((crcs >> np.uint32(15)) | (crcs << np.uint32(17))) + np.uint32(0xA282EAD8)


def open_file(path: str | os.PathLike) -> StoredBytes | RemoteBytes:
    """A record file, open for reading. DataError for an empty, compressed or missing file."""
    content = open_bytes(path)
    if content.size == 0:
        raise DataError(f"{path}: the file is empty; write the data set again")
    if content.read(0, min(2, content.size)) == b"\x1f\x8b":
        raise DataError(f"{path}: gzip-compressed records have no random access; decompress the file with gunzip first")
    return content


def payload_length(content: StoredBytes | RemoteBytes, offset: int) -> int:
    """The length of the payload of the record at `offset`. DataError if it is damaged or incomplete."""
    header = content.read(offset, min(HEADER_BYTES, content.size - offset))
    if len(header) < HEADER_BYTES:
        raise DataError(f"the file is truncated: {len(header)} of the {HEADER_BYTES} header bytes are there")
    if _CRC.unpack_from(header, 8)[0] != masked_crc(header[:8]):
        raise DataError("the CRC of the length is wrong: damaged, or not a TFRecord file")
    length = _LENGTH.unpack_from(header)[0]
    missing = offset + HEADER_BYTES + length + FOOTER_BYTES - content.size
    if missing > 0:
        raise DataError(f"the file is truncated: the record's last {missing} bytes are missing")
    return length


def payload(content: StoredBytes | RemoteBytes, offset: int) -> bytes:
    """The payload of the record at `offset`, as it was written: its CRC is compared. Raises DataError."""
    length = payload_length(content, offset)
    data = content.read(offset + HEADER_BYTES, length + FOOTER_BYTES)
    if _CRC.unpack_from(data, length)[0] != masked_crc(data[:length]):
        raise DataError(WRONG_CRC)
    return data[:length]


def record_offsets(path: str | os.PathLike, content: StoredBytes | RemoteBytes) -> Iterator[int]:
    """Yields where each record starts, reading the headers only. DataError names the file, the record and the byte."""
    index, offset = 0, 0
    while offset < content.size:
        with located(path, index, offset):
            length = payload_length(content, offset)
        yield offset
        index, offset = index + 1, offset + HEADER_BYTES + length + FOOTER_BYTES


@contextmanager
def located(path: str | os.PathLike, index: int, offset: int) -> Iterator[None]:
    """Puts `FILE: record INDEX at byte OFFSET: ` in front of the DataErrors raised within the block."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: record {index} at byte {offset}: {error}") from error


# ---- tf.train.Example ------------------------------------------------------------------------------------------------


def encode_image(image: np.ndarray) -> bytes:
    """uint8 [H, W, C] -> the payload of its record. Byte for byte what NVIDIA's tool writes for the same picture."""
    height, width, channels = image.shape
    return _before_data((channels, height, width), image.size) + image.transpose(2, 0, 1).tobytes()  # [C,H,W]


def encode_points(points: np.ndarray) -> bytes:
    """[N, 2] -> the payload of their record."""
    data = points.astype("<f4").tobytes()
    return _before_data(points.shape, len(data)) + data


def record_bytes(height: int, width: int, channels: int) -> int:
    """The length of `frame(encode_image(image))`, the same for all images of a shape."""
    pixels = height * width * channels
    return HEADER_BYTES + len(_before_data((channels, height, width), pixels)) + pixels + FOOTER_BYTES


@lru_cache(maxsize=64)
def _before_data(shape: tuple[int, ...], size: int) -> bytes:
    """The payload of a record up to its `data`, which comes last and is of so many bytes."""
    before = _opening(1, b"", size)
    before = _opening(_BYTES_LIST, before, size)
    before = _field(1, b"data") + _opening(2, before, size)
    shape_feature = _field(1, b"shape") + _field(2, _field(_INT64_LIST, _field(1, b"".join(map(_varint, shape)))))
    before = _field(1, shape_feature) + _opening(1, before, size)  # two entries of the map Features.feature
    return _opening(1, before, size)


def image_layout(payload: bytes) -> Layout:
    """Finds the pixels in a payload, whatever the order of its features. DataError if it is no image record."""
    shape, data = _shape_and_data(payload)
    if shape is None or data is None or len(shape) != 3:
        raise DataError("not an image record: it needs the features `shape` (3 integers: C, H, W) and `data` (bytes)")
    layout = Layout(*shape, offset=data[0])
    if layout.size != data[1] - data[0]:
        raise DataError(f"`data` has {data[1] - data[0]} bytes, but its `shape` {shape} needs {layout.size}")
    return layout


def decode_points(payload: bytes) -> np.ndarray:
    """The payload of a record of points -> float32 [N, 2]. DataError if it is none, or a point is no number."""
    shape, data = _shape_and_data(payload)
    if shape is None or data is None or len(shape) != 2 or shape[1] != 2:
        raise DataError("not a record of points: it needs the features `shape` (2 integers: N, 2) and `data` (bytes)")
    if 8 * shape[0] != data[1] - data[0]:
        raise DataError(f"`data` has {data[1] - data[0]} bytes, but its `shape` {shape} needs {8 * shape[0]}")
    points = np.frombuffer(payload, "<f4", 2 * shape[0], data[0]).reshape(shape).astype(np.float32)  # [N,2]
    if not np.isfinite(points).all():
        raise DataError("a point is no number; write the data set again")
    return points


def _shape_and_data(payload: bytes) -> tuple[list[int] | None, tuple[int, int] | None]:
    """The feature `shape` of a payload, and where its feature `data` begins and ends; None for what is not there."""
    shape, data = None, None
    try:
        for name, feature in _features(payload):
            for number, begin, end in _fields(payload, *feature):
                if name == b"shape" and number == _INT64_LIST:
                    shape = _integers(payload, begin, end)
                elif name == b"data" and number == _BYTES_LIST:
                    data = next((b, e) for n, b, e in _fields(payload, begin, end) if n == 1)
    except (IndexError, StopIteration, DataError) as error:
        raise DataError("not a serialized tf.train.Example; write the data set again") from error
    return shape, data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return _opening(number, content, 0)


def _opening(number: int, content: bytes, more: int) -> bytes:
    """A field whose content goes on for `more` bytes."""
    return bytes([number << 3 | _BYTES]) + _varint(len(content) + more) + content


def _read_varint(buffer: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, _VARINT_BITS, 7):
        byte = buffer[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise DataError("an integer of more than 64 bits")


def _fields(buffer: bytes, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yields (number, begin, end) of a message's fields; a varint's too, so packed and plain integers read alike."""
    while begin < end:
        tag, begin = _read_varint(buffer, begin)
        wire = tag & 7
        if wire == _VARINT:
            after = _read_varint(buffer, begin)[1]
        elif wire == _BYTES:
            length, begin = _read_varint(buffer, begin)
            after = begin + length
        elif wire in (_FIXED64, _FIXED32):
            after = begin + (8 if wire == _FIXED64 else 4)
        else:
            raise DataError(f"wire type {wire}")
        if after > end:
            raise DataError("a field reaches past its message")
        yield tag >> 3, begin, after
        begin = after


def _features(payload: bytes) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yields (name, (begin, end) of the tf.train.Feature) for each feature of an Example."""
    for number, begin, end in _fields(payload, 0, len(payload)):
        if number != 1:
            continue
        for _, entry_begin, entry_end in _fields(payload, begin, end):
            entry = {n: (b, e) for n, b, e in _fields(payload, entry_begin, entry_end)}
            if 1 in entry and 2 in entry:
                yield payload[slice(*entry[1])], entry[2]


def _integers(payload: bytes, begin: int, end: int) -> list[int]:
    values = []
    for number, at, after in _fields(payload, begin, end):
        while number == 1 and at < after:
            value, at = _read_varint(payload, at)
            values.append(value)
    return values
