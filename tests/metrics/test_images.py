"""Streams of images: the same chunks whatever the batches, and a second reading even of what can be read once."""

import numpy as np
import pytest
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.images import chunks, rewindable

IMAGES = np.random.default_rng(0).integers(0, 256, (23, 4, 5, 3), np.uint8)


def batches(size: int) -> list[np.ndarray]:
    return [IMAGES[i : i + size] for i in range(0, len(IMAGES), size)]


@pytest.mark.determinism
@pytest.mark.parametrize("given", [IMAGES, *map(batches, (1, 4, 10, 23))], ids=["array", "1", "4", "10", "23"])
@pytest.mark.parametrize("size", [1, 5, 10, 40])
def test_chunks_have_one_size_and_only_the_last_is_shorter(given, size):
    found = list(chunks(given, size))
    assert [len(part) for part in found[:-1]] == [size] * ((len(IMAGES) - 1) // size)
    np.testing.assert_array_equal(np.concatenate(found), IMAGES)


@pytest.mark.determinism
@pytest.mark.parametrize("given", [lambda: IMAGES, lambda: batches(7), lambda: iter(batches(7))])
def test_every_set_can_be_read_twice(given):
    with rewindable(given()) as images:
        for _ in range(2):
            np.testing.assert_array_equal(np.concatenate(list(images)), IMAGES)


@pytest.mark.parametrize(
    "bad", [IMAGES.astype(np.float32), IMAGES[0], IMAGES[..., :2], [IMAGES, IMAGES[:, :3]], [IMAGES, IMAGES[..., :1]]]
)
def test_what_is_not_images_of_one_size(bad):
    with pytest.raises(MetricError, match=r"must be uint8|one size"):
        list(chunks(bad, 5))
