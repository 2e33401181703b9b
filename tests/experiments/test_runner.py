"""A suite runs what is missing, once; a kill, a failure or a second process lose and repeat nothing."""

import io
import os
import signal
import sys
import threading
from functools import partial

import pytest
from experiments.suites import calls, make_suite, program, write_scripts, write_suite
from rich.console import Console

from pgan_tf.config import Config, ConfigError
from pgan_tf.evaluation import results
from pgan_tf.experiments import runner, runs, scores
from pgan_tf.experiments.runner import Runner
from pgan_tf.experiments.runs import states
from pgan_tf.experiments.suite_file import read_suite

ALL = [f"{name}-s{seed}" for seed in (1, 2, 3) for name in ("base", "rr", "lsgan")]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)


@pytest.fixture
def made(tmp_path):
    """(suite, scripts, a function that runs what is missing and returns the failed)."""
    suite, scripts = make_suite(tmp_path), write_scripts(tmp_path)
    return suite, scripts, lambda jobs=1: silent(suite, scripts, jobs).run()


def silent(suite, scripts, jobs=1):
    return Runner(suite, partial(program, scripts), jobs, Console(file=io.StringIO()))


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_run_is_trained_and_measured_once_and_never_again(made, jobs):
    suite, scripts, run = made
    assert run(jobs) == []
    assert all(state.complete for state in states(suite))
    done = calls(scripts)
    expected = [*(f"train {name} new" for name in ALL), *(f"evaluate {name}" for name in ALL), "evaluate reals"]
    assert sorted(done) == sorted(expected)
    assert run(jobs) == []
    assert calls(scripts)[len(done) :] == ["evaluate reals"]  # which knows by itself what it has


@pytest.mark.parametrize(
    ("flag", "keys", "which"),
    [("--mirror_augment", {}, "reals_mirrored"), ("--holdout=0.5", {"held_out": "0.1"}, "reals_held_out")],
)
def test_rows_are_measured_against_mirrored_or_held_out_reals(flag, keys, which, tmp_path):
    """And so are the reals themselves."""
    path = write_suite(tmp_path, **keys)
    for flags in tmp_path.glob("*.flags"):
        flags.write_text(flags.read_text() + f"{flag}\n")
    suite = read_suite(path)
    assert silent(suite, write_scripts(tmp_path)).run() == []
    assert all(state.complete for state in states(suite))
    assert set(scores.reals(suite.comparisons[0])) == {"Reals", "Reals2"}
    assert {row["metric"] for row in results.read(suite.comparisons[0].reals) if which in row} == {"swd"}


def test_every_row_is_trained_on_every_data_set(tmp_path):
    scripts, tables = (
        write_scripts(tmp_path),
        """
        [datasets]
        "Roll" = "sets/roll"
        "Ring" = "sets/ring"
        [metrics]
        "Roll" = ["swd"]
        "Ring" = ["ms_ssim", "swd"]
    """,
    )
    (scripts / "wordy").touch()
    rows = {"Baseline": "base", "RR": "rr"}
    suite = make_suite(tmp_path, rows, seeds="[1, 2]", metrics=None, snapshots='"last"', tables=tables)
    assert silent(suite, scripts).run() == []
    assert all(state.complete for state in states(suite))
    done = calls(scripts)
    names = [f"{row}-{data}-s{seed}" for seed in (1, 2) for data in ("roll", "ring") for row in rows.values()]
    assert [line.split()[1] for line in done if line.startswith("train")] == names
    metrics = {"roll": "swd", "ring": "ms_ssim,swd"}
    for name in names:
        data = name.split("-")[1]
        assert f"evaluate {name} {metrics[data]} sets/{data} latest" in done
    assert [f"evaluate reals-{data} {metrics[data]} sets/{data}" for data in ("roll", "ring")] == done[:2]
    assert {len(state.results) for state in states(suite.comparisons[0])} == {1}  # of the last snapshot
    trained = {state.folder.name[6:]: Config.read(state.folder / "config.json") for state in states(suite)}
    assert {name: config.data.dataset for name, config in trained.items()} == {
        name: f"sets/{name.split('-')[1]}" for name in names
    }


def test_one_job_goes_through_the_runs_in_their_order(made):
    _, scripts, run = made
    run()
    assert [line.split()[1] for line in calls(scripts) if line.startswith("train")] == ALL


def test_a_run_that_fails_is_named_and_the_others_go_on(made):
    suite, scripts, run = made
    (scripts / "break-rr-s2").touch()
    assert run() == ["rr-s2"]
    assert [state.name for state in states(suite) if not state.complete] == ["rr-s2"]
    (scripts / "break-rr-s2").unlink()
    before = len(calls(scripts))
    assert run() == []
    assert calls(scripts)[before:] == ["evaluate reals", "train rr-s2 resume", "evaluate rr-s2"]


def test_a_failures_last_line_is_shown(tmp_path):
    suite, scripts, output = make_suite(tmp_path), write_scripts(tmp_path), io.StringIO()
    (scripts / "break-base-s1").touch()
    Runner(suite, partial(program, scripts), 1, Console(file=output)).run()
    assert "base-s1: failed with status 1: error: a loss or gradient is not finite" in output.getvalue()


def test_a_program_that_ends_well_without_what_was_asked_for_is_named(tmp_path, monkeypatch):
    suite, output = make_suite(tmp_path, seeds="[1]"), io.StringIO()
    monkeypatch.setattr(runs, "counting", lambda comparison, found: [])
    failed = Runner(suite, partial(program, write_scripts(tmp_path)), 1, Console(file=output, width=500)).run()
    assert "base-s1" in failed
    assert "base-s1: ended, but without what the suite asks for (all of it in" in output.getvalue()


def test_a_run_whose_flagfile_was_edited_fails_and_the_others_go_on(tmp_path, monkeypatch):
    """It is stopped at the next report, not trained to its end."""
    suite, scripts, output = make_suite(tmp_path, seeds="[1]"), write_scripts(tmp_path), io.StringIO()
    with (tmp_path / "rr.flags").open("a") as flags:
        flags.write("--fmap_max=16\n")
    monkeypatch.setattr(runner, "REPORT_SECONDS", 0.0)
    (scripts / "hang-rr-s1").touch()
    failed = Runner(suite, partial(program, scripts), 1, Console(file=output, width=500)).run()
    assert failed == ["rr-s1"]
    assert "rr-s1: failed: " in output.getvalue()
    assert "has --fmap_max=16" in output.getvalue()
    assert "saved rr-s1" in calls(scripts)
    assert {"evaluate base-s1", "evaluate lsgan-s1"} < set(calls(scripts))


def test_an_error_leaves_no_run_behind(tmp_path, monkeypatch):
    """Whatever it is: a full disk, say."""
    suite, scripts = make_suite(tmp_path, seeds="[1]"), write_scripts(tmp_path)
    (scripts / "hang-base-s1").touch()

    def write(self):
        if next(suite.results.glob("*-base-s1/metrics.jsonl"), None):
            raise OSError("No space left on device")

    monkeypatch.setattr(runner, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(Runner, "_report_progress", write)
    with pytest.raises(OSError, match="No space left"):
        silent(suite, scripts).run()
    assert calls(scripts)[-1] == "saved base-s1"


def test_runs_are_measured_again_against_data_that_have_changed(tmp_path):
    suite, scripts = make_suite(tmp_path, {"Baseline": "base"}, seeds="[1]"), write_scripts(tmp_path)
    for content, new in (("old", "train base-s1 new"), ("new", None), ("new", "")):
        (scripts / "reals_sha256").write_text(content)
        before = len(calls(scripts))
        assert silent(suite, scripts).run() == []
        done = ["evaluate reals", *([new] if new else []), *(["evaluate base-s1"] if new != "" else [])]
        assert calls(scripts)[before:] == done
        assert {row["reals_sha256"] for state in states(suite) for row in state.results if row["metric"] == "swd"} == {
            content
        }


def test_kept_results_that_do_not_count_any_more_are_named(tmp_path):
    """Their networks may be gone: why are they trained again?"""
    suite, scripts = make_suite(tmp_path, {"Baseline": "base"}, seeds="[1]"), write_scripts(tmp_path)
    said = []
    for content in ("old", "old", "new"):
        (scripts / "reals_sha256").write_text(content)
        run = silent(suite, scripts)
        run.run()
        said.append([line for line in run.console.file.getvalue().splitlines() if "do not count" in line])
    assert [len(lines) for lines in said] == [0, 0, 1]
    assert said[-1][0].endswith(
        f"base-s1: has results that do not count: against other reals than the row Reals of {suite.results}/reals.jsonl"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_runs_and_the_same_command_goes_on(made, number):
    suite, scripts, run = made
    (scripts / "hang-rr-s1").touch()

    def stop_when_it_hangs():
        folder = None
        while not (folder and (folder / "metrics.jsonl").exists()):
            folder = next(iter(suite.results.glob("*-rr-s1")), None) if suite.results.exists() else None
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=stop_when_it_hangs, daemon=True)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run()
    thread.join()
    (scripts / "hang-rr-s1").unlink()
    assert calls(scripts)[-1] == "saved rr-s1"  # it was asked to stop, and nothing was begun after it
    assert run() == []
    assert all(state.complete for state in states(suite))
    trained = [line for line in calls(scripts) if line.startswith("train")]
    assert [line for line in trained if line.endswith("resume")] == ["train rr-s1 resume"]
    assert len([line for line in trained if line.endswith("new")]) == len(ALL)


def test_a_signal_stops_the_measuring_of_the_reals_too(made):
    _, scripts, run = made
    (scripts / "hang-reals").touch()

    def stop_when_it_hangs():
        while not (scripts / "hanging").exists():
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop_when_it_hangs, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run()
    assert calls(scripts)[-1] == "reals ended by SIGTERM"
    (scripts / "hang-reals").unlink()
    assert run() == []


def test_nothing_is_trained_for_metrics_that_cannot_be_measured(made):
    _, scripts, run = made
    (scripts / "break-reals").touch()
    assert run() == ["reals"]
    assert calls(scripts) == ["evaluate reals"]
    (scripts / "break-reals").unlink()
    assert run() == []


def test_a_run_killed_while_it_is_measured_is_measured_only(made):
    suite, scripts, run = made
    run()
    folder = next(suite.results.glob("*-base-s1"))
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]) + lines[-1][:20])  # a line that the kill cut off
    before = len(calls(scripts))
    assert run() == []
    assert calls(scripts)[before:] == ["evaluate reals", "evaluate base-s1"]


def test_other_counts_of_images_are_measured_anew_without_training(tmp_path):
    scripts = write_scripts(tmp_path)
    silent(make_suite(tmp_path, seeds="[1]"), scripts).run()
    before = len(calls(scripts))
    (tmp_path / "results/reals.jsonl").unlink()
    silent(make_suite(tmp_path, seeds="[1]", images="128"), scripts).run()
    names = ("reals", "base-s1", "rr-s1", "lsgan-s1")
    assert calls(scripts)[before:] == [f"evaluate {name}" for name in names]


def test_two_processes_never_work_on_one_suite(made):
    suite, scripts, run = made
    suite.results.mkdir(parents=True)
    with runner._only_one(suite.results / ".lock"), pytest.raises(ConfigError, match=r"another experiment.py works"):
        run()
    assert calls(scripts) == []


def test_a_run_that_a_killed_process_left_behind_is_not_started_again(made):
    """It goes on without it, and a second one in its folder would spoil both."""
    suite, scripts, run = made
    suite.results.mkdir(parents=True)
    killed, lock = Runner(suite, partial(program, scripts)), suite.results / ".lock"
    with runner._only_one(lock) as killed._lock:
        left = killed._open([sys.executable, "-c", "import signal; signal.pause()"], suite.results / "left.log")
    with pytest.raises(ConfigError, match="or a run that a killed one left behind; wait for it"):
        run()
    assert calls(scripts) == []
    left.kill()
    left.wait()
    with runner._only_one(lock):
        pass


def test_a_folder_with_other_options_is_never_taken_for_the_run(made):
    suite, scripts, run = made
    run()
    folder = next(suite.results.glob("*-rr-s1"))
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace('"fmap_max": 8', '"fmap_max": 16'))
    before = calls(scripts)
    with pytest.raises(ConfigError, match=r"has --fmap_max=16, .*rr.flags says 8; move the folder away"):
        run()
    assert calls(scripts) == before


def test_two_folders_of_one_run_are_refused(made):
    suite, _, run = made
    run()
    folder = next(suite.results.glob("*-rr-s1"))
    folder.with_name("00099-rr-s1").mkdir()
    with pytest.raises(ConfigError, match="are both runs of 'RR' with seed 1; move one away"):
        states(suite)


def test_names_that_begin_alike_are_kept_apart(tmp_path):
    """Seed 1 is not seed 11, `rr` not `rr-x`."""
    suite = make_suite(tmp_path, seeds="[1]")
    for name in ("00000-rr-s11", "00001-x-rr-s1", "00002-rr-s1-copy"):
        (suite.results / name).mkdir(parents=True)
    assert [state.folder for state in states(suite)] == [None, None, None]


def test_runs_at_the_same_time_share_the_cores(made, tmp_path, monkeypatch):
    """Unless the user has said how many threads a run has."""
    suite, scripts, _ = made
    words = [sys.executable, "-c", f"import os; print(os.environ[{runner.THREADS!r}])"]
    monkeypatch.setattr(os, "cpu_count", lambda: 8)

    def threads(jobs):
        log = tmp_path / "threads.log"
        log.unlink(missing_ok=True)
        alone = Runner(suite, partial(program, scripts), jobs)
        alone._lock = os.open(tmp_path, os.O_RDONLY)
        alone._open(words, log).wait()
        os.close(alone._lock)
        return log.read_text().strip()

    monkeypatch.delenv(runner.THREADS, raising=False)
    assert [threads(jobs) for jobs in (1, 3, 20)] == ["8", "2", "1"]
    monkeypatch.setenv(runner.THREADS, "5")
    assert threads(2) == "5"


@pytest.mark.parametrize(
    ("gpus", "jobs", "shares"),
    [
        ("0123", 2, ["0,2", "1,3"]),
        ("012", 2, ["0,2", "1"]),
        ("57", 2, ["5", "7"]),
        ("57", 3, ["5", "7", "5"]),
        ("01", 1, ["as it was"]),
        ("", 2, ["as it was"] * 2),
    ],
)
def test_runs_at_the_same_time_share_the_gpus(gpus, jobs, shares, made, tmp_path, monkeypatch):
    """Each has whole ones, all of them are used, and one run alone has what the user left it."""
    suite, scripts, _ = made
    monkeypatch.setenv(runner.GPUS, "as it was")
    words = [sys.executable, "-c", f"import os; print(os.environ[{runner.GPUS!r}])"]
    several = Runner(suite, partial(program, scripts), jobs, gpus=list(gpus))
    several._lock = os.open(tmp_path, os.O_RDONLY)
    for place in range(jobs):
        several._open(words, tmp_path / f"{place}.log", place).wait()
    os.close(several._lock)
    assert [(tmp_path / f"{place}.log").read_text().strip() for place in range(jobs)] == shares
