"""The loop in this process: what stops it, what it averages, what it shows."""

import contextlib
import json
import shutil
import weakref

import numpy as np
import pytest
import tensorflow as tf

from pgan_tf.config import Config, ConfigError
from pgan_tf.data import DatasetWriter
from pgan_tf.schedule import Progress, Schedule
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import calls, checkpoint, failures, loop, rundir
from pgan_tf.training.blocks import Piece
from pgan_tf.training.plan import make_plan
from pgan_tf.training.speeds import Speeds
from pgan_tf.training.step import METRICS


@pytest.fixture
def config(tmp_path):
    rng = np.random.default_rng(0)
    with DatasetWriter(tmp_path / "set", resolution=4, channels=1) as writer:
        for _ in range(16):
            writer.add(rng.integers(0, 256, (4, 4, 1), np.uint8))
    return Config.from_values(
        {
            "dataset": str(tmp_path / "set"), "result_dir": str(tmp_path / "results"), "fmap_base": 16, "fmap_max": 4,
            "latent_size": 4, "minibatch_base": 4, "minibatch_repeats": 1, "tick_kimg_base": 0.02,
            "tick_kimg_dict": {}, "total_kimg": 0.1, "grid_size": "2x2",
        }
    )  # fmt: skip


def train(config):
    folder = rundir.create(config, "set", "")
    loop.Run(config, make_plan(config), folder).train()
    return folder


def rows(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_value_that_is_not_finite_stops_the_run_and_names_the_checkpoint(config, monkeypatch):
    def poisoned(config, parts, first_round, dtype):
        controls = calls.controls(config, parts, first_round, dtype)
        late = first_round >= 15  # after 60 images
        return controls._replace(fade=Fade(*(x * np.nan for x in controls.fade))) if late else controls

    monkeypatch.setattr(loop, "controls", poisoned)
    monkeypatch.setattr("pgan_tf.training.feed.process_reals", poisoned_reals)
    folder = rundir.create(config, "set", "")
    with pytest.raises(failures.Diverged, match=r"checkpoints/000000\.\d+\. Try a lower --g_lrate_base"):
        loop.Run(config, make_plan(config), folder).train()
    path = checkpoint.newest_sound(folder / "checkpoints", print)
    _, counters = checkpoint.read_counters(path)
    assert 0 < counters.images <= 60


def test_skip_counts_the_rounds_and_keeps_the_weights(config, monkeypatch):
    monkeypatch.setattr("pgan_tf.training.feed.process_reals", poisoned_reals)

    def poisoned(*arguments):
        controls = calls.controls(*arguments)
        return controls._replace(fade=Fade(*(x * np.nan for x in controls.fade)))

    monkeypatch.setattr(loop, "controls", poisoned)
    run = loop.Run(config.replace(nan="skip"), make_plan(config), rundir.create(config, "set", ""))
    run.train()
    assert rows(run.folder)[-1]["nonfinite_rounds"] == 25
    assert all(np.isfinite(v.numpy()).all() for v in run.state.variables_by_name().values())
    assert run.state.d.optimizer.iterations.numpy() == 0
    assert run.state.g.optimizer.iterations.numpy() == 25


def test_out_of_memory_says_what_would_fit(config, monkeypatch):
    def full(*arguments):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")

    monkeypatch.setattr(loop, "concatenate", lambda blocks: None)
    monkeypatch.setattr(loop, "controls", full)
    for options, words in (
        (dict(mbstd_group_size=2), r"4x4 stabilise with 4 images .*--max_minibatch_per_device=4:2,8:7$"),
        (dict(accumulate=False), r"4x4 stabilise with 4 images .*--max_minibatch_per_device=4:2,8:7$"),
        ({}, r"4x4 stabilise with 4 images .* --remat$"),
        (dict(remat=True), r"with a smaller --minibatch_base or _dict$"),
    ):
        with pytest.raises(failures.OutOfMemory, match=words):
            train(config.replace(max_minibatch_per_device={8: 7}, **options))


def test_a_tick_in_two_parts_is_the_tick_in_one(config):
    """Whatever the parts: stopped within it, at its end, and by calls of other sizes."""
    whole, parts = train(config), rundir.create(config, "set", "")
    for stop_at in (4, 8, 20, 44, 1000):
        run = loop.Run(config, make_plan(config), parts)
        advance = run.log.advance
        run.log.advance = lambda *shown, run=run, stop=stop_at, advance=advance: (
            advance(*shown), setattr(run.stopping, "signal", "SIGTERM" if run.counters.images >= stop else None)
        )  # fmt: skip
        with contextlib.suppress(loop.Stopped):
            run.train()
    assert run.counters.images == 100
    names = [*METRICS, "tick", "images", "nonfinite_rounds", "alpha", "g_lrate"]
    assert [[row[name] for name in names] for row in rows(parts)] == [
        [row[name] for name in names] for row in rows(whole)
    ]


def test_checkpoints_of_an_earlier_version_go_on(config):
    folder = train(config)
    for path in checkpoint.paths(folder / "checkpoints"):
        record = json.loads((path / "counters.json").read_text())
        del record["counters"]["tick_sums"], record["counters"]["tick_rounds"]
        (path / "counters.json").write_text(json.dumps(record))
        counters = checkpoint.read_counters(path)[1]
        assert (counters.tick_sums, counters.tick_rounds) == ({}, 0)


def test_a_trained_run_without_checkpoints_is_not_started_again(config):
    folder = train(config)
    shutil.rmtree(folder / "checkpoints")
    (network,) = folder.glob("network-*.keras")
    content = network.read_bytes()
    for gone in ("nothing", "metrics.jsonl"):  # it is seen by the ticks, and by the networks alone
        (folder / gone).unlink(missing_ok=True)
        with pytest.raises(
            checkpoint.CheckpointError, match="nothing to go on from; put its checkpoints back"
        ) as error:
            loop.Run(config, make_plan(config), folder).train()
        assert "\n" not in str(error.value)
        assert network.read_bytes() == content


def test_a_run_has_a_checkpoint_from_its_first_moment(config, monkeypatch):
    monkeypatch.setattr(loop.Run, "_train_stage", lambda run: 1 / 0)
    folder = rundir.create(config, "set", "")
    with pytest.raises(ZeroDivisionError):
        loop.Run(config, make_plan(config), folder).train()
    assert [path.name for path in checkpoint.paths(folder / "checkpoints")] == ["000000.000"]


def poisoned_reals(images, mirror, stage, alpha, dtype):
    """Reals that are NaN when alpha is."""
    return tf.cast(images, dtype) / 127.5 - 1 + alpha * 0


def test_run_folders_are_numbered(config):
    names = [train(config).name, train(config.replace(desc="my run", seed=7)).name]
    assert names == ["00000-set-s1000", "00001-my_run-s7"]


def test_the_last_tick_ends_the_run_exactly(config):
    folder = train(config.replace(total_kimg=0.05))
    assert [row["images"] for row in rows(folder)] == [20, 40, 52]
    assert "52 of" not in (folder / "report.md").read_text()
    assert (folder / "network-000000.052.keras").exists()
    assert {path.name for path in folder.glob("fakes*")} == {
        "fakes000000.png",
        "fakes000000.020.png",
        "fakes000000.040.png",
        "fakes000000.052.png",
    }


def progress(minibatch: int, stage_images: float) -> Progress:
    return Progress(layer_stage(8), Fade(), stage_images, 0.0, minibatch, 1e-3, 1e-3, 1.0)


def test_the_average_is_the_originals_unless_a_half_life_is_given():
    assert calls.ema_decay(Config(), progress(16, 1e6)) == 0.999


def test_after_its_half_life_of_images_half_of_the_average_is_new():
    config = Config.from_values({"ema_halflife_kimg": 2.0, "ema_rampup": 0.05})
    assert calls.ema_decay(config, progress(16, 1e6)) ** (2000 / 16) == pytest.approx(0.5)
    # Early in a stage the half-life is the ramp-up's share of the images so far.
    assert calls.ema_decay(config, progress(16, 10000)) ** (500 / 16) == pytest.approx(0.5)
    assert calls.ema_decay(config, progress(16, 0)) == 0


def test_each_round_of_a_call_goes_by_the_schedule_of_its_own_block():
    config = Config.from_values({"total_kimg": 0.1, "lrate_rampdown": 1.0, "g_lrate_base": 0.01, "d_lrate_base": 0.02})
    schedule = Schedule(config.growth, 4)
    parts = [Piece(schedule.at(images), rounds) for images, rounds in ((0, 2), (50, 1), (75, 3))]
    controls = calls.controls(config, parts, 0, tf.float64)
    left = np.repeat([1, 0.5, 0.25], [2, 1, 3])
    np.testing.assert_allclose(controls.g_lrate, 0.01 * left)
    np.testing.assert_allclose(controls.d_lrate, 0.02 * left)


def test_blocks_stop_at_the_stage_the_tick_and_the_limit():
    config = Config.from_values({"lod_training_kimg": 1, "lod_transition_kimg": 1, "minibatch_base": 10})
    schedule = Schedule(config.growth, 8)
    assert schedule.block_images(4) == 40
    assert len(schedule.blocks(0, until=1e9, most=5)) == 5
    assert len(schedule.blocks(0, until=100, most=50)) == 3
    # 0, 40, .. 1000: the fade begins after its first moment.
    assert len(schedule.blocks(0, until=1e9, most=500)) == 26
    assert {p.stage for p in schedule.blocks(1040, until=1e9, most=500)} == {layer_stage(8, True)}


def test_compiled_gradients_train_to_the_same_numbers(config):
    """--jit changes how the gradients are computed, not what they are."""
    states = []
    for jit in (False, True):
        changed = config.replace(jit=jit, total_kimg=0.02, precision="float64")
        run = loop.Run(changed, make_plan(changed), rundir.create(changed, "set", ""))
        run.train()
        states.append({name: variable.numpy() for name, variable in run.state.variables_by_name().items()})
    for name, value in states[0].items():
        np.testing.assert_allclose(states[1][name], value, rtol=1e-6, atol=1e-9, err_msg=name)


def test_the_rates_that_a_run_measures_are_kept(config):
    folder = train(config)
    stages = {f"{row['resolution']}x{row['resolution']} stabilise" for row in rows(folder)}
    assert set(Speeds.read(folder).measured) == stages


@pytest.fixture
def growing(config, tmp_path):
    """Of 4x4, 8x8 and 16x16."""
    rng = np.random.default_rng(0)
    with DatasetWriter(tmp_path / "set16", resolution=16, channels=1) as writer:
        for _ in range(16):
            writer.add(rng.integers(0, 256, (16, 16, 1), np.uint8))
    return config.replace(dataset=str(tmp_path / "set16"), lod_training_kimg=0.02, lod_transition_kimg=0.02)


def levels(folder):
    return [row["resolution"] for row in rows(folder)]


@pytest.mark.parametrize("change", [{"lod_training_kimg": 0.0}, {"lod_training_kimg_dict": {8: 0.0}}])
def test_a_stage_may_have_no_length(growing, change):
    """The run passes through it."""
    folder = train(growing.replace(**change))
    assert levels(folder)[-1] == 16
    assert rows(folder)[-1]["kimg"] == pytest.approx(0.1, abs=0.004)


def test_a_schedule_that_is_behind_the_networks_is_refused(growing):
    """Layers that are trained would be thrown away; the run goes on as it was."""
    folder = train(growing)
    longer = rundir.load_config(folder).replace(lod_training_kimg=1.0, total_kimg=0.2)
    with pytest.raises(ConfigError, match=r"100 samples are 4x4 stabilise.* have grown to 16x16 stabilise; leave out"):
        loop.Run(longer, make_plan(longer), folder).train()
    assert rundir.load_config(folder) == growing
    further = growing.replace(total_kimg=0.12)
    loop.Run(further, make_plan(further), folder).train()
    assert levels(folder)[-1] == 16


def test_a_run_that_changes_to_float16_begins_with_its_loss_scale(config):
    folder = train(config)
    changed = config.replace(precision="float16", total_kimg=0.12)
    run = loop.Run(changed, make_plan(changed), folder)
    run.train()
    assert run.state.d.log_scale.numpy() == pytest.approx(run.state.d.first_scale, abs=10)


def test_of_a_stage_that_is_over_only_the_averaged_generator_may_stay(growing, monkeypatch):
    """Also where a metric was measured of it."""
    gone, enter = [], loop.Run._enter_stage

    def watched(run, stage):
        d = weakref.ref(run.state.discriminator)
        enter(run, stage)
        gone.append(d() is None)

    monkeypatch.setattr(loop.Run, "_enter_stage", watched)
    train(growing.replace(metrics="swd", metrics_ticks=1, metrics_images=16))
    assert gone
    assert all(gone)
