"""The least costly pairing: scipy's, whatever helps it."""

import numpy as np
import pytest
from pgan_tf.metrics import assignment
from scipy.optimize import linear_sum_assignment

RANDOM = np.random.RandomState(0)
RING = RANDOM.standard_normal((150, 2)) / 50 + np.array([[1, 0], [0, 1], [-1, 0]])[np.arange(150) % 3]
SETS = {
    "alike": RING[::-1] + 0.01,
    "collapsed": 1e-6 * RANDOM.standard_normal((150, 2)),
    "one point": np.zeros((150, 2)),
    "a line": RANDOM.standard_normal((150, 1)) * np.array([1, 1e-9]),
    "far away": RANDOM.standard_normal((150, 2)) + 1e6,
    "the same": RING,
}


@pytest.mark.parametrize("part", [2, 10, 60])
@pytest.mark.parametrize("name", SETS)
def test_the_least_sum_is_scipys(name, part, monkeypatch):
    monkeypatch.setattr(assignment, "_PART", part)
    costs = np.linalg.norm(RING[:, None] - SETS[name][None], axis=-1)
    for these in (costs, costs.T, -costs, costs**2):
        columns, rows = assignment.assign(these), np.arange(150)
        assert sorted(columns) == list(rows)
        least = these[linear_sum_assignment(these)].sum()
        assert these[rows, columns].sum() == pytest.approx(least, rel=1e-12, abs=1e-12)


def test_the_potentials_of_a_part_prove_that_it_is_the_least(monkeypatch):
    """u + v <= costs everywhere, and = where assigned: what makes the whole problem short."""
    costs = np.random.RandomState(1).random_sample((40, 40))
    rows, columns = linear_sum_assignment(costs)
    u = assignment._row_potentials(costs, columns)
    v = (costs - u[:, None]).min(axis=0)
    np.testing.assert_allclose((u[:, None] + v)[rows, columns], costs[rows, columns], atol=1e-12)
