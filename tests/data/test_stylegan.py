"""Records that TensorFlow wrote, in the layout of StyleGAN's data sets, are read as they are."""

from __future__ import annotations

import numpy as np
import pytest

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.pyramid import pyramid
from pgan_tf.data.sources.stylegan import create_from_tfrecords
from pgan_tf.data.verify import verify
from pgan_tf.data.writer import order

PICTURES = np.random.RandomState(0).randint(0, 256, (9, 16, 16, 3)).astype(np.uint8)
LABELS = np.eye(4, dtype=np.float32)[np.arange(9) % 4]
LEVELS = pyramid(PICTURES)


def write_records(folder, name="ffhq", levels=(4, 3, 2), labels=LABELS):
    """As StyleGAN's tool: tf.train.Example with `shape` [C, H, W] and `data`, one file a level, labels by np.save."""
    tf = pytest.importorskip("tensorflow")
    folder.mkdir(parents=True)
    for level in levels:
        options = tf.io.TFRecordOptions()  # no compression
        with tf.io.TFRecordWriter(str(folder / f"{name}-r{level:02d}.tfrecords"), options) as writer:
            for image in LEVELS[2**level].transpose(0, 3, 1, 2):  # [C,H,W]
                shape = tf.train.Feature(int64_list=tf.train.Int64List(value=image.shape))
                data = tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()]))
                features = tf.train.Features(feature={"shape": shape, "data": data})
                writer.write(tf.train.Example(features=features).SerializeToString())
    if labels is not None:
        with open(folder / f"{name}-rxx.labels", "wb") as file:
            np.save(file, labels)
    return folder


@pytest.mark.parametrize("labels", [LABELS, None, np.zeros((9, 0), np.float32)], ids=["labels", "none", "empty"])
def test_read_as_they_are(tmp_path, labels):
    dataset = RecordDataset(write_records(tmp_path / "ffhq", labels=labels))
    assert (dataset.name, dataset.count, dataset.channels, dataset.resolutions) == ("ffhq", 9, 3, [4, 8, 16])
    assert dataset.label_size == (0 if labels is None else labels.shape[1])
    for side in dataset.resolutions:
        np.testing.assert_array_equal(dataset.read(side, np.arange(9)), LEVELS[side])
    assert verify(tmp_path / "ffhq", cascade=True).problems == []


def test_only_the_highest_resolution(tmp_path):
    """The other levels are made; labels and order stay."""
    create_from_tfrecords(tmp_path / "out", write_records(tmp_path / "ffhq", levels=[4]))
    dataset = RecordDataset(tmp_path / "out")
    assert dataset.resolutions == [4, 8, 16]
    for side in dataset.resolutions:
        np.testing.assert_array_equal(dataset.read(side, np.arange(9)), LEVELS[side])
    np.testing.assert_array_equal(dataset.labels, LABELS)


def test_shuffled_if_wanted(tmp_path):
    write_records(tmp_path / "ffhq", levels=[4])
    create_from_tfrecords(tmp_path / "out", tmp_path / "ffhq", Output(shuffle=True, workers=2))
    dataset = RecordDataset(tmp_path / "out")
    np.testing.assert_array_equal(dataset.read(16, np.arange(9)), PICTURES[order(9)])
    np.testing.assert_array_equal(dataset.labels, LABELS[order(9)])


def test_without_labels(tmp_path):
    for i, labels in enumerate((None, np.zeros((9, 0), np.float32))):
        create_from_tfrecords(tmp_path / f"out{i}", write_records(tmp_path / f"in{i}", levels=[4], labels=labels))
        assert RecordDataset(tmp_path / f"out{i}").labels is None


def test_a_folder_without_records(tmp_path):
    with pytest.raises(DataError, match=r"holds no \*-rNN.tfrecords"):
        create_from_tfrecords(tmp_path / "out", tmp_path)
