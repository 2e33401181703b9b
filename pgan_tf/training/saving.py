"""When a run saves its checkpoints."""

from __future__ import annotations

import time
from pathlib import Path

from pgan_tf import config as options
from pgan_tf.stages import Fade
from pgan_tf.training import checkpoint
from pgan_tf.training.state import Counters, StageState


class Saver:
    """Saves checkpoints in a folder: every so many ticks or minutes, at the end, and when it is told to."""

    def __init__(self, folder: Path, run: options.Run):
        self.folder, self.run = folder, run
        self.saved(-1)

    def saved(self, images: int) -> None:
        """A checkpoint after so many images is there."""
        self.images, self._when = images, time.monotonic()

    def due(self, counters: Counters, done: bool) -> bool:
        """Whether a checkpoint should be saved now. `done`: all images are trained."""
        ticked = counters.tick_start == counters.images and counters.tick % self.run.checkpoint_ticks == 0
        late = self.run.checkpoint_minutes and time.monotonic() - self._when > 60 * self.run.checkpoint_minutes
        return counters.images != self.images and bool(ticked or late or done)

    def save(self, counters: Counters, state: StageState, fade: Fade) -> Path:
        """Saves one, and returns its path."""
        path = checkpoint.save(self.folder, state, counters, self.run.checkpoints_kept, fade)
        self.saved(counters.images)
        return path
