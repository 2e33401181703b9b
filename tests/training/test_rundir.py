"""The run folder: who may train in it, and the options that it keeps."""

import os
from pathlib import Path

import pytest
from absl.testing import flagsaver
from power_cut import PowerCut

from pgan_tf.config import Config, ConfigError
from pgan_tf.data import identity
from pgan_tf.programs import train
from pgan_tf.training import rundir
from pgan_tf.training.speeds import Speeds


@pytest.fixture
def run(tmp_path):
    """The folder of a run that has begun, and its options."""
    (tmp_path / "set").mkdir()
    values = {"dataset": str(tmp_path / "set"), "fmap_max": 8, "total_kimg": 10.0, "precision": "bfloat16"}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(Config.from_values(values).to_json())
    return tmp_path / "run"


def test_only_one_process_trains_in_a_folder(run):
    with (
        rundir.claimed(run),
        pytest.raises(ConfigError, match="run: another process is training in it; stop it") as error,
        rundir.claimed(run),
    ):
        pass
    assert "\n" not in str(error.value)
    with rundir.claimed(run):
        pass


def test_options_that_change_at_a_resume_are_kept_and_told(run):
    changed = rundir.load_config(run).replace(total_kimg=20.0, precision="float32")
    lines = rundir.change_config(run, changed)
    assert lines == ["from here on --total_kimg=20.0 (was 10.0)", "from here on --precision=float32 (was bfloat16)"]
    assert rundir.load_config(run) == changed
    assert rundir.change_config(run, changed) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model": 3}', '{"model": {"fmap_mix": 8}}'])
def test_a_damaged_config_is_refused_in_one_line(run, text):
    (run / "config.json").write_text(text)
    with pytest.raises(ConfigError, match=r"config\.json: cannot be read as a run's options") as error:
        rundir.load_config(run)
    assert "\n" not in str(error.value)


def test_a_run_folder_is_whole_from_the_first_moment_and_its_own(tmp_path, monkeypatch):
    """Another run takes the number while this one writes; then a writing fails."""
    config = Config.from_values({"result_dir": str(tmp_path / "results"), "seed": 5})

    def another_begins():
        assert [path.name[0] for path in (tmp_path / "results").iterdir()] == ["."]
        (tmp_path / "results" / "00000-set-s5").mkdir()
        (tmp_path / "results" / "00000-set-s5" / "config.json").touch()
        return {}

    monkeypatch.setattr(rundir, "environment", another_begins)
    folder = rundir.create(config, "set", "--seed=5\n")
    assert folder.name == "00001-set-s5"
    assert {path.name for path in folder.iterdir()} == {"config.json", "flags.txt", "environment.json"}
    monkeypatch.setattr(rundir, "environment", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rundir.create(config, "set", "")
    assert {path.name for path in folder.parent.iterdir()} == {"00000-set-s5", "00001-set-s5"}


def test_two_runs_that_begin_at_once_under_one_process_number(tmp_path, monkeypatch):
    """As in two containers that share a drive. What a killed one left an hour ago is removed."""
    config, seeds = Config.from_values({"result_dir": str(tmp_path)}), [7]

    def another_begins():
        if seeds:
            rundir.create(config.replace(seed=seeds.pop()), "set", "--seed=7\n")
        return {}

    monkeypatch.setattr(rundir, "environment", another_begins)
    left = [tmp_path / ".tmp17-set", tmp_path / ".tmp0a1b-set"]
    for path in left:
        path.mkdir()
        os.utime(path, (1e9, 1e9))
    rundir.create(config, "set", "--seed=1000\n")
    folders = sorted(tmp_path.iterdir())
    assert [path.name for path in folders] == ["00000-set-s1000", "00000-set-s7"]
    for path, seed in zip(folders, (1000, 7), strict=True):
        assert rundir.load_config(path).run.seed == seed
        assert (path / "flags.txt").read_text() == f"--seed={seed}\n"


def test_a_run_folder_is_whole_after_a_power_cut_too(tmp_path):
    config, folders = Config.from_values({"result_dir": str(tmp_path / "place" / "results")}), []
    (tmp_path / "place").mkdir()

    def law(disk):
        for folder in (disk / "results").glob("0*"):
            assert rundir.load_config(folder).run.seed in (1000, 7)
            assert (folder / "environment.json").stat().st_size > 0
        for folder in folders:
            assert (disk / "results" / folder.name / "config.json").exists()

    with PowerCut(tmp_path / "place", tmp_path / "disk", law) as cut:
        folders.append(rundir.create(config, "set", ""))
        rundir.change_config(folders[0], config.replace(seed=7))
        assert cut.cuts > 20


def test_a_place_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(ConfigError, match=r"--result_dir=.*results: cannot be made"):
        rundir.create(Config.from_values({"result_dir": str(tmp_path / "results")}), "set", "")


def test_flags_at_a_resume(run):
    """The flags that the run has already say nothing new; others replace them, if no network depends on them."""
    with flagsaver.as_parsed(fmap_max="8", total_kimg="20", precision="float32"):
        config = train.resumed_config(run)
    assert (config.growth.total_kimg, config.optim.precision, config.model.fmap_max) == (20.0, "float32", 8)
    for flags in ({"fmap_max": "16"}, {"max_label_size": "-1"}, {"precision": "float64"}):
        with flagsaver.as_parsed(**flags), pytest.raises(ConfigError, match="cannot change in a run that has begun"):
            train.resumed_config(run)


@pytest.mark.parametrize(
    "flags",
    [
        {"loss": "hinge", "augment": "ada"},
        {"optimizer": "rmsprop"},
        {"optimizer": "sgd", "momentum": "0.5"},
        {"history_weight": "0.1"},
    ],
)
def test_a_run_keeps_what_its_checkpoints_hold(flags, run):
    name = list(flags)[-1] if "optimizer" not in flags else "optimizer"
    with flagsaver.as_parsed(**flags), pytest.raises(ConfigError) as error:
        train.resumed_config(run)
    assert str(error.value).startswith(f"--{name} cannot change from ")
    assert str(error.value).endswith(f"--init_from={run} takes over its networks")
    with flagsaver.as_parsed(augment="diffaugment"):
        assert train.resumed_config(run).augment.augment == "diffaugment"


def test_a_recipe_that_augments_cannot_be_left_at_a_resume_but_its_penalty_can(run):
    """The augmentation is held by checkpoints; what belongs to a part goes with it."""
    (run / "config.json").write_text(train.resumed_config(run).replace(recipe="small_data").to_json())
    with flagsaver.as_parsed(augment="none"), pytest.raises(ConfigError, match="--augment cannot change from ada in"):
        train.resumed_config(run)
    with flagsaver.as_parsed(penalty="gradient"):
        assert train.resumed_config(run).loss.penalty_gamma == Config().loss.penalty_gamma


def test_more_hours_of_a_run_are_said_in_images(run):
    """100 images a second in its slowest stage."""
    total = rundir.load_config(run).growth.total_kimg
    measured = {"4x4 stabilise": (9000.0, 10.0), "8x8 stabilise": (1000.0, 10.0)}
    with flagsaver.as_parsed(resume=str(run), hours="0.5", preset=""):
        with pytest.raises(ConfigError, match=r"^--hours=0.5: .*; --total_kimg lengthens it$"):
            train.check_preset()
        Speeds({}, measured).write(run)
        with pytest.raises(ConfigError, match=rf"for 0.5 h more --total_kimg={total + 180:.0f} \(it has {total:g}\)$"):
            train.check_preset()
    small, words = (
        {"resume": str(run), "hours": "0", "preset": "small"},
        r"^--preset=small: a run that has begun has its",
    )
    with flagsaver.as_parsed(**small), pytest.raises(ConfigError, match=words):
        train.check_preset()


def test_flags_txt_says_again_what_was_said():
    """Also what is the paper's where the recipe's is another."""
    with flagsaver.as_parsed(recipe="small_data", augment="none", penalty_interval="1"):
        lines = train.flags_text().splitlines()
    assert {"--recipe=small_data", "--augment=none", "--penalty_interval=1"} <= {*lines}


@pytest.mark.parametrize("grow", ["latent", "channels,layers", "none"])
def test_a_run_keeps_its_ladder(grow, run):
    """Its words in another order are no other ladder."""
    with flagsaver.as_parsed(grow="layers"):
        assert train.resumed_config(run).growth.grow == "layers"
    with flagsaver.as_parsed(grow=grow), pytest.raises(ConfigError) as error:
        train.resumed_config(run)
    ladder = ",".join(sorted(grow.split(","), reverse=True))
    assert f"--grow={ladder}: the run has --grow=layers, which cannot change" in str(error.value)


def test_a_data_set_that_has_moved(run):
    (run.parent / "set").rename(run.parent / "elsewhere")
    with pytest.raises(ConfigError, match="set: the run's data set is not there; say by --dataset where it is now"):
        train.resumed_config(run)
    with flagsaver.as_parsed(dataset=str(run.parent / "elsewhere")):
        assert train.resumed_config(run).data.dataset.endswith("elsewhere")


def test_a_run_and_its_data_set_that_have_moved_together(run, monkeypatch):
    """From wherever they are looked at, also by a link; a set at the old place comes first."""
    identity.write(run, {"pictures": 3}, run.parent / "set")
    there = run.parent.parent / "there"
    run.parent.rename(there)
    (there / "link").symlink_to(there / "run")
    monkeypatch.chdir(there)
    for folder in (there / "run", Path("run"), there / "link"):
        assert Path(train.resumed_config(folder).data.dataset).samefile(there / "set")
    run.parent.mkdir()
    (run.parent / "set").mkdir()
    assert train.resumed_config(there / "run").data.dataset == str(run.parent / "set")


def test_a_config_that_is_there_and_cannot_be_read_is_not_missing(tmp_path):
    """As where the permission is missing, which whoever runs as root always has."""
    (tmp_path / "config.json").mkdir()
    with pytest.raises(ConfigError, match=r"its config\.json cannot be read: Is a directory"):
        rundir.load_config(tmp_path)
    with pytest.raises(ConfigError, match=r"no config\.json there"):
        rundir.load_config(tmp_path / "gone")
