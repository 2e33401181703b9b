"""The order of the real images: a pure function of the seed and the position."""

import contextlib

import numpy as np
import pytest

from pgan_tf.data import DatasetWriter, RecordDataset
from pgan_tf.data.pipeline import Reals, shuffled_indices


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Eleven pictures whose pixels all hold their number, with one-hot labels of it."""
    folder = tmp_path_factory.mktemp("set") / "numbers"
    with DatasetWriter(folder, resolution=8, channels=1) as writer:
        for i in range(11):
            writer.add(np.full((8, 8, 1), i, np.uint8))
        writer.add_labels(np.eye(11))
    return RecordDataset(folder)


def take(reals: Reals, count: int, *where, **sizes) -> list:
    """The first blocks of a stream, which is closed then: one left open may keep a failing test from ending."""
    with contextlib.closing(reals.stream(*where, **sizes)) as blocks:
        return [next(blocks) for _ in range(count)]


def test_each_epoch_shows_each_image_once_in_an_order_of_its_own():
    epochs = [shuffled_indices(100 * k, 100, 100, seed=5) for k in range(3)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(100))
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[1], epochs[2])
    assert not np.array_equal(epochs[0], shuffled_indices(0, 100, 100, seed=6))


def test_the_order_does_not_depend_on_how_it_is_cut():
    whole = shuffled_indices(0, 60, 11, seed=1)
    parts = [shuffled_indices(start, size, 11, seed=1) for start, size in ((0, 7), (7, 30), (37, 23))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_blocks_go_on_from_any_position(dataset):
    reals = Reals(dataset, seed=3, label_size=11)
    first, second = take(reals, 2, 0, 8, minibatch=4, rounds=2, d_repeats=3)
    (later,) = take(reals, 1, 24, 8, minibatch=4, rounds=2, d_repeats=3)
    assert first.reals.shape == (6, 4, 8, 8, 1)
    assert first.g_labels.shape == (2, 4, 11)
    for a, b in zip(second, later, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.reals, second.reals)


def test_labels_stay_with_their_images(dataset):
    (block,) = take(Reals(dataset, seed=3, label_size=11), 1, 5, 4, minibatch=4, rounds=3, d_repeats=1)
    np.testing.assert_array_equal(block.labels.argmax(-1), block.reals[:, :, 0, 0, 0])
    images, labels = Reals(dataset, seed=3, label_size=11).first(8, 9)
    np.testing.assert_array_equal(labels.argmax(-1), images[:, 0, 0, 0])


def test_the_generators_labels_are_drawn_apart_from_the_images(dataset):
    """They are labels of the set, each as probable as it is there.

    A minibatch of all 11 reals has each label once; one drawn for the generator repeats some and lacks others.
    """
    reals = Reals(dataset, seed=3, label_size=11)
    block = reals.read_rounds(0, 4, minibatch=11, rounds=60, d_repeats=1)
    drawn = block.g_labels.argmax(-1)  # [60,11]
    np.testing.assert_array_equal(block.g_labels.sum(-1), 1)
    assert 0 < (drawn == block.labels.argmax(-1)).mean() < 0.2
    assert max(len(set(row)) for row in drawn.tolist()) < 11
    counts = np.bincount(drawn.ravel(), minlength=11)
    assert counts.min() > 30  # 60 each on average
    assert counts.max() < 90
    later = reals.read_rounds(660, 4, minibatch=11, rounds=60, d_repeats=1)
    assert not np.array_equal(later.g_labels, block.g_labels)


def test_fewer_label_components_are_the_first_ones(dataset):
    whole, cut = (Reals(dataset, 3, size).first(8, 11)[1] for size in (11, 4))
    np.testing.assert_array_equal(cut, whole[:, :4])
    assert Reals(dataset, 3, 0).first(8, 2)[1].shape == (2, 0)


def test_a_closed_stream_ends(dataset):
    blocks = Reals(dataset, seed=3).stream(0, 8, minibatch=4, rounds=2, d_repeats=1)
    next(blocks)
    blocks.close()
    with pytest.raises(StopIteration):
        next(blocks)


def test_a_process_reads_its_share_of_each_minibatch_and_no_more(dataset, monkeypatch):
    reals, sizes = Reals(dataset, seed=3, label_size=11), dict(minibatch=4, rounds=2, d_repeats=3)
    whole, own = reals.read_rounds(8, 8, **sizes), np.array([0, 3])
    read = []
    monkeypatch.setattr(dataset, "read", lambda size, index, of=dataset.read: (read.extend(index), of(size, index))[1])
    share = reals.read_rounds(8, 8, **sizes, own=own)
    assert len(read) == 12
    for part, all_of_it in zip(share, whole, strict=True):
        np.testing.assert_array_equal(part, all_of_it[:, own])
    (streamed,) = take(reals, 1, 8, 8, **sizes, own=own)
    for part, of_stream in zip(share, streamed, strict=True):
        np.testing.assert_array_equal(part, of_stream)
