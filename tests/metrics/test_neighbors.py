"""The nearest neighbours are those of an exhaustive search, written plainly."""

import numpy as np
import pytest
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.neighbors import nearest, nearest_neighbor_distance, squared_distances


def random_images(count, seed, shape=(8, 8, 3)):
    return np.random.RandomState(seed).randint(0, 256, (count, *shape)).astype(np.uint8)


def plain_distances(queries, references):
    """Root of the mean squared difference of pixels, 1 is black against white: [Q,N]."""
    differences = (queries[:, None].astype(np.float64) - references[None]) / 255  # [Q,N,H,W,C]
    return np.sqrt(np.square(differences).mean(axis=(2, 3, 4)))


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("block", [None, 7])
def test_images_equal_the_plain_search(k, block):
    queries, references = random_images(20, 0), random_images(50, 1)
    expected = plain_distances(queries, references)
    found = nearest(queries, references, k, block)
    np.testing.assert_array_equal(found.indices, np.argsort(expected, axis=1)[:, :k])
    np.testing.assert_allclose(found.distances, np.sort(expected, axis=1)[:, :k], rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_vectors_equal_the_plain_search(offset):
    random = np.random.RandomState(2)
    queries, references = random.standard_normal((20, 30)) + offset, random.standard_normal((50, 30)) + offset
    expected = np.linalg.norm(queries[:, None] - references[None], axis=-1)  # [Q,N]
    found = nearest(queries, references, 3, block=8)
    np.testing.assert_array_equal(found.indices, np.argsort(expected, axis=1)[:, :3])
    np.testing.assert_allclose(found.distances, np.sort(expected, axis=1)[:, :3], rtol=1e-9)


@pytest.mark.determinism
def test_a_stream_is_the_same_as_an_array():
    queries, references = random_images(20, 0), random_images(50, 1)
    sizes = np.split(references, [1, 1, 20, 49])  # an empty batch among them
    streamed, whole = nearest(queries, iter(sizes), 5), nearest(queries, references, 5)
    np.testing.assert_array_equal(streamed.indices, whole.indices)
    np.testing.assert_array_equal(streamed.distances, whole.distances)


@pytest.mark.parametrize("block", [None, 1, 3])
def test_of_equal_references_the_first_comes_first(block):
    image = random_images(1, 3)
    found = nearest(image, np.repeat(image, 10, axis=0), 4, block)
    np.testing.assert_array_equal(found.indices, [[0, 1, 2, 3]])
    np.testing.assert_array_equal(found.distances, 0)


def test_black_is_one_from_white():
    black, white = np.zeros((1, 4, 6, 3), np.uint8), np.full((1, 4, 6, 3), 255, np.uint8)
    assert nearest(black, white).distances[0, 0] == pytest.approx(1, rel=1e-12)


def test_a_copy_is_told_from_an_image_that_differs_in_one_level():
    references = random_images(30, 4, (128, 128, 3))
    queries = references[[7, 11]].copy()
    queries[1, 0, 0, 0] ^= 1
    found = nearest(queries, references)
    np.testing.assert_array_equal(found.indices[:, 0], [7, 11])
    assert found.distances[0, 0] == 0
    assert found.distances[1, 0] == pytest.approx(1 / 255 / np.sqrt(128 * 128 * 3), rel=1e-9)


def test_copies_of_vectors_are_found_in_spite_of_rounding():
    features = np.abs(np.random.RandomState(5).standard_normal((300, 2048))).astype(np.float32) + 3
    found = nearest(features[::-1], features, block=64)
    np.testing.assert_array_equal(found.indices[:, 0], np.arange(300)[::-1])
    np.testing.assert_array_equal(found.distances, 0)


def test_the_summary_finds_a_generator_that_learned_by_heart():
    training, others = random_images(40, 6), random_images(10, 7)
    expected = plain_distances(others, training).min(axis=1)
    summary = nearest_neighbor_distance(np.concatenate([training[:30], others]), training)
    assert summary["copies"] == pytest.approx(0.75)
    assert summary["min"] == summary["median"] == 0
    assert summary["mean"] == pytest.approx(expected.sum() / 40, rel=1e-12)
    assert nearest_neighbor_distance(others, training)["min"] == pytest.approx(expected.min(), rel=1e-12)


@pytest.mark.invariance
def test_order_of_the_sets_does_not_matter():
    queries, references = random_images(20, 0), random_images(50, 1)
    shuffled = np.random.RandomState(8).permutation
    assert nearest_neighbor_distance(shuffled(queries), shuffled(references)) == pytest.approx(
        nearest_neighbor_distance(queries, references), rel=1e-12
    )


def test_squared_distances_are_exact_for_integers():
    a, b = random_images(9, 9).reshape(9, -1), random_images(8, 10).reshape(8, -1)
    expected = np.square(a[:, None].astype(np.int64) - b[None]).sum(axis=-1)  # [9,8]
    np.testing.assert_array_equal(squared_distances(a.astype(np.float64), b.astype(np.float64)), expected)


def test_refuses():
    images = random_images(5, 0)
    with pytest.raises(MetricError, match="6 neighbours asked of 5"):
        nearest(images, images, 6)
    with pytest.raises(MetricError, match="1 neighbours asked of 0"):
        nearest(images, iter([]))
    with pytest.raises(MetricError, match="at least one"):
        nearest(images[:0], images)
    with pytest.raises(MetricError, match="one size, channel count and type"):
        nearest(images, images[..., :1])
    with pytest.raises(MetricError, match="one size, channel count and type"):
        nearest(images, images.astype(np.float32))
    with pytest.raises(MetricError, match="give uint8 images"):
        nearest(images.astype(np.float32), images.astype(np.float32))
    with pytest.raises(MetricError, match="NaN"):
        nearest(np.zeros((2, 3)), np.full((2, 3), np.nan))
