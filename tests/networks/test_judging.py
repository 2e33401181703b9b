"""What a discriminator says of a sample does not depend on those that are asked about with it."""

from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from pgan_tf.networks import judging
from pgan_tf.networks.mlp import DenseDiscriminator
from pgan_tf.stages import Fade

RANDOM = np.random.default_rng(0)
POINTS, REALS = RANDOM.normal(size=(12, 2)).astype(np.float32), RANDOM.normal(size=(7, 2)).astype(np.float32)


class Scores(NamedTuple):
    scores: tf.Tensor


KINDS = {
    "alone": {"mbstd_group_size": 0},
    "groups": {"mbstd_group_size": 4},
    "compared": {"mbstd_group_size": 3, "minibatch_statistics": "discrimination"},
    "more than reals": {"mbstd_group_size": 10},
    "batch norm": {"mbstd_group_size": 0, "d_norm": "batch"},
    "reference": {"mbstd_group_size": 2, "d_norm": "virtual_batch", "reference_batch": 4},
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_sample_has_its_score(kind, monkeypatch):
    d = DenseDiscriminator(num_channels=2, **KINDS[kind])
    together = judging.Judge(d, REALS, Fade())(POINTS)
    assert together.shape == (12,)
    one_by_one = np.concatenate([judging.Judge(d, REALS, Fade())(POINTS[i : i + 1]) for i in range(12)])
    np.testing.assert_allclose(together, one_by_one, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(judging, "MOST", 25)  # several passes
    np.testing.assert_allclose(judging.Judge(d, REALS, Fade())(POINTS), together, rtol=1e-4, atol=1e-5)


def test_its_company_are_the_reals():
    d = DenseDiscriminator(num_channels=2, mbstd_group_size=3)
    group = np.concatenate([POINTS[:1], REALS[:2]])
    np.testing.assert_allclose(judging.Judge(d, REALS, Fade())(POINTS)[0], d(group).scores[0], rtol=1e-5)
    assert not np.allclose(judging.Judge(d, REALS + 1, Fade())(POINTS), judging.Judge(d, REALS, Fade())(POINTS))


@pytest.mark.parametrize("resolution", [8, 64])
def test_a_pass_is_no_larger_for_larger_pictures(resolution, monkeypatch):
    """Each group is of 4, of which a pass has at least one."""
    seen = []

    class Counting:
        together = 4

        def __call__(self, batch, **options):
            seen.append(len(batch) * resolution**2)
            return Scores(tf.reduce_mean(batch, axis=(1, 2, 3)))

    monkeypatch.setattr(judging, "PIXELS", 4 * 64**2)
    pictures = RANDOM.normal(size=(9, resolution, resolution, 3)).astype(np.float32)
    scores = judging.Judge(Counting(), pictures, Fade())(pictures)
    np.testing.assert_allclose(scores, pictures.mean(axis=(1, 2, 3)), atol=1e-6)
    assert max(seen) <= judging.PIXELS
