"""What a run decides between two calls of the step by a clock or a signal: one process decides it for all."""

from __future__ import annotations

from typing import NamedTuple

from pgan_tf.devices import STRATEGIES

CALL_SECONDS = 1.0  # a call of the step takes about so long: short enough to stop soon, long enough to cost nothing
MOST_PIECES = 256  # of a call


class Decision(NamedTuple):
    """What comes after a call of the step."""

    pieces: int  # of the next call, at most
    save: bool  # a checkpoint
    signal: int  # that stops the run; 0: none

    def shared(self, strategy: str) -> Decision:
        """That of the process which decides for all that train together by this --strategy."""
        pieces, save, signal = STRATEGIES[strategy].share([self.pieces, int(self.save), self.signal])
        return Decision(pieces, bool(save), signal)


def pieces_of_a_call(pieces: int, seconds: float) -> int:
    """How many pieces the next call should take, after one of so many took so long; at most twice as many."""
    return max(1, min(int(CALL_SECONDS * pieces / max(seconds, 1e-9)), 2 * pieces, MOST_PIECES))
