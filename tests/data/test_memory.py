"""The account of memory that workers share: never more than there is, and nobody waits for ever."""

from __future__ import annotations

import threading
import time

import pytest

from pgan_tf.data import memory
from pgan_tf.data.memory import ALL, LEAST, UNIT, Room, enter, room_for


@pytest.fixture
def room():
    yield Room(threading, workers=2)
    memory._Mine.room, memory._Mine.taken = None, False


def free(room: Room) -> int:
    count = 0
    while room._free.acquire(blocking=False):
        count += 1
    room.give(count)
    return count


def test_what_is_taken_is_given_back(room):
    enter(room)
    assert free(room) == LEAST // UNIT
    for size, taken in ((0, 0), (UNIT - 1, 0), (UNIT, 1), (5 * UNIT, 5), (ALL, room.units)):
        with room_for(size):
            assert free(room) == room.units - taken
            with room_for(UNIT if taken else 0):  # it has its share already
                assert free(room) == room.units - taken
        assert free(room) == room.units
    with pytest.raises(ValueError, match="spoiled"), room_for(UNIT):
        raise ValueError("spoiled")
    assert free(room) == room.units


def test_more_workers_have_more():
    assert Room(threading, 2).units == Room(threading, 1).units < Room(threading, 16).units


def test_nobody_waits_outside_of_a_pool():
    with room_for(ALL), room_for(ALL):
        pass


def test_together_they_never_have_more(room):
    """Eight that need half and all of it by turns: all come through, one account is never overdrawn."""
    used, most, lock = [0], [0], threading.Lock()

    def work(units: int) -> None:
        for _ in range(20):
            room.take(units)
            with lock:
                used[0] += units
                most[0] = max(most[0], used[0])
            time.sleep(0)
            with lock:
                used[0] -= units
            room.give(units)

    threads = [threading.Thread(target=work, args=(units,)) for units in [room.units, room.units // 2] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert 0 < most[0] <= room.units
