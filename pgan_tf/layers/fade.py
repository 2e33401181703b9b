"""The fade-in of a new resolution: paper section 2, figure 2."""

from __future__ import annotations

import tensorflow as tf


def fade(old: tf.Tensor, new: tf.Tensor, alpha: tf.Tensor | float) -> tf.Tensor:
    """old + (new - old) * alpha; alpha in [0, 1] is the weight of the new resolution."""
    return old + (new - old) * tf.cast(alpha, new.dtype)
