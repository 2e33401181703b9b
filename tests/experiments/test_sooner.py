"""How many times as fast as the baseline: by hand, and as a part of the report."""

import io
import math
from functools import partial

import numpy as np
import pytest
from experiments.suites import make_comparison, make_suite, program, write_scripts
from rich.console import Console

from pgan_tf.experiments import runner, sooner, suite_report
from pgan_tf.experiments.runs import states
from pgan_tf.experiments.sooner import Timed
from pgan_tf.experiments.suite_file import read_suite


def of_runs(monkeypatch, comparison, runs: dict) -> list:
    """States of complete runs; runs: {row's title: [(minutes, values) of each seed]}."""
    found, known = [], {}
    for row in comparison.rows:
        for seed, (minutes, values) in zip(comparison.seeds, runs[row.title], strict=True):
            state = type("State", (), {"row": row, "complete": True, "seed": seed})()
            known[id(state)] = Timed(np.array(minutes, float), np.array(values, float))
            found.append(state)
    monkeypatch.setattr(sooner, "timed", lambda state, column: known[id(state)])
    return found


def test_a_row_is_sooner_where_it_is_first_as_good_as_the_baseline_ends(tmp_path, monkeypatch):
    """SWD is better low, so the baseline's goal is its mean of 4: there after 9, 10 and, never, 11 minutes."""
    comparison = make_comparison(tmp_path, metrics='["swd"]')
    runs = {
        "Baseline": [([5, 9], [9, 4]), ([5, 10], [5, 3]), ([5, 11], [9, 5])],
        "RR": [([1, 2, 4], [8, 4, 3]), ([5, 20], [3, 9]), ([2, 4], [5, 4.5])],  # after 2 and 5 minutes, never
        "Least Squares": [([1, 2], [9, 9])] * 3,
    }
    found = sooner.sooner(comparison, of_runs(monkeypatch, comparison, runs), "swd")
    assert found["RR"].values[:2] == [5, 2]
    assert math.isnan(found["RR"].values[2])
    assert "Baseline" not in found
    head, rr, least = sooner.table(comparison, of_runs(monkeypatch, comparison, runs), {"swd": "SWD"})
    assert head == ["Architecture", "SWD"]
    assert rr == ["RR", "≥ 3.5 ± 2.1 (2 of 3)"]  # the second at its first snapshot
    assert least == ["Least Squares", "-"]


def test_high_is_good_where_it_is_better(tmp_path, monkeypatch):
    comparison = make_comparison(tmp_path, metrics='["is"]')
    runs = {"Baseline": [([4], [5])] * 3, "RR": [([1, 2], [4, 5])] * 3, "Least Squares": [([1, 2], [6, 7])] * 3}
    found = sooner.sooner(comparison, of_runs(monkeypatch, comparison, runs), "is")
    assert found == {"RR": ([2, 2, 2], False), "Least Squares": ([4, 4, 4], True)}


def test_a_system_is_once_as_fast_as_itself(tmp_path, monkeypatch):
    """Also where its score goes up and down long before the end."""
    comparison = make_comparison(tmp_path, metrics='["swd"]')
    runs = dict.fromkeys(("Baseline", "RR", "Least Squares"), [([5, 9, 20], [9, 3, 4])] * 3)
    found = sooner.sooner(comparison, of_runs(monkeypatch, comparison, runs), "swd")
    assert found["RR"] == ([1, 1, 1], False)


def test_runs_without_a_column_of_a_newer_version_are_left_out(tmp_path, monkeypatch):
    comparison = make_comparison(tmp_path, metrics='["swd"]')
    runs = {"Baseline": [([4], [5]), ([], []), ([4], [5])], "RR": [([], [])] * 3, "Least Squares": [([2], [5])] * 3}
    found = of_runs(monkeypatch, comparison, runs)
    assert sooner.sooner(comparison, found, "swd")["Least Squares"].values == [2, 2, 2]
    sooner.plot_times(comparison, found, {"swd": "SWD"}, tmp_path / "times.png")
    assert sooner.table(comparison, found, {"swd": "SWD"})[1] == ["RR", "-"]


@pytest.mark.parametrize("equal", [True, False])
def test_the_report_tells_it_of_rows_that_get_equal_time(equal, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    suite = make_suite(tmp_path, {"Baseline": "base", "RR": "rr"}, budget=None if equal else 2)
    if equal:
        for name, kimg in (("base", 2), ("rr", 1)):
            path = tmp_path / f"{name}.flags"
            path.write_text(f"{path.read_text()}--total_kimg={kimg}\n")
        path = tmp_path / "suite.toml"
        path.write_text(f'equal = "time"\n{path.read_text()}')
        suite = read_suite(path)
    runner.Runner(suite, partial(program, write_scripts(tmp_path)), 2, Console(file=io.StringIO())).run()
    files = suite_report.write_report(suite, str(tmp_path / "suite.toml"))
    assert any("times" in path.name for path in files) is equal
    assert ("how many times as fast" in suite.report.read_text()) is equal


def test_the_minutes_of_a_snapshot_are_those_of_its_tick(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    suite = make_suite(tmp_path)
    runner.Runner(suite, partial(program, write_scripts(tmp_path)), 2, Console(file=io.StringIO())).run()
    state = states(suite)[0]
    monkeypatch.setattr(
        sooner, "read_ticks", lambda folder, name: [{"kimg": 1.0, name: 90.0}, {"kimg": 2.9, name: 210.0}]
    )
    np.testing.assert_allclose(sooner.timed(state, "swd").minutes, [1.5, 3.5])  # network-000001, network-000002
