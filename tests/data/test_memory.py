"""The account of memory that workers share: never more than there is, and nobody waits for ever."""

from __future__ import annotations

import contextlib
import io
import threading
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from pgan_tf.data import memory
from pgan_tf.data.memory import ALL, LEAST, UNIT, Room, enter, room_for
from pgan_tf.data.pictures import decode
from pgan_tf.data.sources.picture import Target, load_picture


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


@pytest.mark.parametrize("planar", [None, "contig", "separate"])
def test_every_way_of_decoding_asks_for_room(planar, monkeypatch):
    """planar: of a TIFF file of 16 bits; None: a PNG file."""
    asked, file, pixels = [], io.BytesIO(), np.zeros((32, 32, 3), np.uint16)

    @contextlib.contextmanager
    def asking(size: int):
        asked.append(size)
        yield

    monkeypatch.setattr(decode, "room_for", asking)
    if planar is None:
        Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    else:
        stored = pixels if planar == "contig" else pixels.transpose(2, 0, 1)
        tifffile.imwrite(file, stored, photometric="rgb", planarconfig=planar)
    load_picture(file, Target(32))
    assert len(asked) == 1
    assert asked[0] >= 32 * 32 * 9
