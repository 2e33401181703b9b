"""A trained generator, from wherever it lies, with the options it was trained with."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pgan_tf.config import Config, ConfigError
from pgan_tf.networks import Generator
from pgan_tf.networks.saved import NetworkError, folder_of, generator_file, load_network


class Loaded(NamedTuple):
    """`path`: the file it came from. `config`: the options of its run, None where no config.json lies beside it."""

    network: Generator
    path: Path
    config: Config | None


OTHERS = {
    "images": "makes points in the plane, this is for images; for points: generate.py samples, field, training_video",
    "points": "makes images, this is for points in the plane; for images: generate.py grid and others",
}


def load_generator(path: Path, kind: str = "images") -> Loaded:
    """The averaged generator of a run (its newest snapshot), of a .keras file, or of an imported network's folder.

    kind: of OTHERS, what it is to make; '' = either. Raises NetworkError, one line: nothing there, a run without
    snapshots, no generator, a file that cannot be read, one that makes something else.
    """
    file = generator_file(Path(path))
    network = load_network(file)
    if kind and kind != made_by(network):
        raise NetworkError(f"{file}: {OTHERS[kind]}")
    return Loaded(network, file, _config(folder_of(file) / "config.json"))


def made_by(network: Generator) -> str:
    """What a generator makes, as in OTHERS."""
    return "images" if len(network.sample_shape) == 3 else "points"


def _config(path: Path) -> Config | None:
    try:
        return Config.read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NetworkError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ConfigError as error:
        raise NetworkError(str(error)) from None
