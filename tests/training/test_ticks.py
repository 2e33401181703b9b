"""What a run makes at the end of which tick."""

import pytest

from pgan_tf.config import Config
from pgan_tf.stages import layer_stage
from pgan_tf.training.ticks import TICKS, tick_line

EVERY_TWO = {
    "image_snapshot_ticks": 2, "network_snapshot_ticks": 2, "metrics_ticks": 2, "metrics": "swd",
    "weight_histograms": True,
}  # fmt: skip
NEVER = {"image_snapshot_ticks": 0, "network_snapshot_ticks": 0, "metrics": "", "weight_histograms": False}


def made(options: dict, last: int = 5) -> dict[str, list[int]]:
    """{what: the ticks that make it} in a run of so many ticks."""
    run = Config().replace(**options).run
    return {
        product.name: [tick for tick in range(1, last + 1) if product.when(run, tick, tick == last)]
        for product in TICKS
    }


@pytest.mark.parametrize(
    ("name", "ticks"),
    [
        ("pictures", [1, 2, 4, 5]),  # the first one too, and the last one
        ("histograms", [1, 2, 3, 4, 5]),
        ("networks", [2, 4]),  # the last one is written when the run is done
        ("metrics", [2, 4, 5]),
    ],
)
def test_what_is_made_when(name, ticks):
    assert made(EVERY_TWO)[name] == ticks


def test_the_last_network_is_not_written_twice():
    assert made({**EVERY_TWO, "network_snapshot_ticks": 1})["networks"] == [1, 2, 3, 4]


def test_what_is_not_asked_for_is_not_made():
    assert set(map(tuple, made(NEVER).values())) == {()}


def test_tick_lines_fit_100_columns():
    row = {
        "tick": 4321, "kimg": 15000.0, "minibatch": 128, "alpha": 0.5, "loss/D": -12345.6, "loss/G": 12345.6,
        "timing/images_per_second": 12345.6, "train_seconds": 99 * 86400.0, "memory/process_peak_mb": 123456.0,
    }  # fmt: skip
    line = tick_line(row, layer_stage(1024))
    assert len(line) <= 100
    assert line.startswith("tick 4321 kimg 15000.0 1024x1024 stabilise")
