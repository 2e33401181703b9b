"""Reading and writing data set folders: laws and refusals."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import threading

import numpy as np
import pytest
from power_cut import PowerCut

from pgan_tf.data import DataError, DatasetWriter, RecordDataset
from pgan_tf.data.pyramid import pyramid
from pgan_tf.data.tfrecord import encode_image, frame
from pgan_tf.data.verify import verify
from pgan_tf.data.writer import encode_levels


def refused(folder) -> str:
    """The one line with which a folder is refused."""
    with pytest.raises(DataError) as info:
        RecordDataset(folder)
    assert "\n" not in str(info.value)
    return str(info.value)


@pytest.mark.parametrize(("side", "channels"), [(4, 1), (4, 3), (8, 3), (64, 1)])
def test_round_trip(tmp_path, side, channels):
    images = np.random.RandomState(side).randint(0, 256, (5, side, side, channels)).astype(np.uint8)
    with DatasetWriter(tmp_path / "set", side, channels) as writer:
        for image in images:
            writer.add(image)
    dataset = RecordDataset(tmp_path / "set")
    for resolution, level in pyramid(images).items():
        read = dataset.read(resolution, np.arange(5))
        np.testing.assert_array_equal(read, level)
        assert read.dtype == np.uint8
        assert read.flags.c_contiguous
    assert dataset.read(4, np.arange(0)).shape == (0, 4, 4, channels)


def test_a_set_is_whole_or_not_there_after_a_power_cut(tmp_path):
    place, written, seen = tmp_path / "place", [], set()
    place.mkdir()

    def law(disk):
        there = (disk / "below" / "set").exists()
        assert there or not written
        if there:
            assert RecordDataset(disk / "below" / "set").labels.shape == (3, 2)
            assert {file.stat().st_size > 0 for file in (disk / "below" / "set").iterdir()} == {True}
        seen.add(there)

    with PowerCut(place, tmp_path / "disk", law):
        with DatasetWriter(place / "below" / "set", 8, 1) as writer:
            for _ in range(3):
                writer.add(np.zeros((8, 8, 1), np.uint8))
            writer.add_labels(np.eye(3, 2))
            writer.add_text("-labels.txt", ["a", "b"])
        written.append(True)
        with DatasetWriter(place / "other", 4, 1) as writer:
            writer.add(np.zeros((4, 4, 1), np.uint8))
    assert seen == {False, True}


def test_a_constant_picture_stays_constant():
    for level in pyramid(np.full((256, 256, 3), 201, np.uint8)).values():
        assert (level == 201).all()


def test_half_rounds_to_even():
    image = np.zeros((8, 8, 1), np.uint8)
    image[0:2, 0:2, 0] = [[2, 2], [1, 1]]  # mean 1.5
    image[0:2, 2:4, 0] = [[3, 3], [2, 2]]  # mean 2.5
    assert pyramid(image)[4][0, :2, 0].tolist() == [2, 2]


@pytest.mark.parametrize("bad", [-1, 10])
def test_indices_beyond_the_set(small_set, bad):
    with pytest.raises(IndexError):
        RecordDataset(small_set).read(4, np.array([0, bad]))


def test_missing_resolution_names_the_others(small_set):
    with pytest.raises(DataError, match=r"no resolution 64; it has 4, 8, 16$"):
        RecordDataset(small_set).read(64, np.arange(2))


def test_refuses_folders_that_are_no_data_set(tmp_path):
    assert "no such folder" in refused(tmp_path / "absent")
    assert "*-rNN.tfrecords" in refused(tmp_path)
    (tmp_path / "a-r02.tfrecords").write_bytes(frame(encode_image(np.zeros((4, 4, 3), np.uint8))))
    shutil.copy(tmp_path / "a-r02.tfrecords", tmp_path / "b-r02.tfrecords")
    assert "several data sets (a, b)" in refused(tmp_path)


def test_refuses_gzip(small_set):
    path = small_set / "small-r04.tfrecords"
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert "small-r04.tfrecords" in refused(small_set)
    assert "gunzip" in refused(small_set)


def test_refuses_truncation_within_a_record(small_set):
    path = small_set / "small-r04.tfrecords"
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    message = refused(small_set)
    assert "small-r04.tfrecords: record 9 at byte" in message
    assert "last 100 bytes are missing" in message


def test_refuses_truncation_between_records(small_set):
    path = small_set / "small-r03.tfrecords"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 10 * 9])
    assert "9 pictures, but small-r04.tfrecords has 10" in refused(small_set)


def test_refuses_empty_and_foreign_files(small_set):
    path = small_set / "small-r03.tfrecords"
    path.write_bytes(b"")
    assert "small-r03.tfrecords: the file is empty" in refused(small_set)
    path.write_bytes(b"something else altogether" * 10)
    assert "small-r03.tfrecords: record 0 at byte 0" in refused(small_set)


def test_refuses_wrong_shapes(tmp_path):
    path = tmp_path / "a-r03.tfrecords"
    path.write_bytes(frame(encode_image(np.zeros((8, 4, 3), np.uint8))))
    assert "[3, 8, 4]" in refused(tmp_path)
    assert "8x8" in refused(tmp_path)
    path.write_bytes(frame(encode_image(np.zeros((8, 8, 2), np.uint8))))
    assert "a-r03.tfrecords: 2 channels" in refused(tmp_path)


def test_refuses_bad_labels(small_set):
    path = small_set / "small-rxx.labels"
    for labels, words in [
        (np.eye(9, dtype=np.float32), "9 labels for 10 pictures"),
        (np.zeros(10, np.float32), "one array of numbers"),
        (np.array([["a"]] * 10), "one array of numbers"),
        (np.array([[{}]] * 10, object), "not a .npy file"),  # a pickle: never loaded
    ]:
        with open(path, "wb") as file:
            np.save(file, labels)
        assert words in refused(small_set)
        assert "small-rxx.labels" in refused(small_set)
    path.write_bytes(b"")
    assert "not a .npy file" in refused(small_set)


def test_a_failure_leaves_nothing(tmp_path):
    writer = DatasetWriter(tmp_path / "set", 8, 3)
    with contextlib.suppress(RuntimeError), writer:
        writer.add(np.zeros((8, 8, 3), np.uint8))
        raise RuntimeError("in the middle")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "said"), [(".cats", "hidden name"), ("two\nlines", "cannot be shown")])
def test_refuses_a_name_that_no_data_set_can_have(tmp_path, name, said):
    with pytest.raises(DataError, match=said) as caught:
        DatasetWriter(tmp_path / name, 8, 3)
    assert len(str(caught.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_folder_with_something_in_it(small_set):
    before = sorted(path.name for path in small_set.iterdir())
    with pytest.raises(DataError, match="small: exists already; remove it or choose another"):
        DatasetWriter(small_set, 8, 3)
    assert sorted(path.name for path in small_set.iterdir()) == before


def test_an_empty_folder_is_welcome(tmp_path):
    (tmp_path / "set").mkdir()
    with DatasetWriter(tmp_path / "set", 4, 1) as writer:
        writer.add(np.zeros((4, 4, 1), np.uint8))
    assert RecordDataset(tmp_path / "set").count == 1


@pytest.mark.parametrize(("side", "channels"), [(0, 3), (2, 3), (12, 3), (16384, 3), (8, 2), (8, 4)])
def test_refuses_resolutions_that_do_not_grow(tmp_path, side, channels):
    with pytest.raises(DataError, match=f"{side}x{side}x{channels}"):
        DatasetWriter(tmp_path / "set", side, channels)


def test_labels_that_are_a_pipe_are_refused(small_set):
    """Opening one would wait for ever."""
    (small_set / "small-rxx.labels").unlink(missing_ok=True)
    os.mkfifo(small_set / "small-rxx.labels")
    assert "small-rxx.labels: not a file" in refused(small_set)


def test_refuses_odd_pictures_labels_and_emptiness(tmp_path):
    for shape in [(8, 4, 3), (8, 8, 1), (16, 16, 3)]:
        with pytest.raises(DataError, match="picture 0 has shape"), DatasetWriter(tmp_path / "set", 8, 3) as writer:
            writer.add(np.zeros(shape, np.uint8))
    with pytest.raises(DataError, match="float32"):
        encode_levels(np.zeros((8, 8, 3), np.float32))
    with pytest.raises(DataError, match="no picture"), DatasetWriter(tmp_path / "set", 8, 3):
        pass
    stack = contextlib.ExitStack()
    writer = stack.enter_context(DatasetWriter(tmp_path / "set", 4, 1))
    writer.add(np.zeros((4, 4, 1), np.uint8))
    writer.add_labels(np.eye(2))
    with pytest.raises(DataError, match="for 1 pictures"):
        stack.close()
    assert list(tmp_path.iterdir()) == []


def test_threads_may_share_a_dataset(small_set):
    dataset = RecordDataset(small_set)
    expected = dataset.read(16, np.arange(10))
    results = [None] * 4

    def work(i):
        results[i] = dataset.read(16, np.arange(10))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_hidden_files_beside_a_set(golden_folder, tmp_path):
    """macOS puts a `._` file beside each on drives of other systems; the set is what it was."""
    shutil.copytree(golden_folder / "nv_dataset_gray", tmp_path / "set")
    for path in list((tmp_path / "set").iterdir()):
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7")
    dataset, expected = RecordDataset(tmp_path / "set"), RecordDataset(golden_folder / "nv_dataset_gray")
    assert (dataset.name, dataset.count) == (expected.name, expected.count)
    assert verify(tmp_path / "set").problems == []
