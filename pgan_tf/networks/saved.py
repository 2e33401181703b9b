"""Networks in files: which one a path means, and how it is read."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import keras

from pgan_tf.errors import UserError
from pgan_tf.networks.archive import METADATA, Refused, check_archive, first_line
from pgan_tf.networks.progressive import Generator, ProgressiveNetwork

IMPORTED = "generator_ema.keras"  # the averaged generator in the folder of an imported network


class NetworkError(UserError, ValueError):
    """A network that cannot be used: the message is one line that names the file and says what to do."""


def load_network(path: Path, kind: type[ProgressiveNetwork] = Generator) -> ProgressiveNetwork:
    """The network in a .keras file, of which nothing is executed.

    NetworkError if it cannot be read, holds anything but a network of this package, or one that is not a `kind`.
    """
    name = "network" if kind is ProgressiveNetwork else kind.__name__.lower()
    if path.suffix != ".keras":  # Keras chooses its reader by the name, and its older ones execute what they find
        raise NetworkError(f"{path}: not a .keras file; give one that a run or an import has written")
    try:
        check_archive(path)
        network = keras.saving.load_model(path, compile=False)
    except OSError as error:
        raise NetworkError(f"{path}: cannot be read: {error.strerror or first_line(error)}") from None
    except Refused as error:
        raise NetworkError(f"{path}: cannot be loaded as a {name}: {error}") from None
    except Exception as error:  # whatever zip, JSON, HDF5 and Keras raise
        raise NetworkError(f"{path}: cannot be loaded as a {name} ({first_line(error)})") from None
    if not isinstance(network, kind):
        raise NetworkError(f"{path}: holds a {type(network).__name__}, not a {name}")
    return network


def save_network(network: ProgressiveNetwork, path: Path) -> None:
    """Writes a .keras file. Equal networks make equal bytes: Keras' own files bear the time."""
    network.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[METADATA] = json.dumps({**json.loads(parts[METADATA]), "date_saved": "1980-01-01@00:00:00"}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def snapshots(run: Path) -> list[Path]:
    """A run's network-*.keras, which are averaged generators, oldest first."""
    found = [path for path in run.glob("network-*.keras") if kimg(path) is not None]
    return sorted(found, key=kimg)


def kimg(path: Path) -> int | None:
    """Thousands of images that a snapshot had seen, by its name; None where this does not say."""
    match = re.fullmatch(r"network-(\d+)\.keras", path.name)
    return int(match[1]) if match else None


def generator_file(path: Path) -> Path:
    """The file of the averaged generator that `path` means: itself, a run's newest snapshot, an imported network's.

    Raises NetworkError where there is none.
    """
    if path.is_file():
        return path
    if not path.exists():
        raise NetworkError(f"{path}: no such file or folder; give a run's folder, a .keras file or an imported network")
    if (path / IMPORTED).is_file():
        return path / IMPORTED
    found = snapshots(path)
    if not found and (path / "config.json").is_file():
        raise NetworkError(f"{path}: holds no network-*.keras yet; the run writes one at its end")
    if not found:
        raise NetworkError(f"{path}: holds neither network-*.keras nor {IMPORTED}; give a run or an imported network")
    return found[-1]
