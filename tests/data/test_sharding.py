"""Data sets whose resolutions are cut into shards."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from pgan_tf.data import DataError, DatasetWriter, RecordDataset
from pgan_tf.data.engine import Output, write
from pgan_tf.data.source import Picture, PictureSource
from pgan_tf.data.tfrecord import encode_image, frame
from pgan_tf.data.verify import verify

IMAGES = np.random.RandomState(2).randint(0, 256, (11, 8, 8, 3)).astype(np.uint8)
BAD = (0, 4, 5)


def load(index: int) -> Picture:
    if index in BAD:
        raise ValueError(f"picture {index} is bad")
    return Picture(IMAGES[index])


def make(folder, shards: int, total: int | None = None):
    with DatasetWriter(folder, 8, 3, shards, len(IMAGES) if total is None else total) as writer:
        for image in IMAGES:
            writer.add(image)
        writer.add_labels(np.eye(11)[:, :3])
    return folder


def joined(folder, resolution: str) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob(f"*-{resolution}*.tfrecords")))


@pytest.fixture
def three(tmp_path):
    """Eleven pictures in three shards, in tmp_path/three."""
    return make(tmp_path / "three", 3)


def test_names_and_contiguous_blocks(three):
    names = sorted(path.name for path in three.iterdir())
    shards = [f"three-r{log2:02d}-{shard:05d}-of-00003.tfrecords" for log2 in (2, 3) for shard in range(3)]
    assert names == [*shards, "three-rxx.labels"]
    sizes = [(three / name).stat().st_size for name in shards[:3]]
    record = len(frame(encode_image(IMAGES[0, :4, :4])))
    assert sizes == [3 * record, 4 * record, 4 * record]


@pytest.mark.parametrize("shards", [2, 3, 10, 11])
def test_the_records_are_those_of_one_file(tmp_path, shards):
    one, many = make(tmp_path / "one" / "set", 1), make(tmp_path / "many" / "set", shards)
    assert sorted(path.name for path in one.iterdir()) == ["set-r02.tfrecords", "set-r03.tfrecords", "set-rxx.labels"]
    assert len(list(many.iterdir())) == 2 * shards + 1
    for resolution in ("r02", "r03"):
        assert joined(many, resolution) == joined(one, resolution)


@pytest.mark.parametrize("shards", [2, 3, 11])
def test_read_as_one_file_is(tmp_path, shards):
    one, many = RecordDataset(make(tmp_path / "one", 1)), RecordDataset(make(tmp_path / "many", shards))
    assert (many.count, many.resolutions, many.channels) == (one.count, one.resolutions, one.channels)
    np.testing.assert_array_equal(many.labels, one.labels)
    for indices in (np.arange(11), np.array([10, 0, 3, 3, 7, 2]), np.array([5]), np.zeros(0, int)):
        for resolution in (4, 8):
            np.testing.assert_array_equal(many.read(resolution, indices), one.read(resolution, indices))
    for bad in (-1, 11):
        with pytest.raises(IndexError):
            many.read(4, np.array([0, bad]))
    assert verify(many.folder, cascade=True).problems == []


@pytest.mark.parametrize("workers", [1, 2])
def test_left_out_pictures_shorten_their_own_shard(tmp_path, workers):
    source = PictureSource("numbers", 8, 3, range(11), load, labels=np.eye(11, dtype=np.float32))
    report = write(tmp_path / "set", source, Output(shuffle=False, shards=3, workers=workers))
    assert [name for name, _ in report.skipped] == ["0", "4", "5"]
    kept = [index for index in range(11) if index not in BAD]
    dataset = RecordDataset(tmp_path / "set")
    np.testing.assert_array_equal(dataset.read(8, np.arange(8)), IMAGES[kept])
    np.testing.assert_array_equal(dataset.labels, np.eye(11)[kept])
    record = len(frame(encode_image(IMAGES[0])))
    sizes = [path.stat().st_size // record for path in sorted(dataset.folder.glob("*-r03-*"))]
    assert sizes == [2, 2, 4]  # of the blocks 0-2, 3-6, 7-10


def test_no_shard_without_pictures(tmp_path):
    source = PictureSource("numbers", 8, 3, range(11), load)
    with pytest.raises(DataError, match="no picture of shard 0 can be read; run it again with fewer --shards"):
        write(tmp_path / "set", source, Output(shuffle=False, shards=11))
    with pytest.raises(DataError, match="--shards=12: there are only 11 pictures; give 11 or less"):
        write(tmp_path / "set", source, Output(shards=12))
    for shards in (0, -1, 100_000):
        with pytest.raises(DataError, match=f"--shards={shards}: must be 1 to 99999"):
            write(tmp_path / "set", source, Output(shards=shards))
    with pytest.raises(ValueError, match="total number"):
        DatasetWriter(tmp_path / "set", 8, 3, shards=2)
    assert list(tmp_path.iterdir()) == []


def refused(folder) -> str:
    with pytest.raises(DataError) as info:
        RecordDataset(folder)
    assert "\n" not in str(info.value)
    return str(info.value)


def test_refuses_sets_with_missing_shards(three):
    (three / "three-r03-00001-of-00003.tfrecords").unlink()
    assert "three-r03 should have 3 shards; missing: 1; copy the whole set" in refused(three)
    (three / "three-r03-00002-of-00003.tfrecords").unlink()
    assert "missing: 1, 2;" in refused(three)


def test_refuses_sets_that_are_there_twice(three):
    shutil.copy(three / "three-r03-00001-of-00003.tfrecords", three / "three-r03.tfrecords")
    assert "three-r03 is there twice" in refused(three)
    (three / "three-r03.tfrecords").rename(three / "three-r03-00001-of-00004.tfrecords")
    assert "three-r03 is there twice" in refused(three)
    (three / "three-r03-00001-of-00004.tfrecords").rename(three / "three-r03-00003-of-00003.tfrecords")
    assert "three-r03 should have 3 shards; missing: none;" in refused(three)


def test_refuses_damaged_shards(three):
    path = three / "three-r03-00002-of-00003.tfrecords"
    content = path.read_bytes()
    path.write_bytes(content[:-10])
    assert "three-r03-00002-of-00003.tfrecords: record 3 at byte" in refused(three)
    path.write_bytes(content[: len(content) // 4 * 3])
    assert "three-r02-*-of-00003.tfrecords: 11 pictures, but three-r03-*-of-00003.tfrecords has 10" in refused(three)
    path.write_bytes(frame(encode_image(IMAGES[0, :, :, :1])) * 4)
    assert "three-r03-00002-of-00003.tfrecords: pictures of shape [1, 8, 8], but" in refused(three)
