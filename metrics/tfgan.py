"""The formulae of tensorflow-gan where it has them, ours where it has not or is absent. Same arguments, same results.

What goes through tensorflow-gan, in float64:

- Inception Score: `classifier_score_from_logits`, once for each split, since it has none itself.
- KID with the default kernel: `kernel_classifier_distance_from_activations`, once for each random subset as one block;
  its own blocks are consecutive images, not a choice of them. Other kernels are ours.
- FID: `trace_sqrt_product`, up to MAX_FEATURES features. It takes two singular value decompositions: at 2048 features
  our two of eigenvalues are several times as fast and take over. Mean and covariance come from `Statistics`.

`import tensorflow_gan` fails on TensorFlow 2.16 and later (`tf.estimator` is gone), but its formulae do not need that:
only `tensorflow_gan.python.eval.classifier_metrics` is imported, below three empty packages. These leave `sys.modules`
again, so that anybody else's `import tensorflow_gan` does what it would have done. Where the whole of it has been
imported already, that is used.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.machinery import PathFinder
from types import ModuleType

import numpy as np

from . import frechet, kid
from . import inception_score as inception
from .frechet import Statistics

MAX_FEATURES = 256
PACKAGE = "tensorflow_gan"
FORMULAE = "tensorflow_gan.python.eval.classifier_metrics"
# Their own __init__ files import tf.estimator, tensorflow_hub and, through that, what setuptools 82 has no more.
EMPTY_PACKAGES = {PACKAGE: "", f"{PACKAGE}.python": "/python", f"{PACKAGE}.python.eval": "/python/eval"}


def available() -> bool:
    """Whether tensorflow-gan's formulae can be imported here. The first call takes seconds."""
    return _formulae() is not None


def frechet_distance(a: Statistics, b: Statistics) -> float:
    """`metrics.frechet.frechet_distance`."""
    formulae = _formulae()
    if formulae is None or len(a.mu) > MAX_FEATURES or a.mu.shape != b.mu.shape:
        return frechet.frechet_distance(a, b)
    difference = a.mu - b.mu  # [F]
    root = float(formulae.trace_sqrt_product(_tensor(a.sigma), _tensor(b.sigma)))
    return max(0.0, float(difference @ difference + np.trace(a.sigma) + np.trace(b.sigma) - 2 * root))


def inception_score(
    logits: np.ndarray, splits: int = 10, shuffle: bool = True, seed: int = 2020
) -> tuple[float, float]:
    """`metrics.inception_score.inception_score`."""
    formulae = _formulae()
    if formulae is None:
        return inception.inception_score(logits, splits, shuffle, seed)
    parts = inception.split(logits, splits, shuffle, seed)
    scores = [float(formulae.classifier_score_from_logits(_tensor(part))) for part in parts]
    return float(np.mean(scores)), float(np.std(scores))


def kernel_inception_distance(
    a: np.ndarray, b: np.ndarray, subsets: int = 100, subset_size: int = 1000, seed: int = 2020, **kernel: object
) -> tuple[float, float]:
    """`metrics.kid.kernel_inception_distance`; `kernel` holds the options of another kernel than the default one."""
    formulae = _formulae()
    if formulae is None or kernel:
        return kid.kernel_inception_distance(a, b, subsets, subset_size, seed, **kernel)
    distance = formulae.kernel_classifier_distance_from_activations
    with _without_warnings():
        values = [
            float(distance(_tensor(x), _tensor(y), max_block_size=subset_size))
            for x, y in kid.random_subsets(a, b, subsets, subset_size, seed)
        ]
    return float(np.mean(values)), float(np.std(values))


@cache
def _formulae() -> ModuleType | None:
    """tensorflow-gan's module of formulae, or None where it cannot be had."""
    if FORMULAE in sys.modules:
        return sys.modules[FORMULAE]
    try:
        spec = PathFinder.find_spec(PACKAGE)  # looks into the folders only, not at what is in sys.modules
        if spec is None or spec.submodule_search_locations is None:
            return None
        return _import_leaf(list(spec.submodule_search_locations))
    except Exception:  # whatever is wrong with an optional package, it is as good as absent
        return None


def _import_leaf(folders: list[str]) -> ModuleType:
    """Imports FORMULAE, and what it needs of its package, below packages that run no code of their own."""
    before = {name: module for name, module in sys.modules.items() if _is_inside(name)}
    try:
        for name, path in EMPTY_PACKAGES.items():
            package = ModuleType(name)
            package.__path__ = [folder + path for folder in folders]
            sys.modules[name] = package
        return importlib.import_module(FORMULAE)
    finally:
        for name in [name for name in sys.modules if _is_inside(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def _is_inside(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


@contextmanager
def _without_warnings() -> Iterator[None]:
    """tensorflow-gan passes arguments to TensorFlow that are deprecated: nothing that a user could act on."""
    import tensorflow as tf

    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


def _tensor(array: np.ndarray):
    import tensorflow as tf

    return tf.constant(array, tf.float64)
