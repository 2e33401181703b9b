"""LSUN's LMDB: order, crops, both encodings, values that are no pictures."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources import lsun
from pgan_tf.data.sources.lsun import create_lsun, create_lsun_wide
from pgan_tf.data.writer import order

lmdb = pytest.importorskip("lmdb")

SIZES = [(40, 30), (30, 40), (33, 32), (64, 48), (20, 20), (65, 47)]


def noise(seed: int, size: tuple[int, int]) -> np.ndarray:
    """uint8 [H,W,3]: smooth enough for JPEG."""
    small = np.random.RandomState(seed).randint(0, 256, (5, 5, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC))


def encoded(image: np.ndarray, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def write_lmdb(folder, contents: list[bytes]) -> list[bytes]:
    """As LSUN is: keys are hexadecimal SHA-1. The contents in the order of their keys."""
    entries = {hashlib.sha1(content + bytes([i])).hexdigest().encode(): content for i, content in enumerate(contents)}
    with lmdb.open(str(folder), map_size=2**24) as environment, environment.begin(write=True) as transaction:
        for key, content in entries.items():
            transaction.put(key, content)
    return [entries[key] for key in sorted(entries)]


@pytest.fixture
def category(tmp_path):
    """16 pictures, WebP without loss, and JPEG."""
    kinds = [("webp", {"lossless": True}), ("jpeg", {"quality": 90})]
    contents = [encoded(noise(i, SIZES[i % 6]), kinds[i % 2][0], **kinds[i % 2][1]) for i in range(16)]
    return tmp_path / "church_train_lmdb", write_lmdb(tmp_path / "church_train_lmdb", contents)


def stored(folder) -> np.ndarray:
    dataset = RecordDataset(folder)
    assert dataset.labels is None
    return dataset.read(dataset.resolution, np.arange(dataset.count))


def square(content: bytes, side: int) -> np.ndarray:
    """The formula: rows (h-s)//2 to (h+s)//2, columns alike, s the smaller side; then Lanczos."""
    image = np.asarray(Image.open(io.BytesIO(content)))
    (h, w), s = image.shape[:2], min(image.shape[:2])
    cropped = image[(h - s) // 2 : (h + s) // 2, (w - s) // 2 : (w + s) // 2]
    return np.asarray(Image.fromarray(cropped).resize((side, side), Image.Resampling.LANCZOS))


@pytest.mark.parametrize("workers", [1, 2])
def test_middle_squares_in_key_order(category, tmp_path, workers):
    folder, contents = category
    report = create_lsun(tmp_path / "out", folder, 16, output=Output(shuffle=False, workers=workers))
    np.testing.assert_array_equal(stored(tmp_path / "out"), [square(content, 16) for content in contents])
    assert report.modes == {"RGB": 16}
    assert sum(report.sizes.values()) == 16


def test_not_shuffled_unless_asked_for(category, tmp_path):
    folder, contents = category
    create_lsun(tmp_path / "out", folder, 16)
    create_lsun(tmp_path / "shuffled", folder, 16, output=Output(shuffle=True))
    expected = np.array([square(content, 16) for content in contents])
    np.testing.assert_array_equal(stored(tmp_path / "out"), expected)
    np.testing.assert_array_equal(stored(tmp_path / "shuffled"), expected[order(16)])


def wide(content: bytes, width: int, height: int) -> np.ndarray | None:
    image = np.asarray(Image.open(io.BytesIO(content)))
    h, w = image.shape[:2]
    rows = int(np.round(width * h / w))
    if w < width or rows < height:
        return None
    strip = Image.fromarray(image[(h - rows) // 2 : (h + rows) // 2]).resize((width, height), Image.Resampling.LANCZOS)
    canvas = np.zeros((width, width, 3), np.uint8)
    canvas[(width - height) // 2 : (width + height) // 2] = np.asarray(strip)
    return canvas


def test_wide_pictures_between_black_bars(category, tmp_path):
    folder, contents = category
    report = create_lsun_wide(tmp_path / "out", folder, width=32, height=24)
    expected = [image for image in (wide(content, 32, 24) for content in contents) if image is not None]
    assert 3 < len(expected) < 16
    np.testing.assert_array_equal(stored(tmp_path / "out"), expected)
    assert report.notes == [f"left out {16 - len(expected)} pictures that are too small for it"]
    assert report.skipped == []
    assert (stored(tmp_path / "out")[:, [0, 3, 28, 31]] == 0).all()


@pytest.mark.parametrize(("size", "fits"), [((32, 24), True), ((31, 40), False), ((32, 23), False), ((64, 47), True)])
def test_which_pictures_are_wide(size, fits):
    """At 32x24. 64x47 has 23.5 rows at that width: rounded, 24."""
    assert lsun.is_wide(size, 32, 24) is fits


def test_the_first_pictures(category, tmp_path):
    """Values that are no pictures do not count; narrow ones neither."""
    folder, contents = category
    create_lsun(tmp_path / "a", folder, 16, max_images=5)
    np.testing.assert_array_equal(stored(tmp_path / "a"), [square(content, 16) for content in contents[:5]])
    expected = [image for image in (wide(content, 32, 24) for content in contents) if image is not None]
    create_lsun_wide(tmp_path / "b", folder, 32, 24, max_images=3)
    np.testing.assert_array_equal(stored(tmp_path / "b"), expected[:3])
    create_lsun(tmp_path / "c", folder, 16, max_images=99)
    assert len(stored(tmp_path / "c")) == 16


@pytest.mark.parametrize("max_images", [None, 2, 6])
def test_bad_values_are_skipped_and_counted(tmp_path, max_images):
    good = [encoded(noise(i, (20, 20)), "jpeg") for i in range(6)]
    contents = write_lmdb(tmp_path / "in", [*good, b"", b"no picture", good[0][: len(good[0]) // 2]])
    report = create_lsun(tmp_path / "out", tmp_path / "in", 8, max_images=max_images)
    pictures = [content for content in contents if content not in (b"", b"no picture")][:max_images]  # by header
    np.testing.assert_array_equal(stored(tmp_path / "out"), [square(c, 8) for c in pictures if c in good])
    if max_images is None:
        assert (report.images, len(report.skipped)) == (6, 3)
        assert all(len(name) == 40 for name, _ in report.skipped)
    with pytest.raises(DataError, match="--strict"):
        create_lsun(tmp_path / "strict", tmp_path / "in", 8, output=Output(shuffle=False, strict=True))


def test_a_file_instead_of_a_folder(tmp_path, category):
    folder, contents = category
    create_lsun(tmp_path / "out", folder / "data.mdb", 16)
    assert len(stored(tmp_path / "out")) == len(contents)


def test_refusals(category, tmp_path):
    def refused(path, *size, create=create_lsun, **options) -> str:
        with pytest.raises(DataError) as info:
            create(tmp_path / "out", path, *size, **options)
        assert "\n" not in str(info.value)
        assert not (tmp_path / "out").exists()
        return str(info.value)

    folder, _ = category
    assert "holds no data.mdb; unpack the category's zip" in refused(tmp_path / "absent")
    assert refused(folder, 100).endswith("--resolution=100: must be a power of two, 4 to 8192")
    assert "--width=48 --height=32: the width must be" in refused(folder, 48, 32, create=create_lsun_wide)
    assert "--width=32 --height=64: the width must be" in refused(folder, 32, 64, create=create_lsun_wide)
    assert "none of the 16 values is a picture that is large enough" in refused(folder, 512, create=create_lsun_wide)
    assert "none of the 16 pictures can be read" in refused(folder, 16, max_pixels=10)
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "data.mdb").write_bytes(b"junk" * 5000)
    assert "no LMDB database" in refused(tmp_path / "junk")
    content = (folder / "data.mdb").read_bytes()
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "data.mdb").write_bytes(content[: len(content) // 2])
    assert "data.mdb: is truncated" in refused(tmp_path / "cut")
    write_lmdb(tmp_path / "empty", [])
    assert "the database is empty" in refused(tmp_path / "empty")


def test_keys_are_a_sequence():
    keys = lsun.Keys([b"a", b"", b"bcd", b"\0\0"])
    assert list(keys) == [b"a", b"", b"bcd", b"\0\0"]
    assert keys[1:4:2] == [b"", b"\0\0"]
    assert keys[np.int64(2)] == b"bcd"
    with pytest.raises(IndexError):
        keys[4]
