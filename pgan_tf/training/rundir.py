"""The run folder: its name, and what is known of a run before it starts. docs/runs.md lists its files."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pgan_tf.config import Config, ConfigError
from pgan_tf.data import identity
from pgan_tf.errors import reason
from pgan_tf.files import lock_held, make_folder, new_file, settle, sync
from pgan_tf.option import option_text
from pgan_tf.places import place

# What a checkpoint holds beside the networks goes by these options, by this much of their values.
HELD: dict[str, Callable[[Any], object]] = {
    "optimizer": str,
    "momentum": bool,
    "history_weight": bool,
    "augment": lambda value: value == "ada",
}
UNFINISHED_SECONDS = 3600.0
LONGEST_NAME = 150  # bytes; beside it stand number and seed, and a file system takes 255


def create(
    config: Config, dataset_name: str, flags_text: str, files: dict[str, str] | None = None, here: Path | None = None
) -> Path:
    """Makes the next free run folder under --result_dir, with config.json, flags.txt, environment.json and `files`.

    here: the folder of the disk to make it in, where --result_dir is on a store. Raises ConfigError where no folder can
    be made there.
    """
    results = place(config.run.result_dir)
    root = here or results
    try:
        make_folder(root)
    except OSError as error:
        raise ConfigError(f"--result_dir={root}: cannot be made ({reason(error)}); choose another place") from None
    others = results.iterdir() if results.is_dir() else ()
    taken = [int(match[1]) for path in others if (match := re.match(r"(\d{5,})-", path.name))]
    number = max(taken, default=-1) + 1
    name = file_name(config.run.desc or dataset_name)
    _clear_unfinished(root, name)
    temporary = root / f".tmp{secrets.token_hex(8)}-{name}"  # by process numbers machines, and containers, may be alike
    temporary.mkdir()
    try:
        (temporary / "config.json").write_text(config.to_json(), encoding="utf-8")
        (temporary / "flags.txt").write_text(flags_text, encoding="utf-8")
        (temporary / "environment.json").write_text(json.dumps(environment(), indent=2) + "\n")
        for extra, text in (files or {}).items():
            (temporary / extra).write_text(text)
        settle(temporary)
        while True:
            folder = root / f"{number:05d}-{name}-s{config.run.seed}"
            try:
                temporary.rename(folder)
                sync(root)
                return folder
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
                number += 1  # another run started at the same moment
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _clear_unfinished(root: Path, name: str) -> None:
    """Removes what runs that were killed as they began have left; it takes a moment, so one that is old is of those."""
    ours = re.compile(rf"\.tmp[0-9a-f]+-{re.escape(name)}", re.DOTALL)
    for path in root.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another run removes it
            if ours.fullmatch(path.name) and time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def file_name(text: str) -> str:
    """What stands for `text` in the name of a run folder."""
    name = re.sub(r"[^\w.+-]+", "_", text)
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")


def load_config(folder: Path, flag: str = "") -> Config:
    """The options of an existing run. Raises ConfigError where the folder is not a run's, or its file is damaged.

    flag: what the message says before the folder, such as --resume=.
    """
    try:
        return Config.read(folder / "config.json")
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"{flag}{folder}: no config.json there; give the folder of a run") from None
    except OSError as error:
        raise ConfigError(f"{flag}{folder}: its config.json cannot be read: {reason(error)}") from None


def resumed_config(folder: Path, given: dict[str, Any]) -> Config:
    """The run's own options; those that are given now replace them, but not those of the networks and the data.

    (A data set may have moved: `dataset` names its new place.) Raises ConfigError.
    """
    config = load_config(folder, "--resume=")
    config = config.replace(dataset=identity.find(folder, config.data.dataset))
    fixed = {*vars(config.data), *vars(config.model), "recipe"} - {"dataset"}
    if given.get("precision") == "float64" or config.optim.precision == "float64":  # in the others weights are float32
        fixed.add("precision")
    for name, value in given.items():
        if name in fixed and value != config.values()[name]:
            raise ConfigError(f"--{name} cannot change in a run that has begun; start a new run with it")
    before, grew = config.values(), config.growth.grow
    for name, held in HELD.items():
        if held(given.get(name, before[name])) != held(before[name]):
            raise ConfigError(f"--{name} cannot change from {option_text(before[name])} in a run that has begun, whose "
                              f"checkpoints go by it; start a new run with it: --init_from={folder} takes over its "
                              "networks")  # fmt: skip
    config = config.replace(**given)
    if config.growth.grow != grew:
        asked = config.growth.grow
        raise ConfigError(f"--grow={asked}: the run has --grow={grew}, which cannot change; start a new run with it")
    if not place(config.data.dataset).is_dir():
        raise ConfigError(f"{config.data.dataset}: the run's data set is not there; say by --dataset where it is now")
    return config


def change_config(folder: Path, config: Config) -> list[str]:
    """Makes `config` the options that the run goes on with from now on. -> a line for the log on each that changes."""
    before = load_config(folder).values()
    changes = [
        f"from here on --{name}={option_text(value)} (was {option_text(before[name])})"
        for name, value in config.values().items()
        if value != before[name]
    ]
    if changes:
        with new_file(folder / "config.json") as temporary:
            temporary.write_text(config.to_json())
    return changes


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keeps other processes from training in the folder; the system ends the claim with the process, however it ends.

    Raises ConfigError while another process has it. Some network drives have no locks: there nobody is kept out.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            lock_held(descriptor)
        except BlockingIOError:
            raise ConfigError(f"{folder}: another process is training in it; stop it, or wait for its end") from None
        yield
    finally:
        os.close(descriptor)


def environment() -> dict:
    """Versions, devices and revision: what somebody needs to repeat the run."""
    import keras
    import numpy
    import tensorflow as tf

    import pgan_tf
    from pgan_tf.devices import hardware

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
        "hardware": str(hardware()),
    }


def read_environment(folder: Path) -> dict[str, str]:
    """The texts of a run's environment.json; none where it is not there, or is damaged."""
    try:
        found = json.loads((folder / "environment.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: text for name, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}


def _git_revision() -> str:
    """The checkout's revision, with '+changes' where files differ from it; '' outside of a checkout."""
    root = Path(__file__).resolve().parents[2]
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=+changes", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
