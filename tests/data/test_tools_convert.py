"""convert: whatever way a data set takes, its pixels, order, labels and class names arrive."""

from __future__ import annotations

import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import DataError, DatasetWriter, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.tools import compare, convert, extract, readers
from pgan_tf.data.tools.batches import label_names
from pgan_tf.grids import save_png

CLASSES = ["ape", "bee", "cow"]


@pytest.fixture
def named_set(tmp_path):
    """Ten 16x16 RGB pictures of three classes with names, labels in no order."""
    rng = np.random.RandomState(5)
    with DatasetWriter(tmp_path / "named", 16, 3) as writer:
        for _ in range(10):
            writer.add(rng.randint(0, 256, (16, 16, 3)).astype(np.uint8))
        writer.add_labels(np.eye(3)[rng.permutation(10) % 3])
        writer.add_text("-labels.txt", CLASSES)
    return tmp_path / "named"


def records(folder) -> dict[str, bytes]:
    return {path.name.split("-", 1)[1]: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("way", [["folder"], ["zip"], ["tfds"], ["folder", "tfds", "zip"], ["zip", "folder"], []])
def test_every_way_and_back_gives_the_same_files(way, named_set, tmp_path):
    place = named_set
    for number, kind in enumerate(way):
        step = tmp_path / f"{number}{'.zip' if kind == 'zip' else ''}"
        assert convert(place, step, to=kind) == 10
        place = step
    assert convert(place, tmp_path / "again", to="records") == 10
    assert records(tmp_path / "again") == records(named_set)
    assert label_names(RecordDataset(tmp_path / "again")) == CLASSES


def test_what_extract_makes_convert_takes(golden_folder, tmp_path):
    grey = golden_folder / "nv_dataset_gray"
    extract(grey, tmp_path / "png")
    convert(tmp_path / "png", tmp_path / "nv_dataset_gray", to="records")
    assert compare(grey, tmp_path / "nv_dataset_gray").equal


@pytest.mark.parametrize("archive", [None, "zip", "tar", "gztar"])
def test_what_extract_makes_may_lie_in_a_folder(archive, named_set, tmp_path):
    """As people pack it: the labels are where the pictures are."""
    (tmp_path / "around").mkdir()
    extract(named_set, tmp_path / "around" / "png")
    packed = shutil.make_archive(tmp_path / "packed", archive, tmp_path / "around") if archive else tmp_path / "around"
    convert(packed, tmp_path / "again", to="records")
    assert records(tmp_path / "again") == records(named_set)
    save_png(tmp_path / "around" / "other.png", np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(DataError, match=r"png/labels\.npy has labels for a part"):
        convert(tmp_path / "around", tmp_path / "more", to="records")


def test_labels_of_any_numbers_survive(tmp_path):
    labels = np.random.RandomState(0).randn(6, 4).astype(np.float32)
    with DatasetWriter(tmp_path / "set", 8, 1) as writer:
        for value in range(6):
            writer.add(np.full((8, 8, 1), value, np.uint8))
        writer.add_labels(labels)
    convert(tmp_path / "set", tmp_path / "set.zip", to="zip")
    convert(tmp_path / "set.zip", tmp_path / "again", to="records")
    np.testing.assert_array_equal(RecordDataset(tmp_path / "again").labels, labels)
    with pytest.raises(DataError, match="folders are for one class a picture"):
        convert(tmp_path / "set", tmp_path / "tfds", to="tfds")
    assert not (tmp_path / "tfds").exists()


def test_shards(named_set, tmp_path):
    convert(named_set, tmp_path / "cut", to="records", output=Output(shards=4))
    assert len(list((tmp_path / "cut").glob("cut-r04-*-of-00004.tfrecords"))) == 4
    assert compare(named_set, tmp_path / "cut").equal
    convert(tmp_path / "cut", tmp_path / "whole", to="records")
    assert records(tmp_path / "whole") == records(named_set)
    with pytest.raises(DataError, match="--shards=2: only --to=records"):
        convert(named_set, tmp_path / "png", to="folder", output=Output(shards=2))


def test_workers_change_nothing(named_set, tmp_path):
    convert(named_set, tmp_path / "one.zip", to="zip")
    convert(named_set, tmp_path / "two.zip", to="zip", output=Output(workers=2))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    convert(tmp_path / "two.zip", tmp_path / "again", to="records", output=Output(workers=2))
    assert records(tmp_path / "again") == records(named_set)


@pytest.mark.parametrize("split", ["", ".", "..", "../other", "a/b", "/tmp", "a\\b", "a:b"])
def test_a_split_is_a_folder_within_the_output(named_set, tmp_path, split):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=r"--split=.*: names a folder within .*tfds"):
        convert(named_set, tmp_path / "tfds", to="tfds", split=split)
    assert sorted(tmp_path.rglob("*")) == before


def test_class_folders_read_by_tensorflow_datasets(named_set, tmp_path):
    folder_dataset = pytest.importorskip("tensorflow_datasets").folder_dataset
    convert(named_set, tmp_path / "tfds", to="tfds", split="test")
    builder = folder_dataset.ImageFolder(str(tmp_path / "tfds"))
    assert builder.info.features["label"].names == CLASSES
    dataset = RecordDataset(named_set)
    images = {image.tobytes(): int(label.argmax()) for image, label in zip(
        dataset.read(16, np.arange(10)), dataset.labels, strict=True
    )}  # fmt: skip
    found = {bytes(row["image"].tobytes()): int(row["label"]) for row in builder.as_dataset("test").as_numpy_iterator()}
    assert found == images


def test_one_class_folder_is_no_label(golden_folder, tmp_path):
    convert(golden_folder / "nv_dataset_gray", tmp_path / "tfds", to="tfds")
    assert [path.name for path in (tmp_path / "tfds" / "train").iterdir()] == ["all"]
    convert(tmp_path / "tfds", tmp_path / "again", to="records")
    assert RecordDataset(tmp_path / "again").labels is None


def test_class_names_that_are_no_file_names(tmp_path):
    def make(folder, names):
        with DatasetWriter(folder, 4, 1) as writer:
            for value in range(2):
                writer.add(np.full((4, 4, 1), value, np.uint8))
            writer.add_labels(np.eye(2))
            writer.add_text("-labels.txt", names)
        return folder

    convert(make(tmp_path / "a", ["../up", "b:c"]), tmp_path / "tfds", to="tfds")
    assert sorted(path.name for path in (tmp_path / "tfds" / "train").iterdir()) == [".._up", "b_c"]
    for names in (["a/b", "a:b"], ["..", "x"], ["", "x"]):
        with pytest.raises(DataError, match=r"-labels\.txt"):
            convert(make(tmp_path / f"bad{names[0][:1]}{len(names[0])}", names), tmp_path / "out", to="tfds")


# ---- refusals --------------------------------------------------------------------------------------------------------


def png(path, size=(8, 8), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size).save(path)


def labels(path, array):
    with open(path, "wb") as file:
        np.save(file, array)


def a_bad_zip(folder):
    (folder / "x").mkdir()
    (folder / "x.zip").write_bytes(b"PK\x03\x04 no")
    return folder / "x.zip"


def a_bomb(folder):
    (folder / "x").mkdir()
    with zipfile.ZipFile(folder / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(2**20))
    return folder / "x.zip"


BAD = {
    "nothing": (lambda folder: None, "neither a data set folder"),
    "no picture": (lambda folder: (folder / "x" / "a.txt").parent.mkdir(), "holds no pictures"),
    "odd size": (lambda folder: png(folder / "x" / "a.png", (8, 6)), "a.png has 8x6 pixels, no square power of two"),
    "two sizes": (
        lambda folder: [png(folder / "x" / "a.png"), png(folder / "x" / "b.png", (16, 16))],
        r"b.png: shape \[16, 16, 3\]",
    ),
    "two modes": (
        lambda folder: [png(folder / "x" / "a.png"), png(folder / "x" / "b.png", mode="L")],
        r"b.png: shape \[8, 8, 1\]",
    ),
    "no png": (
        lambda folder: [png(folder / "x" / "b.png"), (folder / "x" / "a.png").write_text("hello")],
        "a.png cannot be read",
    ),
    "bad later": (
        lambda folder: [png(folder / "x" / "a.png"), (folder / "x" / "b.png").write_text("hello")],
        "b.png ",
    ),
    "few labels": (
        lambda folder: [png(folder / "x" / "a.png"), labels(folder / "x" / "labels.npy", np.zeros((2, 3)))],
        r"labels.npy has shape \[2, 3\]; 1 pictures",
    ),
    "labels of text": (
        lambda folder: [png(folder / "x" / "a.png"), labels(folder / "x" / "labels.npy", np.array([["a"]]))],
        "labels.npy",
    ),
    "labels of objects": (
        lambda folder: [png(folder / "x" / "a.png"), labels(folder / "x" / "labels.npy", np.array([{}], object))],
        "labels.npy",
    ),
    "damaged labels": (
        lambda folder: [png(folder / "x" / "a.png"), (folder / "x" / "labels.npy").write_bytes(b"\x93NUMPY")],
        "labels.npy",
    ),
    "no zip": (a_bad_zip, "x.zip: cannot be read as an archive"),
    "bomb": (a_bomb, "unpacks to 1048576 bytes"),
}


def image_folder(folder, *names):
    for name in names:
        png(folder / name)
    return folder


def test_a_split_that_is_named_has_to_be_there(named_set, tmp_path):
    folder = image_folder(tmp_path / "x", "train/a/1.png", "train/b/2.png", "test/a/3.png")
    assert [convert(folder, tmp_path / f"{split}", "records", split) for split in ("train", "test", None)] == [2, 1, 2]
    with pytest.raises(DataError, match=r"--split=tset: .*x has test, train; name one of these"):
        convert(folder, tmp_path / "out", "records", "tset")
    with pytest.raises(DataError, match=r"--split=train: .* is a data set, which has none"):
        convert(named_set, tmp_path / "out", "zip", "train")
    assert convert(named_set, tmp_path / "tfds", "tfds", "other") == 10  # there it is the name of what is made
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["train/loose.png", "train/a/deep/4.png"])
def test_no_picture_of_a_split_is_left_out(name, tmp_path):
    folder = image_folder(tmp_path / "x", "train/a/1.png", "train/b/2.png", name, "test/a/3.png")
    with pytest.raises(DataError, match=f"{name} is not train/<class>/<picture>; move it, or convert .*x/train by"):
        convert(folder, tmp_path / "out", "records")
    assert convert(folder / "train", tmp_path / "out", "records") == 3


@pytest.mark.parametrize("to", ["folder", "zip"])
def test_another_size_is_kept_where_it_is_asked_for(to, tmp_path):
    with DatasetWriter(tmp_path / "a", 12, 3, own_size=True) as writer:
        for seed in range(3):
            writer.add(np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8))
    convert(tmp_path / "a", tmp_path / f"pictures.{to}", to)
    convert(tmp_path / f"pictures.{to}", tmp_path / "again.zip", "zip")
    with pytest.raises(DataError, match="no square power of two; --own_size keeps it, create_from_images crops"):
        convert(tmp_path / "again.zip", tmp_path / "b", "records")
    with pytest.raises(DataError, match="--own_size: goes with --to=records"):
        convert(tmp_path / "again.zip", tmp_path / "b", "zip", own_size=True)
    convert(tmp_path / "again.zip", tmp_path / "b", "records", own_size=True)
    assert compare(tmp_path / "a", tmp_path / "b").equal


@pytest.mark.parametrize("to", ["records", "zip"])
@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_nothing_is_written(name, to, tmp_path, monkeypatch):
    make, words = BAD[name]
    monkeypatch.setattr(readers, "_MEMBER_BYTES", 2**19)
    made = make(tmp_path)
    path = made if name in ("no zip", "bomb") else tmp_path / "x"
    with pytest.raises(DataError, match=words) as caught:
        convert(path, tmp_path / "out.zip", to=to)
    assert "\n" not in str(caught.value)
    assert "--strict" not in str(caught.value)
    assert not [entry.name for entry in tmp_path.iterdir() if entry.name not in ("x", "x.zip")]


def test_unknown_kind_and_an_existing_output(named_set, tmp_path):
    with pytest.raises(DataError, match="--to=tar: must be one of folder, zip, tfds, records"):
        convert(named_set, tmp_path / "out", to="tar")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    for kind in ("folder", "tfds", "records", "zip"):
        with pytest.raises(DataError, match="exists already"):
            convert(named_set, tmp_path / "out", to=kind)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
