"""Speeds of stages: measured, scaled from what is measured, kept."""

import json
import math

import pytest

from pgan_tf.config import Config
from pgan_tf.schedule import Schedule
from pgan_tf.stages import layer_stage
from pgan_tf.training.speeds import FILE, Speeds

S4, F8, S8, F16, S16 = (layer_stage(4), layer_stage(8, True), layer_stage(8), layer_stage(16, True), layer_stage(16))
MODEL = {str(stage): rate for stage, rate in ((S4, 400.0), (F8, 100.0), (S8, 100.0), (F16, 25.0), (S16, 25.0))}
GROWTH = {"lod_training_kimg": 1, "lod_transition_kimg": 2, "total_kimg": 8}


def schedule(**options) -> Schedule:
    return Schedule(Config.from_values({**GROWTH, **options}).growth, 16)


def test_nothing_measured_leaves_the_model():
    speeds = Speeds(MODEL)
    assert speeds.rate(S8) == 100
    assert speeds.by_level(schedule()) == {4: 400, 8: 100, 16: 25}


def test_stages_of_another_ladder_have_their_own_rates():
    """Their images all have the final resolution."""
    plan = Schedule(Config.from_values({**GROWTH, "grow": "channels"}).growth, 16)
    speeds = Speeds({str(phase.stage): 100.0 / (i + 1) for i, phase in enumerate(plan.phases())})
    assert speeds.by_level(plan) == {4: 100, 8: 100 / 3, 16: 20}
    assert speeds.seconds(plan) > 0


def test_the_ratio_to_the_model_is_that_of_the_measured_stages_around():
    speeds = Speeds(MODEL)
    speeds.add(S4, 400, 2.0)
    assert [speeds.rate(stage) for stage in (S4, S8, S16)] == pytest.approx([200, 50, 12.5])
    speeds.add(S16, 50, 1.0)
    assert speeds.rate(S4) == pytest.approx(200)
    assert speeds.rate(S16) == speeds.rate(F16) == pytest.approx(50)
    assert speeds.rate(S8) == pytest.approx(100 * math.sqrt(0.5 * 2))


def test_what_the_run_measures_adds_up():
    speeds = Speeds(MODEL)
    speeds.add(S8, 100, 1.0)
    speeds.add(S8, 300, 1.0)
    assert speeds.rate(S8) == 200


def test_the_time_is_that_of_the_steps_and_of_the_stages_that_begin():
    speeds, plan = Speeds(MODEL, start_seconds=7.0), schedule()
    whole = 1000 / 400 + 3000 / 100 + 4000 / 25 + 5 * 7.0
    assert speeds.seconds(plan) == pytest.approx(whole)
    for cut in (0, 500, 1000, 3999.5, 8000, 9000):
        assert speeds.seconds(plan, 0, cut) + speeds.seconds(plan, cut) == pytest.approx(whole)
    assert speeds.seconds(plan, 3500) == pytest.approx(500 / 100 + 4000 / 25 + 2 * 7.0)


def test_an_unknown_rate_makes_no_time():
    assert Speeds({}).seconds(schedule()) == 0
    assert Speeds({}).rate(S4) == 0


def test_the_kept_rates_are_read_again_with_little_weight(tmp_path):
    speeds = Speeds(MODEL, {str(S4): (4000.0, 20.0)}, 3.0)
    speeds.write(tmp_path)
    again = Speeds.read(tmp_path)
    assert (again.model, again.start_seconds, again.rate(S4)) == (MODEL, 3.0, 200)
    again.add(S4, 9000, 9.0)  # this machine is faster
    assert again.rate(S4) == pytest.approx(920)


DAMAGED = [
    "",
    "{}",
    "[]",
    '{"model": 3, "measured": {}, "start_seconds": 1}',
    '{"model": {}, "measured": {"a": [1, 0]}}',
]


@pytest.mark.parametrize("text", [None, *DAMAGED])
def test_a_missing_or_damaged_file_is_nothing_known(text, tmp_path):
    if text is not None:
        (tmp_path / FILE).write_text(text)
    assert Speeds.read(tmp_path) == Speeds({})


def test_the_file_is_json(tmp_path):
    Speeds(MODEL).write(tmp_path)
    assert set(json.loads((tmp_path / FILE).read_text())) == {"model", "measured", "start_seconds"}


@pytest.mark.parametrize(
    ("ticks", "images", "end"),
    [
        ({4: 0.5, 8: 1, 16: 1}, 0, 500),
        ({4: 0.5, 8: 1, 16: 1}, 500, 1500),
        ({4: 20, 8: 1.5, 16: 1}, 0, 1500),
        ({4: 20, 8: 0.5, 16: 1}, 0, 1000),
        ({4: 20, 8: 20, 16: 20}, 0, 8000),
        ({4: 1, 8: 1, 16: 1}, 7500, 8000),
    ],
)
def test_a_tick_ends_by_the_length_of_the_stage_it_is_in(ticks, images, end):
    assert schedule(tick_kimg_dict=ticks).first_tick(images) == end


def test_the_networks_are_grown_when_the_last_stage_begins():
    assert schedule().grown_kimg == 6
    assert schedule(total_kimg=1).grown_kimg == 6
    assert schedule(lod_initial_resolution=16).grown_kimg == 0
