"""Somebody's picture -> the latent whose picture comes nearest to it, step by step, so that one can watch and stop."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf.explore.engine import Engine
from pgan_tf.explore.points import Points, at
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.inputs import label_rows
from pgan_tf.inference.search import perceptual, projection
from pgan_tf.inference.search.projection import Search
from pgan_tf.inference.search.targets import Weights, load_target
from pgan_tf.metrics.errors import MetricError

MOST_BYTES, MOST_PIXELS = 2**23, 2**24  # of an upload; a camera's picture of 16 megapixels fits
SEARCH = Search(steps=200, candidates=256, starts=2)
MOST_STEPS = 1000
EVERY = 5  # steps after which something is shown


class Progress(NamedTuple):
    """`what` is counted: candidates or steps, `done` of `total`. `found`: the best so far, None before the first."""

    what: str
    done: int
    total: int
    loss: float
    found: Points | None


def read_upload(path: str | os.PathLike, engine: Engine, fit: str = "crop") -> np.ndarray:
    """An uploaded file -> uint8 [R,R,C], as the network's pictures are. GenerateError, one line without the path."""
    path = Path(path)
    if path.stat().st_size > MOST_BYTES:
        raise GenerateError(f"the file has more than {MOST_BYTES >> 20} MB; give a smaller one")
    try:
        return load_target(path, engine, fit, "white", MOST_PIXELS)
    except GenerateError as error:
        raise GenerateError(f"the file: {_without(str(error), path)}") from None


def _without(line: str, path: Path) -> str:
    """What is wrong, without where the file lies on this machine."""
    return line.replace(f"{path}: ", "").replace(str(path), path.name)


def check(engine: Engine, steps: int) -> None:
    """GenerateError where nothing can be projected."""
    if engine.network is None:
        raise GenerateError("an ONNX file has no gradients to follow; open the run or the .keras file that it is from")
    if not 1 <= steps <= MOST_STEPS:
        raise GenerateError(f"{steps} steps: must be from 1 to {MOST_STEPS}")


def find(engine: Engine, target: np.ndarray, labels: str = "", steps: int = SEARCH.steps) -> Iterator[Progress]:
    """Projects `target` uint8 [R,R,C]. `labels`: a class, '' tries all. Whoever stops listening stops the search."""
    check(engine, steps)
    rows = label_rows(labels or "all" * bool(engine.label_size), engine.label_size, _tried(engine, labels), 0)  # [M,K]
    search = SEARCH._replace(steps=steps)
    yield Progress("candidates", 0, search.candidates, float("nan"), None)
    loss = _loss(target)
    descent = projection.Descent(
        engine.network, loss, search.learning_rate,
        *projection.starts(engine.network, loss, search, rows, lambda *watched: None),
    )  # fmt: skip
    for step in range(1, steps + 1):
        smallest = descent.step(projection.rate_at(step / steps))
        if step % EVERY == 0 or step in (1, steps):
            best = descent.best()
            yield Progress("steps", step, steps, smallest, at(best.latent, best.label))


def _tried(engine: Engine, labels: str) -> int:
    """How many classes."""
    return 1 if labels or not engine.label_size else engine.label_size


def _loss(target: np.ndarray) -> projection.Loss:
    """Pixels and features, as generate.py project; pixels alone where the features' network is not installed."""
    wanted, weights = target.astype(np.float32) / 127.5 - 1.0, Weights()
    terms = [(weights.pixels, projection.pixel_loss(wanted))]
    with contextlib.suppress(MetricError, ImportError):
        terms.append((weights.features, perceptual.feature_loss(wanted)))
    return projection.combined(wanted, terms)
