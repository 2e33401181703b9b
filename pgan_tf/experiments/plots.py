"""The plots of a comparison, drawn by matplotlib: scores with their seeds, and curves with bands."""

from __future__ import annotations

from pathlib import Path

from pgan_tf.experiments.canvas import pyplot, save, wrapped
from pgan_tf.experiments.curves import by_row, loss_curve, metric_curve
from pgan_tf.experiments.runs import RunState
from pgan_tf.experiments.scores import Score
from pgan_tf.experiments.suite import Comparison

BASE, OWN = "#888888", "#c2410c"
LOSSES = {"loss/D": "loss of D", "loss/G": "loss of G"}


# ---- scores ----------------------------------------------------------------------------------------------------------


def plot_scores(
    comparison: Comparison, scores: dict[str, dict[str, Score]], titles: dict[str, str],
    reals: dict[str, dict[str, float]], path: Path,
) -> None:  # fmt: skip
    """A panel per column of the tables: each seed a dot, the mean a bar; the baseline's span grey, Reals2 dotted.

    Of the rows of which a run is complete.
    """
    measured = {title for column in comparison.columns for title, score in scores[column].items() if score.values}
    rows = [row.title for row in comparison.rows if row.title in measured]
    figure, axes = pyplot().subplots(
        1, len(comparison.columns), figsize=(4.2 * len(comparison.columns) + 1.6, 0.42 * len(rows) + 1.3), dpi=90,
        sharey=True, squeeze=False,
    )  # fmt: skip
    for axis, column in zip(axes[0], comparison.columns, strict=True):
        base = scores[column][comparison.baseline].values
        if base:
            axis.axvspan(min(base), max(base), color=BASE, alpha=0.2, linewidth=0)
        for y, title in enumerate(rows):
            score = scores[column][title]
            color = BASE if title == comparison.baseline else OWN
            axis.plot(score.values, [y] * len(score.values), "o", color=color, markersize=5, alpha=0.75)
            axis.plot([score.mean] * 2, [y - 0.28, y + 0.28], color=color, linewidth=2)
        if column in reals.get("Reals2", {}):
            axis.axvline(reals["Reals2"][column], color="black", linestyle=":", linewidth=1)
        axis.set(title=titles[column], yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="x", color="#eeeeee")
        axis.set_axisbelow(True)
    figure.tight_layout()
    save(figure, path)


# ---- curves-----------------------------------------------------------------------------------------------------------


def plot_metrics(comparison: Comparison, states: list[RunState], titles: dict[str, str], path: Path) -> None:
    """Metrics over thousands of images: a column per row of the table, beside the baseline in grey."""
    curves = {column: by_row(comparison, states, column, metric_curve) for column in comparison.columns}
    _plot_small_multiples(comparison, curves, titles, path, share=True)


def plot_losses(comparison: Comparison, states: list[RunState], path: Path) -> None:
    """The same for the losses. Their scales differ from loss to loss: each panel has its own."""
    curves = {name: by_row(comparison, states, name, loss_curve) for name in LOSSES}
    _plot_small_multiples(comparison, curves, LOSSES, path, share=False)


def _plot_small_multiples(
    comparison: Comparison, curves: dict, titles: dict[str, str], path: Path, share: bool
) -> None:  # fmt: skip
    """curves: {line of panels: {row's title: Curve}}."""
    columns = [row.title for row in comparison.rows if row.title != comparison.baseline] or [comparison.baseline]
    kinds = {row.title: row.config.loss.loss for row in comparison.rows}
    figure, axes = pyplot().subplots(
        len(curves), len(columns), figsize=(1.9 * len(columns) + 0.6, 2.0 * len(curves) + 0.4), dpi=80, sharex=True,
        sharey="row" if share else False, squeeze=False,
    )  # fmt: skip
    for line, (name, lines) in zip(axes, curves.items(), strict=True):
        for axis, title in zip(line, columns, strict=True):
            alike = share or kinds[title] == kinds[comparison.baseline]  # beside another loss both would be flat lines
            for curve, color in ((lines[comparison.baseline] if alike else None, BASE), (lines[title], OWN)):
                if curve is not None:
                    axis.plot(curve.kimg, curve.mean, color=color, linewidth=1.4, marker="." if share else None)
                    low, high = curve.mean - curve.deviation, curve.mean + curve.deviation
                    axis.fill_between(curve.kimg, low, high, color=color, alpha=0.25, linewidth=0)
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(labelsize=7)
        line[0].set_ylabel(titles[name].replace(" (", "\n("), fontsize=8)
    for axis, title in zip(axes[0], columns, strict=True):
        axis.set_title(wrapped(title), fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("thousands of images", fontsize=7)
    figure.tight_layout()
    save(figure, path)
