"""One check for labels: what one reader of labels refuses, all of them refuse; text of any system is read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pgan_tf.data import DataError, DatasetWriter, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.label_rows import from_values, label_matrix
from pgan_tf.data.sources.arrays import create_from_numpy
from pgan_tf.data.sources.images import Options, create_from_images
from pgan_tf.data.sources.labels import find_labels
from pgan_tf.data.sources.sides import Sides
from pgan_tf.grids import save_png
from pgan_tf.text import decode

PLAIN = Output(shuffle=False)
BLACK = np.zeros((8, 8, 1), np.uint8)

BAD = {
    "nan": [[0.0, float("nan")], [1.0, 0.0]],
    "infinite": [[0.0, float("inf")], [1.0, 0.0]],
    "beyond float32": [[1e300, 0.0], [1.0, 0.0]],
    "negative class": [-1, 0],
    "huge class": [10**9, 0],
    "too many classes": [2**16, 0],
    "flags as classes": [True, False],
    "halves as classes": [0.5, 1.5],
    "no numbers": [[], []],
}


def in_dataset_json(folder, labels):
    (folder / "in").mkdir()
    for i, _ in enumerate(labels):
        save_png(folder / "in" / f"{i}.png", BLACK)
    text = json.dumps({"labels": [[f"{i}.png", label] for i, label in enumerate(labels)]})
    (folder / "in" / "dataset.json").write_text(text)
    create_from_images(folder / "out", folder / "in", Options(8, output=PLAIN), "json")


def in_json_beside(folder, labels):
    (folder / "in").mkdir()
    for i, label in enumerate(labels):
        save_png(folder / "in" / f"{i}.png", BLACK)
        (folder / "in" / f"{i}.json").write_text(json.dumps({"label": label}))
    create_from_images(folder / "out", folder / "in", Options(8, output=PLAIN), "json:label")


def in_npz(folder, labels):
    np.savez(folder / "in.npz", images=np.stack([BLACK] * len(labels)), labels=np.array(labels))
    create_from_numpy(folder / "out", folder / "in.npz", PLAIN)


READERS = {"dataset.json": in_dataset_json, "KEY.json": in_json_beside, "npz": in_npz}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", BAD)
def test_what_one_reader_refuses_all_refuse(tmp_path, reader, name):
    with pytest.raises(DataError) as info:
        READERS[reader](tmp_path, BAD[name])
    assert "\n" not in str(info.value)
    assert "labels" in str(info.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("labels", [[2, 0], [[1, 1, 0], [0, 0, 1]], [[0.25, -3.0], [1.0, 2.0]], [[True, False]] * 2])
def test_what_one_reader_takes_all_take(tmp_path, reader, labels):
    READERS[reader](tmp_path, labels)
    expected = np.eye(3)[labels] if isinstance(labels[0], int) else np.array(labels, np.float32)
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").labels, expected)


NO_LABELS = [[[1, 2], [3]], [[1], 1], ["a", 1], ["a", ""], [None, None], [[True, 0.5]], [[10**400, 1]]]


@pytest.mark.parametrize("values", NO_LABELS)
def test_values_that_are_no_labels(values):
    with pytest.raises(DataError, match="labels"):
        from_values(values, "here")


def test_a_finished_set_with_a_label_that_is_no_number(tmp_path):
    with DatasetWriter(tmp_path / "set", 8, 1) as writer:
        writer.add(BLACK)
        writer.add_labels(np.array([[1.0]]))
    with open(tmp_path / "set" / "set-rxx.labels", "wb") as file:
        np.save(file, np.array([[np.nan]]))
    with pytest.raises(DataError, match="not all finite"):
        RecordDataset(tmp_path / "set")


@pytest.mark.parametrize(("text", "refusal"), [(b"", "empty"), (b"\xef\xbb\xbf\r\n", "empty"), (b"-1", "from -1 to 0")])
def test_text_beside_a_picture_that_is_no_class(text, refusal):
    sides = Sides("cls")
    sides.take("a.cls", len(text), lambda count: text)
    sides.take("b.cls", 1, lambda count: b"0" if text == b"-1" else b"cat")
    with pytest.raises(DataError, match=refusal):
        find_labels("cls", ["a.png", "b.png"], sides, "here")


def test_more_numbers_than_memory_holds_are_refused():
    with pytest.raises(DataError, match="16384 label numbers for each of 32768 images are too many"):
        label_matrix(np.broadcast_to(np.float32(0), (2**15, 2**14)), 2**15, "x")  # which takes no memory itself


def test_the_row_is_named():
    with pytest.raises(DataError, match=r"\(row 3\)"):
        label_matrix(np.array([[0.0, 1.0]] * 3 + [[np.inf, 0.0]]), 4, "x")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_of_any_system(encoding):
    assert decode("é\r\n3".encode(encoding)).splitlines() == ["é", "3"]
    assert decode("ü".encode("utf-16-be"), "replace") != ""
