"""Scores over the time of training, and how soon rows are where the baseline ends: Karras et al. 2018, figure 4."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf.evaluation import results
from pgan_tf.experiments.canvas import pyplot, save
from pgan_tf.experiments.growing import SECONDS
from pgan_tf.experiments.runs import RunState, read_ticks
from pgan_tf.experiments.suite import Comparison, Row
from pgan_tf.text import digits

NAMED = 0.0005  # thousands of images: to as much a name is exact, where it is not cut off to whole ones
RULE = (
    "The goal is the baseline's mean score in the end. The minutes after which the baseline's runs are for the first "
    "time so good (their mean; of a run that never is, all of its minutes) are divided by those of each other run: "
    "mean and standard deviation over the seeds that come so far. ≥: a run was there at its first snapshot, or sooner."
)


class Timed(NamedTuple):
    """A column's numbers of one run."""

    minutes: np.ndarray  # [T] of training
    values: np.ndarray  # [T]


def has_times(comparison: Comparison, states: list[RunState]) -> bool:
    """Whether rows get equal time, not equal images, and runs are measured on their way."""
    budgets = {row.config.growth.total_kimg for row in comparison.rows}
    return len(budgets) > 1 and not comparison.last_only and any(state.complete for state in states)


class Times(NamedTuple):
    """How many times as fast as the baseline a row is: see RULE."""

    values: list[float]  # of each seed; NaN where the run is never so good
    least: bool  # whether some are at least so large


def timed(state: RunState, column: str) -> Timed:
    """A column at the snapshots of a run, which are made at the ends of ticks and named after whole thousands."""
    ticks, curve = read_ticks(state.folder, SECONDS), state.curve(column)
    kimg, seconds = (np.array([0.0, *(tick[name] for tick in ticks)]) for name in ("kimg", SECONDS))
    at = np.searchsorted(kimg, np.array(list(curve)) - NAMED).clip(max=len(kimg) - 1)  # [T]
    return Timed(seconds[at] / 60, np.array(list(curve.values())))


def _curves(states: list[RunState], row: Row, column: str) -> list[Timed]:
    """Of a row's complete runs, as far as their results have the column."""
    found = [timed(state, column) for state in states if state.complete and state.row is row]
    return [run for run in found if len(run.values)]


def sooner(comparison: Comparison, states: list[RunState], column: str) -> dict[str, Times]:
    """{row's title: its times}. {} before the baseline is complete."""
    complete = {row.title: _curves(states, row, column) for row in comparison.rows}
    base = complete[comparison.baseline]
    if not base:
        return {}
    sign = 1 if results.lower_is_better(column) else -1
    goal = np.mean([run.values[-1] for run in base])

    def first(run: Timed) -> float:
        reached = run.minutes[sign * run.values <= sign * goal]
        return float(reached[0]) if len(reached) else math.nan

    usual = np.mean([run.minutes[-1] if math.isnan(first(run)) else first(run) for run in base])
    return {
        title: Times([float(usual / first(run)) for run in runs], any(first(run) == run.minutes[0] for run in runs))
        for title, runs in complete.items() if title != comparison.baseline
    }  # fmt: skip


def table(comparison: Comparison, states: list[RunState], names: dict[str, str]) -> list[list[str]]:
    """Cells of the table, its head first."""
    found = {column: sooner(comparison, states, column) for column in comparison.columns}
    rows = [row.title for row in comparison.rows if row.title != comparison.baseline]
    return [
        ["Architecture", *names.values()],
        *([title, *(_cell(own.get(title, Times([], False))) for own in found.values())] for title in rows),
    ]


def _cell(times: Times) -> str:
    """'2.1 ± 0.3', with how many seeds where these are not all; '-' where there is none."""
    reached = [value for value in times.values if not math.isnan(value)]
    if not reached:
        return "-"
    deviation = f" ± {digits(np.std(reached, ddof=1), 2)}" if len(reached) > 1 else ""
    share = f" ({len(reached)} of {len(times.values)})" if len(reached) < len(times.values) else ""
    return f"{'≥ ' * times.least}{digits(np.mean(reached), 3)}{deviation}{share}"


def plot_times(comparison: Comparison, states: list[RunState], titles: dict[str, str], path: Path) -> None:
    """A panel per column, a line per run: its row's colour, a dot at each snapshot."""
    columns = comparison.columns
    figure, axes = pyplot().subplots(1, len(columns), figsize=(4.6 * len(columns) + 0.4, 3.4), dpi=90, squeeze=False)
    for axis, column in zip(axes[0], columns, strict=True):
        for number, row in enumerate(comparison.rows):
            for seed, run in enumerate(_curves(states, row, column)):
                label = None if seed else row.title
                axis.plot(run.minutes, run.values, ".-", color=f"C{number}", linewidth=1.2, alpha=0.8, label=label)
        axis.set(xlabel="minutes of training", title=titles[column], xlim=(0, None))
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#eeeeee")
        axis.set_axisbelow(True)
    axes[0][0].legend(fontsize=8, frameon=False)
    figure.tight_layout()
    save(figure, path)
