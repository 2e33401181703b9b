"""Damaged input of every kind, 2,000 cases: the readers give what is right, or one clear line.

The same cases every time (`derandomize`), so that a failure is a failure of the code and not of the day.
"""

from __future__ import annotations

import gzip
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pgan_tf.data import DataError, DatasetWriter, RecordDataset
from pgan_tf.data.dataset import read_labels
from pgan_tf.data.prepare import prepare
from pgan_tf.data.pyramid import pyramid
from pgan_tf.data.source import Picture
from pgan_tf.data.sources.mnist import read_idx
from pgan_tf.data.sources.pickled import load_pickle
from pgan_tf.data.sources.picture import Target, load_picture
from pgan_tf.data.tfrecord import encode_image, frame, image_layout
from pgan_tf.data.verify import verify

IMAGES = np.random.RandomState(4).randint(0, 256, (5, 8, 8, 3)).astype(np.uint8)
LABELS = np.random.RandomState(5).rand(5, 3).astype(np.float32)


def cases(number: int):
    """The settings of a test with so many cases."""
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=number, derandomize=True, deadline=None, database=None, suppress_health_check=quiet)


def damaged(content: bytes):
    """Strategy: `content` with some bits flipped, some bytes overwritten, and perhaps its end cut off."""
    place = st.integers(0, len(content) - 1)
    early = st.integers(0, min(63, len(content) - 1))  # where the headers are
    flips = st.lists(st.tuples(place | early, st.integers(0, 7)), max_size=4)
    overwritten = st.lists(st.tuples(place | early, st.binary(min_size=1, max_size=9)), max_size=1)
    return st.builds(_damage, st.just(content), flips, overwritten, st.just(len(content)) | place)


def _damage(content: bytes, flips: list, overwritten: list, length: int) -> bytes:
    out = bytearray(content)
    for place, bit in flips:
        out[place] ^= 1 << bit
    for place, new in overwritten:
        out[place : place + len(new)] = new
    return bytes(out[:length])


def one_line(error: DataError, *words: str) -> None:
    """The law of a message."""
    text = str(error)
    assert text
    assert "\n" not in text
    assert all(word in text for word in words), text


# ---- data sets -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[1, 2], ids=["one_file", "shards"])
def sound(request, tmp_path_factory) -> dict[str, bytes]:
    """The files of a sound set, named as if of the set `x`."""
    folder = tmp_path_factory.mktemp("sound") / "x"
    with DatasetWriter(folder, 8, 3, request.param, len(IMAGES)) as writer:
        for image in IMAGES:
            writer.add(image)
        writer.add_labels(LABELS)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def restore(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        if not (folder / name).exists() or (folder / name).read_bytes() != content:
            (folder / name).write_bytes(content)


@cases(300)
@given(data=st.data())
def test_record_files(sound, tmp_path, data):
    """Damage is found out by `verify`, and by reading."""
    restore(tmp_path, sound)
    name = data.draw(st.sampled_from([name for name in sorted(sound) if name.endswith("tfrecords")]))
    content = data.draw(damaged(sound[name]))
    (tmp_path / name).write_bytes(content)
    changed = content != sound[name]
    assert bool(verify(tmp_path).problems) == changed
    try:
        dataset = RecordDataset(tmp_path)
        pictures = {resolution: dataset.read(resolution, np.arange(5)) for resolution in dataset.resolutions}
    except DataError as error:
        assert changed
        one_line(error, "x-r0")
        return
    assert not changed  # every bit of a record is under one of its CRCs
    for resolution, images in pictures.items():
        np.testing.assert_array_equal(images, pyramid(IMAGES)[resolution])
    np.testing.assert_array_equal(dataset.labels, LABELS)


PAYLOAD = encode_image(IMAGES[0, :4, :4])


@cases(400)
@given(payload=damaged(PAYLOAD) | damaged(PAYLOAD[:60]) | st.binary(max_size=60))
def test_records_with_a_sound_crc(tmp_path, payload):
    """What a tool that is not ours might write."""
    try:
        layout = image_layout(payload)
    except DataError as error:
        one_line(error)
    else:
        assert 0 <= layout.offset <= layout.offset + layout.size <= len(payload)
        assert layout.size == layout.height * layout.width * layout.channels
    (tmp_path / "x-r02.tfrecords").write_bytes(frame(PAYLOAD) * 2 + frame(payload) + frame(PAYLOAD))
    try:
        images = RecordDataset(tmp_path).read(4, np.arange(4))
    except DataError as error:
        one_line(error, "x-r02.tfrecords")
        assert verify(tmp_path).problems
    else:
        assert images.shape == (4, 4, 4, 3)
        np.testing.assert_array_equal(images[[0, 1, 3]], np.stack([IMAGES[0, :4, :4]] * 3))


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.filterwarnings("ignore")  # numpy's, on casts and odd headers
@cases(300)
@given(content=damaged(npy(LABELS)) | damaged(npy(np.eye(5, 3, dtype=np.int64))))
def test_labels(tmp_path, content):
    (tmp_path / "x-rxx.labels").write_bytes(content)
    try:
        labels = read_labels(tmp_path, "x", 5)
    except DataError as error:
        one_line(error, "x-rxx.labels")
    else:
        assert (labels.ndim, len(labels), labels.dtype) == (2, 5, np.float32)


# ---- sources ---------------------------------------------------------------------------------------------------------

DIGITS = bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4]) + bytes(range(48))


@cases(300)
@given(data=st.data(), zipped=st.booleans())
def test_idx(tmp_path, data, zipped):
    path = tmp_path / ("x.gz" if zipped else "x")
    path.write_bytes(data.draw(damaged(gzip.compress(DIGITS, mtime=0) if zipped else DIGITS)))
    try:
        images = read_idx(path, 3)
    except DataError as error:
        one_line(error, path.name)
    else:
        assert (images.ndim, images.dtype) == (3, np.uint8)


def picture_file(kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(IMAGES[0]).resize((24, 20)).save(file, kind)
    return file.getvalue()


@pytest.mark.filterwarnings("ignore")  # Pillow's
@cases(500)
@given(
    content=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]).flatmap(lambda k: damaged(picture_file(k)))
)
def test_pictures(tmp_path, content):
    """They go the engine's way: records, or a reason to skip the picture; never the end of the work."""
    path = tmp_path / "x.picture"
    path.write_bytes(content)
    records, outcome = prepare(path, _load)
    assert not outcome.lost
    if outcome.reason:
        assert records == []
        assert "\n" not in outcome.reason
    else:
        assert [len(record) for record in records] == [len(frame(encode_image(IMAGES[0, :n, :n]))) for n in (8, 4)]


def _load(path: Path) -> Picture:
    return load_picture(path, Target(8))


BATCH = {b"data": np.arange(24, dtype=np.uint8).reshape(2, 12), b"labels": [3, 1], b"filenames": [b"a.png", b"b.png"]}


@cases(200)
@given(content=damaged(pickle.dumps(BATCH, 2)) | damaged(pickle.dumps(BATCH, 4)))
def test_pickles(content):
    try:
        load_pickle(content, "batch_1")
    except DataError as error:
        one_line(error, "batch_1")
