"""CelebA-HQ from end to end on small sources (golden/README): md5, interruptions, wrong files, ready-made pictures."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.celebahq import Options, checks, create, create_celebahq, create_celebahq_from_images, ready, work
from pgan_tf.data.celebahq.deltas import picture_md5
from pgan_tf.data.celebahq.listing import read_image_list
from pgan_tf.data.engine import Output
from pgan_tf.data.pyramid import pyramid
from pgan_tf.data.writer import order

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "celebahq_fixture"
SOURCES = GOLDEN / "CelebA", GOLDEN / "CelebA-HQ"
ENTRIES = read_image_list(GOLDEN / "CelebA-HQ" / "image_list.txt")
FIRST_MD5 = "964e2de89405d6d8419f10c4ebb3ba72"  # of the golden 000001.jpg, which is not CelebA's
UNSHUFFLED = Output(shuffle=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The data set, made by two processes."""
    pytest.importorskip("jpeglib")
    pytest.importorskip("cryptography")
    out = tmp_path_factory.mktemp("made") / "hq"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGAN_TF_NO_KERAS", "1")
        patch.setattr(checks, "PICTURES", 3)
        patch.setattr(checks, "FIRST_JPEG_MD5", FIRST_MD5)
        report = create_celebahq(out, *SOURCES, Options(output=Output(workers=2)))
    assert (report.images, report.skipped) == (3, [])
    return out


@pytest.fixture
def pictures(made, monkeypatch) -> dict[int, np.ndarray]:
    """{index: uint8 [1024,1024,3]}; where this is used, pictures are not made anew but looked up in it."""
    monkeypatch.setattr(checks, "PICTURES", 3)
    monkeypatch.setattr(checks, "FIRST_JPEG_MD5", FIRST_MD5)
    found = dict(zip(order(3).tolist(), RecordDataset(made).read(1024, np.arange(3)), strict=True))
    monkeypatch.setattr(create, "make_picture", lambda item, inputs: found[item.entry.index])
    return found


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_pictures_are_celeba_hq_s_in_the_original_s_order(made):
    pictures = RecordDataset(made).read(1024, np.arange(3))
    assert [picture_md5(picture) for picture in pictures] == [ENTRIES[i].final_md5 for i in order(3)]


def test_nothing_is_left_beside_a_finished_set(made):
    assert [path.name for path in made.parent.iterdir()] == ["hq"]


def test_a_smaller_set_has_that_level_of_the_large_one(made, pictures, tmp_path):
    create_celebahq(tmp_path / "hq", *SOURCES, Options(resolution=128))
    small, places = RecordDataset(tmp_path / "hq"), np.arange(3)
    assert small.resolutions == [4, 8, 16, 32, 64, 128]
    np.testing.assert_array_equal(small.read(128, places), RecordDataset(made).read(128, places))
    np.testing.assert_array_equal(small.read(64, places), pyramid(small.read(128, places))[64])


# ---- interruptions ---------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
import numpy as np
from pgan_tf import files
from pgan_tf.data import writer
from pgan_tf.data.celebahq import Options, checks, create

point, folder, out, celeba, deltas, md5 = sys.argv[1:]
checks.PICTURES, checks.FIRST_JPEG_MD5 = 3, md5
calls = {}


def killing(name, function, at):
    def call(*arguments):
        calls[name] = calls.get(name, 0) + 1
        if point == name and calls[name] == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call


look_up = lambda item, inputs: np.load(f"{folder}/{item.entry.index}.npy")
create.make_picture = killing("making", create.make_picture if point == "making" else look_up, 2)
files.os.replace = killing("renaming", files.os.replace, 2)
writer.DatasetWriter._finish = killing("finishing", writer.DatasetWriter._finish, 1)
create.create_celebahq(out, celeba, deltas, Options(resolution=1024))
"""


@pytest.mark.parametrize(("point", "left"), [("making", 2), ("renaming", 2), ("finishing", 0)])
def test_a_killed_run_goes_on_where_it_was(made, pictures, tmp_path, monkeypatch, point, left):
    """Killed while the second picture is made, as its file gets its name, and as the whole set is done."""
    for index, picture in pictures.items():
        np.save(tmp_path / f"{index}.npy", picture)
    out = tmp_path / "sets" / "hq"
    arguments = [point, tmp_path, out, *SOURCES, FIRST_MD5]
    killed = subprocess.run([sys.executable, "-c", KILLED, *map(str, arguments)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    made_now = []
    monkeypatch.setattr(create, "make_picture", lambda item, _: made_now.append(item) or pictures[item.entry.index])
    report = create_celebahq(out, *SOURCES, Options())
    assert len(made_now) == left
    assert report.notes == [f"{3 - left} pictures were finished by an earlier run"]
    assert content(out) == content(made)
    assert not (tmp_path / "sets" / ".hq.celebahq-work").exists()


def test_a_damaged_finished_picture_is_made_again(made, pictures, tmp_path):
    kept = work.WorkFolder(tmp_path / "hq", 1024)
    kept.create()
    for entry in ENTRIES:
        kept.save(entry.index, entry.final_md5, pictures[entry.index])
    first, second, third = sorted(kept.folder.iterdir())
    first.write_bytes(first.read_bytes()[:1000])
    second.write_bytes(b"")
    Image.fromarray(pictures[0]).save(third)  # a picture, but not with the md5 of this one
    assert [kept.load(entry.index, entry.final_md5) for entry in ENTRIES] == [None] * 3
    create_celebahq(tmp_path / "hq", *SOURCES, Options())
    assert content(tmp_path / "hq") == content(made)


def test_finished_pictures_are_taken_for_what_they_are_only(tmp_path, pictures):
    kept = work.WorkFolder(tmp_path / "hq", 1024)
    kept.create()
    kept.save(0, ENTRIES[0].final_md5, pictures[0])
    np.testing.assert_array_equal(kept.load(0, ENTRIES[0].final_md5), pictures[0])
    assert kept.load(0, ENTRIES[1].final_md5) is None
    assert kept.load(1, ENTRIES[0].final_md5) is None
    assert work.WorkFolder(tmp_path / "hq", 512).load(0, ENTRIES[0].final_md5) is None
    assert [work.WorkFolder(tmp_path / "hq", side).has(0, ENTRIES[0].final_md5) for side in (512, 1024)] == [
        False,
        True,
    ]


def test_a_set_is_made_even_if_nothing_can_be_kept(made, pictures, tmp_path, monkeypatch):
    def no_space(path, settled=True):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(work, "new_file", no_space)
    create_celebahq(tmp_path / "hq", *SOURCES, Options())
    assert content(tmp_path / "hq") == content(made)


# ---- wrong files -----------------------------------------------------------------------------------------------------


@pytest.fixture
def zeros(monkeypatch) -> str:
    """Every photograph is processed to a black picture, of this md5."""
    black = np.zeros((1024, 1024, 3), np.uint8)
    monkeypatch.setattr(checks, "PICTURES", 3)
    monkeypatch.setattr(checks, "FIRST_JPEG_MD5", FIRST_MD5)
    monkeypatch.setattr(create, "process", lambda image, landmarks: black)
    return picture_md5(black)


@pytest.fixture
def tree(tmp_path) -> Path:
    pytest.importorskip("jpeglib")
    pytest.importorskip("cryptography")
    return Path(shutil.copytree(GOLDEN, tmp_path / "tree"))


def test_a_wrong_md5_names_the_picture_and_the_step(tree, zeros):
    sources = tree / "CelebA", tree / "CelebA-HQ"
    with pytest.raises(
        DataError, match=r"^picture 0 \(000002.jpg\): processed: not the md5 .* or its landmarks"
    ) as caught:
        create_celebahq(tree / "hq", *sources, Options(output=UNSHUFFLED))
    assert str(caught.value).endswith("run the command again to go on from there")
    assert "--strict" not in str(caught.value)  # a flag that nobody gave
    path = tree / "CelebA-HQ" / "image_list.txt"
    path.write_text(path.read_text().replace(ENTRIES[0].processed_md5, zeros))
    with pytest.raises(DataError, match=r"^picture 0 \(000002.jpg\): final: not the md5 .*; deltas00000.zip is not"):
        create_celebahq(tree / "hq", *sources, Options(output=UNSHUFFLED))
    assert not (tree / "hq").exists()


def test_a_photograph_that_is_cut_off_is_called_so(tree, zeros):
    path = tree / "CelebA" / "img_celeba" / "000002.jpg"
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"^picture 0 \(000002.jpg\): processed: .*000002.jpg is cut off"):
        create_celebahq(tree / "hq", tree / "CelebA", tree / "CelebA-HQ", Options(output=UNSHUFFLED))


def test_wrong_pictures_may_be_left_out(pictures, tmp_path, monkeypatch):
    def make(item, inputs):
        if item.entry.index == 1:
            raise DataError("no good")
        return pictures[item.entry.index]

    monkeypatch.setattr(create, "make_picture", make)
    report = create_celebahq(tmp_path / "hq", *SOURCES, Options(allow_partial=True, output=UNSHUFFLED))
    assert report.skipped == [("picture 1 (000001.jpg)", "no good")]
    stored = RecordDataset(tmp_path / "hq").read(1024, np.arange(2))
    assert [picture_md5(picture) for picture in stored] == [ENTRIES[0].final_md5, ENTRIES[2].final_md5]
    with pytest.raises(DataError, match="no good"):
        create_celebahq(tmp_path / "strict", *SOURCES, Options(allow_partial=True, output=Output(strict=True)))


# ---- ready-made pictures ---------------------------------------------------------------------------------------------


@pytest.fixture
def ready_made(pictures, tmp_path, monkeypatch) -> Path:
    """The pictures as files; 8, 9, 10 are in their order by number, not by letters."""
    monkeypatch.setattr(ready, "PICTURES", 3)
    folder = tmp_path / "ready"
    folder.mkdir()
    for index, picture in pictures.items():
        Image.fromarray(picture).save(folder / f"{index + 8}.png", compress_level=1)
    (folder / "README.txt").write_text("no picture")
    return folder


def pack(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"data1024x1024/{file.name}")
        archive.writestr("__MACOSX/._8.png", b"junk")
    return path


def test_ready_made_pictures_give_the_same_set(made, ready_made, tmp_path):
    create_celebahq_from_images(tmp_path / "a" / "hq", ready_made, Options())
    create_celebahq_from_images(tmp_path / "b" / "hq", pack(ready_made, tmp_path / "ready.zip"), Options())
    assert content(tmp_path / "a" / "hq") == content(tmp_path / "b" / "hq") == content(made)


def test_ready_made_pictures_at_128(made, ready_made, tmp_path):
    create_celebahq_from_images(tmp_path / "hq", ready_made, Options(resolution=128))
    stored = [RecordDataset(folder).read(128, np.arange(3)) for folder in (tmp_path / "hq", made)]
    np.testing.assert_array_equal(*stored)


def refusal(images: Path, tmp_path: Path, **options) -> str:
    with pytest.raises(DataError) as caught:
        create_celebahq_from_images(tmp_path / "out", images, Options(**options))
    assert not (tmp_path / "out").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_wrong_number_of_ready_made_pictures_is_refused(ready_made, tmp_path):
    (ready_made / "9.png").unlink()
    assert "2 pictures, CelebA-HQ has 3; --allow_partial" in refusal(ready_made, tmp_path)
    assert create_celebahq_from_images(tmp_path / "out", ready_made, Options(allow_partial=True)).images == 2


@pytest.mark.parametrize("packed", [False, True])
def test_other_sizes_and_other_files_are_refused_before_anything_is_written(ready_made, tmp_path, packed):
    for name, say in {"small": "9.png: 512x512; ", "text": "9.png: no picture that can be read"}.items():
        if name == "small":
            Image.new("RGB", (512, 512)).save(ready_made / "9.png")
        else:
            (ready_made / "9.png").write_bytes(b"text")
        images = pack(ready_made, tmp_path / f"{name}.zip") if packed else ready_made
        assert say in refusal(images, tmp_path, allow_partial=True)


def test_a_file_that_blows_up_is_refused(ready_made, tmp_path, monkeypatch):
    monkeypatch.setattr(ready, "_GREATEST_FILE", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.png", (ready_made / "8.png").read_bytes() + bytes(1 << 21))
    assert "more than --max_file_bytes=1048576" in refusal(tmp_path / "bomb.zip", tmp_path, allow_partial=True)


def test_what_is_no_folder_and_no_archive_is_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"no archive")
    (tmp_path / "empty").mkdir()
    assert "x.zip" in refusal(tmp_path / "x.zip", tmp_path)
    assert "holds no pictures" in refusal(tmp_path / "empty", tmp_path)
    assert "no such folder or archive" in refusal(tmp_path / "none", tmp_path)
