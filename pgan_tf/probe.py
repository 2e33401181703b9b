"""Which of several ways to compute something is the fastest on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

import tensorflow as tf


def seconds(steps: dict[Hashable, Callable[[], None]], budget: float) -> dict[Hashable, float]:
    """{name: seconds of the step at its best}; `budget`: seconds for all of them, after a first call of each.

    The steps take turns. On a CPU the processor's time counts, of all threads, not the clock's: what else runs on the
    machine would decide otherwise.
    """
    clock = time.monotonic if tf.config.list_physical_devices("GPU") else time.process_time
    for step in steps.values():
        step()  # traces
    best, end = dict.fromkeys(steps, float("inf")), time.monotonic() + budget
    while time.monotonic() < end or float("inf") in best.values():
        for name, step in steps.items():
            began = clock()
            step()
            best[name] = min(best[name], clock() - began)
    return best
