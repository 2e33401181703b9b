"""What every feature extractor is: a named network from images to features and logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf


class Activations(NamedTuple):
    """What an extractor says of N images."""

    features: tf.Tensor  # [N,F] float32, what FID, KID and precision / recall compare
    logits: tf.Tensor  # [N,K] float32, what the Inception Score reads


@dataclass(frozen=True)
class Extractor:
    """A network with fixed weights.

    Attributes:
        name: how results are labelled, 'inception-2015'.
        sha256: of the weights' file, so that two numbers can be known to be comparable.
        features: F, the length of a feature vector.
        classes: K, the number of logits.
        compute: uint8 [N,H,W,C], C = 1 or 3 -> Activations; TensorFlow code, to be called inside a tf.function.
    """

    name: str
    sha256: str
    features: int
    classes: int
    compute: Callable[[tf.Tensor], Activations]
