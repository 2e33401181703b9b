"""Does the discriminator know its reals by heart? What it says of reals that it never saw, beside those that it did."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from pgan_tf.config import Loss
from pgan_tf.data.pipeline import Reals
from pgan_tf.latents import Purpose, stream
from pgan_tf.losses.adversarial import r_v
from pgan_tf.networks.judging import PIXELS, Judge
from pgan_tf.stages import Fade
from pgan_tf.training.feed import process_reals
from pgan_tf.training.state import StageState

MOST = 128  # samples of each kind


class Gauge:
    """Scores of held-out reals, trained reals and fakes at the end of a tick; {} where nothing is held out."""

    def __init__(self, reals: Reals, seed: int, options: Loss):
        self.reals, self.seed, self.options = reals, seed, options

    def row(self, state: StageState, fade: Fade) -> dict[str, float]:
        """The means of the scores, and r_v of them, where there is one. Nothing is augmented."""
        if not len(self.reals.held_out):
            return {}
        size = state.stage.resolution
        parts = [self.reals.read(size, _some(part))[0] for part in (self.reals.held_out, self.reals.trained)]
        held_out, trained = (process_reals(tf.constant(x), None, state.stage, fade.alpha).numpy() for x in parts)
        samples = {"held_out": held_out, "trained": trained, "fakes": self._fakes(state, fade)}
        judge = Judge(state.discriminator, trained, fade)
        if len(trained) >= judge.group:  # none is judged in its own company, as none that is held out can be
            samples["trained"] = trained[judge.group - 1 :]
        found = {name: float(np.mean(judge(x))) for name, x in samples.items()}
        row = {f"holdout/{name}": value for name, value in found.items()}
        value = r_v(*found.values(), self.options)
        return row if value is None else row | {"overfitting/r_v": value}

    def _fakes(self, state: StageState, fade: Fade) -> np.ndarray:
        """What the generator that trains, not the averaged one, makes of fixed latents."""
        network = state.generator
        latents = network.draw_latents(MOST, stream(self.seed, Purpose.GAUGE, 0))
        labels = self.reals.labels[np.resize(_some(self.reals.trained), MOST)]
        size = max(1, PIXELS // math.prod(network.sample_shape[:-1]))
        parts = [slice(begin, begin + size) for begin in range(0, MOST, size)]
        return np.concatenate([network((latents[i], labels[i]), **fade.options()).numpy() for i in parts])


def _some(indices: np.ndarray) -> np.ndarray:
    """At most MOST, from all of it: a data set may be in the order of its classes."""
    return indices[np.linspace(0, len(indices) - 1, min(MOST, len(indices))).astype(int)]
