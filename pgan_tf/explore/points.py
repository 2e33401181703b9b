"""Places that a generator can be asked for: latents, labels, and how far to go along the principal directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pgan_tf.explore.engine import Engine
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.inputs import draw_latents, label_rows
from pgan_tf.inference.pictures import walks
from pgan_tf.inference.spaces import SPACES, lerp
from pgan_tf.latents import doubling_dims

DIRECTIONS = 8  # principal ones that can be followed


class Points(NamedTuple):
    """N of them, a row each."""

    latents: np.ndarray  # float32 [N,L]
    labels: np.ndarray  # float32 [N,K]
    shifts: np.ndarray  # float32 [N,DIRECTIONS], in standard deviations

    @property
    def count(self) -> int:
        return len(self.latents)

    def take(self, rows: Sequence[int]) -> Points:
        return Points(*(array[list(rows)] for array in self))

    def fits(self, engine: Engine) -> bool:
        """Whether they are of a network of these latents and labels."""
        return (self.latents.shape[1], self.labels.shape[1]) == (engine.latent_size, engine.label_size)


def at(latents: np.ndarray, labels: np.ndarray) -> Points:
    """float32 [N,L], [N,K] -> points without shifts."""
    return Points(latents, labels, np.zeros((len(latents), DIRECTIONS), np.float32))


def joined(parts: Sequence[Points]) -> Points:
    """All of them, one after the other."""
    return Points(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def draw(engine: Engine, seed: int, labels: str, count: int) -> Points:
    """The first `count` of a seed, those of generate.py images. `labels`: see inputs.label_rows. GenerateError."""
    check_seed(seed)
    return at(
        draw_latents(count, engine.latent_size, seed, engine.kind), label_rows(labels, engine.label_size, count, seed)
    )


def check_seed(seed: int) -> None:
    if not 0 <= seed < 2**63:
        raise GenerateError(f"seed {seed}: must be from 0 to 2^63 - 1")


def dimension_sets(engine: Engine) -> list[range]:
    """1-8, 9-16, 17-32, ..: those in which a growing latent space grows, coarse to fine."""
    return doubling_dims(engine.latent_size)


def moved(engine: Engine, point: Points, other: Points, shares: Sequence[float], shifts: Sequence[float]) -> Points:
    """One point with each set of dimensions so far (0..1) on its way to that of `other`, and shifted."""
    space, latents = SPACES[engine.kind], point.latents.copy()
    for dims, share in zip(dimension_sets(engine), shares, strict=False):
        part = slice(dims.start, dims.stop)
        latents[:, part] = space.between(point.latents[:, part], other.latents[:, part], share)
    shifts = point.shifts + np.asarray(shifts, np.float32)[None]  # [1,DIRECTIONS]
    return Points(_onto(engine, latents), point.labels, shifts)


def mixes(engine: Engine, a: Points, b: Points) -> Points:
    """From `b` to `a`: with none, the first, the first two, .. and all sets of dimensions of `a`; labels are b's."""
    sets = dimension_sets(engine)
    rows = [walks.transplanted(a.latents, b.latents, sets[:taken])[0] for taken in range(len(sets) + 1)]  # of [1,L]
    latents = _onto(engine, np.concatenate(rows))
    return Points(latents, b.labels.repeat(len(rows), axis=0), b.shifts.repeat(len(rows), axis=0))


def mixed(engine: Engine, a: Points, b: Points, sets: Sequence[int]) -> Points:
    """`b` with those of the dimension sets, by number, that are to come from `a`."""
    dims = [dimension_sets(engine)[i] for i in sets]
    return b._replace(latents=_onto(engine, walks.transplanted(a.latents, b.latents, dims)[0]))


def closed_way(engine: Engine, through: Points, frames: int) -> Points:
    """A closed way through the points, in so many steps."""
    between = SPACES[engine.kind].between
    latents = walks.closed(through.latents, frames, between)  # [frames,L]
    return Points(latents, *(walks.closed(array, frames, lerp) for array in through[1:]))


def _onto(engine: Engine, latents: np.ndarray) -> np.ndarray:
    """Mixtures [..,L] -> the nearest latents of the network's distribution."""
    return np.asarray(SPACES[engine.kind].onto(latents), np.float32)
