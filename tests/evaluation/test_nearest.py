"""Nearest training images: the exhaustive answer, copies and mirrored copies, whatever the batches."""

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors.base import Activations, Extractor

from pgan_tf.evaluation import nearest
from pgan_tf.evaluation.sets import ImageSet, from_array

SIDE = 8


def pictures(seed: int, count: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, channels), np.uint8)


def as_set(images: np.ndarray) -> ImageSet:
    return from_array("reals", images, lambda: iter(()))


def compute(images: tf.Tensor) -> Activations:
    """The mean colour of the left half: it changes when an image is mirrored."""
    left = tf.reduce_mean(tf.cast(images, tf.float32)[:, :, : SIDE // 2], axis=[1, 2])  # [N,C]
    return Activations(left, left)


TOY = Extractor("toy", "0" * 64, 3, 3, compute)


def look_up(images, reals, k=3, measure=None, **options):
    return nearest.neighborhood(images, as_set(reals), k, measure or nearest.pixels(), shown=False, **options)


def rms(a, b):
    return np.sqrt(np.mean(np.square((a.astype(float) - b) / 255), axis=(-3, -2, -1)))


def test_pixels_equal_the_exhaustive_answer():
    images, reals = pictures(1, 5), pictures(2, 150)  # the set comes in batches of 64
    found = look_up(images, reals)
    every = rms(images[:, None], reals[None])  # [5,150]
    np.testing.assert_array_equal(found.indices, np.argsort(every, axis=1)[:, :3])
    np.testing.assert_allclose(found.distances, np.sort(every, axis=1)[:, :3], rtol=1e-9)
    assert not found.mirrored.any()


def test_features_equal_the_exhaustive_answer():
    images, reals = pictures(1, 5), pictures(2, 600)  # features come in chunks of 256
    found = look_up(images, reals, measure=nearest.features(TOY))
    ours, theirs = (compute(tf.constant(batch)).features.numpy().astype(float) for batch in (images, reals))
    every = np.linalg.norm(ours[:, None] - theirs[None], axis=-1)
    np.testing.assert_array_equal(found.indices, np.argsort(every, axis=1)[:, :3])
    np.testing.assert_allclose(found.distances, np.sort(every, axis=1)[:, :3], rtol=1e-6)
    assert found.measure == "toy"


def test_mirrored_is_the_nearer_side_and_every_training_image_comes_once():
    images, reals = pictures(1, 5), pictures(2, 150)
    reals[7] = images[3]
    reals[70] = images[3][:, ::-1]
    found = look_up(images, reals, k=20, mirror=True)
    plain, other = rms(images[:, None], reals[None]), rms(images[:, None, :, ::-1], reals[None])
    every = np.minimum(plain, other)
    np.testing.assert_array_equal(found.indices, np.argsort(every, axis=1, kind="stable")[:, :20])
    np.testing.assert_allclose(found.distances, np.sort(every, axis=1)[:, :20], rtol=1e-9)
    rows = np.arange(5)[:, None]
    np.testing.assert_array_equal(found.mirrored, (other < plain)[rows, found.indices])
    assert all(len(set(row)) == 20 for row in found.indices)
    assert set(found.indices[3, :2]) == {7, 70}


@pytest.mark.parametrize("measure", [nearest.pixels(), nearest.features(TOY)], ids=lambda measure: measure.name)
def test_a_copy_is_found_and_a_mirrored_copy_where_the_run_mirrors(measure):
    reals = pictures(2, 100)
    images = np.stack([reals[42], reals[17][:, ::-1], pictures(3, 1)[0]])
    assert look_up(images, reals, measure=measure).copies == 1
    found = look_up(images, reals, measure=measure, mirror=True)
    assert found.copies == 2
    assert found.indices[:2, 0].tolist() == [42, 17]
    assert found.mirrored[:2, 0].tolist() == [False, True]
    assert (found.distances[:2, 0] == 0).all()


def test_usual_is_the_distance_among_training_images_without_themselves():
    reals = pictures(2, 40)
    every = rms(reals[:, None], reals[None])
    np.fill_diagonal(every, np.inf)
    assert look_up(pictures(1, 2), reals).usual == pytest.approx(np.median(every.min(axis=1)), rel=1e-9)
    twice = np.concatenate([reals, reals])
    assert look_up(pictures(1, 2), twice).usual == 0  # each has a twin, which counts


def test_the_sample_depends_on_the_seed_and_the_neighbours_do_not():
    images, reals = pictures(1, 4), pictures(2, 300)
    first, again, other = (look_up(images, reals, seed=seed) for seed in (1, 1, 2))
    assert first.usual == again.usual != other.usual
    np.testing.assert_array_equal(first.indices, other.indices)


@pytest.mark.parametrize(("resolution", "count"), [(4, 64), (128, 64), (256, 16), (1024, 8)])
def test_large_images_have_smaller_samples(resolution, count):
    assert nearest.sample(resolution) == count


def test_the_set_is_streamed():
    """No more than a batch of the set is asked for at a time, and each image once, beside the sample."""
    asked, reals = [], pictures(2, 1000)

    def read(indices):
        asked.append(len(indices))
        return reals[indices]

    images = ImageSet("reals", len(reals), reals.shape[1:], read, lambda: iter(()))
    nearest.neighborhood(pictures(1, 2), images, 3, nearest.features(TOY), shown=False)
    assert max(asked) <= nearest.SAMPLE
    assert sum(asked) == 1000 + nearest.SAMPLE


@pytest.mark.parametrize(
    ("images", "k", "message"),
    [
        (pictures(1, 2, channels=1), 3, r"reals: its images are \[8, 8, 3\] .* the generated ones \[8, 8, 1\]"),
        (pictures(1, 2), 10, "10 neighbours asked of reals: give 1 to 9"),
        (pictures(1, 2), 0, "0 neighbours asked"),
    ],
)
def test_bad_input_is_one_line(images, k, message):
    with pytest.raises(MetricError, match=message) as error:
        look_up(images, pictures(2, 10), k)
    assert "\n" not in str(error.value)
