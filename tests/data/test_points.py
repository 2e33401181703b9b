"""Points in the plane: what is drawn, and the data sets that hold it."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics.planar import mixture_scores, swiss_roll_score

from pgan_tf.commands.create import PLANAR
from pgan_tf.data import DataError, DatasetWriter, RecordDataset, tfrecord
from pgan_tf.data.points import Origin, PointDataset, has_points, write_points
from pgan_tf.data.sources.planar import DISTRIBUTIONS, create_planar, swiss_roll
from pgan_tf.data.tools import compare, convert, display, extract, stats
from pgan_tf.data.tools.batches import label_names
from pgan_tf.data.verify import verify
from pgan_tf.plane import Frame, data_points
from pgan_tf.programs import dataset_tool


@pytest.fixture
def ring(tmp_path):
    """Eight Gaussians, 5,000 points: two records."""
    create_planar(tmp_path / "ring", "gaussians8", 5000, seed=3)
    return tmp_path / "ring"


# ---- what is drawn ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "noise", "seed"), [(1, 0.2, 0), (1000, 0.0, 7), (10_000, 0.5, 2**32 - 1)])
def test_the_roll_is_scikit_learns_to_the_bit(count, noise, seed):
    datasets = pytest.importorskip("sklearn.datasets")
    theirs, _ = datasets.make_swiss_roll(count, noise=noise, random_state=seed)
    np.testing.assert_array_equal(swiss_roll(np.random.RandomState(seed), count, noise), theirs[:, [0, 2]])


def test_the_roll_is_the_one_of_sandstroems_published_code():
    """The first of 8 points with noise 0.5 and seed 3, drawn by that code on its own old stack."""
    points = swiss_roll(np.random.RandomState(3), 8, 0.5)
    np.testing.assert_allclose(points[0], [-8.765038988617059, -4.18981361829826], rtol=1e-14)
    np.testing.assert_allclose(points[7], [6.08128284111437, 1.9754560811800346], rtol=1e-14)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_all_but_one_are_centred_at_the_origin(name):
    row = DISTRIBUTIONS[name]
    mean = row.draw(np.random.RandomState(0), 200_000, row.noise).mean(axis=0)
    expected = [2, 2 / (3 * np.pi)] if name == "swissroll_uncentred" else [0, 0]
    np.testing.assert_allclose(mean, expected, atol=0.06)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_seed_makes_the_points_and_the_noise_is_theirs(name):
    row = DISTRIBUTIONS[name]
    one, same, other = (row.draw(np.random.RandomState(seed), 500, 0.3) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    added = one - row.draw(np.random.RandomState(1), 500, 0.0)
    if name == "two_lines":  # whose noise is drawn first, so that all the rest stays
        added = added[:, :1]
    assert added.std() == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize(("name", "modes"), [("gaussians8", 8), ("gaussians25", 25), ("two_lines", 2)])
def test_labels_are_the_modes_and_each_has_as_many_points(name, modes, tmp_path):
    create_planar(tmp_path / "set", name, 100 * modes)
    dataset = PointDataset(tmp_path / "set")
    mode = dataset.labels.argmax(axis=1)
    np.testing.assert_array_equal(dataset.labels, np.eye(modes)[mode])
    np.testing.assert_array_equal(np.bincount(mode), [100] * modes)
    centres, noise = DISTRIBUTIONS[name].centres, dataset.origin.noise
    away = dataset.points - centres[mode]
    away = away[:, :1] if name == "two_lines" else away
    assert np.abs(away).max() < 6 * noise
    assert [tuple(map(float, line.split())) for line in label_names(dataset)] == [
        (round(x, 3), round(y, 3)) for x, y in centres
    ]


def test_the_metrics_of_the_plane_know_the_data(ring, tmp_path):
    centres = DISTRIBUTIONS["gaussians8"].centres
    scores = mixture_scores(PointDataset(ring).points, centres, PointDataset(ring).origin.noise)
    assert scores["modes"] == 8
    assert scores["high_quality"] == pytest.approx(0.989, abs=0.01)
    create_planar(tmp_path / "roll", "swissroll_uncentred", 3000)
    roll = PointDataset(tmp_path / "roll")
    assert swiss_roll_score(roll.points, roll.origin.noise)["high_quality"] == pytest.approx(0.997, abs=0.01)


def test_the_commands_choices_are_the_distributions():
    assert list(PLANAR) == list(DISTRIBUTIONS)


# ---- the set on the disk ---------------------------------------------------------------------------------------------


def test_a_set_is_read_as_it_was_written(tmp_path):
    rng = np.random.default_rng(0)
    points, labels = rng.normal(0, 3, (9000, 2)).astype(np.float32), np.eye(3)[np.arange(9000) % 3]
    write_points(tmp_path / "set", points, labels, ["a", "b", "c"], Origin("mine", 0.5, 7))
    dataset = PointDataset(tmp_path / "set")
    np.testing.assert_array_equal(dataset.points, points)
    np.testing.assert_array_equal(dataset.labels, labels)
    assert (dataset.origin, dataset.count, dataset.name) == (Origin("mine", 0.5, 7), 9000, "set")
    index = np.array([8999, 0, 8999])
    for level in (4, 8):
        np.testing.assert_array_equal(dataset.read(level, index), points[index])
        assert dataset.read(level, index).shape == (3, *dataset.shape(level))
    with pytest.raises(IndexError):
        dataset.read(4, np.array([9000]))


def test_tensorflow_reads_the_records(ring):
    features = {"shape": tf.io.FixedLenFeature([2], tf.int64), "data": tf.io.FixedLenFeature([], tf.string)}
    parts = []
    for record in tf.data.TFRecordDataset(str(ring / "ring-points.tfrecords")):
        example = tf.io.parse_single_example(record, features)
        parts.append(tf.reshape(tf.io.decode_raw(example["data"], tf.float32), example["shape"]).numpy())
    np.testing.assert_array_equal(np.concatenate(parts), PointDataset(ring).points)


@pytest.mark.parametrize("byte", [5, 100, 20_000, -3])
def test_a_flipped_bit_anywhere_is_found_and_named(byte, ring):
    path = ring / "ring-points.tfrecords"
    content = bytearray(path.read_bytes())
    content[byte] ^= 8
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"ring-points\.tfrecords: record [01] at byte \d+: "):
        PointDataset(ring)
    (problem,) = verify(ring).problems
    assert "record" in problem


def of_pictures(path):
    shutil.rmtree(path)
    with DatasetWriter(path, 4, 1) as writer:
        writer.add(np.zeros((4, 4, 1), np.uint8))


def cut_off(path):
    records = path / "ring-points.tfrecords"
    records.write_bytes(records.read_bytes()[:-9])


def fewer_labels(path):
    with open(path / "ring-rxx.labels", "wb") as file:
        np.save(file, np.zeros((3, 8)))


def record(points):
    return lambda path: (path / "ring-points.tfrecords").write_bytes(tfrecord.frame(points))


def origin(text):
    return lambda path: (path / "ring-points.json").write_text(text)


DAMAGED = {
    "empty": (lambda path: (path / "ring-points.tfrecords").write_bytes(b""), "the file is empty"),
    "cut off": (cut_off, "truncated"),
    "no number": (record(tfrecord.encode_points(np.array([[np.nan, 1]]))), "a point is no number"),
    "infinite": (record(tfrecord.encode_points(np.array([[1, np.inf]]))), "a point is no number"),
    "three components": (record(tfrecord.encode_points(np.zeros((4, 3)))), "not a record of points"),
    "a picture": (record(tfrecord.encode_image(np.zeros((2, 2, 1), np.uint8))), "not a record of points"),
    "fewer bytes": (record(tfrecord._before_data((5, 2), 16) + bytes(16)), "`data` has 16 bytes"),
    "no points": (record(tfrecord.encode_points(np.zeros((0, 2)))), "holds no point"),
    "garbage": (record(b"garbage"), "not a serialized"),
    "no origin": (lambda path: (path / "ring-points.json").unlink(), "cannot be read"),
    "no JSON": (origin("{"), "does not say"),
    "a list": (origin("[1]"), "does not say"),
    "half an origin": (origin('{"distribution": "x"}'), "does not say"),
    "nested": (origin("[" * 100_000), "does not say"),
    "labels": (fewer_labels, "3 labels for"),
    "two sets": (lambda path: shutil.copy(path / "ring-points.tfrecords", path / "b-points.tfrecords"), "several"),
    "and pictures": (lambda path: shutil.copy(path / "ring-points.tfrecords", path / "a-r02.tfrecords"), "several"),
    "only pictures": (of_pictures, "holds images, and this takes points in the plane; make some"),
    "nothing": (lambda path: (path / "ring-points.tfrecords").unlink(), r"holds no \*-points"),
    "no folder": (shutil.rmtree, "no such folder"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGED)
def test_what_is_no_sound_set_of_points_is_refused_in_one_line(kind, ring):
    damage, words = DAMAGED[kind]
    damage(ring)
    with pytest.raises(DataError, match=words) as error:
        PointDataset(ring)
    assert str(ring) in str(error.value)
    assert "\n" not in str(error.value)


def test_points_beside_images_are_several_sets(tmp_path):
    with DatasetWriter(tmp_path / "a", 4, 1) as writer:
        writer.add(np.zeros((4, 4, 1), np.uint8))
    create_planar(tmp_path / "b", "swissroll", 5)
    shutil.copy(tmp_path / "b" / "b-points.tfrecords", tmp_path / "a")
    with pytest.raises(DataError, match="several data sets"):
        RecordDataset(tmp_path / "a")


def test_nothing_is_left_of_a_set_that_could_not_be_written(tmp_path):
    with pytest.raises(DataError, match="a point is no number"):
        write_points(tmp_path / "set", np.array([[np.nan, 0.0]]), None, [], Origin("x", 0, 0))
    assert list(tmp_path.iterdir()) == []


# ---- tools -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        RecordDataset,
        lambda path: extract(path, path.parent / "out"),
        lambda path: convert(path, path.parent / "out", "zip"),
        lambda path: compare(path, path),
        lambda path: display(path, html=path.parent / "a.html"),
        lambda path: display(path, path.parent / "a.png", resolution=8),
        lambda path: display(path, path.parent / "a.png", num=0),
        lambda path: create_planar(path, "swissroll"),
        lambda path: create_planar(path.parent / "new", "spiral"),
    ],
)
def test_what_is_not_for_points_says_so_and_writes_nothing(use, ring):
    before = sorted(ring.parent.rglob("*"))
    with pytest.raises(DataError) as error:
        use(ring)
    assert "\n" not in str(error.value)
    assert sorted(ring.parent.rglob("*")) == before


def test_stats_are_those_of_the_points(ring):
    found, points = stats(ring), PointDataset(ring).points.astype(float)
    np.testing.assert_allclose([*found.mean, *found.std], [*points.mean(0), *points.std(0)])
    assert found.covariance == pytest.approx(np.cov(points.T, bias=True)[0, 1])
    assert (found.count, found.repeats, found.labels["2 0"]) == (5000, 0, 625)
    assert "5000 points in the plane, gaussians8, noise 0.02, seed 3" in str(found)


def test_repeated_points_are_counted(tmp_path):
    points = np.array([[1, 2], [3, 4], [1, 2], [1, 2]], np.float32)
    write_points(tmp_path / "set", points, None, [], Origin("x", 0, 0))
    assert stats(tmp_path / "set").repeats == 2


def test_display_draws_all_points_or_the_first(ring, tmp_path):
    from PIL import Image

    points = PointDataset(ring).points
    for num in (None, 9):
        display(ring, tmp_path / "a.png", num=num)
        expected = data_points(points[:num], Frame.around(points[:num]))
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), expected)


def test_a_sound_set_is_verified(ring, capsys):
    assert dataset_tool.main(["verify", str(ring)]) == 0
    assert f"{ring}: sound; 5000 points, 0.2 MB checked" in capsys.readouterr().out
    (ring / "ring-points.json").write_text("")
    assert dataset_tool.main(["verify", str(ring)]) == 1


def test_the_command_makes_what_it_is_told(tmp_path, capsys):
    words = ["create_planar", str(tmp_path / "set"), "two_lines", "--points=30", "--noise=0", "--seed=5"]
    assert dataset_tool.main(words) == 0
    assert "30 points in the plane" in capsys.readouterr().out
    assert has_points(tmp_path / "set")
    assert json.loads((tmp_path / "set" / "set-points.json").read_text()) == {
        "distribution": "two_lines", "noise": 0.0, "seed": 5,
    }  # fmt: skip
    np.testing.assert_array_equal(np.abs(PointDataset(tmp_path / "set").points[:, 0]), 1)
