"""CelebA's aligned pictures: where they lie, what is cut out, what is checked first."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources import celeba
from pgan_tf.data.sources.celeba import create_celeba
from pgan_tf.data.writer import order

COUNT = 7
NAMES = [f"{i:06d}.jpg" for i in range(1, COUNT + 1)]


def jpeg(seed: int, size=(178, 218)) -> bytes:
    small = np.random.RandomState(seed).randint(0, 256, (9, 9, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(buffer, "jpeg", quality=90)
    return buffer.getvalue()


FILES = {name: jpeg(i) for i, name in enumerate(NAMES)}
PIXELS = [np.asarray(Image.open(io.BytesIO(content))) for content in FILES.values()]


@pytest.fixture(autouse=True)
def small_celeba(monkeypatch):
    """CelebA, had it seven pictures."""
    monkeypatch.setattr(celeba, "COUNT", COUNT)


def write(folder, files=FILES):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def write_zip(path, files=FILES):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("img_align_celeba") if hasattr(archive, "mkdir") else None
        for name in sorted(files, reverse=True):
            archive.writestr(f"img_align_celeba/{name}", files[name])
    return path


def stored(folder) -> np.ndarray:
    dataset = RecordDataset(folder)
    assert (dataset.resolution, dataset.channels, dataset.labels) == (128, 3, None)
    return dataset.read(128, np.arange(dataset.count))


LAYOUTS = {
    "the folder": lambda root: write(root / "img_align_celeba"),
    "its parent": lambda root: write(root / "img_align_celeba").parent,
    "as on the drive": lambda root: write(root / "Img" / "img_align_celeba").parent.parent,
    "a folder in a folder": lambda root: write(root / "img_align_celeba" / "img_align_celeba").parent.parent,
    "the zip": lambda root: write_zip(root / "renamed.zip"),
    "the zip in a folder": lambda root: write_zip(root / "img_align_celeba.zip").parent,
    "the zip in Img": lambda root: write_zip(root / "Img" / "img_align_celeba.zip").parent.parent,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_middle_of_every_face(tmp_path, layout):
    """Rows 57..184 and columns 25..152 of the pictures sorted by name, then shuffled as everything is."""
    create_celeba(tmp_path / "out", LAYOUTS[layout](tmp_path / "in"))
    expected = np.array([pixels[57:185, 25:153] for pixels in PIXELS])
    np.testing.assert_array_equal(stored(tmp_path / "out"), expected[order(COUNT)])


def test_png_as_well(tmp_path):
    """The original reads PNG files, unpacked from the 7z archives."""
    folder = tmp_path / "in" / "img_align_celeba_png"
    folder.mkdir(parents=True)
    for name, pixels in zip(NAMES, PIXELS, strict=True):
        Image.fromarray(pixels).save(folder / name.replace("jpg", "png"))
    create_celeba(tmp_path / "a", tmp_path / "in")
    create_celeba(tmp_path / "b", write(tmp_path / "jpg"))
    np.testing.assert_array_equal(stored(tmp_path / "a"), stored(tmp_path / "b"))


def test_another_centre(tmp_path):
    create_celeba(tmp_path / "out", write(tmp_path / "in"), cx=64, cy=154, output=Output(shuffle=False))
    np.testing.assert_array_equal(stored(tmp_path / "out"), [pixels[90:218, :128] for pixels in PIXELS])


@pytest.mark.parametrize("centre", [{"cx": 63}, {"cx": 115}, {"cy": 63}, {"cy": 155}])
def test_centres_beyond_the_picture(tmp_path, centre):
    with pytest.raises(DataError, match="cx must be 64 to 114, cy 64 to 154"):
        create_celeba(tmp_path / "out", write(tmp_path / "in"), **centre)


def refused(tmp_path, folder, **options) -> str:
    with pytest.raises(DataError) as info:
        create_celeba(tmp_path / "out", folder, **options)
    assert "\n" not in str(info.value)
    assert not (tmp_path / "out").exists()
    return str(info.value)


def test_all_are_needed(tmp_path):
    folder = write(tmp_path / "in")
    (folder / NAMES[2]).unlink()
    assert f"6 aligned pictures, CelebA has {COUNT}; complete it, or give --allow_partial" in refused(tmp_path, folder)
    create_celeba(tmp_path / "out", folder, allow_partial=True)
    assert len(stored(tmp_path / "out")) == 6


@pytest.mark.parametrize("allow_partial", [False, True])
def test_all_have_one_size(tmp_path, allow_partial):
    folder = write(tmp_path / "in", {**FILES, NAMES[4]: jpeg(4, (409, 687))})
    message = refused(tmp_path, folder, allow_partial=allow_partial)
    assert "000005.jpg: 409x687, aligned CelebA has 178x218" in message


@pytest.mark.parametrize("layout", [write, lambda path, files: write_zip(path / "img_align_celeba.zip", files)])
def test_unreadable_files(tmp_path, layout):
    layout(tmp_path / "in", {**FILES, NAMES[4]: b"?"})
    assert "000005.jpg: cannot be read; download it again" in refused(tmp_path, tmp_path / "in")
    report = create_celeba(tmp_path / "out", tmp_path / "in", allow_partial=True)
    assert [name[-10:] for name, _ in report.skipped] == ["000005.jpg"]
    assert len(stored(tmp_path / "out")) == COUNT - 1


def test_other_places(tmp_path):
    assert "no such folder or zip" in refused(tmp_path, tmp_path / "absent")
    assert "holds no 000001.jpg" in refused(tmp_path, write(tmp_path / "in", {"a.jpg": FILES[NAMES[0]]}))
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("cat.jpg", FILES[NAMES[0]])
    assert "holds cat.jpg; it should hold 000001.jpg ... only" in refused(tmp_path, tmp_path / "other.zip")
    (tmp_path / "x.zip").write_bytes(b"<html>quota exceeded")
    assert "x.zip: cannot be read as an archive" in refused(tmp_path, tmp_path / "x.zip")


def test_the_count_of_celeba(monkeypatch):
    monkeypatch.undo()
    assert celeba.COUNT == 202599
