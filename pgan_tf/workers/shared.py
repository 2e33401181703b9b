"""What the processes of a run have in common, and what to say where they part."""

from __future__ import annotations

import os
import shlex

from pgan_tf.config import Config
from pgan_tf.option import option_text
from pgan_tf.workers.team import Alone, Facts, Team

# What may be another in each worker: where the data lie, which the chief's content is compared with, and what only the
# chief uses.
OWN = ("dataset", "result_dir", "desc")


def options(config: Config) -> Facts:
    """The options of the run that all workers share."""
    return {f"--{name}": option_text(value) for name, value in config.values().items() if name not in OWN}


def way_on(folder: str | os.PathLike, team: Alone | Team) -> str:
    """How a run that was stopped, or lost a worker, goes on."""
    command = f"go on with: python train.py --resume={shlex.quote(str(folder))}"
    if team.size == 1:
        return command
    return f"{command} on every worker; also on fewer, or with --strategy=mirrored on one machine alone"
