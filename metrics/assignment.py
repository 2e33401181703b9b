"""The cheapest way to pair two sets: scipy's exact solver, helped where it would be slow."""

from __future__ import annotations

import numpy as np

_PART = 500  # rows and columns of the smaller problem


def assign(costs: np.ndarray) -> np.ndarray:
    """Of costs [n,n] -> the column of each row, [n], with the least sum. Rows and columns in random order.

    A generator that has collapsed makes all columns nearly alike, and scipy's shortest paths then go through nearly all
    of them: 25 seconds for n = 2000. So potentials are found for a part of both sets and carried over to the whole: to
    take them off the costs changes the sum of every assignment alike, and leaves short paths: 2 seconds at most.
    """
    from scipy.optimize import linear_sum_assignment

    if len(costs) <= 2 * _PART:
        return linear_sum_assignment(costs)[1]
    part = costs[:_PART, :_PART]
    of_part = _row_potentials(part, assign(part))  # [part]
    of_columns = (costs[:_PART] - of_part[:, None]).min(axis=0)  # [n]
    reduced = costs - of_columns
    reduced -= reduced.min(axis=1, keepdims=True)
    return linear_sum_assignment(reduced)[1]


def _row_potentials(costs: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Of costs [k,k] and their best assignment -> u [k]: with v = min(costs - u) over the rows, u + v = costs where
    assigned. By shortest paths (Bellman-Ford)."""
    own = costs[np.arange(len(costs)), columns]  # [k]
    v = np.zeros(len(costs))
    for _ in range(len(costs)):
        shorter = np.minimum(v, ((v[columns] - own)[:, None] + costs).min(axis=0))
        if np.array_equal(shorter, v):
            break
        v = shorter
    return (costs - v).min(axis=1)
