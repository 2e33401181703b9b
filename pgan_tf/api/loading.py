"""What every function of the API does around its work: it loads TensorFlow, and says what went wrong in one line."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from pgan_tf.called import as_called
from pgan_tf.endings import ending
from pgan_tf.errors import UserError

Words = ParamSpec("Words")
Result = TypeVar("Result")


def load_tensorflow(strategy: str = "") -> None:
    """TensorFlow and our networks. strategy: makes that of --strategy, before anything starts the devices."""
    from pgan_tf.quiet import import_tensorflow_quietly
    from pgan_tf.training.console import waiting

    def first() -> None:
        from pgan_tf import devices

        if strategy:
            devices.make_strategy(strategy)

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with waiting("loading TensorFlow"):
        import_tensorflow_quietly(first)
        import pgan_tf.networks  # noqa: F401


def in_one_line(function: Callable[Words, Result]) -> Callable[Words, Result]:
    """The function, which raises UserError for all that its user can mend; what is not expected stays what it is."""

    @functools.wraps(function)
    def call(*args: Words.args, **options: Words.kwargs) -> Result:
        try:
            return function(*args, **options)
        except UserError:
            raise
        except Exception as error:
            line, _ = ending(error) or ("", 0)
            if not line:
                raise
            raise UserError(as_called(line.removeprefix("error: "))) from error

    return call
