"""What one process decides for all that train together."""

import signal

import numpy as np
import pytest

from pgan_tf import devices
from pgan_tf.config import Config
from pgan_tf.data import DatasetWriter
from pgan_tf.training import checkpoint, loop, rundir
from pgan_tf.training.deciding import MOST_PIECES, pieces_of_a_call
from pgan_tf.training.plan import make_plan


@pytest.fixture
def run(tmp_path):
    with DatasetWriter(tmp_path / "set", resolution=4, channels=1) as writer:
        for i in range(8):
            writer.add(np.full((4, 4, 1), 9 * i, np.uint8))
    config = Config.from_values(
        {
            "dataset": str(tmp_path / "set"), "result_dir": str(tmp_path / "results"), "fmap_base": 16, "fmap_max": 4,
            "latent_size": 4, "minibatch_base": 4, "minibatch_repeats": 1, "tick_kimg_base": 1.0, "tick_kimg_dict": {},
            "total_kimg": 0.4, "grid_size": "2x2", "image_snapshot_ticks": 0,
        }
    )  # fmt: skip
    return loop.Run(config, make_plan(config), rundir.create(config, "set", ""))


def decided(monkeypatch, run, decide):
    """Lets `decide(number of the call, own numbers)` be what the deciding process says; returns the pieces asked for
    of each call that this one then makes."""
    calls, asked = [], []

    def share(numbers):
        calls.append(numbers)
        return decide(len(calls), numbers)

    monkeypatch.setitem(devices.STRATEGIES, "mirrored", devices.STRATEGIES["mirrored"]._replace(share=share))
    following = run._call
    monkeypatch.setattr(
        run, "_call", lambda step, parts, data: (asked.append(len(parts)), following(step, parts, data))[1]
    )
    return asked


def test_the_length_of_a_call_is_what_was_decided(run, monkeypatch):
    asked = decided(monkeypatch, run, lambda call, own: [3, *own[1:]])
    run.train()
    assert asked == [1] + [3] * 33  # of 100 rounds, one to a piece


def test_a_checkpoint_is_saved_and_the_run_stopped_when_that_was_decided(run, monkeypatch):
    """Not by this process' clock or signals, which say nothing of it."""
    decided(monkeypatch, run, lambda call, own: [2, call == 2, signal.SIGTERM.value if call == 4 else 0])
    saved, save = [], run._save_checkpoint
    monkeypatch.setattr(run, "_save_checkpoint", lambda: (saved.append(run.counters.images), save())[1])
    with pytest.raises(loop.Stopped, match="SIGTERM"):
        run.train()
    assert saved == [0, 12, 28]
    assert checkpoint.read_counters(checkpoint.paths(run.folder / "checkpoints")[-1])[1].images == 28
    assert "stopped by SIGTERM after 0.0 kimg; saved" in (run.folder / "log.txt").read_text()


def test_a_signal_to_this_process_stops_nothing_that_goes_on_elsewhere(run, monkeypatch):
    decided(monkeypatch, run, lambda call, own: [1000, own[1], 0])
    following = run._go_by

    def signalled(decision):
        if run.counters.images < run.total:
            run.stopping.signal = "SIGINT"
        return following(decision)

    monkeypatch.setattr(run, "_go_by", signalled)
    run.train()
    assert run.counters.images == 400


@pytest.mark.parametrize(
    ("pieces", "seconds", "expected"),
    [(1, 0.01, 2), (4, 2.0, 2), (4, 100.0, 1), (1, 3.0, 1), (200, 0.1, MOST_PIECES), (8, 0.8, 10), (1, 0.0, 2)],
)
def test_a_call_takes_about_a_second_and_grows_at_most_twofold(pieces, seconds, expected):
    assert pieces_of_a_call(pieces, seconds) == expected
