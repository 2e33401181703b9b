"""A probe goes by the work that is done, not by what else keeps the machine busy."""

import time

import pytest

from pgan_tf import probe


def test_each_way_is_first_traced_then_measured_in_turns(monkeypatch):
    """By a clock that only the steps move; each call fills a block."""
    now, calls = [0.0], []
    monkeypatch.setattr(probe.time, "process_time", lambda: now[0])

    def step(name, *costs):
        costs = iter(costs)

        def run():
            calls.append(name)
            now[0] += next(costs)

        return run

    monkeypatch.setattr(probe.time, "monotonic", lambda: float(len(calls)))
    found = probe.seconds({"a": step("a", 9, 8, 3, 2, 5), "b": step("b", 1, 1, 4, 6, 8)}, budget=4)
    assert found == {"a": 2, "b": 4}
    assert calls == ["a", "a", "b", "b"] + ["a", "b"] * 2


def test_time_that_is_counted_late_does_not_decide(monkeypatch):
    """The clock goes on once in 10 ms of work, as the system counts that of threads: what is measured is right to a
    tenth."""
    done = [0.0]
    monkeypatch.setattr(probe.time, "monotonic", lambda: done[0])
    monkeypatch.setattr(probe.time, "process_time", lambda: done[0] // 0.01 * 0.01)

    def step(cost):
        def run():
            done[0] += cost

        return run

    costs = {"tiny": 0.001, "small": 0.0105, "larger": 0.0145, "large": 0.2973}
    found = probe.seconds({name: step(cost) for name, cost in costs.items()}, budget=5)
    assert found == pytest.approx(costs, rel=0.1)


def test_waiting_costs_nothing():
    """A step that sleeps is no slow one, as a step that others keep waiting is not."""
    found = probe.seconds({"works": lambda: sum(range(100_000)), "waits": lambda: time.sleep(0.01)}, budget=0.05)
    assert found["waits"] < found["works"]
