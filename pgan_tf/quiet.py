"""TensorFlow without its greetings: what a terminal shows is for the user."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from absl import logging

import pgan_tf
from pgan_tf.errors import UserError


class BackendError(UserError):
    """Keras is to run on something else than TensorFlow."""


def _nothing() -> None:
    """No strategy is wanted."""


def import_tensorflow_quietly(first: Callable[[], object] = _nothing) -> None:
    """TensorFlow's libraries greet on the process's stderr before any log level is in force; errors still raise.

    first: what has to come before the devices start. BackendError: Keras is set to another backend.
    """
    if pgan_tf.other_backend():
        raise BackendError(pgan_tf.other_backend())
    with silence():
        import tensorflow

        tensorflow.get_logger().setLevel("WARNING")  # in a notebook it tells of every strategy
        first()
        tensorflow.config.list_logical_devices()
    logging.set_verbosity(logging.WARNING)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Within, what libraries write to the process's stderr goes nowhere."""
    saved = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
