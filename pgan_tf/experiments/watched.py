"""The scores that runs were given while they trained, all rows in one panel: Yamazaki, figures 5.11 and 5.12."""

from __future__ import annotations

from pathlib import Path

from pgan_tf.evaluation import results
from pgan_tf.experiments.canvas import pyplot, save
from pgan_tf.experiments.curves import by_row, watched_curve
from pgan_tf.experiments.runs import RunState
from pgan_tf.experiments.suite import Comparison

COLORS = 10  # of a palette that has a dark and a light one of each: rows that stand in pairs are seen as pairs


def watched_columns(states: list[RunState]) -> dict[str, str]:
    """{column: its title} of what complete runs were measured by while they trained."""
    rows = [row for state in states if state.complete for row in state.watched]
    return {
        column: results.column_title(row["title"], column)
        for row in rows for column in results.columns([row["metric"]]) if results.value(row, column) is not None
    }  # fmt: skip


def plot_watched(comparison: Comparison, states: list[RunState], path: Path) -> None:
    """A panel per column, each row's mean and standard deviation over its seeds."""
    columns = watched_columns(states)
    figure, axes = pyplot().subplots(
        len(columns), 1, figsize=(9, 3 * len(columns) + 0.3), dpi=90, sharex=True, squeeze=False
    )
    steps = {row.iteration for row in comparison.rows}
    step = steps.pop() if len(steps) == 1 else None  # samples to an iteration, of all rows
    palette = pyplot().get_cmap("tab20" if len(comparison.rows) > COLORS else "tab10")
    for axis, (column, title) in zip(axes[:, 0], columns.items(), strict=True):
        for number, (row, curve) in enumerate(by_row(comparison, states, column, watched_curve).items()):
            if curve is not None:
                color, low, high = palette(number), curve.mean - curve.deviation, curve.mean + curve.deviation
                times = 1000 * curve.kimg / step if step else curve.kimg
                axis.plot(times, curve.mean, color=color, linewidth=1.2, label=row)
                axis.fill_between(times, low, high, color=color, alpha=0.15, linewidth=0)
        axis.set_ylabel(title.replace(" (", "\n("), fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
        axis.grid(color="#eeeeee")
        axis.set_axisbelow(True)
    axes[-1][0].set_xlabel("iterations" if step else "thousands of samples", fontsize=8)
    axes[0][0].legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    figure.tight_layout()
    save(figure, path)
