"""The trained generator as a file that plain Keras loads."""

from __future__ import annotations

from pathlib import Path

from pgan_tf import growth
from pgan_tf.files import new_file
from pgan_tf.networks import Generator
from pgan_tf.networks.saved import save_network
from pgan_tf.stages import Fade


def save_generator(network: Generator, fade: Fade, path: Path) -> None:
    """Writes `network` as .keras in float32, with its fade set to `fade`; complete or not there at all."""
    copy = growth.float32_copy(network, **fade.options())
    with new_file(path) as temporary:
        save_network(copy, temporary)
