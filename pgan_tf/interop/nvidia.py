"""Network files of NVIDIA's ProGAN as our networks.

A file holds the layers of all resolutions and the level of detail (lod) that it was saved at. Ours have the layers of
their stage only, so a network is rebuilt as it stands at the lod: its resolution is final / 2^floor(lod), and a
fraction f is a fade with alpha 1 - f. Variables that this stage does not have yet, or no longer, are kept apart.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.files import new_folder, sha256
from pgan_tf.interop import card
from pgan_tf.interop.nvidia_file import NetworkFile, StoredNetwork, read_file
from pgan_tf.interop.nvidia_tables import name_in_original
from pgan_tf.networks import Discriminator, Generator
from pgan_tf.networks.saved import save_network

UNSHOWN = "unshown.npz"


class Part(NamedTuple):
    """Where a network of the file goes."""

    file: str
    what: str


PARTS = {
    "Gs": Part("generator_ema.keras", "averaged generator"),
    "G": Part("generator.keras", "generator"),
    "D": Part("discriminator.keras", "discriminator"),
}


def rebuild(stored: StoredNetwork, lod: float | None = None) -> Generator | Discriminator:
    """The network at `lod`, by default the file's own. DataError for a lod that the network does not have."""
    lod = stored.lod if lod is None else lod
    final = stored.options["resolution"]
    highest = math.log2(final) - 2
    if not 0 <= lod <= highest:
        raise DataError(f"--lod={lod:g}: give 0 .. {highest:g}, the levels of a network of {final} pixels")
    whole = math.floor(lod)
    stage = {"resolution": final >> whole, "fading": lod > whole, "alpha": 1.0 - (lod - whole)}
    kind = Discriminator if stored.role == "D" else Generator
    network = kind(**{**stored.options, **stage})
    for name, variable in network.parameters_by_name().items():
        variable.assign(stored.variables[name_in_original(name, final)])
    return network


def unshown(stored: StoredNetwork, network: Generator | Discriminator) -> dict[str, np.ndarray]:
    """The variables of the file that the rebuilt network has no place for, as 'Gs/ToRGB_lod2/weight'."""
    final = stored.options["resolution"]
    used = {name_in_original(name, final) for name in network.parameters_by_name()}
    return {f"{stored.role}/{name}": array for name, array in stored.variables.items() if name not in used}


def import_nvidia(path: Path, out: Path, lod: float | None = None, overwrite: bool = False) -> list[str]:
    """Turns a file into a folder with our three networks and a card; returns lines that say what was made.

    The folder appears when it is complete. DataError: the file cannot be used, or `out` is in the way.
    """
    card.check_out(out, overwrite, [UNSHOWN, *(part.file for part in PARTS.values())])
    file = read_file(path)
    facts, rest = {}, {}
    with new_folder(out) as folder:
        for role, part in PARTS.items():
            stored = file.networks[role]
            network = rebuild(stored, lod)
            save_network(network, folder / part.file)
            facts[part.file] = {
                "name": role,
                "what": part.what,
                **_facts(stored, network),
                "sha256": sha256(folder / part.file),
            }
            rest |= unshown(stored, network)
        if rest:
            np.savez(folder / UNSHOWN, **rest)
        card.write(folder, _source(file), facts, {name: list(array.shape) for name, array in rest.items()})
    return [f"{out / name}: {_line(about)}" for name, about in facts.items()]


def _source(file: NetworkFile) -> dict[str, Any]:
    return {"format": "nvidia", "file": file.path.name, "bytes": file.size, "sha256": file.sha256}


def _facts(stored: StoredNetwork, network: Generator | Discriminator) -> dict[str, Any]:
    final = stored.options["resolution"]
    return {
        "lod": math.log2(final // network.resolution) + 1 - network.alpha,
        "lod_of_the_file": stored.lod,
        "resolution": network.resolution,
        "final_resolution": final,
        "fading": network.fading,
        "alpha": network.alpha,
        "parameters": network.count_params(),
        "options": {name: value for name, value in stored.options.items() if name != "resolution"},
    }


def _line(facts: dict[str, Any]) -> str:
    """What a network is, in a line."""
    fade = f", fading in with alpha {facts['alpha']:g}" if facts["fading"] else ""
    size = facts["resolution"]
    return f"{facts['what']}, {size}x{size} (lod {facts['lod']:g}{fade}), {facts['parameters']:,} parameters"
