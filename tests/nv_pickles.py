"""Network files as the original writes them, of weights and options of the test's choice."""

from __future__ import annotations

import functools
import pickle
import sys
import types
from typing import Any
from unittest import mock

import numpy as np
import reference

from pgan_tf.interop.nvidia_tables import read_options
from pgan_tf.networks import Discriminator, Generator

FUNCTIONS = {"G": "G_paper", "D": "D_paper", "Gs": "G_paper"}
TINY = {"num_channels": 3, "resolution": 8, "label_size": 0, "fmap_base": 32, "fmap_max": 8}
SEEDS = {"G": 11, "D": 12, "Gs": 13}


class Network:
    """The class that the original pickles; here it exists only while a file is written."""

    def __init__(self, state: object):
        self.state = state

    def __getstate__(self) -> object:
        return self.state


def dumps(tree: object, protocol: int = 4) -> bytes:
    """`tree` as a pickle in which the class above is called tfutil.Network."""
    module = types.ModuleType("tfutil")
    module.Network = Network
    with (
        mock.patch.dict(sys.modules, {"tfutil": module}),
        mock.patch.multiple(Network, __module__="tfutil"),
    ):
        return pickle.dumps(tree, protocol)


def state(role: str, kwargs: dict[str, Any], variables: dict[str, np.ndarray], lod: float = 0.0) -> dict[str, Any]:
    """The state dictionary of one network."""
    return {
        "version": 2,
        "name": role,
        "static_kwargs": kwargs,
        "build_module_src": "raise RuntimeError('embedded source executed!')\n",
        "build_func_name": FUNCTIONS[role],
        "variables": [("lod", np.float32(lod)), *variables.items()],
    }


def weights(role: str, kwargs: dict[str, Any], seed: int | None = None) -> dict[str, np.ndarray]:
    """The pseudo-random weights of the golden numbers for these options, by the original's names."""
    kind = Discriminator if role == "D" else Generator
    return dict(_weights(kind, seed or SEEDS[role], tuple(read_options(role, kwargs).items())))


@functools.cache
def _weights(kind: type, seed: int, options: tuple) -> dict[str, np.ndarray]:
    return reference.original_weights(kind, seed, dict(options))


def tiny(lod: float = 0.0, **changes: Any) -> dict[str, dict[str, Any]]:
    """The states of G, D and Gs of 8x8 pixels."""
    kwargs = {**TINY, **changes}
    return {role: state(role, dict(kwargs), weights(role, kwargs), lod) for role in FUNCTIONS}


def network_file(states: dict[str, dict[str, Any]], protocol: int = 4) -> bytes:
    """(G, D, Gs) as a file."""
    return dumps(tuple(Network(states[role]) for role in FUNCTIONS), protocol)
