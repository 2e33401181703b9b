"""All cores for a function over many items: results in order, a bounded number at a time."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from pgan_tf import signals
from pgan_tf.data.errors import DataError
from pgan_tf.data.memory import Room, enter

Item = TypeVar("Item")
Result = TypeVar("Result")

_CHUNK = 8  # items a task: a 64-pixel picture takes about as long as sending a task to a process


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int, chunk: int = _CHUNK
) -> Iterator[Result]:
    """Yields function(item) in the order of `items`, computed by `workers` processes; by this one if there is little.

    `function` must be picklable. At most two chunks per worker are under way or wait to be taken, so memory is bounded
    however slow the consumer is; `chunk`: of how many items. What `function` raises is raised here;
    DataError if a worker dies. The workers share an account of memory (memory.py), and end when this process ends,
    however it ends.
    """
    begins = range(0, len(items), chunk)
    workers = min(workers, len(begins))
    if workers < 2:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("spawn")  # the parent may have threads (progress bar, TensorFlow)
    room = Room(context, workers)
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(room,))
    pending: deque = deque()
    try:
        for begin in begins:
            if len(pending) == 2 * workers:
                yield from pending.popleft().result()
            pending.append(executor.submit(_apply, function, items[begin : begin + chunk]))
        while pending:
            yield from pending.popleft().result()
    except BrokenProcessPool as error:
        raise DataError("a worker process died, perhaps for lack of memory; try --workers=1") from error
    finally:
        executor.shutdown(cancel_futures=True)


def _apply(function: Callable[[Item], Result], chunk: Sequence[Item]) -> list[Result]:
    return [function(item) for item in chunk]


def _begin(room: Room) -> None:
    enter(room)
    for number in signals.OF_THE_TERMINAL:  # the parent, who has them too, winds things up
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot tell its workers, and they would wait for their next task for ever."""
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
