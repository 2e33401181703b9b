"""Streams of random numbers: no two purposes, seeds or steps share one, and old runs keep theirs."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from pgan_tf.latents import LATENTS, Purpose, stream

SEEDS = sorted(
    {base + more for base in (0, 2**28, 2**32, 2**58, 2**59, 2**60, 3 * 2**59, 2**62) for more in (0, 1, 15, 16)}
    | {2**59 - 1, 2**62 - 1, 2**63 - 1, 2**63 - 2**59, 2**63 - 16}
)
PURPOSES = (0, 1, 13, 14, 15, 16, 17, 31, 32, 64, 112, 126, 127, 128, 255)
STEPS = (0, 1, 2, 16, 2**32, 4 * 10**15, 2**52 - 1)


def pair(seed, purpose, step) -> tuple[int, int]:
    return tuple(int(part) for part in stream(seed, purpose, step))


@pytest.mark.parametrize("step", [0, 4 * 10**15])
def test_no_two_purposes_or_seeds_share_a_stream(step):
    keys = list(itertools.product(SEEDS, PURPOSES))
    assert len({pair(seed, purpose, step) for seed, purpose in keys}) == len(keys)


def test_no_step_of_one_stream_is_a_step_of_another():
    keys = list(itertools.product((0, 1, 2**59, 2**60 + 1, 2**63 - 1), (0, 15, 16, 127), STEPS))
    pairs = {pair(*key) for key in keys}
    assert len(pairs) == len(keys)
    assert min(min(pair) for pair in pairs) >= 0


def test_random_pairs_differ():
    random = np.random.default_rng(0)
    keys = {
        (int(random.integers(2**63)), int(random.integers(128)), int(random.integers(4 * 10**15))) for _ in range(200)
    }
    assert len({pair(*key) for key in keys}) == len(keys)


@pytest.mark.parametrize("purpose", list(Purpose)[:14])
def test_streams_of_old_runs_keep_their_numbers(purpose):
    """As version 0.1 made them: seed * 16 + purpose, step."""
    for seed in (0, 1000, 2**32 + 5, 2**59 - 1):
        for step in (0, 7, tf.constant(2**40, tf.int64)):
            assert pair(seed, purpose, step) == (seed * 16 + int(purpose), int(step))


# ---- distributions -----------------------------------------------------------------------------------------------

MOMENTS = {  # of a component of N rows of L: its standard deviation, and its largest value
    "gaussian": lambda size: (1.0, np.inf),
    "uniform": lambda size: (3**-0.5, 1.0),
    "sphere": lambda size: (size**-0.5, 1.0),
}


@pytest.mark.parametrize("size", [1, 2, 32])
@pytest.mark.parametrize("kind", LATENTS)
def test_the_moments_of_a_distribution(kind, size):
    deviation, largest = MOMENTS[kind](size)
    rows = LATENTS[kind]([20_000, size], stream(1, Purpose.D_LATENTS, 0), dtype=tf.float64).numpy()
    assert rows.dtype == np.float64
    assert rows.std() == pytest.approx(deviation, rel=0.02)
    assert np.abs(rows.mean(axis=0)).max() < 5 * deviation / np.sqrt(len(rows))
    assert np.abs(rows).max() <= largest + 1e-12
    if kind == "sphere":
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-12)
    if kind == "uniform":
        shares = np.histogram(rows, bins=8, range=(-1, 1))[0] / rows.size
        np.testing.assert_allclose(shares, 1 / 8, atol=0.01)


def test_every_purpose_has_a_number_of_its_own():
    assert len({int(purpose) for purpose in Purpose}) == len(Purpose.__members__)
