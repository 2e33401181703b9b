"""The checkpoints of a run on the disk: which are sound, and the averaged generator in one.

A checkpoint is a folder `checkpoints/000120.512` with counters.json, state.* and manifest.json; see
training/checkpoint.py, which writes and restores it.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from pgan_tf.errors import UserError
from pgan_tf.networks.base import DiscriminatorNetwork, GeneratorNetwork, Network
from pgan_tf.networks.families import of_record
from pgan_tf.plain import plain_path

_NAME = re.compile(r"\d+(\.\d+)?", re.ASCII)
COUNTERS, MANIFEST, STATE, EMA = "counters.json", "manifest.json", "state", "ema"


class CheckpointError(UserError, RuntimeError):
    """No usable checkpoint. One line that says where it looked."""

    status = 1


def paths(folder: Path) -> list[Path]:
    """The checkpoints in `folder`, oldest first."""
    found = [path for path in folder.glob("[0-9]*") if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=lambda path: float(path.name))


def newest_sound(folder: Path, say: Callable[[str], None]) -> Path:
    """The newest checkpoint whose files are all as they were written; says which ones it passes over."""
    for path in reversed(paths(folder)):
        fault = find_fault(path)
        if fault is None:
            return path
        say(f"checkpoint {path} is damaged ({fault}): going back to the one before")
    raise CheckpointError(f"{folder}: no usable checkpoint; start the run anew")


def find_fault(path: Path) -> str | None:
    """What is wrong with a checkpoint's files, None if nothing is."""
    try:
        manifest = json.loads((path / MANIFEST).read_text())
    except (OSError, ValueError):
        return f"{MANIFEST} is missing or damaged"
    for name, (size, crc) in manifest.items():
        file = path / name
        if not file.exists():
            return f"{name} is missing"
        if file.stat().st_size != size:
            return f"{name} has {file.stat().st_size} bytes instead of {size}"
        if crc_of(file) != crc:
            return f"{name} has changed"
    return None


def crc_of(file: Path) -> int:
    crc = 0
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 22):
            crc = zlib.crc32(chunk, crc)
    return crc


def is_checkpoint(path: Path) -> bool:
    return path.is_dir() and (path / COUNTERS).is_file()


def load_generator(path: Path) -> GeneratorNetwork:
    """The averaged generator of a sound checkpoint, in float32, with the fade of its moment. CheckpointError."""
    return _load(path, "generator", EMA)


def load_discriminator(path: Path) -> DiscriminatorNetwork:
    """The discriminator of a sound checkpoint, likewise."""
    return _load(path, "discriminator", "discriminator")


def _load(path: Path, part: str, prefix: str) -> Network:
    """The network of this part, whose variables have names that begin with `prefix`."""
    record = json.loads((path / COUNTERS).read_text())
    options = record.get(part)
    if options is None:
        raise CheckpointError(
            f"{path}: an earlier version's, from which only training goes on; resume the run, and stop it again"
        )
    network = getattr(of_record(record), part).from_config(options)
    with plain_path(path) as plain:
        reader = tf.train.load_checkpoint(f"{plain}/{STATE}")
        for name, variable in network.variables_by_name().items():
            key = f"{prefix}/{name}".replace("/", ".S")  # as TensorFlow writes a name in a name
            variable.assign(reader.get_tensor(f"{key}/.ATTRIBUTES/VARIABLE_VALUE"))
    return network
