"""What takes a program seconds to load, in the one stretch where an interrupt ends it at once."""

from __future__ import annotations

from pgan_tf.programs.interrupts import INTERRUPTS
from pgan_tf.quiet import import_tensorflow_quietly


def load_tensorflow() -> None:
    """TensorFlow, Keras and our networks."""
    with INTERRUPTS.loading():
        from pgan_tf.training.console import waiting  # brings rich, which --help does without

        with waiting("loading TensorFlow"):
            import_tensorflow_quietly()
            import pgan_tf.networks  # noqa: F401
