"""The schedule is the original's to the last bit, and its phases are a partition of the run."""

import itertools
import json
import math

import numpy as np
import pytest

from pgan_tf.config import ConfigError, ScheduleOptions
from pgan_tf.schedule import Schedule
from pgan_tf.stages import layer_stage


def original_config(text) -> dict:
    """The original's keyword arguments as ours."""
    names = {
        "G_lrate_dict": "g_lrate_dict",
        "D_lrate_dict": "d_lrate_dict",
        "max_minibatch_per_gpu": "max_minibatch_per_device",
    }
    options = json.loads(str(text))
    ours = {
        names.get(key, key): {int(res): item for res, item in value.items()} if isinstance(value, dict) else value
        for key, value in options.items()
    }
    return {**ours, "accumulate": False}  # the original takes a smaller minibatch


# name: (options, or the key of them in the file; final resolution; devices)
CONFIGURATIONS = {
    "gpus1": ("meta/config", 1024, 1),
    "gpus4": ("meta/config", 1024, 4),
    "preset_v2_4gpus": ("meta/config_4gpu_preset", 1024, 4),
    "preset_v1": ("meta/config_v1", 1024, 1),
    "res32": ({}, 32, 1),
    "res32_nogrowing": (dict(lod_initial_resolution=32), 32, 1),
    "res32_notransition_init8": (
        dict(lod_initial_resolution=8, lod_training_kimg=300, lod_transition_kimg=0), 32, 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_equals_the_original(name, golden):
    data = golden("schedule.npz")
    options, resolution, devices = CONFIGURATIONS[name]
    options = original_config(data[options]) if isinstance(options, str) else options
    shared = "res32/cur_nimg" if name.startswith("res32") else "cur_nimg"
    images = data.get(f"{name}/cur_nimg", data[shared])
    schedule = Schedule(ScheduleOptions(**options), resolution, devices)
    rows = [schedule.at(int(n)) for n in images]
    assert len(rows) > 150
    for key, ours in {
        "lod": [row.lod for row in rows],
        "resolution": [row.stage.resolution for row in rows],
        "minibatch": [row.minibatch for row in rows],
        "G_lrate": [row.g_lrate for row in rows],
        "D_lrate": [row.d_lrate for row in rows],
        "tick_kimg": [row.tick_kimg for row in rows],
    }.items():
        np.testing.assert_array_equal(ours, data[f"{name}/{key}"], err_msg=key)
    for row in rows:  # alpha is the other way of saying lod
        fraction = row.lod - math.floor(row.lod)
        assert row.stage.fading == (fraction > 0)
        assert row.fade.alpha == pytest.approx(1 - fraction)


SHAPES = [
    dict(),
    dict(lod_transition_kimg=0),
    dict(lod_training_kimg=0),
    dict(lod_training_kimg_dict={4: 10, 16: 30}, lod_transition_kimg_dict={8: 5, 32: 0}),
    dict(lod_training_kimg=0, lod_transition_kimg=0, lod_training_kimg_dict={4: 1, 8: 2, 16: 3}),
    dict(total_kimg=1000),
    dict(total_kimg=1200),
    dict(total_kimg=1200.5),
    dict(lod_initial_resolution=32),
    dict(lod_initial_resolution=8, total_kimg=0.01),
]


@pytest.mark.parametrize("options", SHAPES)
def test_phases_partition_the_run(options):
    growth = ScheduleOptions(**options)
    phases = Schedule(growth, 32).phases()
    assert (phases[0].start == 0 and phases[0].stage == layer_stage(growth.lod_initial_resolution)) or (
        growth.lod_training_kimg == 0
    )
    assert phases[-1].end == growth.total_kimg
    for phase, following in itertools.pairwise(phases):
        assert phase.end == following.start
        assert following.stage.resolution in (phase.stage.resolution, 2 * phase.stage.resolution)
        assert not (phase.stage.fading and following.stage.fading) or growth.lod_training_kimg == 0
    assert all(phase.start < phase.end for phase in phases)


@pytest.mark.parametrize("options", SHAPES)
def test_every_moment_is_in_its_phase(options):
    growth = ScheduleOptions(**options)
    schedule = Schedule(growth, 32)
    for phase in schedule.phases():
        middle = int(500 * (phase.start + phase.end))
        now = schedule.at(middle)
        assert now.stage == phase.stage
        assert now.stage_images == pytest.approx(middle - 1000 * phase.start)
        if phase.stage.fading:
            length = schedule_length(growth, phase.stage.resolution)
            assert now.fade.alpha == pytest.approx((middle / 1000 - phase.start) / length)
            assert 0 < now.fade.alpha < 1
        else:
            assert now.fade.alpha == 1


def schedule_length(growth: ScheduleOptions, resolution: int) -> float:
    return growth.lod_transition_kimg_dict.get(resolution, growth.lod_transition_kimg)


def test_phase_lengths_by_resolution():
    growth = ScheduleOptions(
        lod_training_kimg=100, lod_transition_kimg=50, total_kimg=1000,
        lod_training_kimg_dict={4: 10, 8: 20}, lod_transition_kimg_dict={8: 5},
    )  # fmt: skip
    rows = [(str(p.stage), p.start, p.end) for p in Schedule(growth, 16).phases()]
    assert rows == [
        ("4x4 stabilise", 0, 10),
        ("8x8 fade-in", 10, 15),
        ("8x8 stabilise", 15, 35),
        ("16x16 fade-in", 35, 85),
        ("16x16 stabilise", 85, 1000),
    ]


def test_learning_rates_fall_evenly_in_the_last_part_of_the_run():
    options = dict(total_kimg=1000, g_lrate_base=0.01, d_lrate_base=0.02, g_lrate_dict={4: 0.04})
    for share in (0, 0.25, 1):
        schedule = Schedule(ScheduleOptions(**options, lrate_rampdown=share), 4)
        for kimg in (0, 100, 749, 751, 999, 1000, 1001):
            left = np.clip((1000 - kimg) / (1000 * share), 0, 1) if share else 1
            now = schedule.at(1000 * kimg)
            assert (now.g_lrate, now.d_lrate) == pytest.approx((0.04 * left, 0.02 * left)), (share, kimg)


@pytest.mark.parametrize("options", [o for o in SHAPES if "total_kimg" not in o])
def test_growth_never_goes_back(options):
    schedule = Schedule(ScheduleOptions(**options), 32)
    rows = [schedule.at(n) for n in range(0, 9_000_000, 7_919)]
    for before, after in itertools.pairwise(rows):
        assert after.lod <= before.lod
        assert after.stage.resolution >= before.stage.resolution
    assert rows[-1].lod == 0
    assert rows[-1].stage == layer_stage(32)


def test_the_edges_of_a_fade():
    """At the last image of a phase the old network still trains; after one more image the new one fades in."""
    schedule = Schedule(ScheduleOptions(lod_training_kimg=1, lod_transition_kimg=1), 8)
    assert schedule.at(0).stage == schedule.at(1000).stage == layer_stage(4)
    assert schedule.at(1001).stage == layer_stage(8, True)
    assert schedule.at(1001).fade.alpha == pytest.approx(0.001)
    assert schedule.at(1999).stage == layer_stage(8, True)
    assert schedule.at(2000).stage == layer_stage(8)
    assert schedule.at(2000).fade.alpha == 1


def test_minibatch_is_a_multiple_of_the_devices_and_fits_them():
    limits = {4: 16, 16: 5}
    growth = ScheduleOptions(
        minibatch_base=50, minibatch_dict={4: 128, 8: 30}, max_minibatch_per_device=limits, accumulate=False
    )
    for devices in (1, 2, 3, 4, 7):
        schedule = Schedule(growth, 16, devices)
        for resolution, wanted in ((4, 128), (8, 30), (16, 50)):
            size = schedule.minibatch(resolution)
            assert size % devices == 0
            assert 0 < size <= wanted
            assert size <= growth.max_minibatch_per_device.get(resolution, wanted) * devices


def test_a_minibatch_that_is_accumulated_is_what_the_schedule_says():
    growth = ScheduleOptions(minibatch_base=50, max_minibatch_per_device={4: 16, 16: 5})
    assert [Schedule(growth, 16, devices).minibatch(16) for devices in (1, 4)] == [50, 48]


def test_initial_resolution_above_the_final_is_refused():
    with pytest.raises(ConfigError, match=r"--lod_initial_resolution=64.*32"):
        Schedule(ScheduleOptions(lod_initial_resolution=64), 32)
