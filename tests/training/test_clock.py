"""The means of a tick: over all of its rounds, whoever began it."""

import numpy as np

from pgan_tf.training.clock import TickClock
from pgan_tf.training.step import METRICS


def reports(count: int, **more) -> dict[str, np.ndarray]:
    random = np.random.RandomState(count)
    return {**{name: random.standard_normal(count).astype(np.float32) for name in METRICS}, **more}


def add(clock: TickClock, values: dict[str, np.ndarray]) -> None:
    clock.add_call(values, 0.1, 0.2, 8)


def means(clock: TickClock) -> dict[str, float]:
    return {name: value for name, value in clock.tick_row().items() if not name.startswith("timing/")}


def test_rounds_one_by_one_are_rounds_together():
    values, one, all_at_once = reports(7), TickClock(), TickClock()
    for k in range(7):
        add(one, {name: series[k : k + 1] for name, series in values.items()})
    add(all_at_once, values)
    found = means(all_at_once)
    assert means(one) == found
    for name in METRICS:
        np.testing.assert_allclose(found[name], values[name].astype(np.float64).mean(), rtol=1e-12)


def test_a_tick_goes_on_in_another_process():
    """From the dictionary of a checkpoint, and from the list of one of version 0.2, in the order of METRICS."""
    whole, values = TickClock(), reports(5)
    add(whole, values), add(whole, values)
    expected = means(whole)
    for old in (False, True):
        first, second = TickClock(), TickClock()
        add(first, values)
        sums, rounds = first.sums()
        second.carry_on([sums[name] for name in METRICS] if old else sums, rounds)
        assert second.sums() == (sums, rounds)
        add(second, values)
        assert means(second) == expected


def test_what_an_older_version_did_not_report_has_the_mean_of_the_rounds_here():
    clock, values = TickClock(), reports(3)
    clock.carry_on(dict.fromkeys(METRICS, 10.0), 10)
    add(clock, {**values, "new/tag": np.full(3, 2.0, np.float32)})
    assert clock.sums()[1] == 13
    total = 10.0 + values["loss/D"].astype(np.float64).sum()
    found = means(clock)
    np.testing.assert_allclose(found["loss/D"], total / 13, rtol=1e-6)
    np.testing.assert_allclose(found["new/tag"], 2.0)


def test_sums_of_other_terms_are_left_behind():
    """Of a list of another length, of a run whose losses had other terms: the means are those of the rounds here."""
    values = reports(3)
    for sums in ([1.0] * (len(METRICS) - 1), {"loss/D": 5.0}, {**dict.fromkeys(METRICS, 1.0), "old/term": 2.0}):
        clock = TickClock()
        clock.carry_on(sums, 10)
        add(clock, values)
        assert clock.sums()[1] == 3
        np.testing.assert_allclose(means(clock)["loss/D"], values["loss/D"].astype(np.float64).mean(), rtol=1e-12)
