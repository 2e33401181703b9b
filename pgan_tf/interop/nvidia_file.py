"""Network files of NVIDIA's ProGAN, read and checked without running anything in them.

Such a file is a pickle of three networks (G, D, Gs). Each is a `tfutil.Network` with a dictionary as its state:
`version` 2, `name`, `static_kwargs` (the options that differ from the defaults), `build_module_src` (source code that
the original's loader executes and this one does not look at), `build_func_name`, and `variables`, a list of
(name, array). What the networks compute follows from `build_func_name` and `static_kwargs` alone, so both must be
known ones. Everything that a file says is checked here, and against its arrays, before a network is built: what can be
built is never larger than the file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.interop.nvidia_tables import ROLES, check_shapes, read_options, shown, variable_shapes
from pgan_tf.metrics.weights.pickled import Function, Part, PickleError, Reading
from pgan_tf.pickles import array_names, as_array, unpickle

MOST_BYTES = 2**31  # a file of 1024x1024 has 280 million


@dataclasses.dataclass(frozen=True)
class StoredNetwork:
    """One network of a file.

    Attributes:
        role: 'G', 'D' or 'Gs', the averaged generator.
        options: what our network is to be made with, by the names of its constructor; complete.
        lod: level of detail: log2 of final resolution / shown resolution; a fraction is a fade.
        variables: all arrays by the original's names, float32, without 'lod'.
    """

    role: str
    options: dict[str, Any]
    lod: float
    variables: dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class NetworkFile:
    """A file with its three networks, by their roles."""

    path: Path
    size: int  # bytes
    sha256: str
    networks: dict[str, StoredNetwork]


def read_file(path: Path) -> NetworkFile:
    """Reads and checks a file. DataError, one line that names the file and what is wrong with it."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; give a .pkl of the original")
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path}: has {path.stat().st_size:,} bytes; no network is larger than {MOST_BYTES:,}")
    content = path.read_bytes()
    try:
        networks = unpickle(content, _READING, partial(_networks, size=len(content)))
    except (DataError, PickleError) as error:
        raise DataError(f"{path}: {error}") from error
    return NetworkFile(path, len(content), hashlib.sha256(content).hexdigest(), networks)


# ---- un-pickling -----------------------------------------------------------------------------------------------------


class _State(Part):
    """Stands for a tfutil.Network while a pickle is read."""

    state: object = None

    def set_state(self, state: object) -> None:
        self.state = state


_READING = Reading(
    names={**array_names(), ("tfutil", "Network"): Function(_State)},
    needless="which no ProGAN network needs: it is another program's file, or a hostile one",
    most=100_000,  # three networks of 1024x1024 have 5,000
)


def _networks(tree: object, size: int) -> dict[str, StoredNetwork]:
    """The three networks by their roles, from a file of `size` bytes."""
    if not isinstance(tree, tuple) or len(tree) != len(ROLES) or not all(isinstance(part, _State) for part in tree):
        raise DataError(f"holds {shown(tree)}, not the three networks (G, D, Gs) of the original")
    return {role: _network(role, part, size) for role, part in zip(ROLES, tree, strict=True)}


def _network(role: str, part: _State, size: int) -> StoredNetwork:
    state = part.state
    if not isinstance(state, dict):
        raise DataError(f"{role}: damaged: a network without its state")
    if state.get("version") != 2:
        raise DataError(f"{role}: version {shown(state.get('version'))} of the format; only 2 can be read")
    kind = ROLES[role]
    if state.get("build_func_name") != kind.function:
        raise DataError(f"{role}: made by {shown(state.get('build_func_name'))}; only {kind.function} can be rebuilt")
    options = read_options(role, state.get("static_kwargs"))
    variables = _variables(role, state.get("variables"))
    held = sum(getattr(value, "nbytes", 0) for value in variables.values())
    if held > size:  # several variables share their bytes, which each would have of its own here
        raise DataError(f"{role}: damaged: its variables have {held:,} bytes, the file {size:,}")
    lod = _lod(role, variables.pop("lod", None), options["resolution"])
    check_shapes(role, {name: array.shape for name, array in variables.items()}, variable_shapes(role, options))
    return StoredNetwork(role, options, lod, {name: _float32(role, name, array) for name, array in variables.items()})


def _variables(role: str, pairs: object) -> dict[str, Any]:
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
        raise DataError(f"{role}: damaged: its variables are not a list of names and arrays")
    arrays = {}
    for name, value in pairs:
        if not isinstance(name, str) or name in arrays:
            raise DataError(f"{role}: damaged: a variable is called {shown(name)}, or there are two of it")
        arrays[name] = as_array(value)
        if name != "lod" and not isinstance(arrays[name], np.ndarray):
            raise DataError(f"{role}: {shown(name)} is {shown(value)}, not an array")
    return arrays


def _lod(role: str, value: object, resolution: int) -> float:
    value = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
    highest = math.log2(resolution) - 2
    if not isinstance(value, (int, float)) or not 0 <= value <= highest:  # NaN is in no range
        raise DataError(f"{role}: lod {shown(value)} is not in 0 .. {highest:g}, the range of {resolution} pixels")
    return float(value)


def _float32(role: str, name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        raise DataError(f"{role}: {shown(name)} has numbers of type {array.dtype}, not floats")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        raise DataError(f"{role}: {shown(name)} has numbers that are not finite: the training had diverged")
    return array
