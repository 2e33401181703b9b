"""Which data set a run is trained on: by its content, not by its place or form."""

import json

import numpy as np
import pytest

from pgan_tf.data import DataError, DatasetWriter, RecordDataset, identity

PICTURES = np.random.RandomState(0).randint(0, 256, (40, 16, 16, 1)).astype(np.uint8)
LABELS = np.eye(40, 3, dtype=np.float32)


def describe(folder, pictures=PICTURES, labels=LABELS, resolution=8, **options) -> dict:
    with DatasetWriter(folder, pictures.shape[1], 1, total=len(pictures), **options) as writer:
        for picture in pictures:
            writer.add(picture)
        if labels is not None:
            writer.add_labels(labels)
    return identity.describe(RecordDataset(folder), resolution)


def test_the_same_pictures_are_the_same_set(tmp_path):
    """Under another name, in shards, with resolutions that the run does not see."""
    first = describe(tmp_path / "a")
    assert describe(tmp_path / "b", shards=3) == first
    assert describe(tmp_path / "c", PICTURES.reshape(40, 8, 2, 8, 2, 1).mean((2, 4)).round().astype(np.uint8)) != {}
    assert describe(tmp_path / "d", PICTURES.repeat(2, 1).repeat(2, 2)) == first


@pytest.mark.parametrize(
    "other",
    [
        dict(pictures=PICTURES[:39], labels=LABELS[:39]),
        dict(pictures=PICTURES[::-1]),
        dict(pictures=255 - PICTURES),
        dict(labels=LABELS[::-1]),
        dict(labels=None),
        dict(labels=LABELS * 0.5),
        dict(labels=np.eye(40, 4)),
        dict(resolution=16),
    ],
)
def test_another_set_is_refused_until_it_is_said(tmp_path, other):
    ours, theirs = describe(tmp_path / "a"), describe(tmp_path / "b", **other)
    identity.write(tmp_path, ours, tmp_path / "a")
    identity.check(tmp_path, ours, tmp_path / "a")
    with pytest.raises(DataError, match=r"b: not the data set that .* was trained on .*--change_dataset") as error:
        identity.check(tmp_path, theirs, tmp_path / "b")
    assert "\n" not in str(error.value)
    identity.write(tmp_path, theirs, tmp_path / "b")
    identity.check(tmp_path, theirs, tmp_path / "b")


def test_that_a_run_had_another_set_is_kept_for_good(tmp_path):
    ours, theirs = {"pictures": 3}, {"pictures": 4}
    for about, changed in ((ours, False), (ours, False), (theirs, True), (theirs, True), (ours, True)):
        identity.write(tmp_path, about, "set")
        assert identity.has_changed(tmp_path) is changed
        assert identity.is_same(tmp_path, about)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"3", b'{"beside": 3}', b"\xff", b"[" * 100_000])
def test_a_run_that_knows_nothing_goes_on(tmp_path, content):
    if content is not None:
        (tmp_path / "data.json").write_bytes(content)
    identity.check(tmp_path, {"pictures": 3}, "set")
    assert identity.find(tmp_path, "set") == "set"


def test_the_place_is_kept_as_seen_from_the_run(tmp_path, monkeypatch):
    (tmp_path / "sets" / "a").mkdir(parents=True)
    (tmp_path / "results" / "run").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    identity.write(tmp_path / "results" / "run", {}, "sets/a")
    assert json.loads((tmp_path / "results/run/data.json").read_text())["beside"] == "../../sets/a"
    assert identity.find(tmp_path / "results" / "run", "sets/a") == "sets/a"
    assert identity.find(tmp_path / "results" / "run", "gone") == str(tmp_path / "sets" / "a")
