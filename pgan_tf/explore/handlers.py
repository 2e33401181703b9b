"""What each control of the page does: words and numbers in, pictures and captions out. No gradio here.

What one visitor has before them is a Visit, which every answer makes anew; nothing is kept here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf.explore import points, uploads
from pgan_tf.explore.networks import Source
from pgan_tf.explore.points import DIRECTIONS, Points
from pgan_tf.grids import grid
from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.pictures import video
from pgan_tf.inference.pictures.moving import VIDEO_CELL
from pgan_tf.latents import dims_name

MOST_DRAWN, MOST_PINS, MOST_SECONDS, FPS = 24, 12, 20, 24
RANDOM = "random"  # in the list of labels; ALL: one after the other
ALL = "all"


class Visit(NamedTuple):
    """Of one visitor: the pictures drawn, the one chosen, what was made of it, and the pins."""

    drawn: Points | None = None
    chosen: Points | None = None
    made: Points | None = None
    pins: Points | None = None

    def held(self, name: str, engine) -> Points:
        """Its points of that name. GenerateError: there are none, or they are of another network."""
        found = getattr(self, name)
        if found is None or not found.count:
            raise GenerateError(MISSING[name])
        if not found.fits(engine):
            raise GenerateError("the network has changed since, and these pictures are not its own; draw new ones")
        return found


MISSING = {
    "drawn": "nothing is drawn yet; press Draw",
    "chosen": "no picture is chosen; click one of those above",
    "made": "nothing is made yet; move a slider",
    "pins": "nothing is pinned yet; choose a picture and press Pin",
}


def draw(source: Source, visit: Visit, seed: int, label: str, truncation: float, count: int):
    """-> (pictures [N,R,R,C], visit). The same as generate.py images makes with this seed."""
    if not 1 <= count <= MOST_DRAWN:
        raise GenerateError(f"{count} pictures: must be from 1 to {MOST_DRAWN}")
    painter = source.painter()
    drawn = points.draw(painter.engine, seed, _labels(painter.engine, label), count)
    return painter.pictures(drawn, truncation), visit._replace(drawn=drawn, chosen=drawn.take([0]), made=None)


def _labels(engine, label: str) -> str:
    return label if engine.label_size else ""


def choose(source: Source, visit: Visit, index: int, truncation: float):
    """-> (the picture [1,R,R,C], visit)."""
    painter = source.painter()
    drawn = visit.held("drawn", painter.engine)
    if not 0 <= index < drawn.count:
        raise GenerateError(MISSING["chosen"])
    chosen = drawn.take([index])
    return painter.pictures(chosen, truncation), visit._replace(chosen=chosen, made=None)


def repaint(source: Source, visit: Visit, truncation: float):
    """The same places by what the network is now -> (drawn [N,R,R,C], chosen [1,R,R,C], visit)."""
    painter = source.painter()
    drawn, chosen = visit.held("drawn", painter.engine), visit.held("chosen", painter.engine)
    return painter.pictures(drawn, truncation), painter.pictures(chosen, truncation), visit


def move(source: Source, visit: Visit, truncation: float, towards: int, sliders: Sequence[float]):
    """-> (the chosen picture after the sliders [1,R,R,C], visit).

    `sliders`: DIRECTIONS shifts in deviations, then how far each set of dimensions goes towards the seed `towards`.
    """
    painter = source.painter()
    chosen, values = visit.held("chosen", painter.engine), [float(value) for value in sliders]
    if not np.isfinite(values).all() or np.abs(values).max(initial=0) > 10:
        raise GenerateError("a slider is out of its bounds")
    other = points.draw(painter.engine, towards, _labels(painter.engine, ""), 1)
    made = points.moved(painter.engine, chosen, other, values[DIRECTIONS:], values[:DIRECTIONS])
    return painter.pictures(made, truncation), visit._replace(made=made)


def mix(source: Source, visit: Visit, truncation: float, a: int, b: int, sets: Sequence[int]):
    """-> (pins a and b and their mixture [3,R,R,C], the mixtures coarse to fine [S+1,R,R,C], captions, visit)."""
    painter = source.painter()
    engine, pins = painter.engine, visit.held("pins", painter.engine)
    if not (1 <= a <= pins.count and 1 <= b <= pins.count):
        raise GenerateError(f"there are pins 1 to {pins.count}; pin two pictures to mix them")
    names = set_names(source)
    if not all(0 <= i < len(names) for i in sets):
        raise GenerateError("no such dimensions")
    first, second = pins.take([a - 1]), pins.take([b - 1])
    made = points.mixed(engine, first, second, sets)
    way = points.mixes(engine, first, second)
    pictures = painter.pictures(points.joined([first, second, made, way]), truncation)
    captions = [f"all of {b}", *(f"to {name.rpartition('-')[2]} of {a}" for name in names)]
    return pictures[:3], pictures[3:], captions, visit._replace(made=made)


def set_names(source: Source) -> list[str]:
    return [dims_name(dims) for dims in points.dimension_sets(source.painter().engine)]


def pin(source: Source, visit: Visit, which: str, truncation: float):
    """Pins what is `chosen` or `made` -> (all pins [N,R,R,C], visit)."""
    engine = source.painter().engine
    new = visit.held(which, engine)
    old = [visit.pins] if visit.pins is not None and visit.pins.fits(engine) else []
    if old and old[0].count >= MOST_PINS:
        raise GenerateError(f"there are {MOST_PINS} pins already; remove some")
    visit = visit._replace(pins=points.joined([*old, new]))
    return pinned(source, visit, truncation), visit


def unpin(visit: Visit) -> Visit:
    return visit._replace(pins=None)


def pinned(source: Source, visit: Visit, truncation: float) -> np.ndarray | None:
    """The pins' pictures [N,R,R,C]; None where there are none."""
    painter = source.painter()
    if visit.pins is None or not visit.pins.fits(painter.engine):
        return None
    return painter.pictures(visit.pins, truncation)


def film(source: Source, visit: Visit, truncation: float, seconds: float, out: Path) -> Iterator[float]:
    """Writes a closed way through the pins as .mp4, .gif or .webp; yields how much is done, 0..1."""
    painter = source.painter()
    pins = visit.held("pins", painter.engine)
    if pins.count < 2:
        raise GenerateError("one picture is pinned; pin two at least, to go from one to the other")
    if not 0 < seconds <= MOST_SECONDS:
        raise GenerateError(f"{seconds:g} seconds: must be above 0, at most {MOST_SECONDS}")
    way = points.closed_way(painter.engine, pins, max(2, round(seconds * FPS)))
    frames = []
    for begin in range(0, way.count, FPS):
        part = way.take(range(begin, min(begin + FPS, way.count)))
        frames += [grid(picture[None], 1, 2 * VIDEO_CELL) for picture in painter.pictures(part, truncation)]
        yield len(frames) / way.count
    video.write_video(out, iter(frames), FPS)


def project(source: Source, visit: Visit, path: str | None, fit: str, label: str, steps: int) -> Iterator[tuple]:
    """Yields (Progress, target [R,R,C], the best so far [R,R,C] or None, visit)."""
    painter = source.painter()
    if not path:
        raise GenerateError("no picture is given; put a file into the field")
    uploads.check(painter.engine, steps)
    target = uploads.read_upload(path, painter.engine, fit)
    label = "" if label in (RANDOM, ALL) else label
    for progress in uploads.find(painter.engine, target, label, steps):
        found = progress.found
        picture = None if found is None else painter.pictures(found)[0]
        yield progress, target, picture, visit if found is None else visit._replace(made=found)


def nearest(source: Source, visit: Visit, truncation: float, count: int, k: int):
    """Of the first `count` drawn: (the picture and its k nearest training pictures, row by row; captions)."""
    painter, reals = source.painter(), source.training_set()
    drawn = visit.held("drawn", painter.engine)
    pictures, captions = [], []
    for picture in painter.pictures(drawn.take(range(min(count, drawn.count))), truncation):
        near = reals.nearest(picture, k)
        pictures += [picture, *near.pictures]
        captions += ["generated", *(f"#{i}: {d:.3f}" for i, d in zip(near.indices, near.distances, strict=True))]
    return pictures, captions
