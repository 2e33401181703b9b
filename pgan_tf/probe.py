"""Which of several ways to compute something is the fastest on this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable

import tensorflow as tf

# A thread that still runs has its time counted at the system's next tick, up to 10 ms later: at most a tenth of this.
BLOCK_SECONDS = 0.1


def seconds(steps: dict[Hashable, Callable[[], None]], budget: float) -> dict[Hashable, float]:
    """{name: seconds of the step at its best}; `budget`: seconds for all of them, after two first calls of each.

    The steps take turns, each as often in a row as fills BLOCK_SECONDS. On a CPU the processor's time counts, of all
    threads, not the clock's: what else runs on the machine would decide otherwise.
    """
    clock = time.monotonic if tf.config.list_physical_devices("GPU") else time.process_time
    calls = {name: _calls(step) for name, step in steps.items()}
    best, end = dict.fromkeys(steps, float("inf")), time.monotonic() + budget
    while time.monotonic() < end or float("inf") in best.values():
        for name, step in steps.items():
            began = clock()
            for _ in range(calls[name]):
                step()
            best[name] = min(best[name], (clock() - began) / calls[name])
    return best


def _calls(step: Callable[[], None]) -> int:
    """How many calls fill a block."""
    step()  # traces
    began = time.monotonic()
    step()
    return math.ceil(BLOCK_SECONDS / max(time.monotonic() - began, BLOCK_SECONDS / 1000))
