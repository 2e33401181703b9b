"""The scores that runs were given while they trained, all rows in one panel: Yamazaki, figures 5.11 and 5.12."""

from __future__ import annotations

from pathlib import Path

from pgan_tf.evaluation import results
from pgan_tf.experiments.canvas import pyplot, save
from pgan_tf.experiments.curves import by_row, watched_curve
from pgan_tf.experiments.runs import RunState
from pgan_tf.experiments.suite import Comparison

COLORS = 10  # of a palette that has a dark and a light one of each: rows that stand in pairs are seen as pairs
LEGEND_COLUMNS = 4


def watched_columns(states: list[RunState]) -> dict[str, str]:
    """{column: its title} of what complete runs were measured by while they trained."""
    rows = [row for state in states if state.complete for row in state.watched]
    return {
        column: results.column_title(row["title"], column)
        for row in rows for column in results.columns([row["metric"]]) if results.value(row, column) is not None
    }  # fmt: skip


def plot_watched(comparison: Comparison, states: list[RunState], path: Path) -> None:
    """A panel per column: the mean of each row over its seeds; its deviation too, where rows can be told apart."""
    columns = watched_columns(states)
    figure, axes = pyplot().subplots(
        len(columns), 1, figsize=(8, 2.4 * len(columns) + 0.2 * len(comparison.rows) / LEGEND_COLUMNS + 0.5), dpi=90,
        sharex=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    steps = {row.iteration for row in comparison.rows}
    step = steps.pop() if len(steps) == 1 else None  # samples to an iteration, of all rows
    few = len(comparison.rows) <= COLORS
    palette = pyplot().get_cmap("tab10" if few else "tab20")
    for axis, (column, title) in zip(axes[:, 0], columns.items(), strict=True):
        for number, (row, curve) in enumerate(by_row(comparison, states, column, watched_curve).items()):
            if curve is not None:
                color, low, high = palette(number), curve.mean - curve.deviation, curve.mean + curve.deviation
                times = 1000 * curve.kimg / step if step else curve.kimg
                axis.plot(times, curve.mean, color=color, linewidth=1.4, label=row)
                if few:
                    axis.fill_between(times, low, high, color=color, alpha=0.15, linewidth=0)
        axis.set_ylabel(title.replace(" (", "\n("), fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
        axis.grid(color="#eeeeee")
        axis.set_axisbelow(True)
    axes[-1][0].set_xlabel("iterations" if step else "thousands of samples", fontsize=8)
    figure.legend(
        *axes[0][0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=LEGEND_COLUMNS,
        fontsize=8,
        frameon=False,
    )
    save(figure, path)
