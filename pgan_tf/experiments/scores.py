"""The numbers of a suite: mean and deviation over seeds, change against the baseline, and whether it can be chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pgan_tf.evaluation import results
from pgan_tf.experiments.counting import asked_for
from pgan_tf.experiments.runs import RunState
from pgan_tf.experiments.suite import Comparison


@dataclass(frozen=True)
class Score:
    """A metric of a row at the end of the training, over its seeds.

    Attributes:
        values: one per seed that is complete.
        change: percent from the baseline's mean to this one's; None for the baseline, with no values, or from 0.
        p: of Welch's t test against the baseline, two-sided; None with fewer than two values on a side.
        p_holm: the same, corrected for the number of rows of the suite, also those that are not complete yet.
    """

    values: tuple[float, ...]
    change: float | None = None
    p: float | None = None
    p_holm: float | None = None

    @property
    def mean(self) -> float:
        return float(np.mean(self.values)) if self.values else math.nan

    @property
    def deviation(self) -> float:
        """Of the sample (n - 1); nan with one value."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan


def scores(comparison: Comparison, states: list[RunState]) -> dict[str, dict[str, Score]]:
    """{column: {row's title: Score}}."""
    return {column: _scores(comparison, states, column) for column in comparison.columns}


def _scores(comparison: Comparison, states: list[RunState], column: str) -> dict[str, Score]:
    values = {row.title: _values(states, row.title, column) for row in comparison.rows}
    base = values[comparison.baseline]
    raw = {title: welch(own, base) for title, own in values.items() if title != comparison.baseline}
    corrected = holm({title: p for title, p in raw.items() if p is not None}, len(raw))
    rows = {}
    for title, own in values.items():
        change = None
        if title != comparison.baseline and own and base and np.mean(base):
            change = float(100 * (np.mean(own) - np.mean(base)) / abs(np.mean(base)))  # KID can be below 0
        rows[title] = Score(own, change, raw.get(title), corrected.get(title))
    return rows


def _values(states: list[RunState], title: str, column: str) -> tuple[float, ...]:
    found = [state.score(column) for state in states if state.row.title == title and state.complete]
    return tuple(value for value in found if value is not None)


def welch(ours: tuple[float, ...], theirs: tuple[float, ...]) -> float | None:
    """Two-sided p of Welch's t test: the means of two samples whose deviations may differ. None: fewer than two values
    on a side, a value that is not finite, or two sides without any deviation, as counts of modes may be."""
    if min(len(ours), len(theirs)) < 2 or not np.isfinite([*ours, *theirs]).all():
        return None
    if np.ptp(ours) == 0 and np.ptp(theirs) == 0:
        return None
    from scipy import stats

    # from these, since from values that are all alike on one side scipy warns; the p is the same
    sides = [value for side in (ours, theirs) for value in (np.mean(side), np.std(side, ddof=1), len(side))]
    return float(stats.ttest_ind_from_stats(*sides, equal_var=False).pvalue)


def holm(raw: dict[str, float], tests: int) -> dict[str, float]:
    """p values corrected for being several: Holm 1979. The smallest times n, the next times n - 1, never falling.

    `tests`: n, of which some may have no p yet. These count as the largest, so that what is significant remains so
    whatever they will be.
    """
    corrected, most = {}, 0.0
    for rank, (title, p) in enumerate(sorted(raw.items(), key=lambda item: item[1])):
        most = max(most, min(1.0, p * (tests - rank)))
        corrected[title] = most
    return corrected


def reals(comparison: Comparison) -> dict[str, dict[str, float]]:
    """{'Reals': {column: value}, 'Reals2': ...}: the reals against themselves, and one half against the other."""
    values: dict[str, dict[str, float]] = {}
    for row in results.read(comparison.reals):
        if asked_for(comparison, row):
            numbers = {column: results.value(row, column) for column in results.columns([row["metric"]])}
            values.setdefault(row["fakes"], {}).update({k: v for k, v in numbers.items() if v is not None})
    return values


def measured(comparison: Comparison, states: list[RunState]) -> bool:
    """Whether every metric has been measured at least once."""
    return not set(comparison.metrics) - {result["metric"] for state in states for result in state.results}


def titles(comparison: Comparison, states: list[RunState]) -> dict[str, str]:
    """{column: its title with the extractor's name}, as the results say; each metric is measured."""
    found = {result["metric"]: result["title"] for state in states for result in state.results}
    return {
        column: results.column_title(found[column.partition("/")[0]], column) for column in comparison.columns
    }  # fmt: skip
