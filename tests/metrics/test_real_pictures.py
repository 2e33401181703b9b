"""On real pictures: the worse they are made, the worse SWD and FID say they are."""

import numpy as np
import pytest
from pgan_tf.metrics import extractors, swd
from pgan_tf.metrics.features import extract
from pgan_tf.metrics.frechet import Statistics, frechet_distance
from pgan_tf.metrics.mnist_files import read_digits
from scipy.ndimage import gaussian_filter

COUNT = 80


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint sets of handwritten digits, uint8 [COUNT,32,32,1]."""
    images = read_digits().images
    images = images[np.random.default_rng(0).permutation(len(images))[: 2 * COUNT]]
    padded = np.pad(images.reshape(-1, 28, 28, 1), ((0, 0), (2, 2), (2, 2), (0, 0)))  # [N,32,32,1]
    return padded[:COUNT], padded[COUNT:]


def blurred(images: np.ndarray, width: float) -> np.ndarray:
    return gaussian_filter(images, (0, width, width, 0))


def noisy(images: np.ndarray, strength: float) -> np.ndarray:
    noise = np.random.default_rng(1).standard_normal(images.shape)
    return np.clip(images + strength * noise, 0, 255).astype(np.uint8)


WORSE = {"blur": (blurred, (0, 0.8, 2)), "noise": (noisy, (0, 20, 80))}


@pytest.fixture(scope="module")
def fid(digits):
    extractor = extractors.load("efficientnet-lite0")

    def statistics(images: np.ndarray) -> Statistics:
        return Statistics.of(extract(extractor, images, progress=False, batch_size=COUNT).features)

    reals = statistics(digits[0])
    return lambda images: frechet_distance(reals, statistics(images))


@pytest.mark.invariance
@pytest.mark.parametrize("kind", WORSE)
def test_fid_rises(kind, digits, fid):
    change, steps = WORSE[kind]
    values = [fid(change(digits[1], step)) for step in steps]
    assert values == sorted(values)
    assert values[-1] > 1.5 * values[0]


@pytest.mark.invariance
@pytest.mark.parametrize("kind", WORSE)
def test_swd_rises(kind, digits):
    change, steps = WORSE[kind]
    values = [swd.sliced_wasserstein(digits[0], change(digits[1], step))["32"] for step in steps]
    assert values == sorted(values)
    assert values[-1] > 1.5 * values[0]
