"""Tiny generators whose pictures differ, and a run of one beside its training pictures."""

from pathlib import Path

import numpy as np

from pgan_tf.config import Config
from pgan_tf.data import DatasetWriter
from pgan_tf.networks import Generator


def tiny(label_size: int = 0, resolution: int = 16, num_channels: int = 3, seed: int = 0, **options) -> Generator:
    """The weights of a new one, its RGB layer a little stronger."""
    network = Generator(
        resolution=resolution, num_channels=num_channels, label_size=label_size, fmap_base=64, fmap_max=8,
        latent_size=20, seed=seed, **options,
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    for variable in network.trainable_variables:  # biases, which start at zero, included
        variable.assign(variable + 0.3 * rng.standard_normal(variable.shape))
    return network


def tiny_run(folder: Path) -> Path:
    """A run in `folder`, of a grey network with three labels, beside its data set of 50 pictures."""
    with DatasetWriter(folder / "set", 16, 1, total=50) as writer:
        for picture in np.random.default_rng(0).integers(0, 256, (50, 16, 16, 1), np.uint8):
            writer.add(picture)
    run = folder / "00000-tiny-s1"
    run.mkdir()
    (run / "config.json").write_text(Config.from_values({"latent_size": 20, "dataset": str(folder / "set")}).to_json())
    tiny(3, num_channels=1).save(run / "network-000010.keras")
    return run
