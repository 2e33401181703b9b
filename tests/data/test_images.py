"""Folders of pictures: what is taken, in which order, with which labels; what happens to bad files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources.emoji import create_emoji
from pgan_tf.data.sources.images import Options, create_from_images
from pgan_tf.data.sources.listing import HIDDEN, list_folder
from pgan_tf.data.tools import compare
from pgan_tf.data.verify import verify
from pgan_tf.data.writer import order

AS_IS = Options(resolution=8, output=Output(shuffle=False))


def save(path, value: int, side: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((side, side), value, np.uint8)).save(path)


def values(folder) -> list[int]:
    """The grey value that each picture was made of."""
    dataset = RecordDataset(folder)
    return dataset.read(8, np.arange(dataset.count))[:, 0, 0, 0].tolist()


@pytest.fixture
def pictures(tmp_path):
    """20 pictures in three folders; the value of a picture is its place in the sorted list."""
    names = sorted(
        [f"b/{i:02d}.png" for i in range(7)] + [f"a/x/{i}.bmp" for i in range(6)] + [f"c c/é{i}.gif" for i in range(7)]
    )
    for value, name in enumerate(names):
        save(tmp_path / "in" / name, value)
    return tmp_path / "in"


def test_sorted_by_relative_path(pictures, tmp_path):
    report = create_from_images(tmp_path / "out", pictures, AS_IS)
    assert values(tmp_path / "out") == list(range(20))
    assert (report.images, report.resolutions, report.skipped) == (20, [4, 8], [])
    assert verify(tmp_path / "out", cascade=True).problems == []


def test_shuffled_as_everything_is(pictures, tmp_path):
    create_from_images(tmp_path / "out", pictures, Options(resolution=8))
    assert values(tmp_path / "out") == order(20).tolist()


def test_parallel_equals_serial(pictures, tmp_path):
    for name, workers in (("serial", 1), ("parallel", 3)):
        create_from_images(
            tmp_path / name / "set", pictures, Options(resolution=8, output=Output(workers=workers)), labels="folders"
        )
    for path in (tmp_path / "serial" / "set").iterdir():
        assert path.read_bytes() == (tmp_path / "parallel" / "set" / path.name).read_bytes()


def test_folders_are_labels(pictures, tmp_path):
    report = create_from_images(tmp_path / "out", pictures, Options(resolution=8), labels="folders")
    dataset = RecordDataset(tmp_path / "out")
    classes = np.repeat([0, 1, 2], [6, 7, 7])[values(tmp_path / "out")]
    np.testing.assert_array_equal(dataset.labels, np.eye(3, dtype=np.float32)[classes])
    assert report.label_names == ["a", "b", "c c"]
    assert (tmp_path / "out" / "out-labels.txt").read_text(encoding="utf-8") == "a\nb\nc c\n"


def test_labels_need_folders(pictures, tmp_path):
    save(pictures / "loose.png", 1)
    with pytest.raises(DataError, match=r"--labels=folders: 1 pictures lie directly in .* \(loose.png\)"):
        create_from_images(tmp_path / "out", pictures, AS_IS, labels="folders")


def spoil(pictures) -> None:
    """Makes four of twenty files unreadable, each in its way."""
    (pictures / "b/00.png").write_bytes(b"")
    (pictures / "b/01.png").write_text("not a picture")
    noise = np.random.RandomState(0).randint(0, 256, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(pictures / "b/02.png")
    content = (pictures / "b/02.png").read_bytes()
    (pictures / "b/02.png").write_bytes(content[: len(content) // 2])
    Image.fromarray(noise[..., 0].astype(np.float32)).save(pictures / "b/03.png", format="tiff")


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_files_are_named_and_skipped(pictures, tmp_path, workers):
    spoil(pictures)
    report = create_from_images(
        tmp_path / "out", pictures, AS_IS._replace(output=Output(shuffle=False, workers=workers)), labels="folders"
    )
    assert [file for file, _ in report.skipped] == [f"b/0{i}.png" for i in range(4)]
    assert all(reason for _, reason in report.skipped)
    good = [i for i in range(20) if i not in (6, 7, 8, 9)]
    assert values(tmp_path / "out") == good
    labels = RecordDataset(tmp_path / "out").labels.argmax(axis=1)
    assert labels.tolist() == np.repeat([0, 1, 2], [6, 7, 7])[good].tolist()
    assert "skipped      4" in str(report)
    assert "b/01.png: cannot identify image file" in str(report)


def test_strict_stops_and_leaves_nothing(pictures, tmp_path):
    spoil(pictures)
    with pytest.raises(DataError, match=r"b/00.png: .*\(--strict\)"):
        create_from_images(
            tmp_path / "out", pictures, AS_IS._replace(output=Output(shuffle=False, strict=True, workers=2))
        )
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_nothing_readable(tmp_path):
    for text in ("x", ""):
        (tmp_path / f"in{text}").mkdir()
    (tmp_path / "inx" / "a.png").write_text("x")
    with pytest.raises(DataError, match="holds no pictures"):
        create_from_images(tmp_path / "out", tmp_path / "in", AS_IS)
    with pytest.raises(DataError, match="no such folder"):
        create_from_images(tmp_path / "out", tmp_path / "absent", AS_IS)
    for options in (AS_IS, AS_IS._replace(resolution=None)):
        with pytest.raises(DataError, match=r"none of the 1 picture( file)?s can be read \(a.png"):
            create_from_images(tmp_path / "out", tmp_path / "inx", options)
    assert not (tmp_path / "out").exists()


def test_other_files_are_counted_not_read(pictures):
    (pictures / "notes.txt").touch()
    (pictures / "b" / "index.json").touch()
    (pictures / "b" / "._00.png").write_text("macOS")
    (pictures / ".cache").mkdir()
    save(pictures / ".cache" / "thumb.png", 0)
    listing = list_folder(pictures)
    assert len(listing.paths) == 20
    assert listing.others == {".txt": 1, ".json": 1}
    assert listing.noted == {HIDDEN: 2}


def test_links_to_folders_are_followed_but_not_in_circles(pictures, tmp_path):
    names = list_folder(pictures).paths
    save(tmp_path / "elsewhere" / "z.png", 0)
    (pictures / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(pictures)
    (pictures / "b" / "up").symlink_to("..")
    assert list_folder(pictures).paths == [*names, "linked/z.png"]


def test_the_report_tells_what_was_decided(tmp_path):
    for i, side in enumerate((8, 20, 40)):  # whatever comes first
        save(tmp_path / "in" / f"{i}.png", i, side)
    report = str(create_from_images(tmp_path / "out", tmp_path / "in", Options()))
    assert "3 images, 16x16 RGB" in report
    assert "--resolution=16 was chosen: half of the pictures or more are as large" in report
    assert "1 pictures have a side below 16 pixels (0.png 8x8)" in report
    assert "8x8 (1)" in report
    assert "L (3)" in report


def test_emoji_package(tmp_path):
    """A package of two categories, one emoji with skin tones, one that this vendor has not drawn."""

    def entry(image, category="", drawn=True, **more):
        return {"image": image, "category": category, "has_img_google": drawn, **more}

    tones = {tone: entry(f"b-{tone}.png") for tone in ("1f3fb", "1f3ff")}
    index = [
        entry("c.png", "People & Body"),
        entry("b.png", "People & Body", skin_variations=tones),
        entry("x.png", "People & Body", drawn=False),
        entry("flag.png", "Flags"),
    ]
    package = tmp_path / "package"
    names = ["b-1f3fb.png", "b-1f3ff.png", "b.png", "c.png"]
    for value, name in enumerate([*names, "flag.png"]):
        save(package / "img" / "google" / "64" / name, value, side=64)
    (package / "emoji.json").write_text(json.dumps(index))
    report = create_emoji(tmp_path / "people", package, AS_IS)
    assert (report.images, report.skipped) == (4, [])
    assert values(tmp_path / "people") == [0, 1, 2, 3]
    create_emoji(tmp_path / "flags", package, AS_IS, category="Flags")
    assert values(tmp_path / "flags") == [4]
    with pytest.raises(DataError, match=r"--category=Food: .* it has Flags, People & Body"):
        create_emoji(tmp_path / "food", package, AS_IS, category="Food")
    with pytest.raises(DataError, match=r"give the folder of an unpacked emoji-datasource package"):
        create_emoji(tmp_path / "food", tmp_path, AS_IS)
    (package / "img" / "twitter" / "64").mkdir(parents=True)
    with pytest.raises(DataError, match="found: google, twitter"):
        create_emoji(tmp_path / "food", package, AS_IS)
    (package / "emoji.json").write_text("{")
    with pytest.raises(DataError, match=r"emoji.json: not the index"):
        create_emoji(tmp_path / "food", package, AS_IS)


def test_the_same_pictures_in_another_format_compare_equal(pictures, tmp_path):
    for path in sorted(pictures.rglob("*.bmp")):
        Image.open(path).save(path.with_suffix(".png"))
        path.unlink()
    create_from_images(tmp_path / "a", pictures, AS_IS)
    assert values(tmp_path / "a") == list(range(20))
    assert compare(tmp_path / "a", tmp_path / "a").equal


def test_a_size_that_is_no_power_of_two_is_made_where_it_is_asked_for(pictures, tmp_path):
    options = AS_IS._replace(resolution=6)
    with pytest.raises(DataError, match=r"--resolution=6: must be a power of two.*any other, with --own_size"):
        create_from_images(tmp_path / "out", pictures, options)
    create_from_images(tmp_path / "out", pictures, options._replace(own_size=True))
    dataset = RecordDataset(tmp_path / "out")
    assert (dataset.resolutions, dataset.shape(6)) == ([6], (6, 6, 3))
    assert dataset.read(6, np.arange(20))[:, 0, 0, 0].tolist() == list(range(20))
