"""One account of memory for the workers of a pool: who needs much waits until there is room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

UNIT = 2**24  # bytes; less than that is not counted
LEAST = 2**29  # bytes that a pool has in any case: two workers stay below a gigabyte with all that they are
ALL = 2**62  # more than any pool has: to be alone
_EACH = 2**28  # bytes for each worker, if there are many


class Room:
    """So many units, which the workers that were given it take and give back."""

    def __init__(self, context: Any, workers: int):
        """context: of multiprocessing."""
        self.units = max(LEAST, workers * _EACH) // UNIT
        self._free, self._turn = context.Semaphore(self.units), context.Lock()

    def take(self, units: int) -> None:
        with self._turn:  # one at a time, or two that each have half of what they need would wait for ever
            for _ in range(units):
                self._free.acquire()

    def give(self, units: int) -> None:
        for _ in range(units):
            self._free.release()


class _Mine:
    """The account that this process is in, and whether it has taken its share."""

    room: Room | None = None
    taken = False


def enter(room: Room) -> None:
    """Makes this process, a worker, one of those that share `room`."""
    _Mine.room = room


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Waits until the pool has room for `size` bytes, or, for more than it has in all, until no other has any.

    Within such a block a second one takes nothing more. Outside of a pool there is nobody to wait for.
    """
    units = 0 if _Mine.room is None or _Mine.taken else min(size // UNIT, _Mine.room.units)
    if not units:
        yield
        return
    _Mine.room.take(units)
    _Mine.taken = True
    try:
        yield
    finally:
        _Mine.taken = False
        _Mine.room.give(units)
