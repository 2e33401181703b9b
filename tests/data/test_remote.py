"""Data sets on a store are those of the disk: in what is in them, in the order of a run, in what is said of damage."""

from __future__ import annotations

import contextlib
import threading

import numpy as np
import pytest

from pgan_tf.data import DataError, DatasetWriter, RecordDataset, remote
from pgan_tf.data import files as data_files
from pgan_tf.data.files import UNFINISHED
from pgan_tf.data.pipeline import Reals, in_order
from pgan_tf.data.points import Origin, PointDataset, write_points
from pgan_tf.data.remote import RemoteBytes
from pgan_tf.data.samples import open_samples
from pgan_tf.data.verify import verify
from pgan_tf.layers.minibatch import deal
from pgan_tf.places import for_each, upload
from pgan_tf.programs import start
from tests.stores import KINDS, ScriptedStore, new_root, tree

COUNT = 22
IMAGES = np.random.RandomState(0).randint(0, 256, (COUNT, 16, 16, 3)).astype(np.uint8)


def write(folder, shards: int = 1):
    with DatasetWriter(folder, 16, 3, shards, COUNT) as writer:
        for image in IMAGES:
            writer.add(image)
        writer.add_labels(np.eye(COUNT))
        writer.add_text("-labels.txt", [f"class {i}" for i in range(COUNT)])
    return folder


def refusal(call, *arguments) -> str:
    with pytest.raises(DataError) as info:
        call(*arguments)
    assert "\n" not in str(info.value)
    return str(info.value)


@pytest.fixture
def script(monkeypatch):
    """Sets what a scripted store does first in each call."""
    return lambda function: monkeypatch.setattr(ScriptedStore, "script", staticmethod(function))


# ---- the same as on the disk -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_set_has_the_same_files_and_pictures(kind, shards, tmp_path):
    here, there = write(tmp_path / "data", shards), write(new_root(kind), shards)
    assert tree(here) == tree(there)
    a, b = RecordDataset(here), RecordDataset(there)
    np.testing.assert_array_equal(a.labels, b.labels)
    assert (str(b.folder), b.name, b.content()) == (str(there), "data", a.content())
    for resolution in a.resolutions:
        for indices in (np.arange(COUNT), np.array([21, 0, 0, 9]), np.array([], int)):
            np.testing.assert_array_equal(a.read(resolution, indices), b.read(resolution, indices))
    assert str(verify(there, cascade=True)) == str(verify(here, cascade=True)).replace(str(here), str(there))


@pytest.mark.parametrize("kept", [0, 2**30])
def test_the_order_of_a_run_is_that_of_the_disk(kept, tmp_path, monkeypatch):
    """Several pieces are read at the same time, and come in their order; from any position."""
    monkeypatch.setattr(remote, "KEPT", kept)
    here, there = (
        Reals(RecordDataset(write(folder, 3)), 5, COUNT) for folder in (tmp_path / "data", new_root("memory"))
    )
    for position in (0, 36):
        got = []
        for reals in (here, there):
            with contextlib.closing(reals.stream(position, 8, minibatch=4, rounds=3, d_repeats=3)) as stream:
                got.append([next(stream) for _ in range(6)])
        for a, b in zip(*got, strict=True):
            assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_in_order_stops_at_the_item_that_fails(at_once):
    def half(item: int) -> float:
        if item == 7:
            raise ValueError("seven")
        return item / 2

    results = in_order(half, iter(range(100)), at_once)
    assert [next(results) for _ in range(7)] == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    with pytest.raises(ValueError, match="seven"):
        next(results)
    assert list(in_order(half, iter(range(3)), at_once)) == [0, 0.5, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_points_too(kind, tmp_path):
    points, origin = np.random.RandomState(0).randn(5000, 2).astype(np.float32), Origin("ring", 0.1, 3)
    folder = new_root(kind)
    for place in (folder, tmp_path / "data"):
        write_points(place, points, np.eye(5)[np.arange(5000) % 5], list("abcde"), origin)
    opened = open_samples(str(folder))
    assert (type(opened), opened.origin, opened.label_size) == (PointDataset, origin, 5)
    np.testing.assert_array_equal(opened.points, points)
    assert tree(folder) == tree(tmp_path / "data")
    assert not verify(folder).problems


@pytest.mark.parametrize("part", [1, 7, 2**19])
@pytest.mark.parametrize("window", [1, 16, 2**12])
def test_any_bytes_in_any_order(part, window, monkeypatch):
    monkeypatch.setattr(remote, "_PART", part)
    monkeypatch.setattr(remote, "_WINDOW", window)
    content, rng, root = np.random.RandomState(1).bytes(600), np.random.RandomState(2), new_root("memory")
    root.mkdir(parents=True)
    (root / "file").write_bytes(content)
    file = RemoteBytes(root / "file")
    assert file.size == 600
    begins = [0, 590, 12, 24, 30, 0, *rng.randint(0, 590, 30), *range(0, 600, 40)]
    for begin in map(int, begins):
        length = int(min(rng.randint(0, 60), 600 - begin))
        assert file.read(begin, length) == content[begin : begin + length]
    rows = np.frombuffer(content, np.uint8)[5:595].reshape(59, 10)
    for keep in (False, True):
        file.keep = keep
        for index in (np.array([58, 0, 3, 3]), np.arange(59), np.array([], int)):
            np.testing.assert_array_equal(file.read_rows(index, 10, 5), rows[index])
            if file.loading:
                file.loading.join()


def test_what_was_asked_for_often_is_asked_for_no_more(script):
    folder, calls = write(new_root("scripted"), 2), []
    dataset = RecordDataset(folder)
    dataset.read(16, np.arange(COUNT))
    for thread in threading.enumerate():
        if thread.name == "whole":
            thread.join()
    script(lambda call, path: calls.append(path))
    for _ in range(3):
        dataset.read(16, np.arange(COUNT)[::-1])
    assert calls == []


def test_many_requests_are_under_way_at_once(script, monkeypatch):
    """The answers come when all are asked for: one after the other would wait until the barrier breaks."""
    monkeypatch.setattr(remote, "KEPT", 0)
    dataset = RecordDataset(write(new_root("scripted"), 2))
    together = threading.Barrier(COUNT, timeout=60)
    script(lambda call, path: together.wait())
    np.testing.assert_array_equal(dataset.read(16, np.arange(COUNT)), IMAGES)
    assert not together.broken


def test_files_are_opened_at_once(script):
    folder = write(new_root("scripted"), 4)
    together = threading.Barrier(4, timeout=60)
    script(lambda call, path: together.wait() if "-r04-" in path else None)
    assert RecordDataset(folder).count == COUNT
    assert for_each(str, []) == []


# ---- the shares of several workers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("together", [1, 4])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_shares_of_workers_are_the_whole_without_overlap(workers, together, monkeypatch):
    """Of each minibatch, and of an epoch: no picture is read by two of them, and none by nobody."""
    read: list[np.ndarray] = []
    dataset = RecordDataset(write(new_root("memory"), 3))
    wanted = dataset.read
    monkeypatch.setattr(dataset, "read", lambda resolution, index: read.append(index) or wanted(resolution, index))
    reals, minibatch = Reals(dataset, 1, COUNT), 8
    shares = np.sort(deal(minibatch, workers, together), axis=1)  # [workers, n]
    for position in range(0, 5 * COUNT * minibatch, COUNT * minibatch):  # whole epochs: 11 rounds of 2 steps each
        read.clear()
        parts = [reals.read_rounds(position, 8, minibatch, 11, 2, own=share) for share in shares]
        whole = reals.read_rounds(position, 8, minibatch, 11, 2)
        seen = np.stack([index.reshape(COUNT, -1) for index in read[:-1]])  # [workers, steps, n]
        assert seen.size == COUNT * minibatch
        assert np.array_equal(
            np.bincount(seen.ravel()), np.full(COUNT, minibatch)
        )  # each as often as the epochs have it
        for step in range(COUNT):
            assert sorted(seen[:, step].ravel()) == sorted(read[-1].reshape(COUNT, -1)[step])
        for share, part in zip(shares, parts, strict=True):
            np.testing.assert_array_equal(part.reals, whole.reals[:, share])
            np.testing.assert_array_equal(part.labels, whole.labels[:, share])
            np.testing.assert_array_equal(part.g_labels, whole.g_labels[:, share])


# ---- damage ----------------------------------------------------------------------------------------------------------


def test_a_damaged_record_is_named():
    folder = write(new_root("memory"))
    file = folder / "data-r03.tfrecords"
    content = bytearray(file.read_bytes())
    length = len(content) // COUNT
    content[7 * length + 100] ^= 1
    file.write_bytes(content)
    dataset = RecordDataset(folder)
    message = refusal(dataset.read, 8, np.array([3, 7]))
    assert message.startswith(f"{file}: record 7 at byte {7 * length}: the CRC")
    dataset.read(8, np.delete(np.arange(COUNT), 7))
    assert verify(folder).problems == [message]


def test_a_file_that_is_cut_short_or_gone():
    folder = write(new_root("memory"))
    dataset, file = RecordDataset(folder), folder / "data-r04.tfrecords"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    assert refusal(dataset.read, 16, np.array([COUNT - 1])).startswith(
        f"{file}: ends at byte {len(content) - 1}; 1 more"
    )
    assert "truncated" in refusal(RecordDataset, folder)
    file.unlink()
    assert refusal(dataset.read, 16, np.array([0])) == f"{file}: cannot be read: No such file or directory"
    (folder / "data-rxx.labels").write_bytes(b"")
    assert refusal(RecordDataset, folder).startswith(f"{folder / 'data-rxx.labels'}: ")


def test_a_run_hears_of_it_and_can_go_on():
    folder = write(new_root("memory"), 2)
    reals = Reals(RecordDataset(folder), 5)
    (folder / "data-r03-00001-of-00002.tfrecords").unlink()
    with contextlib.closing(reals.stream(0, 8, minibatch=4, rounds=3, d_repeats=3)) as stream:
        message = refusal(lambda: [next(stream) for _ in range(9)])
    assert message.endswith("; then go on with --resume: the run's checkpoints are kept")


# ---- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [OSError("full"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", range(0, 12, 3))
def test_what_fails_in_the_middle_leaves_nothing(after, fault, script):
    root, done = new_root("scripted"), []

    def fail(call, path):
        if call == "put":
            if len(done) >= after:
                raise fault
            done.append(path)

    script(fail)
    with pytest.raises(type(fault) if isinstance(fault, KeyboardInterrupt) else DataError):
        write(root, 3)
    script(lambda call, path: None)
    assert len(done) == after
    assert not root.exists() or not list(root.iterdir())
    assert RecordDataset(write(root, 3)).count == COUNT


@pytest.mark.parametrize("removed", [0, 1])
@pytest.mark.parametrize("after", range(0, 12, 3))
def test_what_a_kill_leaves_is_never_taken_for_whole(after, removed, script):
    """A kill leaves what was copied so far, and UNFINISHED, also where it comes when something was removed already."""
    root, done, gone = new_root("scripted"), [], []

    def kill(call, path):
        if call == "put" and len(done) >= after:
            raise KeyboardInterrupt
        if call == "remove" and len(done) >= after:
            gone.append(path)
            if len(gone) > min(removed, after):
                raise OSError("killed")
        done.append(path)

    script(kill)
    with pytest.raises(KeyboardInterrupt):
        write(root, 3)
    script(lambda call, path: None)
    assert (root / UNFINISHED).exists()
    for call in (RecordDataset, verify, open_samples, lambda folder: write(folder, 3)):
        assert refusal(call, root).startswith(f"{root}: is being written, or its writing was cut off; ")


def test_whole_sets_without_the_mark_are_copied_by_anyone(tmp_path):
    """What other programs copy to a store is a set."""
    root = new_root("memory")
    root.mkdir(parents=True)
    for file in write(tmp_path / "data").iterdir():
        upload(file, root / file.name)
    np.testing.assert_array_equal(RecordDataset(root).read(16, np.arange(COUNT)), IMAGES)


def test_a_file_that_was_not_kept_is_noticed(monkeypatch):
    root = new_root("memory")
    monkeypatch.setattr(data_files, "upload", lambda file, to: to.write_bytes(b""))
    assert "was not kept" in refusal(write, root)
    assert not root.exists() or not list(root.iterdir())


# ---- words -----------------------------------------------------------------------------------------------------------

REFUSED = {
    "pictures from a store": (["create_from_images", "new", "ram://a/b"], "PATH: ram://a/b: has to be on a disk"),
    "pictures to a store": (["extract", "SET", "ram://a/b"], "OUT: ram://a/b: has to be on a disk"),
    "an archive to a store": (
        ["convert", "SET", "ram://a/b.zip", "--to=zip"],
        "ram://a/b.zip: what --to=zip makes",
    ),
    "a page on a store": (["display", "SET", "--html=ram://a/b.html"], "--html: ram://a/b.html: has to be on a disk"),
    "no such store": (["verify", "ftp://a/b"], "ftp://a/b: ftp:// is no store"),
    "no store to write to": (["create_planar", "ftp://a/b", "gaussians8"], "ftp://a/b: ftp:// is no store"),
    "no such folder": (["verify", "ram://nowhere/b"], "ram://nowhere/b: no such folder"),
    "already there": (["create_planar", "SET", "gaussians8"], "data: exists already"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_commands_refuse_in_one_line(case, tmp_path, monkeypatch, capfd):
    words, said = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    root = write(new_root("memory"))
    assert start.run("dataset_tool", [word.replace("SET", str(root)) for word in words]) == 2
    out, err = capfd.readouterr()
    assert said in err
    assert (out, err.count("\n")) == ("", 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_commands_work_there(kind, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    root = new_root(kind)
    np.save("images.npy", IMAGES)
    for words in (
        ["create_from_numpy", str(root), "images.npy", "--shards=2"], ["verify", str(root)], ["stats", str(root)],
        ["create_from_numpy", "data", "images.npy"], ["compare", str(root), "data"], ["display", str(root)],
        ["convert", str(root), f"{root}-again", "--to=records"], ["compare", f"{root}-again", str(root)],
        ["extract", str(root), "out.zip"], ["create_from_tfrecords", f"{root}-full", str(root), "--workers=1"],
    ):  # fmt: skip
        assert start.run("dataset_tool", words) == 0, capfd.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "data-16.png", "images.npy", "out.zip"]
