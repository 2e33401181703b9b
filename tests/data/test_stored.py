"""Records under a reader: every flipped bit is seen; a file that changes is one line that names it, and no signal."""

from __future__ import annotations

import contextlib
import errno
import os

import numpy as np
import pytest

from pgan_tf.data import DataError, DatasetWriter, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.pipeline import Reals
from pgan_tf.data.sources.stylegan import create_from_tfrecords
from pgan_tf.data.stored import StoredBytes
from pgan_tf.data.tfrecord import masked_crc, masked_crcs
from pgan_tf.errors import WAYS_ON, reason
from pgan_tf.programs import start

COUNT = 40
IMAGES = np.random.RandomState(0).randint(0, 256, (COUNT, 8, 8, 3)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    with DatasetWriter(tmp_path / "set", 8, 3) as writer:
        for image in IMAGES:
            writer.add(image)
    return tmp_path / "set"


@pytest.fixture
def file(folder):
    return folder / "set-r03.tfrecords"


def flip(file, byte: int, bit: int = 0) -> None:
    content = bytearray(file.read_bytes())
    content[byte] ^= 1 << bit
    file.write_bytes(content)


def refusal(call, *arguments) -> str:
    with pytest.raises(DataError) as info:
        call(*arguments)
    assert "\n" not in str(info.value)
    return str(info.value)


# ---- damage ----------------------------------------------------------------------------------------------------------


def test_crcs_of_rows_are_those_of_each():
    rows = np.random.RandomState(0).randint(0, 256, (50, 33)).astype(np.uint8)
    assert masked_crcs(rows[:, 3:30]).tolist() == [masked_crc(row.tobytes()) for row in rows[:, 3:30]]
    assert masked_crcs(rows[:0]).tolist() == []


def test_every_flipped_bit_of_a_record_is_seen(file):
    length, whole = len(file.read_bytes()) // COUNT, file.read_bytes()
    for byte in range(length):
        content = bytearray(whole)
        content[7 * length + byte] ^= 1 << byte % 8
        file.write_bytes(content)
        dataset = RecordDataset(file.parent)
        message = refusal(dataset.read, 8, np.array([3, 7]))
        assert message.startswith(f"{file}: record 7 at byte {7 * length}: ")
        np.testing.assert_array_equal(dataset.read(8, np.arange(8, COUNT)), IMAGES[8:])


@pytest.mark.parametrize("rows", [np.arange(COUNT), np.array([39, 0]), np.array([5, 5, 4]), np.array([], int)])
@pytest.mark.parametrize("calls", [2**30, 0], ids=["in one piece", "one by one"])
def test_pieces_and_single_rows_are_the_same(file, rows, calls, monkeypatch):
    monkeypatch.setattr("pgan_tf.data.stored._CALL", calls)
    monkeypatch.setattr("pgan_tf.data.stored._AT", calls == 0)  # and the way of systems without preadv
    whole = np.frombuffer(file.read_bytes(), np.uint8).reshape(COUNT, -1)
    np.testing.assert_array_equal(StoredBytes(file).read_rows(rows, whole.shape[1]), whole[rows])
    np.testing.assert_array_equal(RecordDataset(file.parent).read(8, rows), IMAGES[rows])


def test_a_damaged_record_is_not_copied(folder, file, tmp_path):
    """Not under a fresh CRC: left out and named where pictures are left out, else the end of the command."""
    (folder / "set-r02.tfrecords").unlink()
    flip(file, len(file.read_bytes()) // COUNT * 7 + 100)
    report = create_from_tfrecords(tmp_path / "copy", folder, Output(shuffle=False))
    assert [name for name, _ in report.skipped] == ["record 7"]
    np.testing.assert_array_equal(
        RecordDataset(tmp_path / "copy").read(8, np.arange(COUNT - 1)), np.delete(IMAGES, 7, axis=0)
    )


COPIES = {
    "extract": ["extract", "set", "out.zip"],
    "convert": ["convert", "set", "out", "--to=records"],
    "stats": ["stats", "set"],
    "verify": ["verify", "set"],
    "compare": ["compare", "set", "set"],
}


@pytest.mark.parametrize("command", COPIES)
def test_the_tools_see_it(command, folder, file, monkeypatch, capfd):
    monkeypatch.chdir(folder.parent)
    flip(file, len(file.read_bytes()) // COUNT * 7 + 100)
    assert start.run("dataset_tool", COPIES[command]) != 0
    out, err = capfd.readouterr()
    assert "record 7 at byte" in out + err
    assert "Traceback" not in err
    assert not (folder.parent / "out").exists()
    assert not (folder.parent / "out.zip").exists()


# ---- change ----------------------------------------------------------------------------------------------------------


def cut(file) -> None:
    os.truncate(file, 100)


def empty(file) -> None:
    file.write_bytes(b"")


def cut_between_records(file) -> None:
    os.truncate(file, os.path.getsize(file) // COUNT)


def grow(file) -> None:
    with file.open("ab") as stream:
        stream.write(bytes(1000))


def overwrite(file) -> None:
    """By another set of the same size, which no CRC would tell."""
    length = len(file.read_bytes()) // COUNT
    content = file.read_bytes()
    file.write_bytes(content[length:] + content[:length])
    os.utime(file, ns=(0, 12345))


CHANGES = [cut, empty, cut_between_records, grow, overwrite]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("rows", [np.array([39]), np.arange(COUNT)], ids=["one", "all"])
def test_a_file_that_changes_is_named(change, rows, folder, file):
    dataset = RecordDataset(folder)
    np.testing.assert_array_equal(dataset.read(8, rows), IMAGES[rows])
    change(file)
    message = refusal(dataset.read, 8, rows)
    assert message.startswith(f"{file}: ")
    assert "was written to while it was being read" in message


def remove(file) -> None:
    file.unlink()


def replace(file) -> None:
    other = file.with_name("other")
    other.write_bytes(b"other")
    os.replace(other, file)


@pytest.mark.parametrize("change", [remove, replace])
def test_a_file_that_is_removed_or_replaced_stays_what_it_was(change, folder, file):
    dataset = RecordDataset(folder)
    change(file)
    np.testing.assert_array_equal(dataset.read(8, np.arange(COUNT)), IMAGES)


# ---- the pipeline ----------------------------------------------------------------------------------------------------


def test_the_pipeline_ends_in_the_reader_s_own_line(folder, file):
    """After all the blocks before the fault."""
    reals = Reals(RecordDataset(folder), seed=1)
    whole = [reals.read_rounds(at, 8, minibatch=4, rounds=1, d_repeats=1) for at in (0, 4, 8)]
    with contextlib.closing(reals.stream(0, 8, minibatch=4, rounds=1, d_repeats=1)) as blocks:
        for block in whole:
            np.testing.assert_array_equal(next(blocks).reals, block.reals)
        cut(file)
        message = ""
        for _ in range(10_000):  # what was read ahead comes first
            try:
                next(blocks)
            except DataError as error:
                message = str(error)
                break
    assert message.startswith(f"{file}: was written to")
    assert message.count("\n") == 0
    assert "--resume" in message


def test_a_damaged_record_in_the_pipeline(folder, file):
    flip(file, 5 * len(file.read_bytes()) // COUNT + 8)  # the CRC of its length
    reals = Reals(RecordDataset(folder), seed=1)
    with contextlib.closing(reals.stream(0, 8, minibatch=4, rounds=1, d_repeats=1)) as blocks:
        message = refusal(lambda: [next(blocks) for _ in range(COUNT)])
    assert message.startswith(f"{file}: record 5 at byte ")
    assert "go on with --resume" in message


def test_any_other_error_stays_itself(folder, monkeypatch):
    reals = Reals(RecordDataset(folder), seed=1)
    monkeypatch.setattr(reals, "read_rounds", lambda *_: 1 // 0)
    with contextlib.closing(reals.stream(0, 8, minibatch=4, rounds=1, d_repeats=1)) as blocks:
        with pytest.raises(ZeroDivisionError):
            next(blocks)
        with pytest.raises(StopIteration):
            next(blocks)


# ---- what the system refuses -----------------------------------------------------------------------------------------


def test_only_regular_files_are_opened(folder, file):
    file.unlink()
    os.mkfifo(file)
    assert refusal(RecordDataset, folder).startswith(f"{file}: not a file")


WORDS = {errno.EACCES: "Permission denied", errno.EMFILE: "ulimit -n", errno.EIO: "check the disk"}


@pytest.mark.parametrize("number", WORDS)
@pytest.mark.parametrize("when", ["open", "preadv"])
def test_the_system_s_reason_is_told(number, when, folder, file, monkeypatch):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number), str(file))

    dataset = RecordDataset(folder)
    monkeypatch.setattr(f"os.{when}", fail)
    message = refusal(RecordDataset, folder) if when == "open" else refusal(dataset.read, 8, np.array([1]))
    assert message.startswith(str(folder))
    assert WORDS[number] in message
    assert "make room" not in message


def test_a_way_on_for_each_reason():
    for number, way in WAYS_ON.items():
        assert "\n" not in reason(OSError(number, os.strerror(number)))
        assert ("room" in way) == (number in (errno.ENOSPC, errno.EDQUOT))
    assert reason(OSError("two\nlines")) == "two"
