"""Whole runs of train.py in processes of their own: what they leave behind, and that no stop changes their numbers."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pgan_tf.data import DatasetWriter

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds for a process to end, also on a machine that is busy with other work
# A program of its own terminal: the one it has as its input.
IN_TERMINAL = (
    "import fcntl, os, sys, termios\nfcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.environ['CUDA_VISIBLE_DEVICES'] = ''\nos.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
# Stages of 0.1 kimg: 4x4, a fade to 8x8 that spans several ticks, 8x8.
FLAGS = [
    *("--fmap_base=32", "--fmap_max=8", "--latent_size=8", "--max_label_size=-1", "--mirror_augment"),
    *("--total_kimg=0.48", "--lod_training_kimg=0.1", "--lod_transition_kimg=0.25", "--tick_kimg_dict="),
    *("--tick_kimg_base=0.048", "--minibatch_base=8", "--minibatch_repeats=2", "--deterministic"),
    *("--checkpoints_kept=2", "--network_snapshot_ticks=4", "--grid_size=4x2", "--weight_histograms"),
    *("--loss=non_saturating", "--augment=ada", "--ada_kimg=0.2", "--ada_target=-1"),  # whose p rises all the time
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "tiny"
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 8, 8, 3), np.uint8)
    labels = np.eye(3, dtype=np.float32)[rng.integers(3, size=40)]
    with DatasetWriter(folder, resolution=8, channels=3) as writer:
        for image in images:
            writer.add(image)
        writer.add_labels(labels)
    return folder


def start(*flags) -> subprocess.Popen:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [sys.executable, ROOT / "train.py", *map(str, flags)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip


def stop_at(process: subprocess.Popen, line_start: str, number: int) -> int:
    """Sends a signal when a line of the run's output begins so; returns the exit status."""
    for line in process.stdout:
        if line.startswith(line_start):
            process.send_signal(number)
            break
    process.communicate(timeout=PATIENCE)
    return process.returncode


def without_terminal_from(line_start: str, *flags) -> int:
    """Runs in a terminal that is closed when such a line is on it, as a lost ssh closes it; returns the exit status."""
    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL, ROOT / "train.py", *map(str, flags)],
        stdin=inner, stdout=inner, stderr=inner, start_new_session=True, cwd=ROOT,
    )  # fmt: skip
    os.close(inner)
    shown = b""
    while line_start.encode() not in shown:
        shown += os.read(terminal, 1000)
    os.close(terminal)
    return process.wait(timeout=PATIENCE)


def finish(process: subprocess.Popen) -> str:
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out


def final_state(folder: Path) -> dict[str, np.ndarray]:
    checkpoint = sorted((folder / "checkpoints").glob("0*"))[-1]
    assert checkpoint.name == "000000.480"
    reader = tf.train.load_checkpoint(str(checkpoint / "state"))
    names = set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    return {name: reader.get_tensor(name) for name in names}


@pytest.fixture(scope="module")
def straight(dataset, tmp_path_factory):
    """The folder of a run that nothing stopped."""
    results = tmp_path_factory.mktemp("straight")
    finish(start(f"--dataset={dataset}", f"--result_dir={results}", *FLAGS))
    (folder,) = results.iterdir()
    return folder


def test_the_run_folder_is_complete(straight):
    names = {path.name for path in straight.iterdir()}
    assert straight.name == "00000-tiny-s1000"
    assert names >= {
        "config.json", "flags.txt", "environment.json", "log.txt", "metrics.jsonl", "report.md", "reals.png",
        "report.html", "curves.svg",
        "fakes000000.png", "fakes000000.096.png", "network-000000.192.keras", "network-000000.480.keras", "checkpoints",
    }  # fmt: skip
    assert not [name for name in names if name.startswith(".")]
    assert len(list((straight / "checkpoints").iterdir())) == 2
    rows = [json.loads(line) for line in (straight / "metrics.jsonl").read_text().splitlines()]
    assert [row["tick"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["kimg"] == 0.48
    assert {row["resolution"] for row in rows} == {4, 8}
    shares = ["timing/input_share", "timing/step_share", "timing/build_share", "timing/bookkeeping_share"]
    assert all(sum(row[name] for name in shares) == pytest.approx(1, abs=0.01) for row in rows)


def test_tensorboard_holds_the_promised_tags(straight):
    tags = set()
    for path in straight.glob("events.out.tfevents.*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            tags |= {value.tag for value in event.summary.value}
    assert tags >= {
        "loss/D", "loss/G", "scores/real", "scores/fake", "gradient_norm/D", "gradient_norm/G", "penalty/value",
        "run/alpha", "run/resolution", "run/level", "run/g_lrate", "run/d_lrate", "timing/images_per_second",
        "timing/tick_seconds", "memory/process_peak_mb", "reals", "fakes", "config", "generator/4x4_Dense/weight",
        "run/nonfinite_rounds",
    }  # fmt: skip


def test_a_saved_generator_loads_in_plain_keras(straight, fresh_process):
    code = (
        "import sys, keras, pgan_tf, numpy as np; g = keras.saving.load_model(sys.argv[1]); "
        "print(g((np.zeros((2, 8), 'f'), np.eye(3, dtype='f')[:2])).shape)"
    )
    assert "(2, 8, 8, 3)" in fresh_process(code, straight / "network-000000.480.keras")


def test_killed_and_stopped_runs_end_in_the_same_weights(dataset, straight, tmp_path):
    """kill -9 at 4x4, SIGTERM in mid-fade, a lost terminal, SIGINT at 8x8: to the last bit the run that never was."""
    process = start(f"--dataset={dataset}", f"--result_dir={tmp_path}", *FLAGS)
    assert stop_at(process, "tick 2 ", signal.SIGKILL) == -signal.SIGKILL
    (folder,) = tmp_path.iterdir()
    assert stop_at(start(f"--resume={folder}"), "tick 5 ", signal.SIGTERM) == 0
    assert without_terminal_from("tick 6 ", f"--resume={folder}") == 0
    assert "stopped by SIGHUP" in (folder / "log.txt").read_text()
    assert stop_at(start(f"--resume={folder}"), "tick 8 ", signal.SIGINT) == 0
    out = finish(start(f"--resume={folder}"))
    assert "going on from" in out
    expected, actual = final_state(straight), final_state(folder)
    assert expected.keys() == actual.keys()
    for kind in ("generator", "discriminator", "ema", "g_optimizer", "d_optimizer"):
        assert sum(name.startswith(kind) for name in expected) >= 10
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, err_msg=name)
    assert ticks(folder) == ticks(straight)
    for path in [*straight.glob("network-*.keras"), *straight.glob("*.png")]:
        assert (folder / path.name).read_bytes() == path.read_bytes(), path.name


def ticks(folder: Path) -> list[dict]:
    """What the ticks say but of time and memory, which no two runs share."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    apart = ("timing/", "memory/", "train_seconds")
    return [{name: value for name, value in row.items() if not name.startswith(apart)} for row in rows]


def refusal(*flags) -> str:
    process = start(*flags)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "Traceback" not in out + err
    return out + err


def test_what_cannot_work_is_refused_before_anything_is_written(dataset, tmp_path):
    base = [f"--dataset={dataset}", f"--result_dir={tmp_path / 'results'}"]
    assert "make a larger set" in refusal(*base, "--resolution=16")
    assert "not a multiple of --mbstd_group_size" in refusal(*base, "--minibatch_base=6")
    assert "there is no such data set" in refusal(f"--dataset={tmp_path / 'missing'}", *base[1:])
    assert "Did you mean: total_kimg" in refusal(*base, "--totl_kimg=3")
    assert not (tmp_path / "results").exists()


def test_a_part_of_the_recipe_that_a_preset_chooses_needs_no_other_word(dataset, tmp_path):
    """Without a preset --ada_kimg is refused: the paper's recipe does not augment."""
    words = (f"--dataset={dataset}", f"--result_dir={tmp_path}", "--preset=small", "--ada_kimg=100", "--dry_run")
    assert {"--recipe=small_data", "--ada_kimg=100.0"} <= set(finish(start(*words)).splitlines())


def test_a_dry_run_prints_the_stages_and_writes_nothing(dataset, tmp_path):
    out = finish(start(f"--dataset={dataset}", f"--result_dir={tmp_path / 'results'}", "--dry_run", *FLAGS))
    assert [stage for stage in ("4x4 stabilise", "8x8 fade-in", "8x8 stabilise") if stage not in out] == []
    assert not (tmp_path / "results").exists()
