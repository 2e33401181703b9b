"""The pictures of a comparison, drawn by matplotlib: scores with their seeds, curves with bands, grids over time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from pgan_tf import grids, plane, stamps
from pgan_tf.data.sources.picture import read_picture
from pgan_tf.experiments.runs import FULL, RunState, full_resolution, read_ticks
from pgan_tf.experiments.scores import Score
from pgan_tf.experiments.suite import Comparison
from pgan_tf.files import new_file

BASE, OWN = "#888888", "#c2410c"
FAKES = "fakes*.png"
LOSSES = {"loss/D": "loss of D", "loss/G": "loss of G"}
TIMES, CELLS, CELL = 8, (4, 3), 48  # of the grids over time: how many, columns x rows of each, pixels of an image


class Curve(NamedTuple):
    """A value over thousands of images, over the seeds of a row."""

    kimg: np.ndarray  # [T]
    mean: np.ndarray  # [T]
    deviation: np.ndarray  # [T], 0 with one seed


def _pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _save(figure, path: Path) -> None:
    with new_file(path) as temporary:
        figure.savefig(temporary)
    _pyplot().close(figure)


# ---- scores ----------------------------------------------------------------------------------------------------------


def plot_scores(
    comparison: Comparison, scores: dict[str, dict[str, Score]], titles: dict[str, str],
    reals: dict[str, dict[str, float]], path: Path,
) -> None:  # fmt: skip
    """A panel per metric: each seed a dot, the mean a bar, the baseline's range of seeds grey, Reals2 a dotted line."""
    rows = [row.title for row in comparison.rows]
    figure, axes = _pyplot().subplots(
        1, len(comparison.metrics), figsize=(4.2 * len(comparison.metrics) + 1.6, 0.42 * len(rows) + 1.3), dpi=90,
        sharey=True, squeeze=False,
    )  # fmt: skip
    for axis, metric in zip(axes[0], comparison.metrics, strict=True):
        base = scores[metric][comparison.baseline].values
        if base:
            axis.axvspan(min(base), max(base), color=BASE, alpha=0.2, linewidth=0)
        for y, title in enumerate(rows):
            score = scores[metric][title]
            color = BASE if title == comparison.baseline else OWN
            axis.plot(score.values, [y] * len(score.values), "o", color=color, markersize=5, alpha=0.75)
            axis.plot([score.mean] * 2, [y - 0.28, y + 0.28], color=color, linewidth=2)
        if metric in reals.get("Reals2", {}):
            axis.axvline(reals["Reals2"][metric], color="black", linestyle=":", linewidth=1)
        axis.set(title=titles[metric], yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="x", color="#eeeeee")
        axis.set_axisbelow(True)
    figure.tight_layout()
    _save(figure, path)


# ---- curves ----------------------------------------------------------------------------------------------------------


def metric_curve(states: list[RunState], metric: str) -> Curve | None:
    """A metric at the snapshots that all complete runs of a row share."""
    return _curve([state.headlines(metric) for state in states if state.complete])


def loss_curve(states: list[RunState], name: str) -> Curve | None:
    """A number of the ticks, e.g. 'loss/D'."""
    runs = [state for state in states if state.complete]
    return _curve([{tick["kimg"]: tick[name] for tick in read_ticks(state.folder, name)} for state in runs])


def _curve(series: list[dict[float, float]]) -> Curve | None:
    if not series:
        return None
    kimg = sorted(set.intersection(*(set(one) for one in series)))
    values = np.array([[one[k] for k in kimg] for one in series])  # [S,T]
    deviation = values.std(axis=0, ddof=1) if len(series) > 1 else np.zeros(len(kimg))
    return Curve(np.array(kimg), values.mean(axis=0), deviation)


def plot_metrics(comparison: Comparison, states: list[RunState], titles: dict[str, str], path: Path) -> None:
    """Metrics over thousands of images: a column per row of the table, beside the baseline in grey."""
    curves = {metric: _by_row(comparison, states, metric, metric_curve) for metric in comparison.metrics}
    _plot_small_multiples(comparison, curves, titles, path, share=True)


def plot_losses(comparison: Comparison, states: list[RunState], path: Path) -> None:
    """The same for the losses. Their scales differ from loss to loss: each panel has its own."""
    curves = {name: _by_row(comparison, states, name, loss_curve) for name in LOSSES}
    _plot_small_multiples(comparison, curves, LOSSES, path, share=False)


def _by_row(comparison: Comparison, states: list[RunState], name: str, curve) -> dict[str, Curve | None]:
    return {row.title: curve([s for s in states if s.row.title == row.title], name) for row in comparison.rows}


def _plot_small_multiples(
    comparison: Comparison, curves: dict, titles: dict[str, str], path: Path, share: bool
) -> None:  # fmt: skip
    """curves: {line of panels: {row's title: Curve}}."""
    columns = [row.title for row in comparison.rows if row.title != comparison.baseline] or [comparison.baseline]
    kinds = {row.title: row.config.loss.loss for row in comparison.rows}
    figure, axes = _pyplot().subplots(
        len(curves), len(columns), figsize=(1.9 * len(columns) + 0.6, 2.0 * len(curves) + 0.4), dpi=80, sharex=True,
        sharey="row" if share else False, squeeze=False,
    )  # fmt: skip
    for line, (name, by_row) in zip(axes, curves.items(), strict=True):
        for axis, title in zip(line, columns, strict=True):
            alike = share or kinds[title] == kinds[comparison.baseline]  # beside another loss both would be flat lines
            for curve, color in ((by_row[comparison.baseline] if alike else None, BASE), (by_row[title], OWN)):
                if curve is not None:
                    axis.plot(curve.kimg, curve.mean, color=color, linewidth=1.4, marker="." if share else None)
                    low, high = curve.mean - curve.deviation, curve.mean + curve.deviation
                    axis.fill_between(curve.kimg, low, high, color=color, alpha=0.25, linewidth=0)
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(labelsize=7)
        line[0].set_ylabel(titles[name].replace(" (", "\n("), fontsize=8)
    for axis, title in zip(axes[0], columns, strict=True):
        axis.set_title(title, fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("thousands of images", fontsize=7)
    figure.tight_layout()
    _save(figure, path)


# ---- pictures --------------------------------------------------------------------------------------------------------


def plot_grids(comparison: Comparison, states: list[RunState], path: Path) -> bool:
    """What each row's first complete seed made of the same latents as time went by: a line per row.

    False, and no file, where no run has pictures.
    """
    first = [next((s for s in states if s.row is row and s.complete), None) for row in comparison.rows]
    shown = [state for state in first if state and stamps.in_time(state.folder, FAKES)]
    if not shown:
        return False
    files = [_over_time(stamps.in_time(state.folder, FAKES)) for state in shown]
    plt = _pyplot()
    width, height = CELLS[0] * CELL, CELLS[1] * CELL
    columns = max(len(row) for row in files)
    figure, axes = plt.subplots(
        len(shown), columns, figsize=((columns * width * 1.04 + 150) / 80, (len(shown) * height * 1.06 + 30) / 80),
        dpi=80, squeeze=False,
    )  # fmt: skip
    for number, (line, state, row) in enumerate(zip(axes, shown, files, strict=True)):
        cut = _cut(state)
        for axis in line:
            axis.axis("off")
        for axis, file in zip(line, row, strict=False):
            axis.imshow(cut(read_picture(file, channels=3)), interpolation="nearest")
            if number == 0:
                axis.set_title(f"{stamps.kimg(file):g} kimg", fontsize=9)
        title = state.row.title.replace(", ", ",\n")
        line[0].text(-0.05, 0.5, title, fontsize=9, ha="right", va="center", transform=line[0].transAxes)
    figure.subplots_adjust(
        left=150 / (figure.get_figwidth() * 80), right=0.995, top=1 - 25 / (figure.get_figheight() * 80), bottom=0.003,
        wspace=0.03, hspace=0.04,
    )  # fmt: skip
    _save(figure, path)
    return True


def _over_time(files: list[Path]) -> list[Path]:
    """TIMES of the grids, evenly chosen, the first and the last among them."""
    if len(files) <= TIMES:
        return files
    return [files[round(i)] for i in np.linspace(0, len(files) - 1, TIMES)]


def _cut(state: RunState) -> Callable[[np.ndarray], np.ndarray]:
    """What a run's picture is cut to, uint8 [H,W,3]."""
    if state.comparison.of_points:
        return plane.inside
    return partial(_cells, cell=grids.cell_size(full_resolution(read_ticks(state.folder, *FULL))))


def _cells(grid: np.ndarray, cell: int) -> np.ndarray:
    """The upper left CELLS of a grid uint8 [H,W,3] whose images have `cell` pixels."""
    picture = Image.fromarray(grid)
    columns, rows = min(CELLS[0], picture.width // cell), min(CELLS[1], picture.height // cell)
    part = picture.crop((0, 0, columns * cell, rows * cell))
    return np.asarray(part.resize((columns * CELL, rows * CELL), Image.Resampling.BOX))
