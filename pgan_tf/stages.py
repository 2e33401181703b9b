"""What grows: the sizes of the networks, the stages between which they change, and how far a change has come.

Pure Python. A size is a rung of a ladder; a stage stays at one size, or leads from one to the next, while what is new
fades in. At alpha = beta = tau = 0 the networks of such a stage compute what those of the stage before computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pgan_tf.option import NONE, ConfigError


class Size(NamedTuple):
    """How large the networks are. What a ladder does not grow is at its final size from the first rung on."""

    level: int  # the rung by its name in the schedule's dictionaries: the resolution of the detail in its reals
    resolution: int  # of the images
    latent_size: int  # components of a latent that the generator uses, its first ones; 0 = all
    narrower: int = 1  # the feature maps are those of the whole networks divided by this
    capped: bool = False  # or rather: each layer has its own, but at most those of the widest divided by this

    def __str__(self) -> str:
        return f"{self.level}x{self.level}" if self.level == self.resolution else f"level {self.level}"


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
        return f"{self.size} {'fade-in' if self.fading else 'stabilise'}"

    def to_record(self) -> dict:
        """The stage as plain dictionaries, for a file."""
        return {"size": self.size._asdict(), "before": self.before and self.before._asdict()}

    @classmethod
    def from_record(cls, record: dict) -> Stage:
        """What `to_record` made, or version 0.1.0, which knew growth by layers alone."""
        if "size" not in record:
            return layer_stage(record["resolution"], record["fading"])
        return cls(Size(**record["size"]), record["before"] and Size(**record["before"]))


class Fade(NamedTuple):
    """How far what is new has faded in: numbers, or tensors of them. Sandstroem 2019, chapter 6."""

    alpha: Any = 1.0  # the weight of new layers, 0 to 1, in the networks and in the reals
    beta: Any = 1.0  # the factor of new weights in layers that have become wider, 0 to 1
    tau: Any = 0.5  # the weight of new feature maps in the minibatch statistics, 0 to 1/2 where they double

    def options(self) -> dict[str, Any]:
        """What a network is called with, and has as its own fade."""
        return self._asdict()


# What grows: the field of a size that is less so many rungs before the last, from the last size.
LADDERS: dict[str, Callable[[Size, int], dict[str, int]]] = {
    "layers": lambda last, left: {"resolution": last.resolution >> left},
    "latent": lambda last, left: {"latent_size": last.latent_size >> left},
    # Where the layers are all there from the start, to halve each would leave none in the last ones.
    "channels": lambda last, left: {"narrower": 2**left},
}


def levels(grow: str, resolution: int, initial: int) -> list[int]:
    """The names of the rungs: `initial`, doubled until the final resolution; that alone where nothing grows."""
    if grow == NONE:
        return [resolution]
    if initial > resolution:
        raise ConfigError(f"--lod_initial_resolution={initial}: above the networks' resolution {resolution}")
    found = [resolution]
    while found[-1] > initial:
        found.append(found[-1] // 2)
    return found[::-1]


def sizes(grow: str, resolution: int, latent_size: int, initial: int) -> list[Size]:
    """The sizes of the networks from the first rung to the last, which has `resolution` and `latent_size`.

    grow: names of LADDERS separated by commas, or NONE. ConfigError where the latents cannot be halved so often.
    """
    rungs = levels(grow, resolution, initial)
    grown = [name for name in LADDERS if name in grow.split(",")]
    if "latent" in grown:
        _check_latents(latent_size, rungs)
    capped = "channels" in grown and "layers" not in grown
    last = Size(resolution, resolution, latent_size if "latent" in grown else 0, capped=capped)

    def size(level: int, left: int) -> Size:
        less = {field: value for name in grown for field, value in LADDERS[name](last, left).items()}
        return last._replace(level=level, **less)

    return [size(level, len(rungs) - i) for i, level in enumerate(rungs, start=1)]


def span(first: Size, last: Size) -> str:
    """From which size to which, in words: what the same is in both is not said, but for the resolution."""
    words = [f"{first.resolution}x{first.resolution}"]
    if first.resolution != last.resolution:
        words[0] += f" to {last.resolution}x{last.resolution}"
    if first.latent_size != last.latent_size:
        words.append(f"latents of {first.latent_size} to {last.latent_size}")
    if first.narrower != last.narrower:
        of_what = "of the widest layer's feature maps at most" if first.capped else "of the feature maps"
        words.append(f"{share(first.narrower)} to {share(last.narrower)} {of_what}")
    return ", ".join(words)


def share(narrower: int, capped: bool = False) -> str:
    """How many of the whole networks' feature maps narrower ones have."""
    return "all" if narrower == 1 else f"{'up to ' * capped}1/{narrower}"


def narrowed(features: int, narrower: int, widest: int = 0) -> int:
    """What is left of a layer's features, at least one; with `widest`, the cap is that over `narrower`."""
    return max(min(features, widest // narrower) if widest else features // narrower, 1)


def _check_latents(latent_size: int, rungs: list[int]) -> None:
    halvings = len(rungs) - 1
    if latent_size % 2**halvings:
        possible = (latent_size & -latent_size).bit_length() - 1
        raise ConfigError(
            f"--latent_size={latent_size}: --grow=latent halves it at each of {halvings} rungs below the last; make it "
            f"a multiple of {2**halvings}, or begin at --lod_initial_resolution={rungs[-1] >> possible}"
        )


def layer_stage(resolution: int, fading: bool = False) -> Stage:
    """A stage of the growth by layers alone: the images double, all else is whole."""
    before = Size(resolution // 2, resolution // 2, 0) if fading and resolution > 4 else None
    return Stage(Size(resolution, resolution, 0), before)
