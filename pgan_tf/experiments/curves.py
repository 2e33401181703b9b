"""Numbers over time: of a run, and of a row over its seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pgan_tf.experiments.runs import RunState, read_ticks
from pgan_tf.experiments.suite import Comparison


class Curve(NamedTuple):
    """A value over thousands of images, over the seeds of a row."""

    kimg: np.ndarray  # [T]
    mean: np.ndarray  # [T]
    deviation: np.ndarray  # [T], 0 with one seed


def metric_curve(states: list[RunState], column: str) -> Curve | None:
    """A column of the tables at the snapshots that all complete runs of a row share."""
    return _curve([state.curve(column) for state in states if state.complete])


def watched_curve(states: list[RunState], column: str) -> Curve | None:
    """The same of the measurements while they trained."""
    return _curve([state.curve(column, watched=True) for state in states if state.complete])


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


def by_row(comparison: Comparison, states: list[RunState], name: str, curve: Callable) -> dict[str, Curve | None]:
    """{row's title: the curve of its runs}."""
    return {row.title: curve([s for s in states if s.row.title == row.title], name) for row in comparison.rows}
