"""MS-SSIM is the original's, pair by pair."""

import numpy as np
import pytest
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.ms_ssim import mean_ms_ssim, ms_ssim, ssim


@pytest.fixture(scope="module")
def images(golden):
    """`images("A")` -> uint8 [64,64,64,3]."""
    data = golden("swd.npz")
    return lambda name: data[f"images/{name}"].transpose(0, 2, 3, 1)


@pytest.mark.fidelity
def test_equals_the_original_pair_by_pair(golden, images):
    a = images("A")
    np.testing.assert_allclose(ms_ssim(a[0::2], a[1::2]), golden("swd.npz")["msssim/A_even_odd_per_pair"], atol=1e-6)


@pytest.mark.fidelity
@pytest.mark.parametrize(
    ("key", "first", "second"),
    [
        ("A_even_odd", ("A", 0, 2), ("A", 1, 2)),
        ("B_even_odd", ("B", 0, 2), ("B", 1, 2)),
        ("A_vs_B_all", ("A", 0, 1), ("B", 0, 1)),
        ("A_vs_noisy", ("A", 0, 1), ("A_noisy", 0, 1)),
    ],
)
def test_equals_the_original_on_average(golden, images, key, first, second):
    a, b = (images(name)[start::step] for name, start, step in (first, second))
    assert ms_ssim(a, b).mean() == pytest.approx(float(golden("swd.npz")[f"msssim/{key}"]), abs=3e-7)


@pytest.mark.fidelity
def test_one_scale_equals_the_original(golden, images):
    a, b = (images(name)[:4].transpose(0, 3, 1, 2).astype(np.float64) for name in "AB")
    similarity, contrast = ssim(a, b)
    np.testing.assert_allclose(similarity, golden("swd.npz")["msssim/ssim_A4_B4"], atol=3e-6)
    np.testing.assert_allclose(contrast, golden("swd.npz")["msssim/cs_A4_B4"], atol=3e-6)


def test_an_image_is_like_itself_and_no_other(images):
    a = images("A")
    np.testing.assert_allclose(ms_ssim(a, a), 1, rtol=1e-12)
    assert ms_ssim(a[:-1], a[1:]).max() < 0.9


@pytest.mark.invariance
def test_is_symmetric_and_ignores_mirroring(images):
    a, b = images("A")[:8], images("A_noisy")[:8]
    np.testing.assert_allclose(ms_ssim(a, b), ms_ssim(b, a), rtol=1e-12)
    np.testing.assert_allclose(ms_ssim(a[:, :, ::-1], b[:, :, ::-1]), ms_ssim(a, b), rtol=1e-10)


def test_channels_are_averaged_at_each_scale(images):
    grey_a, grey_b = images("A")[:8, :, :, :1], images("A_noisy")[:8, :, :, :1]
    repeated = ms_ssim(np.repeat(grey_a, 3, axis=3), np.repeat(grey_b, 3, axis=3))
    np.testing.assert_allclose(ms_ssim(grey_a, grey_b), repeated, rtol=1e-12)


@pytest.mark.invariance
def test_noise_makes_it_smaller_step_by_step(images):
    a = images("A")[:8]
    noise = np.random.RandomState(7).standard_normal(a.shape)
    noisy = [np.clip(a + strength * noise, 0, 255).astype(np.uint8) for strength in (4, 16, 64)]
    values = [ms_ssim(a, b).mean() for b in noisy]
    assert 1 > values[0] > values[1] > values[2]


@pytest.mark.parametrize("shape", [(4, 4), (8, 8), (11, 7), (33, 50)])
def test_small_and_odd_sizes(shape):
    random = np.random.RandomState(8)
    a, b = random.randint(0, 256, (2, 5, *shape, 1)).astype(np.uint8)
    np.testing.assert_allclose(ms_ssim(a, a), 1, rtol=1e-9)
    assert ((ms_ssim(a, b) >= 0) & (ms_ssim(a, b) < 1)).all()


@pytest.mark.parametrize("size", [4, 33, 64])
def test_flat_images_differ_by_their_luminance_at_the_last_scale(size):
    """Wang et al., equation 7: contrast and structure are 1, luminance is (2 x y + C1) / (x^2 + y^2 + C1)."""
    a, b = (np.full((1, size, size, 3), level, np.uint8) for level in (60, 200))
    luminance = (2 * 60 * 200 + 2.55**2) / (60**2 + 200**2 + 2.55**2)
    assert ms_ssim(a, b)[0] == pytest.approx(luminance**0.1333, rel=1e-9)


def test_the_mean_of_random_pairs_nears_that_of_all_pairs(images):
    a = images("A")[:12]
    first, second = np.triu_indices(12, 1)
    assert mean_ms_ssim(a, pairs=1000) == pytest.approx(ms_ssim(a[first], a[second]).mean(), abs=0.02)


def test_never_pairs_an_image_with_itself():
    black_and_white = np.stack([np.zeros((16, 16, 1), np.uint8), np.full((16, 16, 1), 255, np.uint8)])
    assert mean_ms_ssim(black_and_white, pairs=50) < 0.5


def test_a_set_of_one_repeated_image_has_one(images):
    assert mean_ms_ssim(np.repeat(images("A")[:1], 9, axis=0), pairs=20) == pytest.approx(1, rel=1e-12)


@pytest.mark.determinism
def test_a_stream_is_the_same_as_an_array(images):
    a = images("A")
    batches = (a[i : i + 10] for i in range(0, len(a), 10))
    assert mean_ms_ssim(batches, pairs=100) == mean_ms_ssim(a, pairs=100)


@pytest.mark.determinism
def test_the_seed_decides_and_the_global_one_does_not(images):
    a = images("A")
    np.random.seed(1)
    first = mean_ms_ssim(a, pairs=50, seed=5)
    np.random.seed(2)
    assert mean_ms_ssim(a, pairs=50, seed=5) == first
    assert mean_ms_ssim(a, pairs=50, seed=6) != first


def test_refuses(images):
    a = images("A")
    with pytest.raises(MetricError, match="pairs need one"):
        ms_ssim(a, a[:3])
    with pytest.raises(MetricError, match="uint8 images"):
        ms_ssim(a / 255, a / 255)
    with pytest.raises(MetricError, match="10000 pairs of 1 images"):
        mean_ms_ssim(a[:1])
    with pytest.raises(MetricError, match="of 0 images"):
        mean_ms_ssim(iter([]))
