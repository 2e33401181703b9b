"""generate.py project: the image to find, the search for it, and what came out in numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf.data.errors import DataError
from pgan_tf.data.sources.picture import MAX_PIXELS, Target, load_picture, parse_colour
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.facts import class_of, network_facts
from pgan_tf.inference.inputs import label_rows
from pgan_tf.inference.load import Loaded
from pgan_tf.inference.search import perceptual, projection
from pgan_tf.inference.search.projection import Found, Search
from pgan_tf.inference.search.watching import Watch
from pgan_tf.metrics.neighbors import nearest
from pgan_tf.networks import Generator


class Weights(NamedTuple):
    """Of the terms of the loss: mean squared difference of the pixels in -1..1, and distance of the features.

    On digits and emoji, 5 to 1 kept shapes and colours nearer than 1 to 1, and features nearer than pixels alone.
    """

    pixels: float = 5.0
    features: float = 1.0
    file: str = ""  # with the weights of the features' network; '': those that come by pip


def load_target(
    path: str | os.PathLike, network: Generator, fit: str, background: str, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Any picture file -> uint8 [R,R,C] of the network's size and channels, as create_from_images would make it.

    GenerateError if it is no picture, or one of more than `max_pixels`, which is not decoded then; DataError for a
    `background` that is no colour.
    """
    mode = "rgb" if network.num_channels == 3 else "grey"
    target = Target(network.resolution, fit, parse_colour(background), mode, max_pixels, own_size=True)
    if not Path(path).is_file():
        raise GenerateError(f"{path}: no such file; give a picture")
    try:
        return load_picture(path, target)[0]
    except DataError as error:
        raise GenerateError(f"{path}: {error}") from None
    except Exception as error:  # Pillow's decoders raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise GenerateError(f"{path}: cannot be read as a picture ({reason})") from None


def labels_to_try(text: str, network: Generator) -> np.ndarray:
    """'3' or '0,1,2' -> their one-hot labels [M,K]; '' or 'all' -> every class. GenerateError as from label_rows."""
    if not network.label_size:
        return label_rows(text, 0, 1, 0)  # [1,0]
    if text == "random":
        raise GenerateError("--labels=random: give the classes to try, as in 3 or 0,1,2, or all")
    if text in ("", "all"):
        return label_rows("all", network.label_size, network.label_size, 0)
    return label_rows(text, network.label_size, text.count(",") + 1, 0)


def find(
    loaded: Loaded, target: np.ndarray, search: Search, weights: Weights, labels: np.ndarray,
    watch: Watch,
) -> tuple[np.ndarray, dict, np.ndarray]:  # fmt: skip
    """Projects `target` uint8 [R,R,C] -> the picture uint8 [H,W,3], what goes into the .json, the latent [1,L].

    MetricError if features are asked for and their weights are not installed.
    """
    wanted = target.astype(np.float32) / 127.5 - 1.0
    terms = [(weights.pixels, projection.pixel_loss(wanted))]
    if weights.features:
        terms.append((weights.features, perceptual.feature_loss(wanted, weights.file or None)))
    result = projection.project(loaded.network, projection.combined(wanted, terms), search, labels, watch)
    facts = {
        **network_facts(loaded), **search._asdict(), "steps_done": result.steps, "interrupted": result.interrupted,
        "pixel_weight": weights.pixels, "feature_weight": weights.features,
        "extractor": perceptual.NAME if weights.features else None,
        "found": _facts(result.found, target), "best_start": _facts(result.way[0], target),
    }  # fmt: skip
    return projection.picture(target, result), facts, result.found.latent


def summary(facts: dict) -> str:
    """What was found, in a line."""
    begin = "interrupted " if facts["interrupted"] else ""
    found, start = facts["found"], facts["best_start"]
    label = "" if found["label"] is None else f", label {found['label']}"
    return (
        f"{begin}after {facts['steps_done']} steps: pixels differ by {found['pixels']:.3f} "
        f"(best start {start['pixels']:.3f}), loss {found['loss']:.4f} (best start {start['loss']:.4f}){label}"
    )


def _facts(found: Found, target: np.ndarray) -> dict:
    """`pixels`: in the unit of `neighbors`, the root of the mean squared difference, 1 is black against white."""
    classes = class_of(found.label)
    return {
        "loss": found.loss, "pixels": float(nearest(found.image[None], target[None]).distances[0, 0]),
        "label": classes[0] if classes else None,
    }  # fmt: skip
