"""Runs that fell apart, by a rule: a score far below the best that the run had, or samples that are all alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf import grids, plane
from pgan_tf.data.sources.picture import read_picture
from pgan_tf.evaluation import results
from pgan_tf.experiments.canvas import pyplot, save
from pgan_tf.experiments.runs import FULL, RunState, full_resolution, read_ticks
from pgan_tf.experiments.samples import pictures, shrunk, when
from pgan_tf.experiments.suite import Comparison
from pgan_tf.experiments.watched import watched_columns

SHARE = 0.7  # of the best score so far
SPREAD = 0.1  # of the standard deviation of the data
LOOKED_AT = 50  # pictures of a run
SHOWN = 8  # collapses in the figure
RULE = (
    f"Listed are runs of which a score measured while training, of those where higher is better, fell below "
    f"{SHARE:.0%} of its best so far, and runs whose pictures at some time showed samples with less than {SPREAD:.0%} "
    "of the standard deviation of the data (over the samples; by pixel, or of the points' places), after they had had "
    "more."
)


class Collapse(NamedTuple):
    """What became of a run. Numbers are of a score or of the spread of samples, as a share of the data's."""

    state: RunState
    what: str
    best: float
    best_kimg: float
    fell: float
    fell_kimg: float  # at the first time that the rule applied
    last: float


def watched(comparison: Comparison, states: list[RunState]) -> bool:
    """Whether there is enough to look for them: runs that were measured while they trained, or points."""
    return comparison.of_points or bool(watched_columns(states))


def collapses(states: list[RunState]) -> list[Collapse]:
    """All of them, in the order of the runs."""
    columns = {
        column: title for column, title in watched_columns(states).items() if not results.lower_is_better(column)
    }
    found = []
    for state in (state for state in states if state.complete):
        curves = {title: state.curve(column, watched=True) for column, title in columns.items()}
        found += [_fallen(state, title, curve, SHARE) for title, curve in curves.items()]
        found.append(_fallen(state, "spread of the samples", _spreads(state), None))
    return [collapse for collapse in found if collapse]


def _fallen(state: RunState, what: str, curve: dict[float, float], share: float | None) -> Collapse | None:
    """The first fall below `share` of the best so far; with None below SPREAD, once the curve was above."""
    best, best_kimg = 0.0, 0.0
    for kimg, value in curve.items():
        if value > best:
            best, best_kimg = value, kimg
        elif value < share * best if share else best >= SPREAD > value:
            return Collapse(state, what, best, best_kimg, value, kimg, list(curve.values())[-1])
    return None


# ---- the spread of samples -------------------------------------------------------------------------------------------


def _spreads(state: RunState) -> dict[float, float]:
    """{thousands of images: the samples' standard deviation as a share of the data's}, by the pictures of a run."""
    times = pictures(state)
    files = list(times)
    reals = state.folder / "reals.png"
    if not files or not reals.exists():
        return {}
    of_reals, of_fakes = _spread_of(state)
    data = of_reals(read_picture(reals, channels=3))
    chosen = [files[round(i)] for i in np.linspace(0, len(files) - 1, min(LOOKED_AT, len(files)))]
    return {times[file]: of_fakes(read_picture(file, channels=3)) / data for file in chosen} if data else {}


Spread = Callable[[np.ndarray], float]


def _spread_of(state: RunState) -> tuple[Spread, Spread]:
    """How reals' and fakes' pictures are read."""
    if state.comparison.of_points:
        return plane.spread_of_data, plane.spread_of_samples
    cell = grids.cell_in_grid(full_resolution(read_ticks(state.folder, *FULL)))
    return (lambda picture: _deviation(picture, cell),) * 2


def _deviation(grid: np.ndarray, cell: int) -> float:
    """The standard deviation of each pixel over the images of a grid uint8 [H,W,C], the root of its mean square."""
    rows, columns = grid.shape[0] // cell, grid.shape[1] // cell
    cells = grid[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell, -1)
    return float(np.sqrt(cells.astype(float).var(axis=(0, 2)).mean()))


# ---- what a report says ----------------------------------------------------------------------------------------------


def lines(found: list[Collapse]) -> list[list[str]]:
    """The cells of a table, its head first."""
    rows = [["run", "what", "best", "fell to", "at the end"]]
    for one in found:
        best, fell = (f"{value:.4g} ({when(one.state, kimg)})" for value, kimg in
                      ((one.best, one.best_kimg), (one.fell, one.fell_kimg)))  # fmt: skip
        rows.append([one.state.name, one.what, best, fell, f"{one.last:.4g}"])
    return rows


def plot_collapses(found: list[Collapse], path: Path) -> None:
    """A line for each of the first runs: at its best, when it fell, at the end."""
    first = list({one.state.name: one for one in reversed(found)}.values())[::-1][:SHOWN]
    figure, axes = pyplot().subplots(len(first), 3, figsize=(8.2, 2.2 * len(first)), dpi=80, squeeze=False)
    for line, one in zip(axes, first, strict=True):
        files = pictures(one.state)
        times = {"best": one.best_kimg, "fallen": one.fell_kimg, "end": max(files.values())} if files else {}
        for axis in line:
            axis.axis("off")
        for axis, (word, kimg) in zip(line, times.items(), strict=False):
            file = min(files, key=lambda path: abs(files[path] - kimg))
            axis.imshow(shrunk(one.state, file), interpolation="nearest")
            axis.set_title(f"{word}: {when(one.state, files[file])}", fontsize=8)
        line[0].text(-0.05, 0.5, one.state.name, fontsize=8, ha="right", va="center", transform=line[0].transAxes)
    figure.tight_layout()
    save(figure, path)
