"""A run to explore: a tiny labelled network with its training pictures, and what it is exported to."""

import numpy as np
import pytest

from pgan_tf.config import Config
from pgan_tf.data import DatasetWriter
from pgan_tf.interop.export import export
from pgan_tf.networks import Generator


def tiny(label_size: int, resolution: int = 16, seed: int = 0, latents: str = "gaussian") -> Generator:
    """A generator whose pictures differ: the weights of a new one, its biases too."""
    network = Generator(
        resolution=resolution, num_channels=1, label_size=label_size, fmap_base=64, fmap_max=8, latent_size=20,
        seed=seed, latents=latents,
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    for variable in network.trainable_variables:
        variable.assign(variable + 0.3 * rng.standard_normal(variable.shape))
    return network


@pytest.fixture(scope="session")
def make_tiny():
    return tiny


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run folder beside its data set of 50 pictures."""
    folder = tmp_path_factory.mktemp("explored")
    with DatasetWriter(folder / "set", 16, 1, total=50) as writer:
        for picture in np.random.default_rng(0).integers(0, 256, (50, 16, 16, 1), np.uint8):
            writer.add(picture)
    run = folder / "00000-tiny-s1"
    run.mkdir()
    options = {"latent_size": 20, "dataset": str(folder / "set")}
    (run / "config.json").write_text(Config.from_values(options).to_json())
    tiny(3).save(run / "network-000010.keras")
    return run


@pytest.fixture(scope="session")
def onnx_file(run):
    export(run, run.parent / "tiny.onnx", "onnx")
    return run.parent / "tiny.onnx"
