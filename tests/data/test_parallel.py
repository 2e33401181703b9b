"""Worker processes and the progress display."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import pytest

from pgan_tf import progress
from pgan_tf.data import DataError
from pgan_tf.data.parallel import ordered_map

NUMBERS = range(150)  # many more than are under way at a time


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers):
    assert list(ordered_map(hex, NUMBERS, workers)) == [hex(n) for n in NUMBERS]


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_come_through_in_place(workers):
    texts = [str(n) for n in NUMBERS]
    texts[100] = "x"
    results = ordered_map(int, texts, workers)
    assert [next(results) for _ in range(90)] == list(range(90))
    with pytest.raises(ValueError, match="'x'"):
        list(results)


def test_no_more_is_taken_than_can_be_held():
    taken = []

    class Spy(Sequence):
        def __len__(self):
            return 10_000

        def __getitem__(self, part):
            taken.append(part.stop)
            return NUMBERS[:8]

    results = ordered_map(hex, Spy(), 2)
    next(results)
    assert max(taken) <= 100
    results.close()


def test_a_dead_worker_is_one_line():
    with pytest.raises(DataError, match="try --workers=1"):
        list(ordered_map(os._exit, [1] * 20, 2))


def test_lines_without_a_terminal(monkeypatch, capsys):
    assert list(progress.track(NUMBERS, len(NUMBERS), "writing")) == list(NUMBERS)
    assert capsys.readouterr().err == ""  # too quick for a line
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    list(progress.track(NUMBERS, len(NUMBERS), "writing"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("writing: 1 of 150, ")
    assert "images/s" in lines[0]
    assert lines[-1].startswith("writing: 150 of 150, ")
    assert lines[-1].endswith("0 s left")


def test_a_bar_on_a_terminal(monkeypatch):
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", screen)
    assert list(progress.track(NUMBERS, len(NUMBERS), "writing")) == list(NUMBERS)
    assert "writing" in screen.getvalue()


def test_a_speed_is_written_out(monkeypatch):
    """4474 images/s, not 4.47e+03."""
    monkeypatch.setattr(progress.time, "monotonic", lambda: 11.0)
    assert [progress._speed(done, 1.0) for done in (44_740, 123, 0)] == ["4474", "12.3", "0"]
