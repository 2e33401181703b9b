"""The sliced Wasserstein distance: equal to the original's, the same for every batch, worse for worse images."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics import swd
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.pyramid import enlarge, laplacian_pyramid, levels, shrink

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "swd.npz")
IDENTITY = (np.zeros(3, np.float32), np.ones(3, np.float32))


def images(name: str) -> np.ndarray:
    return GOLDEN[f"images/{name}"].transpose(0, 2, 3, 1)  # [N,H,W,C]


def nchw(tensor) -> np.ndarray:
    return np.asarray(tensor).transpose(0, 3, 1, 2)


# ---- equal to the original -------------------------------------------------------------------------------------------


@pytest.mark.fidelity
def test_pyramid_is_the_originals():
    first = tf.constant(images("A")[:4], tf.float32)
    for index, level in enumerate(laplacian_pyramid(first)):
        np.testing.assert_allclose(nchw(level), GOLDEN[f"pyr/A4_level{index}"], rtol=0, atol=1e-5 * 255)
    small = shrink(first)
    np.testing.assert_allclose(nchw(small), GOLDEN["pyr/down_of_A4"], rtol=0, atol=1e-5 * 255)
    np.testing.assert_allclose(nchw(enlarge(small)), GOLDEN["pyr/up_of_down"], rtol=0, atol=1e-5 * 255)


def test_levels_go_down_to_16():
    assert levels(16) == [16]
    assert levels(128) == [128, 64, 32, 16]


@pytest.fixture
def golden_corners() -> list[np.ndarray]:
    """The original's positions for four images, 8 patches each: RandomState(1234) draws x, then y, of the centres."""
    corners, random = [], np.random.RandomState(1234)
    for side in levels(64):
        x, y = (random.randint(3, side - 3, 32) for _ in range(2))
        corners.append(np.stack([y - 3, x - 3], -1).reshape(4, 8, 2).astype(np.int32))
    return corners


def as_golden(patches) -> np.ndarray:
    """[4,8*49,3] -> [32,3,7,7] with the axes of the original, whose patches are transposed."""
    return np.asarray(patches).reshape(32, 7, 7, 3).transpose(0, 3, 2, 1)


@pytest.mark.fidelity
def test_descriptors_are_the_originals(golden_corners):
    first = tf.constant(images("A")[:4])
    for index, patches in enumerate(swd.descriptors(first, golden_corners, [IDENTITY] * 3)):
        golden = GOLDEN[f"desc/A4_level{index}_raw_8per"]
        np.testing.assert_allclose(as_golden(patches), golden, rtol=0, atol=1e-5 * np.abs(golden).max())


@pytest.mark.fidelity
def test_normalised_descriptors_are_the_originals(golden_corners):
    first = tf.constant(images("A")[:4])
    raw = swd.descriptors(first, golden_corners, [IDENTITY] * 3)
    sums = [np.stack([np.sum(p, (0, 1), np.float64), np.sum(np.square(p), (0, 1), np.float64)]) for p in raw]
    scales = [swd.mean_deviation(total, 32 * 49) for total in sums]
    for index, patches in enumerate(swd.descriptors(first, golden_corners, scales)):
        golden = GOLDEN[f"desc/A4_level{index}_final_8per"].reshape(32, 3, 7, 7)
        np.testing.assert_allclose(as_golden(patches), golden, rtol=0, atol=1e-5 * np.abs(golden).max())


@pytest.mark.fidelity
@pytest.mark.parametrize(("ours", "theirs"), [("A", "B"), ("A", "A2"), ("A", "A")])
def test_values_are_within_two_deviations_of_the_originals(ours, theirs):
    golden = GOLDEN[f"swd/{ours}_vs_{theirs}_seeds1000..1009"]  # [10,4]
    found = [swd.sliced_wasserstein(images(ours), images(theirs), seed=seed) for seed in range(2)]
    assert list(found[0]) == ["64", "32", "16", "avg"]
    means = np.mean([list(values.values()) for values in found], axis=0)
    assert np.all(np.abs(means - golden.mean(0)) < 2 * golden.std(0, ddof=1))


def test_histograms_equal_sorting():
    """What the bins cost: less than a thousandth of the distance."""
    random = np.random.default_rng(0)
    ours, theirs = random.standard_normal((1, 20000)), 1.02 * random.standard_normal((1, 20000)) + 0.01
    exact = np.abs(np.sort(ours) - np.sort(theirs)).mean()
    counts = [count_values(values.astype(np.float32)) for values in (ours, theirs)]
    assert swd._area_between(*counts)[0] == pytest.approx(exact, rel=1e-3)


def count_values(values: np.ndarray) -> np.ndarray:
    """float32 [1,N] -> counts [1,bins], through the projection on a direction that picks one pixel of 49."""
    patches = np.zeros((1, 49 * values.shape[1], 1), np.float32)
    patches[0, ::49, 0] = values
    counts = np.zeros((1, swd._BINS), np.uint32)
    swd._count(counts, swd._projected_bins(patches, np.eye(1, 49, dtype=np.float32)))
    return counts


# ---- always the same -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> tuple[np.ndarray, np.ndarray]:
    return images("A")[:40, :32, :32], images("B")[:40, :32, :32]


@pytest.fixture(scope="module")
def value(small) -> dict:
    return swd.sliced_wasserstein(*small, seed=3)


@pytest.mark.determinism
def test_same_seed_same_number_other_seed_another(small, value):
    assert swd.sliced_wasserstein(*small, seed=3) == value
    assert swd.sliced_wasserstein(*small, seed=4) != value


@pytest.mark.determinism
def test_global_random_state_is_left_alone_and_not_used(small, value):
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    assert swd.sliced_wasserstein(*small, seed=3) == value
    assert np.array_equal(np.random.get_state()[1], before)


@pytest.mark.determinism
@pytest.mark.parametrize("size", [1, 7, 40])
def test_batches_do_not_matter(small, value, size):
    streams = ([part[i : i + size] for i in range(0, 40, size)] for part in small)
    assert swd.sliced_wasserstein(*streams, seed=3) == value


@pytest.mark.determinism
def test_a_stream_that_can_be_read_once_is_enough(small, value):
    streams = [iter([part[i : i + 9] for i in range(0, 40, 9)]) for part in small]
    assert swd.sliced_wasserstein(*streams, seed=3) == value


@pytest.mark.determinism
def test_reals_can_be_used_again(small, value):
    reals = swd.project(small[0], "reals", 3)
    for _ in range(2):
        assert swd.distance(reals, swd.project(small[1], "fakes", 3)) == value


# ---- what it notices -------------------------------------------------------------------------------------------------


def test_the_projections_of_a_set_to_itself_are_at_distance_0(small):
    ours = swd.project(small[0], "reals", 0)
    assert set(swd.distance(ours, ours).values()) == {0.0}


@pytest.mark.invariance
def test_order_does_not_matter_beyond_the_positions_noise(small):
    """Permuted images meet other random positions: the distance stays far below that to another set."""
    ours, theirs = small
    permuted = ours[np.random.default_rng(0).permutation(len(ours))]
    moved = abs(swd.sliced_wasserstein(permuted, theirs)["avg"] - swd.sliced_wasserstein(ours, theirs)["avg"])
    assert moved < 0.1 * swd.sliced_wasserstein(ours, theirs)["avg"]


@pytest.mark.invariance
def test_brightness_and_contrast_of_a_whole_set_are_normalised_away(small):
    """Per channel and set, as the paper does: a set and its half-contrast copy differ by rounding only."""
    faint = (small[0] // 2 + 40).astype(np.uint8)
    same = swd.distance(swd.project(small[0], "reals"), swd.project(small[0], "fakes"))["avg"]
    assert swd.sliced_wasserstein(small[0], faint)["avg"] == pytest.approx(same, rel=0.3)


@pytest.mark.invariance
def test_noise_makes_it_worse_step_by_step(small):
    random = np.random.default_rng(0)
    noise = random.standard_normal(small[0].shape)
    values = [
        swd.sliced_wasserstein(small[0], np.clip(small[0] + strength * noise, 0, 255).astype(np.uint8))["avg"]
        for strength in (0, 4, 16, 64)
    ]
    assert values == sorted(values)
    assert values[-1] > 3 * values[0]


@pytest.mark.invariance
def test_blur_makes_it_worse_step_by_step(small):
    from scipy.ndimage import gaussian_filter

    values = [
        swd.sliced_wasserstein(small[0], gaussian_filter(small[0], (0, width, width, 0)))["32"]
        for width in (0, 0.6, 1.0, 2.0)
    ]
    assert values == sorted(values)
    assert values[-1] > 3 * values[0]


def test_grey_images(small):
    grey = [part[..., :1] for part in small]
    assert swd.sliced_wasserstein(*grey)["avg"] > 0


def test_images_without_structure_give_a_number(small):
    """A collapsed generator, one flat colour: its deviation is 0, the distance must be finite."""
    flat = np.full_like(small[0], 100)
    assert np.isfinite(list(swd.sliced_wasserstein(small[0], flat).values())).all()


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a[:, :16, :16], "shape"),
        (lambda a: a[..., :1], "shape"),
        (lambda a: a[:30], "count"),
        (lambda a: a[:, :, :16], "32x16"),
        (lambda a: a[:, :8, :8], "8x8"),
        (lambda a: a[:, :24, :24], "24x24"),
        (lambda a: a[:0], "empty"),
        (lambda a: a.astype(np.float32), "uint8"),
        (lambda a: a[0], "uint8"),
    ],
)
def test_sets_that_cannot_be_compared(small, change, message):
    with pytest.raises(MetricError, match=message) as error:
        swd.sliced_wasserstein(change(small[1]), small[0])
    assert "\n" not in str(error.value)
