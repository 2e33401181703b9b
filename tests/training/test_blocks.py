"""Blocks in pieces: wherever a run stops between two pieces, it goes on as if it had not."""

import dataclasses

import pytest

from pgan_tf.config import Config
from pgan_tf.schedule import Schedule
from pgan_tf.training.blocks import Blocks
from pgan_tf.training.state import Counters

TOTAL = 3000


def played(repeats: int, most: int, stop_every: int, d_repeats: int = 2) -> list[tuple]:
    """(images, fade, minibatch) of every round of a run that is stopped after each so many calls."""
    options = {"lod_training_kimg": 1, "lod_transition_kimg": 1, "minibatch_base": 5, "minibatch_dict": {8: 3}}
    config = Config.from_values({**options, "minibatch_repeats": repeats, "D_repeats": d_repeats})
    blocks, found, calls = Blocks(Schedule(config.growth, 8), Counters()), [], 0
    while blocks.counters.block_start < TOTAL:
        for piece in (parts := blocks.next(TOTAL, most)):
            assert 1 <= piece.rounds <= 8
            found += [(piece.progress.fade.alpha, piece.progress.minibatch)] * piece.rounds
        blocks.advance(sum(part.rounds for part in parts))
        calls += 1
        if calls % stop_every == 0:
            blocks = Blocks(blocks.schedule, Counters(**dataclasses.asdict(blocks.counters)))
    assert blocks.between()
    return [*found, blocks.counters.images]


@pytest.mark.parametrize("repeats", [1, 4, 8, 9, 20])
def test_a_run_in_pieces_is_the_run_in_one(repeats):
    whole = played(repeats, 10**9, 10**9)
    for most, stop_every in ((1, 1), (3, 1), (2, 5), (7, 2)):
        assert played(repeats, most, stop_every) == whole
    assert whole[-1] >= TOTAL
    assert {minibatch for _, minibatch in whole[:-1]} == {5, 3}


def test_a_block_whose_options_have_changed_begins_anew():
    schedule = Schedule(Config.from_values({"minibatch_base": 5, "minibatch_repeats": 20}).growth, 4)
    counters = Counters(images=80, block_start=0)
    assert Blocks(schedule, counters).rounds_done() == 16
    for images in (79, 85, 100, 500):  # within a minibatch, within a piece, and a block or more
        counters = Counters(images=images, block_start=0)
        assert Blocks(schedule, counters).rounds_done() == 0
        assert counters.block_start == images


def test_counters_of_an_earlier_version_are_between_two_blocks():
    assert Counters(images=120).block_start == 120
