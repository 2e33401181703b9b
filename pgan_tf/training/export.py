"""The trained generator as a file that plain Keras loads."""

from __future__ import annotations

from pathlib import Path

from pgan_tf import growth
from pgan_tf.files import new_file
from pgan_tf.networks import Generator


def save_generator(network: Generator, alpha: float, path: Path) -> None:
    """Writes `network` as .keras in float32, with its fade set to `alpha`; complete or not there at all."""
    copy = Generator.from_config({**network.get_config(), "alpha": alpha, "dtype": "float32"})
    growth.carry(network, copy)
    with new_file(path) as temporary:
        copy.save(temporary)
