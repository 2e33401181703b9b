"""What ends a run that cannot go on: what is wrong, and how to go on all the same, in one line."""

from __future__ import annotations

import shlex
from pathlib import Path

from pgan_tf.config import Config, belongs
from pgan_tf.errors import UserError
from pgan_tf.evaluation.results import read_ticks
from pgan_tf.networks.saved import snapshots
from pgan_tf.schedule import Progress
from pgan_tf.training import checkpoint
from pgan_tf.training.microbatches import limits_with, microbatches_at, smaller_microbatch


class Diverged(UserError, RuntimeError):
    """The loss or a gradient is not finite and --nan=stop."""

    status = 1


class OutOfMemory(UserError, RuntimeError):
    """A device has too little memory for its share of the minibatch."""

    status = 1


def diverged(folder: Path, images: int) -> Diverged:
    """Of the run in this folder, after so many images."""
    good = checkpoint.paths(folder / "checkpoints")
    last = f"the last good checkpoint is {good[-1]}" if good else "there is no checkpoint yet"
    return Diverged(
        f"a loss or gradient is not finite after {images / 1000:.1f} kimg; {last}. Try a lower "
        "--g_lrate_base / --d_lrate_base, --precision=float32, or --nan=skip to leave such steps out"
    )


def out_of_memory(config: Config, folder: Path, progress: Progress, devices: int) -> OutOfMemory:
    """Says how many images at once did not fit, and which options take fewer."""
    level = progress.stage.size.level
    at_once = progress.minibatch // devices // microbatches_at(config, level, devices)
    smaller, way = smaller_microbatch(config, level, devices), "with a smaller --minibatch_base or _dict"
    if smaller:
        way = f"--max_minibatch_per_device={limits_with(config, level, smaller)}"
    elif belongs("remat", config.model.family) and not config.optim.remat:
        way = "--remat"
    return OutOfMemory(
        f"out of memory at {progress.stage} with {at_once} images on a device; "
        f"go on with --resume={shlex.quote(str(folder))} {way}"
    )


def check_untrained(folder: Path) -> None:
    """CheckpointError where there has been a training: to start it again would write over what it made."""
    if read_ticks(folder / "metrics.jsonl") or snapshots(folder):
        raise checkpoint.CheckpointError(
            f"{folder}: has been trained, but {folder / 'checkpoints'} holds nothing to go on from; "
            "put its checkpoints back, or start a new run (one that begins with this one's network: "
            "--init_from=NETWORK.keras)"
        )
