"""The network of keras.applications, from a file of its weights."""

import keras
import numpy as np
import pytest
from pgan_tf.metrics import extractors
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.features import extract
from pgan_tf.metrics.weights import locate

IMAGES = np.random.RandomState(0).randint(0, 256, (2, 40, 40, 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """(the network, a file of its random weights)."""
    keras.utils.set_random_seed(1)
    network = keras.applications.InceptionV3(weights=None)
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    network.save_weights(path)
    return network, path


@pytest.mark.fidelity
def test_it_is_the_network_of_keras(saved):
    network, path = saved
    extractor = extractors.load("inception-keras", path)
    assert (extractor.name, extractor.sha256) == ("inception-keras", locate.sha256_of(path))
    found = extract(extractor, IMAGES, progress=False, batch_size=2)
    colour = np.repeat(IMAGES, 3, axis=3).astype(np.float32)
    fed = keras.ops.image.resize(colour, (299, 299), interpolation="bilinear") / 127.5 - 1
    pooled = keras.Model(network.input, network.get_layer("avg_pool").output)(fed, training=False)
    assert found.features.shape == (2, 2048)
    np.testing.assert_allclose(found.features, pooled, atol=1e-5 * np.max(pooled))
    np.testing.assert_allclose(keras.ops.softmax(found.logits), network(fed, training=False), rtol=1e-4)


@pytest.mark.invariance
def test_a_training_s_number_format_does_not_matter(saved):
    extractor = extractors.load("inception-keras", saved[1])
    keras.config.set_dtype_policy("mixed_float16")
    try:
        other = extractors.load("inception-keras", saved[1])
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy("float32")
    one, two = (extract(which, IMAGES, progress=False, batch_size=2) for which in (extractor, other))
    np.testing.assert_array_equal(one.features, two.features)


def test_no_network_is_one_line(monkeypatch):
    def fail(*arguments, **options):
        raise Exception(
            "URL fetch failure on https://..: None -- [Errno -3] Temporary failure in name resolution\nmore"
        )

    monkeypatch.setattr(keras.utils, "get_file", fail)
    with pytest.raises(MetricError, match="URL fetch failure") as caught:
        extractors.load("inception-keras")
    assert "\n" not in str(caught.value)


def test_wrong_files(tmp_path):
    with pytest.raises(MetricError, match=r"missing.h5: no such file"):
        extractors.load("inception-keras", tmp_path / "missing.h5")
    (tmp_path / "x.weights.h5").write_bytes(b"<html>")
    with pytest.raises(MetricError, match=r"x.weights.h5: not the weights of"):
        extractors.load("inception-keras", tmp_path / "x.weights.h5")
