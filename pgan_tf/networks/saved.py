"""Networks in files: which one a path means, and how it is read."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import keras
import tensorflow as tf

from pgan_tf import stamps
from pgan_tf.errors import UserError, reason
from pgan_tf.files import sha256
from pgan_tf.networks import checkpoints
from pgan_tf.networks.archive import METADATA, Refused, check_archive, first_line
from pgan_tf.networks.base import GeneratorNetwork, Network

IMPORTED = "generator_ema.keras"  # the averaged generator in the folder of an imported network


class NetworkError(UserError, ValueError):
    """A network that cannot be used: the message is one line that names the file and says what to do."""


def load_network(path: Path, kind: type[Network] = GeneratorNetwork) -> Network:
    """The network in a .keras file, of which nothing is executed.

    NetworkError if it cannot be read, holds anything but a network of this package, or one that is not a `kind`.
    """
    name = kind.part or "network"
    if checkpoints.is_checkpoint(path):
        return _of_checkpoint(path)
    if path.suffix != ".keras":  # Keras chooses its reader by the name, and its older ones execute what they find
        raise NetworkError(f"{path}: not a .keras file; give one that a run or an import has written")
    try:
        check_archive(path)
        network = keras.saving.load_model(path, compile=False)
    except OSError as error:
        raise NetworkError(f"{path}: cannot be read: {reason(error)}") from None
    except Refused as error:
        raise NetworkError(f"{path}: cannot be loaded as a {name}: {error}") from None
    except Exception as error:  # whatever zip, JSON, HDF5 and Keras raise
        raise NetworkError(f"{path}: cannot be loaded as a {name} ({first_line(error)})") from None
    if not isinstance(network, kind):
        raise NetworkError(f"{path}: holds a {type(network).__name__}, not a {name}")
    return network


def _of_checkpoint(path: Path) -> GeneratorNetwork:
    try:
        if fault := checkpoints.find_fault(path):
            raise NetworkError(f"{path}: damaged ({fault}); give another checkpoint")
        return checkpoints.load_generator(path)
    except checkpoints.CheckpointError as error:
        raise NetworkError(str(error)) from None
    except (OSError, ValueError, TypeError, tf.errors.OpError) as error:
        raise NetworkError(f"{path}: cannot be loaded ({first_line(error)})") from None


def save_network(network: Network, path: Path) -> None:
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
    return stamps.in_time(run, "network-*.keras")


def kimg(path: Path) -> float | None:
    """Thousands of images that a snapshot or a checkpoint had seen, by its name; None where this does not say."""
    return float(path.name) if checkpoints.is_checkpoint(path) else stamps.kimg(path)


def digest(path: Path) -> str:
    """The SHA-256 of a network's file, or of the list of a checkpoint's files with their CRCs."""
    return sha256(path / checkpoints.MANIFEST if path.is_dir() else path)


def folder_of(path: Path) -> Path:
    """The folder of the run that a snapshot or a checkpoint belongs to."""
    return path.parent.parent if path.is_dir() else path.parent


def generator_file(path: Path) -> Path:
    """The averaged generator that `path` means: itself, a run's newest snapshot, an imported network's file.

    Of a run that has no snapshot yet, its newest checkpoint. Raises NetworkError where there is none.
    """
    if path.is_file() or checkpoints.is_checkpoint(path):
        return path
    if not path.exists():
        raise NetworkError(f"{path}: no such file or folder; give a run's folder, a .keras file or an imported network")
    if (path / IMPORTED).is_file():
        return path / IMPORTED
    found = snapshots(path)
    if not found and (path / "config.json").is_file():
        return _newest_checkpoint(path)
    if not found:
        raise NetworkError(f"{path}: holds neither network-*.keras nor {IMPORTED}; give a run or an imported network")
    return found[-1]


def _newest_checkpoint(run: Path) -> Path:
    if not checkpoints.paths(run / "checkpoints"):
        raise NetworkError(
            f"{run}: holds no network-*.keras yet, and no checkpoint; a run writes one in its first minute"
        )
    try:
        return checkpoints.newest_sound(run / "checkpoints", lambda line: print(line, file=sys.stderr))
    except checkpoints.CheckpointError as error:
        raise NetworkError(str(error)) from None
