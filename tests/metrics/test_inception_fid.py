"""From images to numbers: the Frechet distances of two sets are those of torch-fidelity and pytorch-fid."""

import zlib

import inception_recipe as recipe
import keras
import numpy as np
import pytest
from pgan_tf.metrics.extractors import inception_2015
from pgan_tf.metrics.extractors.base import Activations, Extractor
from pgan_tf.metrics.features import extract
from pgan_tf.metrics.frechet import Statistics, frechet_distance

TAPS = (64, 192, 768, 2048)


@pytest.fixture(scope="module")
def network():
    whole = inception_2015.network(recipe.weights())
    features = keras.ops.concatenate([whole.output[str(tap)] for tap in TAPS], axis=1)  # [N,3072]: all taps in one pass
    return keras.Model(whole.input, [features, whole.output["logits_unbiased"]])


@pytest.fixture(scope="module")
def sets(golden):
    first, second = recipe.sets()
    stored = golden("inception_e2e.npz")
    assert (zlib.crc32(first.tobytes()), zlib.crc32(second.tobytes())) == (stored["S1_crc"], stored["S2_crc"])
    return first, second


@pytest.mark.fidelity
@pytest.mark.parametrize(("tool", "mode"), [("tf", "original"), ("pf", "pytorch-fid")])
def test_frechet_distance_of_two_sets(tool, mode, network, sets, golden, record_property):
    feed = inception_2015.MODES[mode][1]
    every = Extractor(mode, "", sum(TAPS), 1008, lambda x: Activations(*network(feed(x), training=False)))
    ours = [extract(every, images, batch_size=20, progress=False) for images in sets]
    stored, begin = golden("inception_e2e.npz"), 0
    for tap in TAPS:
        a, b = (Statistics.of(found.features[:, begin : begin + tap]) for found in ours)
        begin += tap
        name = f"{tool}_{tap}_fid" if tap < 2048 or tool == "pf" else "tf_2048_frechet_inception_distance"
        found = frechet_distance(a, b)
        record_property(name, float(abs(found / stored[name] - 1)))
        assert found == pytest.approx(stored[name], rel=1e-6), name
    if tool == "tf":
        assert inception_score(ours[0].logits) == pytest.approx(stored["tf_2048_inception_score_mean"], rel=1e-6)


def inception_score(logits: np.ndarray) -> float:
    """Torch-fidelity's of the shuffled rows, with the 4 splits of the golden run."""
    logits = logits[np.random.RandomState(2020).permutation(len(logits))].astype(np.float64)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    splits = [p[i * len(p) // 4 : (i + 1) * len(p) // 4] for i in range(4)]
    return np.mean([np.exp((q * (np.log(q) - np.log(q.mean(0)))).sum(1).mean()) for q in splits])
