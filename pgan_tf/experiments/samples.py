"""What rows made of the same latents as time went by: a line of pictures per row."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
from PIL import Image

from pgan_tf import grids, plane, stamps
from pgan_tf.data.sources.picture import read_picture
from pgan_tf.experiments.canvas import pyplot, save, wrapped
from pgan_tf.experiments.runs import FULL, RunState, full_resolution, read_ticks
from pgan_tf.experiments.suite import Comparison

FAKES = "fakes*.png"
TIMES, CELLS, CELL = 8, (4, 3), 48  # pictures of a row; of a grid of images: columns x rows, pixels of an image
SIDE = 150  # pixels of a picture of points
# Of points: Yamazaki, figures 5.1 to 5.4 (their text has 100,000 for the eighth), and on to 200,000.
ITERATIONS = (100, 1000, 2000, 3000, 4000, 6000, 8000, 10_000, 15_000, 20_000, 50_000, 100_000, 200_000)
NEAR, LEAST = 1.3, 5  # how far from that a picture may be, as a factor; so many make it worth while


def pictured(comparison: Comparison, states: list[RunState]) -> list[RunState]:
    """Each row's first complete seed, of those that have pictures."""
    first = [next((s for s in states if s.row is row and s.complete), None) for row in comparison.rows]
    return [state for state in first if state and stamps.in_time(state.folder, FAKES)]


def plot_samples(comparison: Comparison, states: list[RunState], path: Path) -> None:
    """Draws what `pictured` found."""
    shown = pictured(comparison, states)
    files = [over_time(state) for state in shown]
    known = [pictures(state) for state in shown]
    times = [[when(s, at[f]) for f in row] for s, at, row in zip(shown, known, files, strict=True)]
    width, height = (SIDE, SIDE) if comparison.of_points else (CELLS[0] * CELL, CELLS[1] * CELL)
    columns = max(len(row) for row in files)
    figure, axes = pyplot().subplots(
        len(shown), columns, figsize=((columns * width * 1.04 + 150) / 80, (len(shown) * height * 1.06 + 30) / 80),
        dpi=80, squeeze=False,
    )  # fmt: skip
    for number, (line, state, row) in enumerate(zip(axes, shown, files, strict=True)):
        _draw_row(line, state, row, times[number] if not number or times[number] != times[number - 1] else [])
    alike = all(row == times[0] for row in times)
    figure.subplots_adjust(
        left=150 / (figure.get_figwidth() * 80), right=0.995, top=1 - 25 / (figure.get_figheight() * 80), bottom=0.003,
        wspace=0.03, hspace=0.04 if alike else 0.2,
    )  # fmt: skip
    save(figure, path)


def by_iterations(comparison: Comparison) -> bool:
    """Whether times are iterations: of points, whose networks do not grow."""
    return comparison.of_points and all(row.iteration for row in comparison.rows)


def _draw_row(line, state: RunState, files: list[Path], times: list[str]) -> None:
    """`times`: above the pictures, where they are not those of the row above."""
    for axis in line:
        axis.axis("off")
    for axis, file in zip(line, files, strict=False):
        axis.imshow(shrunk(state, file), interpolation="nearest")
    for axis, time in zip(line, times, strict=False):
        axis.set_title(time, fontsize=9)
    line[0].text(-0.05, 0.5, wrapped(state.row.title), fontsize=9, ha="right", va="center", transform=line[0].transAxes)


def when(state: RunState, kimg: float) -> str:
    """A moment as a report says it: thousands of images, of points iterations."""
    return f"{1000 * kimg / state.row.iteration:,.0f}" if by_iterations(state.comparison) else f"{kimg:g} kimg"


def pictures(state: RunState) -> dict[Path, float]:
    """{picture: thousands of images that the networks had seen}, oldest first.

    Names leave out what is beyond the thousand. Where iterations are told, the ticks say it.
    """
    files, exact = stamps.in_time(state.folder, FAKES), {}
    if by_iterations(state.comparison):
        images = [-1, 0, *(round(1000 * tick["kimg"]) for tick in read_ticks(state.folder))]
        exact = {f"fakes{stamps.stamp(now, before)}.png": now / 1000 for before, now in itertools.pairwise(images)}
    return {file: exact.get(file.name, stamps.kimg(file)) for file in files}


def over_time(state: RunState) -> list[Path]:
    """The pictures of a run that are shown: those nearest to ITERATIONS of points, else TIMES evenly chosen."""
    times = pictures(state)
    if by_iterations(state.comparison):
        chosen = nearest({file: 1000 * kimg / state.row.iteration for file, kimg in times.items()})
        if len(chosen) >= LEAST:
            return chosen
    return _evenly(list(times))


def nearest(iterations: dict[Path, float]) -> list[Path]:
    """Of pictures of these iterations those next to ITERATIONS, where there are such, and the last one."""
    chosen = []
    for wanted in ITERATIONS:
        factors = {file: max(iteration, 1) / wanted for file, iteration in iterations.items()}
        file = min(factors, key=lambda one: abs(math.log(factors[one])))
        if 1 / NEAR <= factors[file] <= NEAR:
            chosen.append(file)
    return list(dict.fromkeys([*chosen, list(iterations)[-1]]))


def _evenly(files: list[Path]) -> list[Path]:
    """TIMES of the pictures, evenly chosen, the first and the last among them."""
    if len(files) <= TIMES:
        return files
    return [files[round(i)] for i in np.linspace(0, len(files) - 1, TIMES)]


# ---- one picture -----------------------------------------------------------------------------------------------------


def shrunk(state: RunState, file: Path) -> np.ndarray:
    """A picture of a run as figures show it, uint8 [H,W,3]: points without the numbers around, of images a part."""
    picture = read_picture(file, channels=3)
    if not state.comparison.of_points:
        return _cells(picture, grids.cell_in_grid(full_resolution(read_ticks(state.folder, *FULL))))
    return np.asarray(Image.fromarray(plane.inside(picture)).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _cells(grid: np.ndarray, cell: int) -> np.ndarray:
    """The upper left CELLS of a grid uint8 [H,W,3] whose images have `cell` pixels."""
    picture = Image.fromarray(grid)
    columns, rows = min(CELLS[0], picture.width // cell), min(CELLS[1], picture.height // cell)
    part = picture.crop((0, 0, columns * cell, rows * cell))
    return np.asarray(part.resize((columns * CELL, rows * CELL), Image.Resampling.BOX))
