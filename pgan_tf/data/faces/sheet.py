"""The contact sheet: the best pictures of a ranking above the worst, to see whether the ranking makes sense."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pgan_tf.data.faces.landmarks import Face
from pgan_tf.data.parallel import ordered_map
from pgan_tf.grids import grid, save_png

_TILE, _COLUMNS, _ROWS = 160, 8, 4  # of each half
_HEADING = 24  # pixels


def write_sheet(
    path: Path,
    ranked: Sequence[Face],
    scores: Sequence[float],
    kept: int,
    load: Callable[[Face], np.ndarray],
    workers: int,
) -> None:
    """Writes a PNG with the first and the last of `ranked` (best first), at most 32 each, no face twice.

    scores: of the ranked faces. kept: how many of them are in the data set. load: a face -> uint8 [R,R,3], picklable.
    """
    most = _COLUMNS * _ROWS
    best = list(range(min(most, (len(ranked) + 1) // 2)))
    worst = list(range(max(len(best), len(ranked) - most), len(ranked)))
    tiles = list(ordered_map(partial(_thumbnail, load=load), [ranked[i] for i in best + worst], workers))
    halves = []
    for name, places, some in (("best", best, tiles[: len(best)]), ("worst", worst, tiles[len(best) :])):
        if places:
            text = f"{name}: ranks {places[0] + 1} to {places[-1] + 1} of {len(ranked)}, {kept} kept; "
            text += f"scores {scores[places[0]]:+.2f} to {scores[places[-1]]:+.2f}"
            halves.append(_half(text, np.stack(some)))
    save_png(path, np.concatenate(halves))


def _half(text: str, tiles: np.ndarray) -> np.ndarray:
    """A line of text above the tiles, uint8 [n,T,T,3] -> [H,W,3]."""
    picture = grid(tiles, _COLUMNS)
    line = Image.new("RGB", (picture.shape[1], _HEADING), "white")
    ImageDraw.Draw(line).text((6, 6), text, fill="black")
    return np.concatenate([np.asarray(line), picture])


def _thumbnail(face: Face, load: Callable[[Face], np.ndarray]) -> np.ndarray:
    """Runs in a worker."""
    return np.asarray(Image.fromarray(load(face)).resize((_TILE, _TILE), Image.Resampling.BOX))
