"""What is written beside a picture: where it comes from, in numbers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pgan_tf.files import new_output
from pgan_tf.inference.load import Loaded
from pgan_tf.inference.output import encode
from pgan_tf.networks.saved import digest


def network_facts(loaded: Loaded) -> dict:
    """Which weights these are."""
    return {"network": str(loaded.path), "network_sha256": digest(loaded.path)}


def class_of(labels: np.ndarray) -> list[int] | None:
    """The classes of one-hot labels [N,K]; None for a network without labels."""
    return labels.argmax(axis=1).tolist() if labels.shape[1] else None


def write_together(picture: np.ndarray, facts: dict, out: Path, others: Iterable[tuple[Path, np.ndarray]] = ()) -> None:
    """`out` (.png or .webp), its .json, and arrays as .npy: all are complete before the first gets its name."""
    with contextlib.ExitStack() as stack:
        encode(stack.enter_context(new_output(out)), picture)
        stack.enter_context(new_output(out.with_suffix(".json"))).write_text(json.dumps(facts, indent=2) + "\n")
        for path, array in others:
            with open(stack.enter_context(new_output(path)), "wb") as file:
                np.save(file, array)
