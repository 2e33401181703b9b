"""The run folder: its name, and what is known of a run before it starts.

results/00007-mnist-s1000/
    config.json flags.txt environment.json log.txt metrics.jsonl report.md
    reals.png fakes000120.png network-000120.keras events.out.tfevents.* checkpoints/
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from pgan_tf.config import Config, ConfigError


def create(config: Config, dataset_name: str, flags_text: str) -> Path:
    """Makes the next free run folder under --result_dir, with config.json, flags.txt and environment.json."""
    root = Path(config.run.result_dir)
    root.mkdir(parents=True, exist_ok=True)
    taken = [int(match[1]) for path in root.iterdir() if (match := re.match(r"(\d{5,})-", path.name))]
    number = max(taken, default=-1) + 1
    name = file_name(config.run.desc or dataset_name)
    while True:
        folder = root / f"{number:05d}-{name}-s{config.run.seed}"
        try:
            folder.mkdir()
            break
        except FileExistsError:  # another run started at the same moment
            number += 1
    (folder / "config.json").write_text(config.to_json())
    (folder / "flags.txt").write_text(flags_text)
    (folder / "environment.json").write_text(json.dumps(environment(), indent=2) + "\n")
    return folder


def file_name(text: str) -> str:
    """What stands for `text` in the name of a run folder."""
    return re.sub(r"[^\w.+-]+", "_", text)


def load_config(folder: Path) -> Config:
    """The options of an existing run. Raises ConfigError where the folder is not a run's."""
    try:
        return Config.from_json((folder / "config.json").read_text())
    except OSError:
        raise ConfigError(f"--resume={folder}: no config.json there; give the folder of a run") from None


def environment() -> dict:
    """Versions, devices and revision: what somebody needs to repeat the run."""
    import keras
    import numpy
    import tensorflow as tf

    import pgan_tf

    devices = [f"{d.device_type}: {d.name}" for d in tf.config.list_physical_devices()]
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": sys.argv,
        "pgan_tf": pgan_tf.__version__,
        "revision": _git_revision(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": numpy.__version__,
        "devices": devices,
    }


def _git_revision() -> str:
    """The checkout's revision, with '+changes' where files differ from it; '' outside of a checkout."""
    root = Path(__file__).resolve().parents[2]
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=+changes", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
