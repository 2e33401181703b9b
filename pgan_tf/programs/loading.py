"""What takes a program seconds to load, in the one stretch where an interrupt ends it at once."""

from __future__ import annotations

from pgan_tf.programs.interrupts import INTERRUPTS
from pgan_tf.quiet import import_tensorflow_quietly


def load_tensorflow(strategy: str = "") -> None:
    """TensorFlow, Keras and our networks. strategy: makes that of --strategy, before anything starts the devices."""

    def first() -> None:
        from pgan_tf import devices

        if strategy:
            devices.make_strategy(strategy)

    with INTERRUPTS.loading():
        from pgan_tf.training.console import waiting  # brings rich, which --help does without

        with waiting("loading TensorFlow"):
            import_tensorflow_quietly(first)
            import pgan_tf.networks  # noqa: F401
