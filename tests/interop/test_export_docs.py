"""docs/export.md: its commands and its lines of Python, run as they stand, give Keras's images."""

import re
from pathlib import Path

import numpy as np
import pytest

from pgan_tf.networks import Generator
from pgan_tf.programs import start

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "export.md").read_text()
RUN = """
import sys
import numpy as np
np.random.seed(3)
found, images = {}, []
for block in open(sys.argv[1]).read().split("\\0"):
    exec(block, found)
    if "images = " in block or "images, " in block:
        images.append(np.asarray(found["images"]))
np.savez("images.npz", *images)
"""


@pytest.fixture(scope="module")
def network():
    """As in the page: digits of 32x32, 64 latents, 10 labels; few feature maps, random biases."""
    network = Generator(resolution=32, num_channels=1, label_size=10, latent_size=64, fmap_base=64, fmap_max=8, seed=1)
    random = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(random.standard_normal(variable.shape))
    return network


def test_the_page_runs(network, fresh_process, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "00000-quickstart-s1000").mkdir(parents=True)
    network.save(tmp_path / "results" / "00000-quickstart-s1000" / "network-000076.keras")
    commands = re.findall("^python network_tool.py (export (?!.*--runtime=).*)$", PAGE, re.M)
    assert len(commands) == 6
    for command in commands:
        assert start.run("network_tool", command.split()) == 0

    blocks = re.findall("```python\n(.*?)```", PAGE, re.S)
    (tmp_path / "blocks.txt").write_text("\0".join(blocks))
    fresh_process(RUN, tmp_path / "blocks.txt")
    latents = np.random.RandomState(3).randn(10, 64).astype(np.float32)
    expected = network((latents, np.eye(10, dtype=np.float32))).numpy()
    pixels = np.clip((expected + 1.0) * 127.5, 0, 255)
    *found, floats = np.load("images.npz").values()
    assert [images.dtype for images in found] == [np.uint8] * 4  # LiteRT, ONNX, TensorFlow, NumPy
    for images in found:
        np.testing.assert_allclose(images, pixels, rtol=0, atol=0.5 + 127.5e-4)
    np.testing.assert_allclose(floats, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("fading", "alpha"), [(False, 1.0), (True, 0.04), (True, 0.7)])
def test_the_program_in_numpy_computes_the_network(fading, alpha, monkeypatch, tmp_path):
    """Also a snapshot in the middle of a fade."""
    options = dict(resolution=32, num_channels=1, label_size=10, latent_size=64, fmap_base=64, fmap_max=8)
    network = Generator(**options, fading=fading, alpha=alpha, seed=1)
    random = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(random.standard_normal(variable.shape))
    monkeypatch.chdir(tmp_path)
    network.save(tmp_path / "g.keras")
    assert start.run("network_tool", ["export", "g.keras", "digits.npz", "--format=weights"]) == 0
    found, images = {}, None
    for block in re.findall("```python\n(.*?)```", PAGE, re.S):
        if "ai_edge" not in block and "import onnxruntime" not in block and "import tensorflow" not in block:
            exec(block, found)
            images = images if "read_weights" in block else found.get("images")  # the last block's are floats
    expected = network((found["latents"], found["labels"])).numpy()
    pixels = np.clip((expected + 1.0) * 127.5, 0, 255)
    np.testing.assert_allclose(images, pixels, rtol=0, atol=0.5 + 127.5e-4)
