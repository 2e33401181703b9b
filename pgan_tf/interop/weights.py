"""A generator's weights for any program: a .npz of arrays with names, and the network's options as JSON.

    4x4_Dense/weight   [latents+labels, maps*16]  the columns are [maps,4,4]; gain sqrt(2)/4
    *_Conv*/weight     [3,3,in,out]               gain sqrt(2)
    *_Conv0_up/weight  [3,3,out,in]               the same convolution after doubling each pixel
    ToRGB_*/weight     [1,1,in,colours]           gain 1
    */bias             [out]

A convolution that runs takes weight * gain / sqrt(fan-in) (with equalized `g_weights`); docs/export.md has the network.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np

from pgan_tf import growth
from pgan_tf.networks import families
from pgan_tf.networks.archive import first_line, planned
from pgan_tf.networks.base import GeneratorNetwork
from pgan_tf.networks.saved import NetworkError

CONFIG, NOTE = "config.json", "README.md"  # beside the arrays; numpy gives their bytes


def write_weights(network: GeneratorNetwork, path: Path, note: str) -> None:
    """Writes {layer/variable: float32 array}, config.json and the note as one .npz."""
    network = growth.float32_copy(network)
    arrays = {name: variable.numpy() for name, variable in network.variables_by_name().items()}
    with path.open("wb") as file:
        np.savez(file, **arrays)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(CONFIG, json.dumps(_options(network), indent=2))
        archive.writestr(NOTE, note)


def read_weights(path: Path) -> GeneratorNetwork:
    """The generator of a file that `write_weights` made. NetworkError: it cannot be read, or an array does not fit."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if any(part.compress_type != zipfile.ZIP_STORED for part in file.zip.infolist()):
                raise ValueError("has compressed parts, which an export has not")
            arrays = {name: file[name] for name in file.files if name not in (CONFIG, NOTE)}
            options = json.loads(file[CONFIG])
        if not isinstance(options, dict):
            raise ValueError(f"{CONFIG} holds no options")
        kind = families.of_record(options).generator
        options.pop("family", None)
        plan = planned(kind, options, len(arrays)).variables_by_name()
    except (OSError, KeyError, ValueError, TypeError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        raise NetworkError(f"{path}: cannot be read as exported weights ({first_line(error)})") from None
    shapes = {name: tuple(variable.shape) for name, variable in plan.items()}
    for name in sorted(shapes.keys() ^ arrays.keys()):
        raise NetworkError(f"{path}: {name} is {'missing' if name in shapes else 'no weight of this network'}")
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise NetworkError(f"{path}: {name} is {list(arrays[name].shape)}, not {list(shape)}")
    network = kind(**options)
    for name, variable in network.variables_by_name().items():
        variable.assign(arrays[name])
    return network


def _options(network: GeneratorNetwork) -> dict:
    """The network's family and options, less those that only Keras knows."""
    keras_own = ("name", "trainable", "dtype")
    options = {name: value for name, value in network.get_config().items() if name not in keras_own}
    return {"family": network.family, **options}
