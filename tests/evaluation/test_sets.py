"""Sets of images: the same pictures are the same set, wherever and however they are kept."""

import os

import numpy as np
import pytest
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.frechet import Statistics
from PIL import Image

from pgan_tf.data.errors import DataError
from pgan_tf.data.holdout import split
from pgan_tf.data.writer import DatasetWriter
from pgan_tf.evaluation import sets
from pgan_tf.evaluation.sets import ImageSet, StatisticsSet, open_set


def pictures(count: int = 70, channels: int = 3, side: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, channels), np.uint8)


def everything(images: ImageSet) -> np.ndarray:
    return np.concatenate(list(images))


def as_folder(path, images):
    path.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image.squeeze()).save(path / f"{index:04d}.png")
    return path


def as_npy(path, images):
    np.save(path.with_suffix(".npy"), images)
    return path.with_suffix(".npy")


def as_npz(path, images):
    np.savez(path.with_suffix(".npz"), images)
    return path.with_suffix(".npz")


def as_records(path, images):
    with DatasetWriter(path, images.shape[1], images.shape[3]) as writer:
        for image in images:
            writer.add(image)
    return path


def as_shards(path, images):
    with DatasetWriter(path, images.shape[1], images.shape[3], 3, len(images)) as writer:
        for image in images:
            writer.add(image)
    return path


KINDS = {"shards": as_shards, "folder": as_folder, "npy": as_npy, "npz": as_npz, "records": as_records}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_holds_the_same_pictures_and_can_be_read_twice(kind, channels, tmp_path):
    images = pictures(channels=channels)
    found = open_set(KINDS[kind](tmp_path / "set", images))
    assert (found.count, found.shape) == (70, (16, 16, channels))
    for _ in range(2):
        np.testing.assert_array_equal(everything(found), images)


@pytest.mark.parametrize("kind", KINDS)
def test_digest_is_of_the_content(kind, tmp_path):
    images = pictures()
    ours, copy = (open_set(KINDS[kind](tmp_path / name, images)) for name in ("a", "b"))
    images[33, 5, 5, 0] ^= 1
    other = open_set(KINDS[kind](tmp_path / "c", images))
    assert ours.digest == copy.digest != other.digest
    assert ours.part(0, 30, "").digest not in (ours.digest, ours.part(30, 30, "").digest)


def test_parts_are_disjoint_and_in_order(tmp_path):
    images = pictures()
    found = open_set(as_npy(tmp_path / "set", images))
    halves = [everything(found.part(start, 35, "half")) for start in (0, 35)]
    np.testing.assert_array_equal(np.concatenate(halves), images)


def test_about_half_of_the_images_are_mirrored(tmp_path):
    """Each is itself or its mirror image, the same at every reading and in every part; the set is another one."""
    images = pictures(200)
    path = as_npy(tmp_path / "set", images)
    plain, found = open_set(path), open_set(path, mirror=True)
    turned = np.array([np.array_equal(x, y[:, ::-1]) for x, y in zip(everything(found), images, strict=True)])
    np.testing.assert_array_equal(everything(found)[~turned], images[~turned])
    assert 70 < sum(turned) < 130
    np.testing.assert_array_equal(everything(found.part(30, 90, "part")), everything(found)[30:120])
    np.testing.assert_array_equal(everything(plain.part(30, 90, "part").in_mirror()), everything(found)[30:120])
    assert found.digest == open_set(path, mirror=True).digest != plain.digest


def test_what_is_held_out_is_what_the_run_with_this_holdout_has_not_seen(tmp_path):
    """The two parts are the whole set, also where it is mirrored; each is a set of its own."""
    path = as_npy(tmp_path / "set", pictures(200))
    for whole in (open_set(path), open_set(path, mirror=True)):
        for part, positions in zip(whole.parted(0.3), split(200, 0.3), strict=True):
            np.testing.assert_array_equal(everything(part), everything(whole)[positions])
        trained, held_out = whole.parted(0.3)
        assert len({whole.digest, trained.digest, held_out.digest, whole.parted(0.4)[1].digest}) == 4
        assert (trained.held_out, held_out.held_out, held_out.mirrored) == (0, 0.3, whole.mirrored)
    np.testing.assert_array_equal(everything(held_out.part(5, 20, "some")), everything(held_out)[5:25])


@pytest.mark.parametrize(("share", "words"), [(0.001, "is none"), (0.999, "is all"), (-0.2, "is none"), (2, "is all")])
def test_a_part_that_is_none_or_all_is_refused(share, words, tmp_path):
    with pytest.raises(MetricError, match=f"^--held_out={share}: {words} of the 70 in .*give a share such as 0.25$"):
        open_set(as_npy(tmp_path / "set", pictures())).parted(share)


def test_points_and_statistics_have_no_mirror_image(tmp_path):
    np.save(tmp_path / "points.npy", np.zeros([8, 2], np.float32))
    np.savez(tmp_path / "statistics.npz", mu=np.zeros(4), sigma=np.eye(4))
    for name in ("points.npy", "statistics.npz"):
        with pytest.raises(MetricError, match=f"{name}: has no images that could be mirrored; leave out --mirror_au"):
            open_set(tmp_path / name, mirror=True)


def test_a_level_of_a_data_set_can_be_chosen(tmp_path):
    folder = as_records(tmp_path / "set", pictures())
    assert open_set(folder, 8).shape == (8, 8, 3)
    assert open_set(folder, 8).digest != open_set(folder).digest


@pytest.mark.parametrize("odd", ["0000.png", "0007.png", "zz.png"])
def test_one_grey_picture_changes_no_other(odd, tmp_path):
    """Wherever it is in the order; the user is told its name."""
    images = pictures(9)
    folder = as_folder(tmp_path / "set", images)
    Image.new("L", (16, 16), 77).save(folder / odd)
    found = open_set(folder)
    expected = {path.name: np.asarray(Image.open(path).convert("RGB")) for path in folder.iterdir()}
    np.testing.assert_array_equal(everything(found), [expected[name] for name in sorted(expected)])
    assert found.notes == (f"{folder}: 1 picture ({odd}) is grey, the others are not; all are measured in colour",)


def test_one_coloured_picture_among_grey_ones_is_named(tmp_path):
    folder = as_folder(tmp_path / "set", pictures(5, 1))
    Image.fromarray(pictures(1, 3)[0]).save(folder / "9.png")
    assert open_set(folder).shape == (16, 16, 3)
    assert "1 picture (9.png) is in colour" in open_set(folder).notes[0]
    (folder / "9.png").unlink()
    assert (open_set(folder).shape, open_set(folder).notes) == ((16, 16, 1), ())


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_a_pipe_is_refused(name, tmp_path):
    """Opening one would wait for ever."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(MetricError, match="not a file"):
        open_set(tmp_path / name)


def test_what_is_no_picture_of_the_set_is_said(tmp_path):
    folder = as_folder(tmp_path / "set", pictures(5))
    (folder / "6.jxl").write_bytes(b"\xff\x0a")
    (note,) = open_set(folder).notes
    assert ".jxl (1)" in note


def test_the_size_is_that_of_most(tmp_path):
    folder = as_folder(tmp_path / "set", pictures(5))
    Image.new("RGB", (1, 1)).save(folder / "0000.png")
    with pytest.raises(MetricError, match=r"1 picture \(0000.png\) is not 16x16 as most are \(the first has 1x1\)"):
        open_set(folder)


def test_pictures_on_their_side_are_as_they_are_seen(tmp_path):
    """12x16 of a camera held upright, EXIF orientation 6: 16x12 in the file."""
    (tmp_path / "set").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (16, 12)).save(tmp_path / "set" / "a.jpg", exif=exif)
    Image.new("RGB", (12, 16)).save(tmp_path / "set" / "b.jpg")
    assert everything(open_set(tmp_path / "set")).shape == (2, 16, 12, 3)


def test_statistics_are_told_from_images(tmp_path):
    Statistics.of(np.random.default_rng(0).standard_normal((9, 4))).save(tmp_path / "s.npz")
    found = open_set(tmp_path / "s.npz")
    assert isinstance(found, StatisticsSet)
    assert found.statistics.count == 9


def mixed_sizes(path):
    folder = as_folder(path, pictures(3))
    Image.new("RGB", (20, 16)).save(folder / "zz.png")
    return folder


def broken_picture(path):
    folder = as_folder(path, pictures(3))
    (folder / "0001.png").write_bytes(b"no picture")
    return folder


def text(name, content=b"nothing"):
    def write(path):
        path.mkdir()
        (path / name).write_bytes(content)
        return path / name

    return write


def two_arrays(path):
    np.savez(path.with_suffix(".npz"), a=pictures(2), b=pictures(2))
    return path.with_suffix(".npz")


@pytest.mark.parametrize(
    ("make", "resolution", "message"),
    [
        (lambda path: path / "missing", None, "no such file"),
        (lambda path: path.mkdir() or path, None, "neither pictures nor a data set"),
        (mixed_sizes, None, r"1 picture \(zz.png\) is not 16x16 as most are \(the first has 20x16\)"),
        (broken_picture, None, "0001.png: cannot be read"),
        (text("x.txt"), None, "give a folder"),
        (text("x.npy"), None, "cannot be read as .npy"),
        (text("x.npz"), None, "cannot be read as .npz"),
        (two_arrays, None, "holds a, b"),
        (lambda path: as_npy(path, pictures().astype(np.float32)), None, "must be uint8"),
        (lambda path: as_npy(path, pictures().transpose(0, 3, 1, 2)), None, "must be uint8"),
        (lambda path: as_npy(path, pictures()), 32, "have 16 pixels, not 32"),
        (lambda path: as_records(path, pictures()), 32, "has no resolution 32; it has 4, 8, 16"),
    ],
)
def test_what_is_no_set(make, resolution, message, tmp_path):
    with pytest.raises((MetricError, DataError), match=message) as error:
        everything(open_set(make(tmp_path / "set"), resolution))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("reader", ["picture_kind", "read_picture"])
def test_a_decoder_that_fails_without_a_word(reader, tmp_path, monkeypatch):
    def fail(file, *more):
        raise EOFError

    monkeypatch.setattr(sets, reader, fail)
    with pytest.raises(MetricError, match=r"0000\.png: cannot be read as a picture \(EOFError\)"):
        everything(open_set(as_folder(tmp_path / "set", pictures(1))))


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_cut_short_under_its_reader_is_no_signal(tmp_path, order):
    """What is in memory already stays; what is not is one line."""
    images = np.random.RandomState(0).randint(0, 256, (40, 8, 8, 3)).astype(np.uint8)
    np.save(tmp_path / "x.npy", np.asarray(images, order=order))
    found = sets.open_set(tmp_path / "x.npy")
    np.testing.assert_array_equal(found.read(np.array([7, 0, 39])), images[[7, 0, 39]])
    (tmp_path / "x.npy").write_bytes(b"")
    if order == "F":
        np.testing.assert_array_equal(found.read(np.arange(40)), images)
    else:
        with pytest.raises(DataError, match=r"x\.npy: was written to while it was being read"):
            found.read(np.arange(40))


def test_an_archive_that_unpacks_to_more_than_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sets, "_MOST_UNPACKED", 10_000)
    np.savez_compressed(tmp_path / "x.npz", images=np.zeros((100, 8, 8, 3), np.uint8))
    with pytest.raises(
        MetricError, match=r"x\.npz: its arrays have 19,\d+ bytes, more than 10,000; save the images as"
    ):
        sets.open_set(tmp_path / "x.npz")


def test_statistics_that_unpack_to_more_than_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pgan_tf.metrics.frechet._MOST_UNPACKED", 10_000)
    np.savez_compressed(tmp_path / "x.npz", mu=np.zeros(100), sigma=np.zeros((100, 100)))
    with pytest.raises(MetricError, match=r"x\.npz: its arrays have 8\d,\d+ bytes, more than 10,000"):
        sets.open_set(tmp_path / "x.npz")
