"""Where a run is in its blocks of rounds, and which pieces of them come next.

All rounds of a block go by the schedule at its start. A run stops, and goes on, between two pieces.
"""

from __future__ import annotations

from typing import NamedTuple

from pgan_tf.data.pipeline import MOST_ROUNDS, pieces
from pgan_tf.schedule import Progress, Schedule
from pgan_tf.training.state import Counters


class Piece(NamedTuple):
    """Rounds that go by the schedule of one moment, in one go."""

    progress: Progress
    rounds: int


class Blocks:
    """The blocks of a run with these counters, which it moves on."""

    def __init__(self, schedule: Schedule, counters: Counters):
        self.schedule, self.growth, self.counters = schedule, schedule.growth, counters
        if not self._fits():  # options have changed that make the blocks: a new one begins here
            counters.block_start = counters.images

    def now(self) -> Progress:
        """The schedule of the block that the run is in, or that comes next."""
        return self.schedule.at(self.counters.block_start)

    def round_images(self) -> int:
        """Real images of a round."""
        return self.now().minibatch * self.growth.D_repeats

    def rounds_done(self) -> int:
        """Rounds of the block that are done."""
        return (self.counters.images - self.counters.block_start) // self.round_images()

    def _fits(self) -> bool:
        done, whole = self.counters.images - self.counters.block_start, self._block_images()
        return done < whole and done % (self.round_images() * min(MOST_ROUNDS, self.growth.minibatch_repeats)) == 0

    def _block_images(self) -> int:
        return self.schedule.block_images(self.now().stage.size.level)

    def next(self, end: float, most: int) -> list[Piece]:
        """What comes next: up to `most` pieces of blocks that begin before `end` images, of one stage."""
        done, found = self.rounds_done(), []
        for progress in self.schedule.blocks(self.counters.block_start, end, most):
            found += [Piece(progress, part.stop - part.start) for part in pieces(self.growth.minibatch_repeats, done)]
            done = 0
        return found[:most]

    def advance(self, rounds: int) -> None:
        """So many more rounds are done, all of one stage."""
        counters, size = self.counters, self._block_images()
        counters.images += rounds * self.round_images()
        counters.block_start += (counters.images - counters.block_start) // size * size

    def between(self) -> bool:
        """Whether the run is between two blocks."""
        return self.counters.images == self.counters.block_start
