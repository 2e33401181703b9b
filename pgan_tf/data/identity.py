"""Which data set a run is trained on: what is in it, and where it lies from the run's folder.

A run keeps this as data.json. By the content another set is noticed when the run goes on, and by the place the set is
found after both have moved together.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.data.samples import Samples
from pgan_tf.files import new_file
from pgan_tf.mirror import original
from pgan_tf.places import absolute, is_stored, place

FILE = "data.json"
CHANGED = "earlier_data_set"  # there where the run had another one before
_LOOKED_AT = 16  # pictures, spread over the set


def describe(dataset: Samples, resolution: int) -> dict:
    """What is in a data set, as far as a run of this resolution sees it; reads a few pictures. DataError."""
    digest = hashlib.sha256()
    indices = np.unique(np.linspace(0, dataset.count - 1, _LOOKED_AT).astype(np.int64))
    digest.update(dataset.read(resolution, indices).tobytes())
    if dataset.labels is not None:
        digest.update(np.ascontiguousarray(dataset.labels).tobytes())
    about = {"pictures": dataset.count, "channels": dataset.channels, "label_size": dataset.label_size}
    return {**about, "resolution": resolution, "sha256": digest.hexdigest()}


def write(run: Path, about: dict, path: str | os.PathLike) -> None:
    """Keeps in the folder of a run what `describe` says of its data set, where `path` lies from there, and for good
    that the run had another one before."""
    earlier = {CHANGED: True} if has_changed(run) or not is_same(run, about) else {}
    try:
        beside = absolute(path) if is_stored(path) or is_stored(original(run)) else os.path.relpath(path, run)
    except ValueError:  # on another drive
        beside = os.path.abspath(path)
    with new_file(run / FILE) as temporary:
        temporary.write_text(json.dumps({**about, **earlier, "beside": beside}, indent=2) + "\n", encoding="utf-8")


def check(run: Path, about: dict, path: str | os.PathLike) -> None:
    """DataError unless a data set is the one of the run, or nothing is known of that one."""
    if not is_same(run, about):
        before = _content(run, about)
        raise DataError(
            f"{path}: not the data set that {run} was trained on ({_words(before)}; this one: {_words(about)}); "
            "give the run's own by --dataset, or add --change_dataset to go on with this one"
        )


def is_same(run: Path, about: dict) -> bool:
    """Whether a data set is the one of the run, as far as the run knows it."""
    return _content(run, about) in ({}, about)


def has_changed(run: Path) -> bool:
    """Whether a run has gone on with another data set than it began with."""
    return bool(read(run).get(CHANGED))


def is_known(run: Path, dataset: Samples) -> bool:
    """Whether a data set is the one that the run was trained on, for sure."""
    resolution = read(run).get("resolution")
    if resolution not in dataset.resolutions:
        return False
    about = describe(dataset, resolution)
    return _content(run, about) == about


def find(run: Path, path: str) -> str:
    """Where the data set of a run is: at its `path`, or where it lay from the run's folder; else `path`."""
    beside = read(run).get("beside")
    if isinstance(beside, str) and not place(path).is_dir():
        stored = is_stored(run) or is_stored(beside)
        ways = (os.path.abspath(run / beside), str(run / beside)) if not stored else (beside,)
        for moved in ways:  # links may make a difference
            if place(moved).is_dir():
                return moved
    return path


def read(run: Path) -> dict:
    """What the run knows; nothing where it was begun by an earlier version, or the file is damaged."""
    try:
        described = json.loads((run / FILE).read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return described if isinstance(described, dict) else {}


def _content(run: Path, about: dict) -> dict:
    """What the run knows of what `about` says."""
    return {name: value for name, value in read(run).items() if name in about}


def _words(about: dict) -> str:
    return f"{about.get('pictures')} pictures, sha256 {str(about.get('sha256'))[:8]}"
