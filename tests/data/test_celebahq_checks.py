"""What create_celebahq finds out before it makes the first picture."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pgan_tf.data import DataError
from pgan_tf.data.celebahq import checks
from pgan_tf.data.celebahq.checks import check_inputs, check_space, find_inputs
from pgan_tf.data.celebahq.create import Options, celebahq_source, create_celebahq
from pgan_tf.data.celebahq.listing import read_image_list, read_landmarks
from pgan_tf.data.celebahq.work import WorkFolder

GOLDEN = Path(__file__).parents[1] / "golden" / "celebahq_fixture"
FIRST_MD5 = "964e2de89405d6d8419f10c4ebb3ba72"  # of the golden 000001.jpg, which is not CelebA's


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """A complete miniature of the sources, to damage."""
    pytest.importorskip("jpeglib")
    pytest.importorskip("cryptography")
    monkeypatch.setattr(checks, "PICTURES", 3)
    monkeypatch.setattr(checks, "FIRST_JPEG_MD5", FIRST_MD5)
    return Path(shutil.copytree(GOLDEN, tmp_path / "tree"))


def prepare(tree: Path, **options):
    """The source that is checked, without a picture made."""
    return celebahq_source(tree / "out", tree / "CelebA", tree / "CelebA-HQ", Options(**options))[0]


def refusal(tree: Path, **options) -> list[str]:
    """The lines of the refusal; nothing must have been written."""
    before = sorted(tree.rglob("*"))
    with pytest.raises(DataError) as caught:
        create_celebahq(tree / "out", tree / "CelebA", tree / "CelebA-HQ", Options(**options))
    assert sorted(tree.rglob("*")) == before
    return str(caught.value).splitlines()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_source_has_the_pictures_in_the_order_of_the_list(tree):
    source = prepare(tree, resolution=128)
    assert (source.resolution, source.channels, source.labels, source.notes) == (128, 3, None, [])
    assert [item.entry.file for item in source.items] == ["000002.jpg", "000001.jpg", "000003.jpg"]
    assert source.items[0].landmarks == (34, 59, 66, 45, 58, 71, 52, 93, 79, 80)
    assert source.name(source.items[2]) == "picture 2 (000003.jpg)"


def test_the_folder_as_celeba_is_distributed(tree):
    (tree / "CelebA" / "Img").mkdir()
    (tree / "CelebA" / "img_celeba").rename(tree / "CelebA" / "Img" / "img_celeba")
    assert len(prepare(tree).items) == 3


def test_all_that_is_missing_gets_its_line(tree):
    shutil.rmtree(tree / "CelebA" / "Anno")
    shutil.rmtree(tree / "CelebA" / "img_celeba")
    (tree / "CelebA-HQ" / "image_list.txt").unlink()
    lines = refusal(tree)
    assert len(lines) == 3
    assert [word in line for word, line in zip(["img_celeba", "landmarks", "image_list.txt"], lines, strict=True)] == [
        True
    ] * 3


def lose_jpeg(tree):
    (tree / "CelebA" / "img_celeba" / "000003.jpg").unlink()


def lose_landmarks(tree):
    path = tree / "CelebA" / "Anno" / "list_landmarks_celeba.txt"
    edit(path, "000003.jpg", "000009.jpg")


def lose_delta(tree):
    path = tree / "CelebA-HQ" / "deltas00000.zip"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"delta00002.dat", b"delta00009.dat"))


def lose_row(tree):
    path = tree / "CelebA-HQ" / "image_list.txt"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


LOSSES = {
    lose_jpeg: "img_celeba: lacks 1 pictures: 2 (000003.jpg); ",
    lose_landmarks: "not the landmarks of 1 pictures: 2 (000003.jpg); ",
    lose_delta: "the archives lack the deltas of 1 pictures: 2 (000003.jpg); ",
    lose_row: "has 2 rows, the whole list 3; ",
}


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
def test_one_missing_thing_is_named_and_may_be_left_out(tree, lose):
    lose(tree)
    lines = refusal(tree)
    assert len(lines) == 1
    assert LOSSES[lose] in lines[0]
    assert lines[0].endswith("--allow_partial takes what is there")
    source = prepare(tree, allow_partial=True)
    assert [item.entry.index for item in source.items] == [0, 1]
    assert LOSSES[lose] in source.notes[0]


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_without_any_archive_there_is_nothing_to_make(tree, content):
    path = tree / "CelebA-HQ" / "deltas00000.zip"
    path.unlink()
    if content:
        path.write_bytes(content)
    for allow_partial in (False, True):
        lines = refusal(tree, allow_partial=allow_partial)
        assert lines == [line for line in lines if "lacks the archives, or they are damaged, for 3 pictures" in line]


def test_the_whole_list_has_30000_rows(tree, monkeypatch):
    monkeypatch.undo()
    inputs = find_inputs(tree / "CelebA", tree / "CelebA-HQ")
    problems, usable = check_inputs(inputs, read_image_list(inputs.image_list), read_landmarks(inputs.landmarks))
    assert problems == [f"{inputs.image_list}: has 3 rows, the whole list 30000; fetch it again"]
    assert len(usable) == 3


def test_many_missing_things_are_counted(tree):
    entries = [
        entry._replace(index=i) for i, entry in enumerate(read_image_list(tree / "CelebA-HQ/image_list.txt") * 5)
    ]
    inputs = find_inputs(tree / "CelebA", tree / "CelebA-HQ")
    problems, usable = check_inputs(inputs, entries, read_landmarks(inputs.landmarks))
    assert "lack the deltas of 12 pictures: 3 (000002.jpg), 4 (000001.jpg), 5 (000003.jpg) ...;" in problems[1]
    assert [entry.index for entry in usable] == [0, 1, 2]


def test_another_decoder_or_another_file_is_told(tree, monkeypatch):
    monkeypatch.setattr(checks, "FIRST_JPEG_MD5", "0" * 32)
    (line,) = refusal(tree, allow_partial=True)
    assert f"000001.jpg: its pixels have the md5 {FIRST_MD5}, not 000" in line


def test_the_published_md5_is_the_one_that_is_asked_for(tree, monkeypatch):
    monkeypatch.undo()
    assert "not 9cad8178d6cb0196b36f7b34bc5eb6d3" in refusal(tree)[0]


def test_a_full_disk_is_told_before(tree, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**12, 10**12, 10**6))
    (line,) = refusal(tree)
    assert "0.0 GB are free, 0.0 GB are needed" in line
    needed = 3 * 3 * 1024**2 * (4 / 3 + 0.5)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**12, 10**12, round(needed)))
    entries = [item.entry for item in prepare(tree).items]
    check_space(tree / "no" / "such" / "out", entries, WorkFolder(tree / "out", 1024))


@pytest.mark.parametrize("resolution", [0, 2, 100, 2048, -4])
def test_other_resolutions_are_refused(tree, resolution):
    assert refusal(tree, resolution=resolution)[0].startswith(f"--resolution={resolution}: must be a power of two")


def test_a_target_that_exists_is_refused(tree):
    (tree / "out").mkdir()
    (tree / "out" / "x").touch()
    assert "exists already" in refusal(tree)[0]


@pytest.mark.parametrize("package", ["jpeglib", "cryptography.fernet"])
def test_without_a_package_one_line_says_what_to_install(tree, monkeypatch, package):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    (line,) = refusal(tree)
    assert line.endswith("pip install 'pgan_tf[celebahq]'")


# ---- the two lists ---------------------------------------------------------------------------------------------------

LIST_DAMAGE = {
    "header": ("orig_file", "file", "its first line must be"),
    "idx": ("1       0", "7       0", "row 1 has idx 7"),
    "number": ("1       0", "1       a", "row 1: needs two numbers"),
    "path": ("000001.jpg", "../x.jpg", "row 1: needs two numbers, a bare file name"),
    "md5": ("dd630f", "dd630g", "row 1: needs two numbers, a bare file name and two md5 sums"),
    "columns": ("dd630f", "dd 630f", "row 1: needs"),
    "binary": ("dd630f", "dd630\xff", "not a text file"),
}


@pytest.mark.parametrize("kind", LIST_DAMAGE)
def test_a_damaged_image_list_is_refused_in_one_line(tmp_path, kind):
    old, new, message = LIST_DAMAGE[kind]
    path = tmp_path / "image_list.txt"
    text = (GOLDEN / "CelebA-HQ" / "image_list.txt").read_text()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode("latin-1"))
    with pytest.raises(DataError, match=message) as caught:
        read_image_list(path)
    assert "\n" not in str(caught.value)


LANDMARK_DAMAGE = {
    "count": ("4\n", "5\n", "announces 5 rows and has 4"),
    "no count": ("4\n", "", "must start with a number"),
    "header": ("lefteye_x", "x", "must start with a number"),
    "short": (" 101  136", " 101", "row 0: needs a file name and 10 whole numbers"),
    "fraction": (" 101  136", " 101  13.", "row 0: needs a file name and 10 whole numbers"),
}


@pytest.mark.parametrize("kind", LANDMARK_DAMAGE)
def test_damaged_landmarks_are_refused_in_one_line(tmp_path, kind):
    old, new, message = LANDMARK_DAMAGE[kind]
    path = tmp_path / "list.txt"
    text = (GOLDEN / "CelebA" / "Anno" / "list_landmarks_celeba.txt").read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=message) as caught:
        read_landmarks(path)
    assert "\n" not in str(caught.value)


def test_empty_lines_are_no_rows(tmp_path):
    path = tmp_path / "image_list.txt"
    path.write_text((GOLDEN / "CelebA-HQ" / "image_list.txt").read_text() + "\n\n")
    assert len(read_image_list(path)) == 3
