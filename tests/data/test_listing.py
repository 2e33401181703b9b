"""What is a picture of the set, what is not, and what files beside them say: the same for folders and archives."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output
from pgan_tf.data.faces.create import _read as read_faces
from pgan_tf.data.faces.create import list_folder as faces_listing
from pgan_tf.data.sources.arrays import create_from_numpy
from pgan_tf.data.sources.cifar import create_cifar10
from pgan_tf.data.sources.images import Options, create_from_images
from pgan_tf.data.sources.labels import find_labels
from pgan_tf.data.sources.listing import companions, is_hidden, list_folder
from pgan_tf.data.sources.mnist import load_idx_folder
from pgan_tf.data.sources.sides import Sides
from pgan_tf.data.sources.tfds import _check_image_folder as check_image_folder
from pgan_tf.data.tools import convert
from pgan_tf.data.tools.batches import label_names
from pgan_tf.evaluation.sets import open_set

AS_IS = Options(resolution=8, output=Output(shuffle=False))
CLUTTER = [
    "._1.png", ".hidden.png", ".Trashes/1.png", "__MACOSX/._1.png", "@eaDir/1.png/SYNOPHOTO_THUMB_M.png", "Thumbs.db",
    "a/Desktop.ini", "a/@eaDir/2.png", "#recycle/old.png", "$RECYCLE.BIN/x.png", "lost+found/y.png",
]  # fmt: skip


def save(path, value: int, **more) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(path, "png", **more)


def pack(folder, kind: str):
    """The folder itself, or an archive of it beside it."""
    if kind == "folder":
        return folder
    path = folder.with_name(f"{folder.name}.{kind}")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(folder))
    else:
        with tarfile.open(path, "w") as archive:
            for file in files:
                archive.add(file, file.relative_to(folder))
    return path


KINDS = pytest.mark.parametrize("kind", ["folder", "zip", "tar"])


def values(folder) -> list[int]:
    dataset = RecordDataset(folder)
    return dataset.read(8, np.arange(dataset.count))[:, 0, 0, 0].tolist()


def classes(folder) -> list[int]:
    return RecordDataset(folder).labels.argmax(axis=1).tolist()


def make(tmp_path, kind, labels="none", **options):
    return create_from_images(tmp_path / "out", pack(tmp_path / "in", kind), AS_IS._replace(**options), labels)


def refused(tmp_path, kind, labels="none", **options) -> str:
    with pytest.raises(DataError) as info:
        make(tmp_path, kind, labels, **options)
    assert "\n" not in str(info.value)
    assert not (tmp_path / "out").exists()
    return str(info.value)


# ---- pictures --------------------------------------------------------------------------------------------------------


@KINDS
def test_what_systems_leave_behind_is_no_picture(kind, tmp_path):
    save(tmp_path / "in" / "1.png", 1)
    save(tmp_path / "in" / "a" / "2.png", 2)
    for number, name in enumerate(CLUTTER):
        save(tmp_path / "in" / name, 100 + number)
    report = make(tmp_path, kind)
    assert values(tmp_path / "out") == [1, 2]
    assert f"left alone: hidden, or the system's ({len(CLUTTER)})" in report.notes


def test_every_reader_of_folders_lists_alike(tmp_path):
    """evaluate.py, faces, convert and create_from_images; and a finished set among such files is one."""
    for name in ("1.png", "2.png", *CLUTTER):
        save(tmp_path / "in" / name, 3)
    assert open_set(tmp_path / "in").count == 2
    assert faces_listing is list_folder
    assert convert(tmp_path / "in", tmp_path / "set", to="records") == 2
    for path in list((tmp_path / "set").iterdir()):
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7")
    assert open_set(tmp_path / "set").count == 2
    (tmp_path / "in" / "._x.tfrecords").write_bytes(b"")
    assert open_set(tmp_path / "in").count == 2


@KINDS
def test_names_without_extension(kind, tmp_path):
    """By what is in them."""
    for number, name in enumerate(("photo", "photo.2", "x/IMG_0001")):
        save(tmp_path / "in" / name, number)
    (tmp_path / "in" / "README").write_text("no picture")
    (tmp_path / "in" / "empty").touch()
    save(tmp_path / "in" / "page.html", 9)
    report = make(tmp_path, kind)
    assert values(tmp_path / "out") == [0, 1, 2]
    assert "left alone 3 files that are no pictures: no extension (2), .html (1)" in report.notes


@pytest.mark.parametrize("path", ["a/.b/c", "._x", "a/@EADIR/b", "THUMBS.DB", "x/__MACOSX/y"])
def test_hidden(path):
    assert is_hidden(path)


@pytest.mark.parametrize("path", ["../up.png", "a.b/c", "eaDir/x", "a/..", "thumbs.db.png"])
def test_not_hidden(path):
    assert not is_hidden(path)


def test_only_regular_files_are_opened(tmp_path):
    save(tmp_path / "in" / "1.png", 1)
    os.mkfifo(tmp_path / "in" / "pipe.png")
    os.mkfifo(tmp_path / "in" / "pipe")
    (tmp_path / "in" / "link.png").symlink_to("pipe")
    (tmp_path / "in" / "nowhere.png").symlink_to("absent")
    report = create_from_images(tmp_path / "out", tmp_path / "in", AS_IS)
    assert values(tmp_path / "out") == [1]
    assert [name for name, _ in report.skipped] == ["nowhere.png"]
    assert "left alone: pipes, sockets and devices (3)" in report.notes
    assert "listed       5 = 1 written + 1 skipped + 3 files besides" in str(report)


# ---- samples of webdataset -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "left_out"),
    [
        (["IMG.2020.1.png", "IMG.2020.2.png", "IMG.2020.3.png"], []),
        (["1.png", "1.seg.png", "1.cls"], ["1.seg.png"]),
        (["1.png", "1.seg.png", "1.json"], ["1.seg.png"]),
        (["1.png", "1.seg.png", "2.cls"], []),
        (["1.png", "1.2.png", "1.cls", "1.2.cls"], []),
        (["1.jpg.png", "1.cls"], []),
        (["a/1.png", "b/1.seg.png", "b/1.cls"], []),
        (["a.b/1.png", "a.b/2.png", "a.cls", "a.png"], []),
    ],
)
def test_further_pictures_of_a_sample(files, left_out):
    pictures = [file for file in files if file.endswith(".png")]
    assert companions(pictures, lambda: files) == set(left_out)


@KINDS
@pytest.mark.parametrize("labels", ["none", "cls"])
def test_names_with_dots_are_pictures_of_their_own(kind, labels, tmp_path):
    for number in range(3):
        save(tmp_path / "in" / f"IMG.2020.{number}.png", number)
        (tmp_path / "in" / f"IMG.2020.{number}.cls").write_bytes(b"\xef\xbb\xbf%d\r\n" % (2 - number))
    make(tmp_path, kind, labels)
    assert values(tmp_path / "out") == [0, 1, 2]
    if labels == "cls":
        assert classes(tmp_path / "out") == [2, 1, 0]


def test_archives_of_one_name(tmp_path):
    """The shortest names that tell them apart are their folders."""
    for place, value in (("a/set", 1), ("b/set", 2)):
        save(tmp_path / place / "c" / "1.png", value)
        pack(tmp_path / place, "tar")
    (tmp_path / "both").mkdir()
    for kind in ("tar", "zip"):
        pack(tmp_path / "a" / "set", kind).rename(tmp_path / "both" / f"set.{kind}")
    pack(tmp_path / "a" / "set", "tar").rename(tmp_path / "1set.tar")
    os.makedirs(tmp_path / "0")
    os.makedirs(tmp_path / "1")
    for part, place in enumerate(("a", "b")):
        pack(tmp_path / place / "set", "tar").rename(tmp_path / str(part) / "set.tar")
    create_from_images(tmp_path / "x", tmp_path / "both", AS_IS, "folders")
    create_from_images(tmp_path / "y", tmp_path / "{0..1}" / "set.tar", AS_IS, "folders")
    assert label_names(RecordDataset(tmp_path / "x")) == ["set.tar", "set.zip"]
    assert label_names(RecordDataset(tmp_path / "y")) == ["0", "1"]
    assert values(tmp_path / "y") == [1, 2]


# ---- labels ----------------------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("parts", ["train test", "Training validation", "trainA testA", "train2017 val"])
def test_parts_of_a_set_are_no_classes(kind, parts, tmp_path):
    for part in parts.split():
        for number, name in enumerate(("ape", "bee")):
            save(tmp_path / "in" / part / name / "1.png", number)
    said = refused(tmp_path, kind, "folders")
    assert "look like parts of a set, not classes; --labels=folders:2 takes the folders below them" in said
    make(tmp_path, kind, "folders:2")
    assert classes(tmp_path / "out") == values(tmp_path / "out") == [0, 1, 0, 1]


def test_a_class_may_be_called_train(tmp_path):
    for number, name in enumerate(("bus", "train")):
        save(tmp_path / "in" / name / "1.png", number)
    assert make(tmp_path, "folder", "folders").label_names == ["bus", "train"]


def test_a_level_of_folders(tmp_path):
    save(tmp_path / "in" / "train" / "1.png", 1)
    save(tmp_path / "in" / "test" / "2.png", 2)
    assert "lie above the folders of level 2" in refused(tmp_path, "folder", "folders:2")
    for flag in ("folders:0", "folders:x", "cls:1"):
        assert f"--labels={flag}: must be one of" in refused(tmp_path, "folder", flag)
    assert make(tmp_path, "folder", "folders:1").label_names == ["test", "train"]


def index(*rows) -> bytes:
    return json.dumps({"labels": rows}).encode()


INDICES = {
    "two labels": (index(["1.png", 1, 2]), "1.png has 2 labels; give one class, or one list of numbers"),
    "another the second time": (index(["1.png", 1], [".\\1.png", 2]), "has two labels, 1 and 2"),
    "no list": (b'{"labels": 7}', "is not StyleGAN's index"),
    "no entries": (b'{"labels": [7]}', "is not StyleGAN's index"),
    "no path": (index([7, 1]), "is not StyleGAN's index"),
    "too deep": (b'{"labels": ' + b"[" * 10**5, "is not StyleGAN's index"),
    "too many lists": (b'{"labels": [' + b"[]," * 10**7 + b"[]]}", "bytes of memory: too many lists"),
}


@KINDS
@pytest.mark.parametrize("case", INDICES)
def test_indices_refused(kind, case, tmp_path):
    save(tmp_path / "in" / "1.png", 1)
    (tmp_path / "in" / "dataset.json").write_bytes(INDICES[case][0])
    assert INDICES[case][1] in refused(tmp_path, kind, "json")


@KINDS
def test_many_labels_a_picture(kind, tmp_path):
    for number in range(3):
        save(tmp_path / "in" / f"{number}.png", number)
    rows = [["0.png", [1, 0, 1]], ["1.png", [0, 0, 0]], ["2.png", [1, 1, 1]]]
    (tmp_path / "in" / "dataset.json").write_bytes(index(*rows))
    report = make(tmp_path, kind, "json")
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").labels, [row[1] for row in rows])
    assert "labels are lists of 3 numbers, stored as they are; not one class a picture" in report.notes


@KINDS
@pytest.mark.parametrize("root", ["", "set/"])
def test_convert_takes_the_labels_of_stylegan(kind, root, tmp_path):
    for number in range(4):
        save(tmp_path / "in" / f"{root}00000/img{number}.png", number)
    text = index(*[[f"00000/img{number}.png", 3 - number] for number in range(4)])
    (tmp_path / "in" / root / "dataset.json").write_bytes(text)
    convert(pack(tmp_path / "in", kind), tmp_path / "out", to="records")
    assert values(tmp_path / "out") == [0, 1, 2, 3]
    assert classes(tmp_path / "out") == [3, 2, 1, 0]


def test_convert_without_labels(tmp_path):
    save(tmp_path / "in" / "1.png", 1)
    (tmp_path / "in" / "dataset.json").write_bytes(b'{"labels": null}')
    convert(tmp_path / "in", tmp_path / "out", to="records")
    assert RecordDataset(tmp_path / "out").labels is None


def test_labels_that_are_not_asked_for_are_mentioned(tmp_path):
    save(tmp_path / "in" / "1.png", 1)
    (tmp_path / "in" / "dataset.json").write_bytes(index(["1.png", 0]))
    assert "labels in dataset.json are not taken; --labels=json takes them" in make(tmp_path, "folder").notes


# ---- limits ----------------------------------------------------------------------------------------------------------


@KINDS
def test_large_files_with_labels_are_not_read(kind, tmp_path):
    """One for all pictures may have the limit, one beside a picture a 64th of it; others do not matter."""
    save(tmp_path / "in" / "1.png", 1)
    (tmp_path / "in" / "1.json").write_text(json.dumps({"label": 0, "x": "y" * 1000}))
    (tmp_path / "in" / "other.json").write_text("z" * 10**5)
    said = refused(tmp_path, kind, "json", max_side_bytes=64_000)
    assert "1.json: a file with labels of 1021 bytes, more than the 64th part of --max_side_bytes=64000" in said
    (tmp_path / "in" / "dataset.json").write_bytes(index(["1.png", 0]))
    assert "more than --max_side_bytes=20;" in refused(tmp_path, kind, "json", max_side_bytes=20)
    make(tmp_path, kind, "json", max_side_bytes=64_000)


def test_labels_have_a_limit_in_total():
    """What is left over after parsing counts, and nothing is read any more when it is used up."""
    sides, asked = Sides("json", 64 * 100), []

    def read(count):
        asked.append(count)
        return json.dumps({"label": f"name {len(asked)}"}).encode()

    files = [f"{number}.png" for number in range(1000)]
    for number in range(1000):
        assert sides.take(f"{number}.json", 50, read)
    assert len(asked) < 100
    with pytest.raises(DataError, match="all labels together take more than --max_side_bytes=6400"):
        find_labels("json", files, sides, "here")


def test_equal_names_are_kept_once():
    sides = Sides("cls", 64 * 1000)
    for number in range(3):
        sides.take(f"{number}.cls", 9, lambda count: b"the class")
    assert len({id(sides.of(str(number))) for number in range(3)}) == 1


# ---- other readers ---------------------------------------------------------------------------------------------------


def test_names_of_classes_stay_one_a_line(tmp_path):
    """Folders may be called anything; what would break the line is escaped, and no name is lost."""
    names = ["a\nb", "c\u2028d", "e\x85f", "\udcff", "plain"]
    for number, name in enumerate(sorted(names)):
        save(tmp_path / "in" / name / "1.png", number)
    report = make(tmp_path, "folder", "folders")
    assert classes(tmp_path / "out") == values(tmp_path / "out") == [0, 1, 2, 3, 4]
    assert label_names(RecordDataset(tmp_path / "out")) == ["a\\nb", "c\\u2028d", "e\\x85f", "plain", "\\udcff"]
    assert "5 classes: a\\nb, c\\u2028d" in str(report)
    assert str(report).encode()


def test_idx_files_among_those_of_macos(tmp_path):
    for part, content in (("images", b"\0\0\x08\3" + b"\0\0\0\1" * 3 + b"\0"), ("labels", b"\0\0\x08\1\0\0\0\1\0")):
        for prefix in ("", "._"):
            name = f"{prefix}train-{part}-idx{3 if part == 'images' else 1}-ubyte"
            (tmp_path / name).write_bytes(content if not prefix else b"\0\5\26\7")
    images, labels = load_idx_folder(tmp_path, "train")
    assert (images.shape, labels.tolist()) == ((1, 1, 1), [0])


def test_two_arrays_of_one_name(tmp_path):
    content = io.BytesIO()
    np.save(content, np.zeros((2, 8, 8), np.uint8))
    with zipfile.ZipFile(tmp_path / "in.npz", "w") as archive:
        archive.writestr("images", content.getvalue())
        archive.writestr("images.npy", content.getvalue())
    with pytest.raises(DataError, match="two arrays of one name"):
        create_from_numpy(tmp_path / "out", tmp_path / "in.npz", Output())


def test_cifar_in_a_zip_or_twice(tmp_path):
    with tarfile.open(tmp_path / "twice.tar", "w") as archive:
        for place in ("a", "b"):
            archive.addfile(tarfile.TarInfo(f"{place}/data_batch_1"))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("data_batch_1", b"")
    for name, message in (("twice.tar", "holds two files data_batch_1"), ("c.zip", "a .zip; unpack it")):
        with pytest.raises(DataError, match=message):
            create_cifar10(tmp_path / "out", tmp_path / name, Output())


def test_landmarks_of_windows(tmp_path):
    """A byte order mark, backslashes, and lines that end as there."""
    save(tmp_path / "in" / "a" / "1.png", 1)
    numbers = " ".join(str(number) for number in range(10))
    (tmp_path / "list.txt").write_bytes(f"\ufeffa\\1.png {numbers}\r\n".encode())
    (face,) = read_faces(tmp_path / "in", tmp_path / "list.txt", Report("here"))
    assert face.file == "a/1.png"


def test_an_image_folder_with_folders_of_the_system(tmp_path):
    save(tmp_path / "in" / "train" / "ape" / "1.png", 1)
    check_image_folder(tmp_path / "in")
    save(tmp_path / "in" / "train" / "@eaDir" / "1.png", 1)
    with pytest.raises(DataError, match="train/@eaDir: is of the system, no class"):
        check_image_folder(tmp_path / "in")
