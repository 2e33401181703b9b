"""Scores over the time of training, and how soon rows are where the baseline ends: Karras et al. 2018, figure 4."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf.evaluation import results
from pgan_tf.experiments.canvas import pyplot, save
from pgan_tf.experiments.growing import SECONDS
from pgan_tf.experiments.runs import RunState, read_ticks
from pgan_tf.experiments.suite import Comparison
from pgan_tf.text import digits

RULE = (
    "The baseline's minutes of training (mean over the seeds) divided by those after which a run is for the first time "
    "as good as the baseline is in the end (its mean): mean and standard deviation over the seeds that come so far."
)


class Timed(NamedTuple):
    """A column's numbers of one run."""

    minutes: np.ndarray  # [T] of training
    values: np.ndarray  # [T]


def has_times(comparison: Comparison, states: list[RunState]) -> bool:
    """Whether rows get equal time, not equal images, and runs are measured on their way."""
    budgets = {row.config.growth.total_kimg for row in comparison.rows}
    return len(budgets) > 1 and not comparison.last_only and any(state.complete for state in states)


def timed(state: RunState, column: str) -> Timed:
    """A column at the snapshots of a run."""
    ticks, curve = read_ticks(state.folder, SECONDS), state.curve(column)
    kimg, seconds = ([0.0, *(tick[name] for tick in ticks)] for name in ("kimg", SECONDS))
    return Timed(np.interp(list(curve), kimg, seconds) / 60, np.array(list(curve.values())))


def sooner(comparison: Comparison, states: list[RunState], column: str) -> dict[str, list[float]]:
    """{row's title: see RULE, of each seed; NaN where the run is never so good}. {} before the baseline is complete."""
    complete = {row.title: [timed(s, column) for s in states if s.complete and s.row is row] for row in comparison.rows}
    base = complete[comparison.baseline]
    if not base:
        return {}
    sign = 1 if results.lower_is_better(column) else -1
    goal, whole = np.mean([run.values[-1] for run in base]), np.mean([run.minutes[-1] for run in base])

    def times(run: Timed) -> float:
        reached = run.minutes[sign * run.values <= sign * goal]
        return float(whole / reached[0]) if len(reached) else float("nan")

    return {title: [times(run) for run in runs] for title, runs in complete.items() if title != comparison.baseline}


def table(comparison: Comparison, states: list[RunState], names: dict[str, str]) -> list[list[str]]:
    """Cells of the table, its head first."""
    found = {column: sooner(comparison, states, column) for column in comparison.columns}
    rows = [row.title for row in comparison.rows if row.title != comparison.baseline]
    return [
        ["Architecture", *names.values()],
        *([title, *(_cell(own.get(title, [])) for own in found.values())] for title in rows),
    ]


def _cell(values: list[float]) -> str:
    """'2.1 ± 0.3', with how many seeds where these are not all; '-' where there is none."""
    reached = [value for value in values if not np.isnan(value)]
    if not reached:
        return "-"
    deviation = f" ± {digits(np.std(reached, ddof=1), 2)}" if len(reached) > 1 else ""
    share = f" ({len(reached)} of {len(values)})" if len(reached) < len(values) else ""
    return digits(np.mean(reached), 3) + deviation + share


def plot_times(comparison: Comparison, states: list[RunState], titles: dict[str, str], path: Path) -> None:
    """A panel per column, a line per run: its row's colour, a dot at each snapshot."""
    columns = comparison.columns
    figure, axes = pyplot().subplots(1, len(columns), figsize=(4.6 * len(columns) + 0.4, 3.4), dpi=90, squeeze=False)
    for axis, column in zip(axes[0], columns, strict=True):
        for number, row in enumerate(comparison.rows):
            runs = [timed(state, column) for state in states if state.complete and state.row is row]
            for seed, run in enumerate(runs):
                label = None if seed else row.title
                axis.plot(run.minutes, run.values, ".-", color=f"C{number}", linewidth=1.2, alpha=0.8, label=label)
        axis.set(xlabel="minutes of training", title=titles[column], xlim=(0, None))
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#eeeeee")
        axis.set_axisbelow(True)
    axes[0][0].legend(fontsize=8, frameon=False)
    figure.tight_layout()
    save(figure, path)
