"""The parts of CelebA-HQ's procedure against Pillow 3.1.1, libjpeg 8d, numpy 1.13 and scipy 1.0; see golden/README."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pgan_tf.data import DataError
from pgan_tf.data.celebahq import blur, process
from pgan_tf.data.celebahq.decode import cut_off, decode_jpeg, pixels_md5
from pgan_tf.data.celebahq.geometry import face_quad
from pgan_tf.data.celebahq.resample import resize, transform_quad

GOLDEN = Path(__file__).parents[1] / "golden"
DECODED = json.loads((GOLDEN / "celebahq_cases.json").read_text())["decoded"]
JPEGS = sorted(path for path in (GOLDEN / "celebahq_jpeg").iterdir() if path.name in DECODED)


@pytest.fixture(scope="module")
def units() -> dict[str, np.ndarray]:
    with np.load(GOLDEN / "celebahq_units.npz") as file:
        return dict(file)


@pytest.mark.parametrize("case", range(4))
def test_resize_is_pillow_3_1_1(units, case):
    image, wanted = units[f"resize_in{case}"], units[f"resize_out{case}"]
    np.testing.assert_array_equal(resize(image, wanted.shape[1], wanted.shape[0]), wanted)


def test_resize_to_the_same_size_is_a_copy(units):
    image = units["resize_in0"]
    copy = resize(image, image.shape[1], image.shape[0])
    np.testing.assert_array_equal(copy, image)
    assert not np.shares_memory(copy, image)


def test_resize_of_bands_is_the_resize_of_the_whole():
    """More values in a line than are added up at a time."""
    image = np.random.RandomState(1).randint(0, 256, (1500, 7, 3)).astype(np.uint8)
    parts = [resize(image[begin : begin + 500], 3, 500) for begin in (0, 500, 1000)]
    np.testing.assert_array_equal(resize(image, 3, 1500), np.concatenate(parts))


@pytest.mark.parametrize("case", range(3))
def test_quad_is_pillow_3_1_1(units, case):
    quad = transform_quad(units[f"quad_in{case}"], units[f"quad_corners{case}"], 256, 256)
    np.testing.assert_array_equal(quad[::4, ::4], units[f"quad_out{case}"])


def test_geometry_is_numpy_1_13(units):
    for landmarks, quad, zoom in zip(units["landmarks"], units["quad"], units["zoom"], strict=True):
        found = face_quad(landmarks.reshape(5, 2))
        assert found[0].dtype == np.float32
        np.testing.assert_array_equal(found[0], quad)
        assert found[1] == zoom


# ---- the decoder -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", JPEGS, ids=lambda path: path.name)
def test_decoder_is_libjpeg_8d(path):
    pytest.importorskip("jpeglib")
    assert pixels_md5(decode_jpeg(path)) == DECODED[path.name]


def test_a_grey_file_has_one_channel():
    pytest.importorskip("jpeglib")
    assert decode_jpeg(GOLDEN / "celebahq_jpeg" / "gray.jpg").shape == (218, 178, 1)


def huge(content: bytes) -> bytes:
    """The same file, said to have 60000x60000 pixels."""
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + (60000).to_bytes(2, "big") * 2 + content[at + 4 :]


DAMAGED = {
    "empty": lambda content: b"",
    "text": lambda content: b"not a picture",
    "header": lambda content: content[:60],
    "png": lambda content: b"\x89PNG\r\n\x1a\n" + content,
    "huge": huge,
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_what_is_no_jpeg_is_refused_in_one_line(tmp_path, kind):
    pytest.importorskip("jpeglib")
    path = tmp_path / "x.jpg"
    path.write_bytes(DAMAGED[kind]((GOLDEN / "celebahq_jpeg" / "444.jpg").read_bytes()))
    with pytest.raises(DataError) as caught:
        decode_jpeg(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_jpeg_is_refused(tmp_path):
    pytest.importorskip("jpeglib")
    with pytest.raises(DataError, match="no such file"):
        decode_jpeg(tmp_path / "x.jpg")


def test_a_file_that_is_cut_off_is_told(tmp_path):
    content = (GOLDEN / "celebahq_jpeg" / "444.jpg").read_bytes()
    for name, part in {"whole": content, "longer": content + b"\0\0", "half": content[: len(content) // 2]}.items():
        (tmp_path / name).write_bytes(part)
    assert [cut_off(tmp_path / name) for name in ("whole", "longer", "half")] == [False, False, True]


# ---- blur and padding ------------------------------------------------------------------------------------------------


def flags(size: int, before: int, after: int) -> np.ndarray:
    places = np.arange(size)
    return (places < before) | (places >= size - after)


FRAMES = {  # height, width, rows at the top and bottom, columns at the left and right
    "a frame": (90, 120, (20, 15), (25, 10)),
    "all rows": (90, 120, (50, 50), (25, 10)),
    "columns only": (90, 120, (0, 0), (7, 9)),
    "a picture smaller than the kernel": (20, 15, (3, 3), (2, 4)),
    "more lines than a block": (700, 9, (10, 680), (1, 1)),
}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("roundings", [4, 1e9], ids=["by product", "all in order"])
def test_blur_is_scipy_s_in_the_frame_only(monkeypatch, frame, roundings):
    ndimage = pytest.importorskip("scipy.ndimage")
    monkeypatch.setattr(blur, "_ROUNDINGS", roundings)
    height, width, down, across = FRAMES[frame]
    rows, columns = flags(height, *down), flags(width, *across)
    plane = np.random.RandomState(2).randint(0, 256, (height, width)).astype(np.float32)
    plane[: height // 2, : width // 2] = 0
    wanted = np.where(rows[:, None] | columns, ndimage.gaussian_filter(plane, 7.3), plane)
    np.testing.assert_array_equal(blur.blur_frame(plane, 7.3, rows, columns), wanted)


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_sum_between_two_float32_is_done_in_order(off):
    """The product may be off by a bit; the one in scipy's order lies exactly in the middle and goes to the even one."""
    low, high = np.float32(100), np.nextafter(np.float32(100), np.float32(200))
    middle = (float(low) + float(high)) / 2
    product = middle + off * np.spacing(middle)
    assert blur._rounded(np.array([[product]]), np.array([[middle]]), [1.0]) == low


def test_sums_are_added_up_from_the_middle_and_then_from_the_outermost_in():
    """Of these numbers a double keeps the two small ones only where they meet before the large one comes."""
    source = np.array([[2.0**52], [0.5], [1.0], [0.5], [2.0**52]])
    found = blur._sums_in_order(source, [1.0, 1.0, 1.0], np.array([0]), np.array([0]))
    assert found == [(1.0 + 2.0**53) + 1.0]
    assert found != [(1.0 + 1.0) + 2.0**53]


def bouncing(count: int, size: int) -> list[int]:
    """The places of a ball that starts at 0, moves by one and turns round at both ends."""
    places, step = [0], 1
    while len(places) < count:
        if not 0 <= places[-1] + step < size:
            step = -step
        places.append(places[-1] + step)
    return places


@pytest.mark.parametrize("pad", [(3, 5, 2, 4), (40, 1, 0, 33), (0, 0, 0, 0)])
def test_padding_mirrors_at_the_edge_pixels_again_and_again(pad):
    image = np.random.RandomState(3).randint(0, 256, (8, 11, 3)).astype(np.uint8)
    left, top, right, bottom = pad
    rows = [bouncing(99, 8)[abs(place)] for place in range(-top, 8 + bottom)]
    columns = [bouncing(99, 11)[abs(place)] for place in range(-left, 11 + right)]
    np.testing.assert_array_equal(process.mirrored(image, pad), image[rows][:, columns])


def test_padding_of_a_single_pixel():
    np.testing.assert_array_equal(process.mirrored(np.ones((1, 1, 3), np.uint8), (2, 1, 0, 1)), np.ones((3, 3, 3)))


@pytest.mark.parametrize(
    "landmarks",
    [[5, 5] * 5, [1000, 1000, 1010, 1000, 1005, 1005, 1001, 1010, 1009, 1010], [0, 0, 9 * 10**5, 0] + [7] * 6],
    ids=["one point", "outside", "too large"],
)
def test_landmarks_without_a_face_are_refused(landmarks):
    with pytest.raises(DataError, match="mark no face"):
        process.process(np.zeros((100, 100, 3), np.uint8), np.reshape(landmarks, (5, 2)))


def test_a_grey_picture_is_refused():
    with pytest.raises(DataError, match="must be RGB"):
        process.process(np.zeros((100, 100, 1), np.uint8), np.zeros((5, 2)))
