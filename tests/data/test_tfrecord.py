"""The record format: framing and the image record."""

from __future__ import annotations

import numpy as np
import pytest

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.tfrecord import encode_image, frame, image_layout, masked_crc
from pgan_tf.data.verify import verify

IMAGE = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)


def message(*fields: tuple[int, bytes]) -> bytes:
    """Length-delimited fields of a protocol buffer, each below 128 bytes."""
    return b"".join(bytes([number << 3 | 2, len(content)]) + content for number, content in fields)


def example(shape_list: bytes, pixels: bytes, data_first: bool) -> bytes:
    shape = message((1, b"shape"), (2, message((3, shape_list))))
    data = message((1, b"data"), (2, message((1, message((1, pixels))))))
    return message((1, message(*[(1, entry) for entry in ((data, shape) if data_first else (shape, data))])))


def decoded(payload: bytes) -> np.ndarray:
    """The image of a record, uint8 [H,W,C]."""
    layout = image_layout(payload)
    pixels = np.frombuffer(payload, np.uint8, layout.size, layout.offset)
    return pixels.reshape(layout.channels, layout.height, layout.width).transpose(1, 2, 0)


def test_crc_of_the_standard_check_value():
    """CRC-32C of '123456789' is e3069283; masked as in TensorFlow's core/lib/hash/crc32c.h."""
    crc = 0xE3069283
    assert masked_crc(b"123456789") == (((crc >> 15) | (crc << 17) & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [4, 64, 256])
def test_image_round_trip(side, channels):
    image = np.random.RandomState(side).randint(0, 256, (side, side, channels)).astype(np.uint8)
    np.testing.assert_array_equal(decoded(encode_image(image)), image)


@pytest.mark.parametrize("data_first", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_any_order_and_packing_of_features(data_first, packed):
    shape = message((1, bytes([3, 4, 4]))) if packed else bytes([8, 3, 8, 4, 8, 4])
    payload = example(shape, IMAGE.transpose(2, 0, 1).tobytes(), data_first)
    np.testing.assert_array_equal(decoded(payload), IMAGE)


def test_mixed_feature_orders_in_one_file(tmp_path):
    """Records of one length whose pixels start at different places."""
    images = [np.full((4, 4, 3), value, np.uint8) + IMAGE for value in range(6)]
    shape = message((1, bytes([3, 4, 4])))
    payloads = [example(shape, image.transpose(2, 0, 1).tobytes(), i % 2 == 1) for i, image in enumerate(images)]
    assert len({len(payload) for payload in payloads}) == 1
    (tmp_path / "x-r02.tfrecords").write_bytes(b"".join(map(frame, payloads)))
    np.testing.assert_array_equal(
        RecordDataset(tmp_path).read(4, np.array([1, 0, 5, 4])), np.stack(images)[[1, 0, 5, 4]]
    )


def test_one_record_of_another_shape(tmp_path):
    records = [IMAGE, IMAGE.reshape(12, 4, 1), IMAGE]  # of one length
    (tmp_path / "x-r02.tfrecords").write_bytes(b"".join(frame(encode_image(image)) for image in records))
    dataset = RecordDataset(tmp_path)
    assert dataset.read(4, np.array([0, 2])).shape == (2, 4, 4, 3)
    with pytest.raises(DataError, match=r"x-r02.tfrecords: record 1 at byte \d+: shape \[1, 12, 4\], but the first"):
        dataset.read(4, np.array([0, 1]))


def test_records_of_different_lengths(tmp_path):
    images = [np.full((4, 4, 3), value, np.uint8) + IMAGE for value in range(6)]
    unknown = [message((2, b"?" * i)) for i in range(6)]  # fields that a later version might add
    records = [frame(encode_image(image) + extra) for image, extra in zip(images, unknown, strict=True)]
    (tmp_path / "x-r02.tfrecords").write_bytes(b"".join(records))
    dataset = RecordDataset(tmp_path)
    assert dataset.count == 6
    np.testing.assert_array_equal(dataset.read(4, np.array([5, 0, 3])), np.stack(images)[[5, 0, 3]])
    assert verify(tmp_path).problems == []


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not a protocol buffer",
        b"\xff" * 40,
        encode_image(IMAGE)[:-1],
        example(message((1, bytes([3, 4, 4]))), bytes(47), False),
        example(message((1, bytes([3, 16]))), bytes(48), False),
        message((1, message((1, message((1, b"data")))))),
        message((1, message((1, message((1, b"data"), (2, message((1, b"")))))))),  # a list without a value
        b"\x0a" + b"\xff" * 10 + b"\x01",  # a length of more than 64 bits
    ],
)
def test_refuses_what_is_no_image_record(payload):
    with pytest.raises(DataError):
        image_layout(payload)
