"""Checkpoints: one folder each, complete and on the disk, or not there at all.

checkpoints/000120.512/        thousands of images seen
    counters.json              the plain numbers of the run, its stage, the options of its networks
    state.index, state.data-*  networks, EMA, optimizers (tf.train.Checkpoint)
    manifest.json              size and CRC of each of these files
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import tensorflow as tf

from pgan_tf.files import clear_away, make_folder, replace_folder
from pgan_tf.networks.checkpoints import CheckpointError as CheckpointError
from pgan_tf.networks.checkpoints import crc_of
from pgan_tf.networks.checkpoints import find_fault as find_fault
from pgan_tf.networks.checkpoints import newest_sound as newest_sound
from pgan_tf.networks.checkpoints import paths as paths
from pgan_tf.plain import plain_path
from pgan_tf.stages import Fade, Stage
from pgan_tf.training.state import Counters, StageState

_GRAPH, _VALUE = "_CHECKPOINTABLE_OBJECT_GRAPH", "/.ATTRIBUTES/VARIABLE_VALUE"  # in the keys of TensorFlow's files


def save(folder: Path, state: StageState, counters: Counters, keep: int, fade: Fade | None = None) -> Path:
    """Writes a checkpoint aside, renames it, then removes all but the newest `keep`. Returns its path.

    `fade`: of this moment, for who makes pictures of it; by default all has faded in.
    Raises OSError where the disk does not take it; the checkpoints before are as they were.
    """
    make_folder(folder)
    for leftover in folder.glob(".tmp-*"):  # of a process that was killed while it wrote
        shutil.rmtree(leftover, ignore_errors=True)
    path = folder / f"{counters.images / 1000:010.3f}"
    clear_away(path)
    temporary = folder / f".tmp-{path.name}"
    temporary.mkdir()
    try:
        with plain_path(temporary) as plain:
            tf.train.Checkpoint(**state.variables_by_name()).write(f"{plain}/state")
    except tf.errors.OpError as error:  # TensorFlow's own word for a full disk
        shutil.rmtree(temporary, ignore_errors=True)
        raise OSError(f"{path} cannot be written: {_reason(error)}; the checkpoints before are as they were") from None
    now = {"dtype": "float32", **(fade or Fade()).options()}
    record = {
        "stage": state.stage.to_record(), "counters": dataclasses.asdict(counters), "family": state.ema.family,
        "generator": {**state.ema.get_config(), **now}, "discriminator": {**state.discriminator.get_config(), **now},
    }  # fmt: skip
    (temporary / "counters.json").write_text(json.dumps(record, indent=2))
    manifest = {file.name: [file.stat().st_size, crc_of(file)] for file in sorted(temporary.iterdir())}
    (temporary / "manifest.json").write_text(json.dumps(manifest, indent=2))
    replace_folder(temporary, path)  # on the disk, before an older one goes
    known = paths(folder)
    for old in known[: max(known.index(path) + 1 - keep, 0)]:  # damaged ones that were passed over are newer
        shutil.rmtree(old, ignore_errors=True)
    return path


def _reason(error: tf.errors.OpError) -> str:
    """What TensorFlow says, without the names of its operations and of its own files."""
    line = re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:.*?\]", "", (error.message.splitlines() or ["no reason given"])[0])
    return line.rpartition("; ")[2]


def read_counters(path: Path) -> tuple[Stage, Counters]:
    """The stage and the plain numbers of a checkpoint: what must be known to build the networks."""
    record = json.loads((path / "counters.json").read_text())
    return Stage.from_record(record["stage"]), Counters(**record["counters"])


def read_fade(path: Path) -> Fade:
    """The fade of the networks in a checkpoint; faded in for one of an earlier version, which does not say."""
    generator = json.loads((path / "counters.json").read_text()).get("generator", {})
    return Fade(**{name: generator[name] for name in Fade._fields if name in generator})


def read_sizes(path: Path) -> tuple[int, int]:
    """Colour channels, or components of a point, and label components of a checkpoint's networks.

    Version 0.1.0 did not say: there by the biases that have as many.
    """
    generator = json.loads((path / "counters.json").read_text()).get("generator", {})
    if {"num_channels", "label_size"} <= generator.keys():
        return generator["num_channels"], generator["label_size"]
    with plain_path(path) as plain:
        shapes = {name.replace(".S", "/"): shape for name, shape in tf.train.list_variables(f"{plain}/state")}
    channels = next(shape[0] for name, shape in shapes.items() if re.match(r"generator/ToRGB_\w+/bias", name))
    outputs = next(shape[0] for name, shape in shapes.items() if name.startswith("discriminator/4x4_Dense1/bias"))
    return channels, outputs - 1


def check_data(path: Path, resolution: int, channels: int, label_size: int) -> None:
    """CheckpointError unless a checkpoint's networks are for such images and labels: its run had another data set."""
    networks, stage = read_sizes(path), read_counters(path)[0]
    if networks != (channels, label_size) or stage.resolution > resolution:
        have = f"{stage.resolution} pixels, {networks[0]} channel(s) and {networks[1]} label components"
        raise CheckpointError(
            f"{path}: its networks have {have}, the data set {resolution}, {channels} and {label_size}; "
            "give the run's own data set by --dataset"
        )


def restore(path: Path, state: StageState) -> None:
    """Fills the networks and optimizers of `state`, which must be at the checkpoint's stage.

    CheckpointError names the first variable that does not fit: the checkpoint is of a run with other networks.
    """
    misfit = find_misfit(path, state.variables_by_name())
    if misfit is not None:
        raise CheckpointError(
            f"{path}: {misfit}; it is of a run with other options: resume that run, or give its folder by --init_from"
        )
    with plain_path(path) as plain:
        tf.train.Checkpoint(**state.variables_by_name()).read(f"{plain}/state").assert_consumed()


def find_misfit(path: Path, wanted: dict[str, tf.Variable]) -> str | None:
    """The first variable that a checkpoint has in another form, lacks, or has besides; None if all fit."""
    with plain_path(path) as plain:
        reader = tf.train.load_checkpoint(f"{plain}/state")
    types = reader.get_variable_to_dtype_map()
    shapes = {key: shape for key, shape in reader.get_variable_to_shape_map().items() if key != _GRAPH}
    stored = {_plain_name(key): f"{types[key].name} {shape}" for key, shape in shapes.items()}
    asked = {name: f"{variable.dtype.name} {list(variable.shape)}" for name, variable in wanted.items()}
    for name in sorted(stored.keys() | asked, key=lambda name: ("optimizer" in name, name)):  # whose names say little
        have, want = stored.get(name, "not there"), asked.get(name, "none")
        if have != want:
            return f"{name} is {have}, the run's options ask for {want}"
    return None


def _plain_name(key: str) -> str:
    """What TensorFlow's key stands for: it escapes slashes and dots."""
    return re.sub(r"\.(S|\.)", lambda match: "/" if match[1] == "S" else ".", key.removesuffix(_VALUE))
