"""The noise of paper appendix B: its strength by the paper's numbers, what it does to a tensor, and where it enters."""

import numpy as np
import pytest
import tensorflow as tf

from pgan_tf.layers.noise import Noise, follow, magnitude
from pgan_tf.networks import Discriminator


def make(strength=0.3, seed=(1, 2), dtype="float32") -> Noise:
    return Noise(tf.constant(strength, dtype), tf.constant(seed, tf.int64))


@pytest.mark.parametrize(
    ("score", "expected"),
    [(1.0, 0.05), (0.5, 0.0), (0.49, 0.0), (-3.0, 0.0), (0.75, 0.0125), (1.5, 0.2), (2.5, 0.8)],
)
def test_the_magnitude_is_the_papers(score, expected):
    """0.2 * max(0, d - 0.5)^2."""
    assert float(magnitude(tf.constant(score, tf.float64), 0.2)) == pytest.approx(expected, abs=1e-15)
    assert float(magnitude(tf.constant(score, tf.float64), 0.4)) == pytest.approx(2 * expected, abs=1e-15)


def test_the_running_score_is_the_papers():
    """d_t = 0.1 d + 0.9 d_{t-1}: a score that stays is met but for 0.9 to the power of the steps."""
    assert float(follow(tf.constant(2.0, tf.float64), tf.constant(-1.0, tf.float64))) == pytest.approx(1.7)
    running = tf.constant(0.0, tf.float64)
    for step in range(1, 20):
        running = follow(running, tf.constant(3.0, tf.float64))
        assert float(running) == pytest.approx(3 * (1 - 0.9**step))


def test_it_is_normal_multiplicative_and_per_element():
    random = np.random.RandomState(0)
    x = random.standard_normal([8, 16, 16, 32]).astype(np.float32) * 5
    n = make(0.3)(tf.constant(x)).numpy() / x - 1
    assert abs(n.mean()) < 0.004  # four times its own standard error
    assert abs(n.std() - 0.3) < 0.003
    assert abs(np.mean((n / 0.3) ** 4) - 3) < 0.1
    for axis in range(4):  # neighbours have nothing in common, along no axis
        a, b = np.split(n, 2, axis=axis)
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.02
    assert make(0.3)(tf.zeros([2, 3])).numpy().any() == False  # noqa: E712


def test_every_call_draws_other_numbers_and_every_seed():
    x, noise = tf.ones([64, 64]), make()
    draws = [noise(x), noise(x), make(seed=(1, 3))(x), make(seed=(2, 2))(x)]
    for i, a in enumerate(draws):
        for b in draws[:i]:
            assert abs(np.corrcoef(a.numpy().ravel(), b.numpy().ravel())[0, 1]) < 0.08
    again = make()
    for expected in draws[:2]:
        np.testing.assert_array_equal(again(x), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_precisions(dtype):
    """Finite, in the precision of what comes in; without any effect, to the bit, where the magnitude is 0."""
    x = tf.cast(tf.random.stateless_normal([4096, 4], [0, 1]) * 100, dtype)
    for strength in (0.0, 0.05, 0.8, 5.0):
        noisy = make(strength)(x)
        assert noisy.dtype == x.dtype
        assert np.isfinite(tf.cast(noisy, tf.float64)).all()
        same = np.array_equal(tf.cast(noisy, tf.float64), tf.cast(x, tf.float64))
        assert same == (strength == 0)


# ---- in the discriminator --------------------------------------------------------------------------------------


def discriminator(**options) -> Discriminator:
    sizes = dict(fmap_base=64, fmap_max=8, dtype="float64", mbstd_group_size=0)
    return Discriminator(**{"resolution": 16, **sizes, **options})


INPUTS = {  # of the convolutions of 3x3 and 4x4, in their order; FromRGB and the last layer have 1x1
    "plain": (dict(), [(16, 16, 8), (16, 16, 8), (8, 8, 8), (8, 8, 8), (4, 4, 8), (128,)]),
    "statistics": (dict(resolution=4, mbstd_group_size=4), [(4, 4, 9), (128,)]),
    "fading": (dict(resolution=8, fading=True), [(8, 8, 8), (8, 8, 8), (4, 4, 8), (128,)]),
    "unfused": (dict(resolution=8, fused_scale=False), [(8, 8, 8), (8, 8, 8), (4, 4, 8), (128,)]),
    "residual": (
        dict(resolution=8, d_block="residual", residual_blocks=2), [*[(8, 8, 8)] * 5, (4, 4, 8), (128,)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", INPUTS)
def test_it_enters_each_convolution_of_3x3_and_4x4(kind):
    options, expected = INPUTS[kind]
    network, seen = discriminator(**options), []
    images = np.random.RandomState(0).standard_normal([4, network.resolution, network.resolution, 3])

    def record(x):
        seen.append(tuple(x.shape[1:]))
        return x

    disturbed = network(images, alpha=0.5, noise=record)
    assert seen == expected
    for ours, theirs in zip(disturbed, network(images, alpha=0.5), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_it_disturbs_what_goes_in_and_not_what_comes_out():
    """Doubled inputs under biases that are not 0: the bias of a layer is only doubled by those after it."""
    network = discriminator(resolution=4)
    images = np.random.RandomState(0).standard_normal([4, 4, 4, 3])
    plain = network(images).scores.numpy()
    np.testing.assert_allclose(network(images, noise=lambda x: 2 * x).scores, 4 * plain, rtol=1e-12)  # two layers
    network.dense0.bias.assign(np.full(network.dense0.bias.shape, 1e6))
    before = network(images).scores.numpy()
    after = network(images, noise=lambda x: 2 * x).scores.numpy()
    assert np.abs(after - before).max() < 1e-3 * np.abs(before).max()
