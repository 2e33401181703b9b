"""Files of NVIDIA's own tool: we read them, and write the same bytes from the same pictures."""

from __future__ import annotations

import numpy as np
import pytest

from pgan_tf.data import DatasetWriter, RecordDataset
from pgan_tf.data.pyramid import pyramid
from pgan_tf.data.verify import verify
from pgan_tf.data.writer import order


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("resolution", [4, 8, 16, 32])
def test_reads_what_nvidia_stored(nvidia, golden_folder, resolution):
    stored = nvidia[f"stored_r{resolution.bit_length() - 1:02d}"].transpose(0, 2, 3, 1)
    dataset = RecordDataset(golden_folder / "nv_dataset")
    shuffled = np.array([7, 0, 11, 7])
    np.testing.assert_array_equal(dataset.read(resolution, shuffled), stored[shuffled])


def test_reads_labels_in_stored_order(nvidia, golden_folder):
    dataset = RecordDataset(golden_folder / "nv_dataset")
    np.testing.assert_array_equal(dataset.labels, nvidia["labels_onehot"][nvidia["order_seed123"]])
    assert dataset.labels.dtype == np.float32
    assert dataset.label_size == 5


def test_describes_the_sets(golden_folder):
    rgb, grey = RecordDataset(golden_folder / "nv_dataset"), RecordDataset(golden_folder / "nv_dataset_gray")
    assert (rgb.name, rgb.resolution, rgb.resolutions, rgb.channels, rgb.count) == (
        "nv_dataset",
        32,
        [4, 8, 16, 32],
        3,
        12,
    )
    assert (grey.channels, grey.count, grey.labels, grey.label_size) == (1, 12, None, 0)


def test_writes_nvidias_bytes_with_labels(nvidia, golden_folder, tmp_path):
    indices = order(12)
    with DatasetWriter(tmp_path / "nv_dataset", 32, 3) as writer:
        for i in indices:
            writer.add(nvidia["images"][i].transpose(1, 2, 0))
        writer.add_labels(nvidia["labels_onehot"][indices])
    assert names(tmp_path / "nv_dataset") == names(golden_folder / "nv_dataset")
    for name in names(tmp_path / "nv_dataset"):
        ours, theirs = tmp_path / "nv_dataset" / name, golden_folder / "nv_dataset" / name
        assert ours.read_bytes() == theirs.read_bytes(), name


def test_writes_nvidias_bytes_grey(golden_folder, tmp_path):
    theirs = RecordDataset(golden_folder / "nv_dataset_gray")
    with DatasetWriter(tmp_path / "nv_dataset_gray", 32, 1) as writer:
        for image in theirs.read(32, np.arange(12)):
            writer.add(image)
    assert names(writer.folder) == names(theirs.folder)
    for name in names(writer.folder):
        assert (writer.folder / name).read_bytes() == (theirs.folder / name).read_bytes(), name


@pytest.mark.parametrize(("count", "key"), [(12, "n12"), (100, "n100"), (50000, "n50000")])
def test_shuffles_as_nvidia(nvidia, count, key):
    np.testing.assert_array_equal(order(count)[:16], nvidia[f"order_{key}_first16"])


def test_lower_resolutions_cascade_unrounded(nvidia):
    stored = nvidia["stored_r05"].transpose(0, 2, 3, 1)
    levels = pyramid(stored)
    assert sorted(levels) == [4, 8, 16, 32]
    np.testing.assert_array_equal(levels[4], nvidia["stored_r02"].transpose(0, 2, 3, 1))
    requantised = pyramid(pyramid(levels[16])[8])[4]
    assert not np.array_equal(requantised, levels[4])


@pytest.mark.parametrize("name", ["nv_dataset", "nv_dataset_gray"])
def test_verify_accepts_nvidias_sets(golden_folder, name):
    assert verify(golden_folder / name, cascade=True).problems == []


def test_tensorflow_reads_our_files(small_set):
    tf = pytest.importorskip("tensorflow")
    expected = RecordDataset(small_set)
    for resolution in expected.resolutions:
        path = small_set / f"small-r{resolution.bit_length() - 1:02d}.tfrecords"
        features = {"shape": tf.io.FixedLenFeature([3], tf.int64), "data": tf.io.FixedLenFeature([], tf.string)}
        parsed = [tf.io.parse_single_example(record, features) for record in tf.data.TFRecordDataset(str(path))]
        assert len(parsed) == 10
        images = [tf.reshape(tf.io.decode_raw(p["data"], tf.uint8), p["shape"]).numpy() for p in parsed]
        np.testing.assert_array_equal(np.stack(images).transpose(0, 2, 3, 1), expected.read(resolution, np.arange(10)))


def test_we_read_tensorflows_files(tmp_path):
    """In any order of features; TensorFlow sorts them its own way."""
    tf = pytest.importorskip("tensorflow")
    images = np.random.RandomState(0).randint(0, 256, (5, 3, 8, 8)).astype(np.uint8)
    (tmp_path / "tf").mkdir()
    with tf.io.TFRecordWriter(str(tmp_path / "tf" / "tf-r03.tfrecords")) as writer:
        for image in images:
            shape = tf.train.Feature(int64_list=tf.train.Int64List(value=image.shape))
            data = tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()]))
            example = tf.train.Example(features=tf.train.Features(feature={"data": data, "shape": shape}))
            writer.write(example.SerializeToString())
    read = RecordDataset(tmp_path / "tf").read(8, np.arange(5))
    np.testing.assert_array_equal(read, images.transpose(0, 2, 3, 1))
    assert verify(tmp_path / "tf").problems == []
