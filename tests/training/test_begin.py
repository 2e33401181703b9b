"""What a run begins with: its arithmetic, its expected time, a preset's settings."""

import json

import numpy as np
import pytest
import tensorflow as tf

from pgan_tf import devices, precision
from pgan_tf.config import Config, ConfigError
from pgan_tf.data import DatasetWriter
from pgan_tf.data.sources.planar import create_planar
from pgan_tf.devices import Hardware
from pgan_tf.training import begin, launch, loop, rundir, trial
from pgan_tf.training.begin import Asked
from pgan_tf.training.estimate import StageSize, print_stage_table
from pgan_tf.training.plan import make_plan
from pgan_tf.training.speeds import FILE, Speeds

BF16, PLAIN = (Hardware("Some CPU", 2, frozenset(flags), (), (), ()) for flags in (["avx512_bf16"], ["avx2"]))
TINY = {"fmap_base": 16, "fmap_max": 4, "latent_size": 4, "minibatch_base": 4, "grid_size": "2x2"}


@pytest.fixture
def dataset(tmp_path):
    rng = np.random.default_rng(0)
    with DatasetWriter(tmp_path / "my set", resolution=16, channels=3) as writer:
        for _ in range(12):
            writer.add(rng.integers(0, 256, (16, 16, 3), np.uint8))
    return str(tmp_path / "my set")


@pytest.fixture
def machine(monkeypatch):
    """`machine(hardware, rate)`: the machine that a run begins on, and its speed at every stage."""

    def pretend(hardware=PLAIN, rate=100.0):
        monkeypatch.setattr(devices, "hardware", lambda: hardware)
        monkeypatch.setattr(precision, "measured_gain", lambda half: 0.02)

        def measure(config, plan, seconds=None):
            return Speeds({str(phase.stage): rate for phase in plan.schedule.phases()}, start_seconds=0.0)

        monkeypatch.setattr(trial, "measure", measure)

    return pretend


def config_of(dataset, **options) -> Config:
    return Config.from_values({**TINY, "dataset": dataset, **options})


@pytest.mark.parametrize(("hardware", "resolved"), [(BF16, "bfloat16"), (PLAIN, "float32")])
def test_auto_is_kept_as_what_it_became(hardware, resolved, dataset, machine):
    machine(hardware)
    start = begin.begin(Asked(config_of(dataset, precision="auto")))
    assert start.config.optim.precision == resolved
    assert start.lines[0].startswith(f"device    Some CPU, 2 cores; computes in {resolved} (auto: ")


def test_the_first_lines_say_data_and_time(dataset, machine):
    machine(rate=100.0)
    options = {"lod_training_kimg": 1, "lod_transition_kimg": 1, "total_kimg": 12, "tick_kimg_dict": {4: 0.6}}
    lines = begin.begin(Asked(config_of(dataset, **options))).lines
    assert lines[1] == f"data      {dataset}: 12 images of 16x16, RGB, no labels"
    assert lines[2].startswith("training  12,000 images, 4x4 to 16x16; first pictures after about 0m 06s, ")
    assert lines[2].endswith("the end after about 2m 00s")
    assert len(lines) == 3


def test_labels_that_are_not_learned_are_said(tmp_path, machine):
    machine()
    with DatasetWriter(tmp_path / "set", resolution=8, channels=3) as writer:
        for i in range(6):
            writer.add(np.full((8, 8, 3), i, np.uint8))
        writer.add_labels(np.eye(6, 3, dtype=np.float32))
    said = [begin.begin(Asked(config_of(str(tmp_path / "set"), max_label_size=size))).lines[1] for size in (0, -1)]
    assert said[0].endswith("RGB, its 3 label components not used (--max_label_size=-1 learns them)")
    assert said[1].endswith("RGB, 3 label components")


@pytest.mark.parametrize(
    ("total", "words"),
    [
        (0.5, "--total_kimg=0.5 ends at 4x4; 16x16 is whole after 4 kimg"),
        (2.5, "--total_kimg=2.5 ends at 8x8; 16x16 is whole after 4 kimg"),
        (3.5, "--total_kimg=3.5 ends in the fade-in of 16x16; it is whole after 4 kimg"),
        (4.5, ""),
    ],
)
def test_a_run_that_ends_before_it_is_grown_says_so(total, words, dataset, machine):
    machine()
    start = begin.begin(
        Asked(config_of(dataset, lod_training_kimg=1, lod_transition_kimg=1, total_kimg=total), dry_run=True)
    )
    assert begin.end_of_growth(start.plan) == words
    assert words in "\n".join(start.lines)


@pytest.mark.parametrize(("rate", "told"), [(1.0, True), (1000.0, False)])
def test_a_run_of_more_than_three_days_names_a_way_out(rate, told, dataset, machine):
    machine(rate=rate)
    lines = "\n".join(begin.begin(Asked(config_of(dataset, total_kimg=300))).lines)
    assert (f"train.py --dataset='{dataset}' --preset=small --hours=1" in lines) is told


def test_a_preset_is_not_for_points(tmp_path):
    create_planar(tmp_path / "ring", "gaussians8", 8)
    asked = Asked(Config(), preset="small", given={"dataset": str(tmp_path / "ring")})
    with pytest.raises(ConfigError, match=r"^--preset=small: is for images, .*ring holds points; they take a flagfile"):
        begin.begin(asked)


def test_a_preset_chooses_for_the_data_and_the_user_wins(dataset, machine):
    machine(BF16, rate=50.0)
    given = {"dataset": dataset, "fmap_max": 8, "seed": 5}
    start = begin.begin(Asked(config_of(dataset), preset="small", hours=1.0, given=given))
    values = start.config.values()
    assert given.items() <= values.items()
    assert values["precision"] == "bfloat16"
    assert values["mirror_augment"]
    assert start.speeds.seconds(start.plan.schedule) == pytest.approx(3600 / 1.06, rel=0.01)
    assert start.preset.startswith("# --preset=small --hours=1 for 12 images of 16x16\n--")
    assert "--precision=auto\n" in start.preset
    assert "--fmap_max=8\n" in start.preset
    assert start.files().keys() == {FILE, "preset.flags"}
    assert "12 images are few" in "\n".join(start.lines)


def test_hours_that_do_not_suffice_are_said(dataset, machine):
    machine(rate=1.0)
    start = begin.begin(Asked(config_of(dataset), preset="small", hours=0.01, given={"dataset": dataset}))
    assert any(line.startswith("--hours=0.01 is too short: the least takes") for line in start.lines)


def test_a_preset_is_not_told_to_take_a_preset(dataset, machine):
    machine(rate=0.01)
    start = begin.begin(Asked(config_of(dataset), preset="paper", given={"dataset": dataset}))
    assert start.speeds.seconds(start.plan.schedule) > begin.LONG_SECONDS
    assert not any("for pictures in an hour" in line for line in start.lines)


def test_a_total_shapes_the_preset(dataset, machine):
    machine()
    given = {"dataset": dataset, "total_kimg": 20.0}
    start = begin.begin(Asked(config_of(dataset), preset="small", given=given))
    assert start.config.growth.total_kimg == 20
    assert start.plan.schedule.grown_kimg < 20


def run_folder(tmp_path, precision: str, asked: str) -> str:
    """A folder of which a resume reads these files."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "flags.txt").write_text(f"--seed=3\n--precision={asked}\n")
    (folder / FILE).write_text(json.dumps({"model": {"4x4 stabilise": 10.0}, "measured": {}, "start_seconds": 1}))
    return str(folder)


@pytest.mark.parametrize(
    ("runs_in", "asked", "hardware", "told"),
    [
        ("bfloat16", "auto", PLAIN, True), ("float32", "auto", BF16, True), ("float32", "float32", BF16, False),
        ("bfloat16", "auto", BF16, False), ("float32", "auto", PLAIN, False),
    ],
)  # fmt: skip
def test_a_resume_on_another_kind_of_machine_says_so_and_goes_on(
    runs_in, asked, hardware, told, tmp_path, dataset, machine
):
    machine(hardware)
    start = begin.begin(Asked(config_of(dataset, precision=runs_in), resume=run_folder(tmp_path, runs_in, asked)))
    assert start.config.optim.precision == runs_in
    assert any("--precision=auto changes to it" in line for line in start.lines) is told


def test_a_resume_in_auto_takes_what_is_best_here(tmp_path, dataset, machine):
    machine(BF16)
    folder = run_folder(tmp_path, "float32", "auto")
    start = begin.begin(Asked(config_of(dataset, precision="auto"), resume=folder))
    assert start.config.optim.precision == "bfloat16"


def test_a_run_that_was_moved_goes_on_where_its_old_place_takes_nothing(tmp_path, dataset, machine):
    machine()
    there = str(tmp_path / "file")
    (tmp_path / "file").touch()
    folder = run_folder(tmp_path, "float32", "float32")
    config = config_of(dataset, result_dir=there)
    assert launch.prepare(Asked(config, resume=folder)).start.config.run.result_dir == there
    with pytest.raises(ConfigError, match=r"^--result_dir=.*file: no run can be written there .* give another place"):
        launch.prepare(Asked(config))


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_run_whose_folder_takes_nothing_is_refused_before_anything_is_measured(
    dry_run, tmp_path, dataset, machine, monkeypatch
):
    machine()
    folder = run_folder(tmp_path, "float32", "float32")
    monkeypatch.setattr(launch, "place_fault", lambda place: f"{place}: Read-only file system")
    monkeypatch.setattr(launch, "begin", None)
    with pytest.raises(ConfigError, match=r"^--resume=.*: no run can be .*Read-only file system.; copy the run to ano"):
        launch.prepare(Asked(config_of(dataset), resume=folder, dry_run=dry_run))


def test_a_precision_that_this_machine_has_not_is_refused(dataset, machine, monkeypatch):
    machine(PLAIN)
    monkeypatch.setattr(precision, "measured_gain", lambda half: 0.0)
    with pytest.raises(ConfigError, match="cannot compute it"):
        begin.begin(Asked(config_of(dataset, precision="bfloat16")))


def test_a_trial_measures_real_steps_and_scales_the_rest(dataset):
    config = config_of(dataset, lod_training_kimg=600, lod_transition_kimg=600)
    plan = make_plan(config)
    speeds = trial.measure(config, plan, seconds=0.0)  # no time for a second stage
    assert set(speeds.measured) == {"4x4 stabilise"}
    assert all(speeds.rate(phase.stage) > 0 for phase in plan.schedule.phases())


@pytest.mark.parametrize("round_seconds", [0.02, 0.7, 3.0])
@pytest.mark.parametrize(("interval", "repeats"), [(1, 1), (4, 1), (4, 2), (6, 4), (16, 1)])
def test_a_trial_times_the_penalty_as_often_as_training_does(round_seconds, interval, repeats, dataset, monkeypatch):
    """On a machine where a penalty costs as much as all the rest of a discriminator's step."""
    steps = []

    def took(step, count, each):
        steps.append(count * each)
        return round_seconds * sum(2 if number % interval == 0 else 1 for number in range(count * each)) / each

    monkeypatch.setattr(trial, "rounds", took)
    config = config_of(dataset, penalty_interval=interval, D_repeats=repeats)
    speeds, stage = Speeds({}), make_plan(config).schedule.phases()[0].stage
    trial._measure_stage(config, make_plan(config), stage, speeds)
    expected = 4 * repeats / (round_seconds * (1 + 1 / interval))
    assert speeds.rate(stage) == pytest.approx(expected, rel=1e-6)
    assert max(steps) <= trial.MOST_ROUNDS * repeats


def test_a_run_that_is_over_soon_is_not_measured(dataset, monkeypatch):
    config = config_of(dataset, total_kimg=0.02)
    monkeypatch.setattr(trial, "convolution_speed", lambda config: 1e9)
    assert trial.measure(config, make_plan(config)).measured == {}


@pytest.mark.parametrize(("seconds", "memory", "resolution"), [(1e9, 1e9, 16), (1e9, 1e18, 8), (0.0, 1e9, None)])
def test_the_later_stage_fits_in_time_and_memory(seconds, memory, resolution, dataset):
    config = config_of(dataset, lod_training_kimg=1, lod_transition_kimg=1, total_kimg=9)
    stages = [phase.stage for phase in make_plan(config).schedule.phases()]
    sizes = {stage: StageSize(4, (1, 1), memory if stage.resolution == 16 else 1e6, 1e6) for stage in stages}
    found = trial._later_stage(sizes, Speeds({str(stage): 10.0 for stage in stages}), seconds, 2)
    assert getattr(found, "resolution", None) == resolution


@pytest.mark.parametrize(("rate", "total_kimg"), [(0.00123, 15000), (123456.0, 98765.4), (12.3, 0.5)])
def test_the_stage_table_fits_80_columns(rate, total_kimg, dataset, capsys):
    config = config_of(dataset, g_lrate_base=0.0015, d_lrate_base=0.0025, total_kimg=total_kimg, fmap_base=4096)
    plan = make_plan(config.replace(minibatch_dict={16: 128}))
    print_stage_table(config, plan, Speeds({str(phase.stage): rate for phase in plan.schedule.phases()}))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if "…" in line]
    assert [str(phase.stage) for phase in plan.schedule.phases()] == [
        " ".join(line.split()[:2]) for line in lines[1:-1]
    ]


SIZES = {
    "latent": ["4 16x16 2 all - 0", "8 16x16 4 all 1 to 2 2", "16 16x16 8 all 3 to 4 4"],
    "channels,layers": ["4 4x4 8 1/4 - 0", "8 8x8 8 1/2 1 to 2 2", "16 16x16 8 all 3 to 4 4"],
    "layers": None,
    "none": None,
}


@pytest.mark.parametrize("grow", SIZES)
def test_a_dry_run_says_which_size_the_networks_have_when(grow, dataset, capsys):
    growth = dict(grow=grow, lod_training_kimg=1, lod_transition_kimg=1, total_kimg=9)
    config = config_of(dataset, **{**growth, "fmap_base": 64, "fmap_max": 16, "latent_size": 8})
    plan = make_plan(config)
    print_stage_table(config, plan, Speeds({}))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    heads = [i for i, line in enumerate(lines) if line.startswith("level images")]
    assert lines[0].startswith("stage kimg")
    assert max(map(len, lines)) <= 80
    if SIZES[grow] is None:
        assert heads == []
    else:
        assert lines[heads[0] + 1 : heads[0] + 4] == SIZES[grow]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"grow": "layers,channels", "fmap_base": 64, "fmap_max": 6},
            "--grow=layers,channels: the 6 feature maps at 4x4 cannot be divided by 4, ",
        ),
        (
            {"grow": "channels", "fmap_base": 64, "fmap_max": 6},
            "the 6 feature maps of D's last hidden layer cannot be divided by 4, ",
        ),
        (
            {"grow": "channels", "fmap_base": 64, "fmap_max": 3},
            "the 3 feature maps of D's last hidden layer cannot be divided by 2, ",
        ),
        ({"grow": "latent", "latent_size": 6}, "--latent_size=6: --grow=latent halves it"),
    ],
)
def test_networks_that_do_not_divide_are_refused_with_a_way_out(options, message, dataset):
    with pytest.raises(ConfigError, match=message) as error:
        make_plan(config_of(dataset, **options))
    assert "\n" not in str(error.value)
    fitting = int(str(error.value).partition("--lod_initial_resolution=")[2].partition(",")[0])
    assert make_plan(config_of(dataset, **{**options, "lod_initial_resolution": fitting})).schedule.sizes


def test_measuring_changes_no_number(dataset, tmp_path):
    config = config_of(
        dataset, total_kimg=0.02, precision="float64", result_dir=str(tmp_path / "results"), tick_kimg_dict={4: 0.02}
    )
    states = []
    for measured in (False, True):
        plan = make_plan(config)
        if measured:
            trial.measure(config, plan, seconds=0.0)
        run = loop.Run(config, plan, rundir.create(config, "set", ""))
        run.train()
        states.append({name: variable.numpy() for name, variable in run.state.variables_by_name().items()})
    for name, value in states[0].items():
        np.testing.assert_allclose(states[1][name], value, rtol=1e-7, atol=1e-10, err_msg=name)


def test_a_trial_that_does_not_fit_leaves_the_rest_scaled(dataset, monkeypatch):
    config, original = config_of(dataset), trial._measure_stage

    def full(config, plan, stage, speeds):
        if stage.resolution > 4:
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
        original(config, plan, stage, speeds)

    monkeypatch.setattr(trial, "_measure_stage", full)
    assert set(trial.measure(config, make_plan(config), seconds=1e6).measured) == {"4x4 stabilise"}
