"""What grows: the sizes of the networks, the stages between which they change, and how far a change has come.

Pure Python. A size is a rung of a ladder; a stage stays at one size, or leads from one to the next, while what is new
fades in. At alpha = beta = tau = 0 the networks of such a stage compute what those of the stage before computed.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Size(NamedTuple):
    """How large the networks are. What a ladder does not grow is at its final size from the first rung on."""

    level: int  # the rung by its name in the schedule's dictionaries: the resolution of the detail in its reals
    resolution: int  # of the images
    latent_size: int  # components of a latent that the generator uses, its first ones; 0 = all
    narrower: int = 1  # the feature maps are those of the whole networks divided by this


class Stage(NamedTuple):
    """What the networks look like: a new stage means new networks, new optimizers and a new trace of the step."""

    size: Size
    before: Size | None = None  # the size that fades out; None: nothing fades

    @property
    def resolution(self) -> int:
        return self.size.resolution

    @property
    def fading(self) -> bool:
        return self.before is not None

    def __str__(self) -> str:
        return f"{self.size.level}x{self.size.level} {'fade-in' if self.fading else 'stabilise'}"


class Fade(NamedTuple):
    """How far what is new has faded in: numbers, or tensors of them. Sandstroem 2019, chapter 6."""

    alpha: Any = 1.0  # the weight of new layers, 0 to 1, in the networks and in the reals
    beta: Any = 1.0  # the factor of new weights in layers that have become wider, 0 to 1
    tau: Any = 0.5  # the weight of new feature maps in the minibatch statistics, 0 to 1/2 where they double


def layer_stage(resolution: int, fading: bool = False) -> Stage:
    """A stage of the growth by layers alone: the images double, all else is whole."""
    before = Size(resolution // 2, resolution // 2, 0) if fading and resolution > 4 else None
    return Stage(Size(resolution, resolution, 0), before)
