"""What a run learns from: one interface for images and points, and how they are drawn."""

import contextlib

import numpy as np
import pytest

from pgan_tf import grids, plane
from pgan_tf.data import DataError, DatasetWriter, samples
from pgan_tf.data.identity import describe
from pgan_tf.data.pipeline import Reals
from pgan_tf.data.samples import DRAWINGS, check_files, open_samples
from pgan_tf.data.sources.planar import create_planar


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """{kind: the folder of a set of 24 samples with labels}."""
    root = tmp_path_factory.mktemp("sets")
    rng = np.random.default_rng(0)
    with DatasetWriter(root / "images", resolution=8, channels=3) as writer:
        for _ in range(24):
            writer.add(rng.integers(0, 256, (8, 8, 3), np.uint8))
        writer.add_labels(np.eye(8)[np.arange(24) % 8])
    create_planar(root / "points", "gaussians8", 24)
    return {kind: root / kind for kind in DRAWINGS}


@pytest.mark.parametrize("kind", DRAWINGS)
def test_every_kind_has_one_interface(kind, folders):
    check_files(folders[kind])
    found = open_samples(folders[kind])
    assert (found.kind, found.name, found.count, found.label_size) == (kind, kind, 24, 8)
    assert found.resolution in found.resolutions
    for level in (4, 8):
        some = found.read(level, np.array([3, 0, 3]))
        assert (some.dtype, some.shape) == (found.dtype, (3, *found.shape(level)))
        np.testing.assert_array_equal(some[0], some[2])
    assert found.channels == found.shape(4)[-1]
    assert "24" in found.content()
    assert kind in found.content()


def test_what_is_no_data_set_is_none_of_either_kind(tmp_path):
    for use in (open_samples, check_files):
        with pytest.raises(DataError, match="no such folder"):
            use(tmp_path / "gone")
        with pytest.raises(DataError, match=r"holds no \*-rNN.tfrecords"):
            use(tmp_path)


@pytest.mark.parametrize("kind", DRAWINGS)
def test_a_stream_of_blocks_is_what_is_read_by_position(kind, folders):
    dataset = open_samples(folders[kind])
    reals = Reals(dataset, seed=3, label_size=8)
    with contextlib.closing(reals.stream(24, 4, minibatch=4, rounds=3, d_repeats=2)) as stream:
        blocks = [next(stream) for _ in range(3)]
    for number, block in enumerate(blocks):
        expected = reals.read_rounds(24 + 24 * number, 4, minibatch=4, rounds=3, d_repeats=2)
        for ours, theirs in zip(block, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert (blocks[0].reals.shape, blocks[0].reals.dtype) == ((6, 4, *dataset.shape(4)), dataset.dtype)
    epoch = np.concatenate([block.reals.reshape(24, -1) for block in blocks[:1]])
    everything = dataset.read(4, np.arange(24)).reshape(24, -1)
    np.testing.assert_array_equal(np.unique(epoch, axis=0), np.unique(everything, axis=0))


@pytest.mark.parametrize("kind", DRAWINGS)
def test_other_samples_are_another_data_set(kind, folders, tmp_path):
    about = describe(open_samples(folders[kind]), 4)
    assert about == describe(open_samples(folders[kind]), 4)
    create_planar(tmp_path / "other", "gaussians8", 24, seed=1)
    assert about != describe(open_samples(tmp_path / "other"), 4)


def test_images_are_drawn_in_a_grid(folders):
    dataset = open_samples(folders["images"])
    drawing = DRAWINGS["images"].of(dataset, 8, (3, 2))
    images = dataset.read(8, np.arange(6))
    assert drawing.count == 6
    np.testing.assert_array_equal(drawing.reals(images), grids.grid(images, 3, grids.cell_size(8)))
    drawn = drawing.fakes(images / 127.5 - 1, np.zeros((6, 4)), None)
    assert drawn.keys() == {"fakes"}
    np.testing.assert_array_equal(drawn["fakes"], drawing.reals(images))
    columns, rows = grids.default_grid_size(8)
    assert DRAWINGS["images"].of(dataset, 8, None).count == columns * rows


class FirstComponent:
    """What it says of a point is the point's own; `group`: what that is said to cost."""

    def __init__(self, group=1):
        self.group, self.asked = group, 0

    def __call__(self, points):
        self.asked += len(points)
        return points[:, 0]


def test_where_a_score_costs_more_there_are_fewer(folders):
    dataset = open_samples(folders["points"])
    drawing = DRAWINGS["points"].of(dataset, 4, None)
    asked = {}
    for group in (1, 4, 64):
        score = FirstComponent(group)
        drawing.fakes(dataset.points, np.zeros((24, 2)), score)
        asked[group] = score.asked * group
    assert max(asked.values()) < 1.1 * asked[1]
    assert drawing.fakes(dataset.points, np.zeros((24, 2)), FirstComponent(20_000))["scores"].ndim == 3  # not none


def test_points_are_drawn_over_the_data_in_one_frame(folders, monkeypatch):
    dataset = open_samples(folders["points"])
    drawing, frame = DRAWINGS["points"].of(dataset, 4, None), plane.Frame.around(dataset.points)
    assert drawing.count == 24
    np.testing.assert_array_equal(drawing.reals(dataset.points), plane.data_points(dataset.points, frame))
    fakes = dataset.points[::-1] + 0.5
    latents = np.random.default_rng(0).normal(size=(24, 5))
    drawn = drawing.fakes(fakes, latents, FirstComponent())
    np.testing.assert_array_equal(drawn["fakes"], plane.samples_over_data(fakes, dataset.points, frame))
    lattice = frame.lattice(samples.FIELD)
    np.testing.assert_array_equal(drawn["scores"], plane.score_field(lattice[:, 0], dataset.points, fakes, frame))
    expected = plane.scored_points(latents[:, :2], fakes[:, 0], plane.Frame.around(latents[:, :2]))
    np.testing.assert_array_equal(drawn["latents"], expected)
    monkeypatch.setattr(samples, "MOST_POINTS", 7)
    few = DRAWINGS["points"].of(dataset, 4, None)
    assert (few.count, few.frame) == (7, drawing.frame)
