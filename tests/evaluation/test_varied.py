"""Samples that differ in some components of their latents: what is kept, what is drawn anew, and by what."""

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics.saliency import ALL

from pgan_tf.evaluation.fakes import GeneratedImages


def generated(kind: str = "images", size: int = 20, seed: int = 3, latents: str = "gaussian", labels=None):
    """A 'generator' whose samples are its latents, and its labels behind them."""
    shape = {"images": lambda x: x[:, None, None], "points": lambda x: x}[kind]
    return GeneratedImages(lambda z, k: shape(tf.concat([z, k], axis=1)), size, seed, 1, labels, latents)


def groups(fakes: GeneratedImages, name: str, references: int = 3) -> np.ndarray:
    found = np.stack(list(fakes.varied().groups(name, references, 5)))  # [R,5,..]
    return found.reshape(references, 5, -1)


@pytest.mark.parametrize("latents", ["gaussian", "uniform", "sphere"])
def test_only_the_set_varies(latents):
    fakes = generated(latents=latents)
    assert fakes.varied().sets == ("1-8", "9-16", "17-20")
    for name, dims in {"1-8": slice(0, 8), "9-16": slice(8, 16), "17-20": slice(16, 20), ALL: slice(0, 20)}.items():
        found = groups(fakes, name)
        varies = np.ptp(found, axis=1) > 0  # [R,L]
        assert varies[:, dims].all()
        assert varies.sum() == 3 * (dims.stop - dims.start)
        assert len({tuple(row) for row in found.reshape(15, -1)}) == 15


def test_all_sets_vary_the_same_references_by_the_same_draws():
    fakes = generated()
    first, second, whole = (groups(fakes, name) for name in ("1-8", "9-16", ALL))
    np.testing.assert_array_equal(first[:, 0, 16:], second[:, 0, 16:])
    np.testing.assert_array_equal(first[..., :8], whole[..., :8])
    np.testing.assert_array_equal(second[..., 8:16], whole[..., 8:16])


def test_they_follow_from_the_seed():
    np.testing.assert_array_equal(groups(generated(), "1-8"), groups(generated(), "1-8"))
    assert not np.any(groups(generated(), "1-8") == groups(generated(seed=4), "1-8"))
    batch = next(iter(generated())).reshape(-1)
    assert not np.intersect1d(batch, groups(generated(), "1-8")).size


def test_a_group_has_one_label():
    labels = np.eye(4, dtype=np.float32) + 10
    found = groups(generated(labels=labels), "9-16", references=12)[..., 20:]
    assert (found == found[:, :1]).all()
    assert 2 <= len({tuple(row[0]) for row in found}) <= 4


@pytest.mark.parametrize(("size", "sets"), [(1, ("1",)), (2, ("1", "2")), (32, ("1", "2-32"))])
def test_of_points_it_is_the_first_component_and_the_others(size, sets):
    assert generated("points", size).varied().sets == sets
