"""Runs of several processes on this machine: they train to the numbers of one, and end together."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.data import DatasetWriter
from pgan_tf.growth import NetworkFactory
from pgan_tf.networks.saved import save_network
from pgan_tf.stages import layer_stage

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds for a process to end, also on a machine that is busy with other work
# 8x8, a fade to 16x16; ticks of 32 images.
FLAGS = [
    *("--fmap_base=16", "--fmap_max=4", "--latent_size=4", "--max_label_size=-1", "--mirror_augment"),
    *("--total_kimg=0.192", "--lod_training_kimg=0.08", "--lod_transition_kimg=1", "--tick_kimg_dict="),
    *("--tick_kimg_base=0.032", "--minibatch_base=8", "--minibatch_repeats=2", "--deterministic"),
    *("--checkpoints_kept=9", "--precision=float64", "--grid_size=2x2", "--image_snapshot_ticks=0"),
    *("--lod_initial_resolution=8", "--metrics=swd", "--metrics_images=16", "--metrics_ticks=3"),
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "tiny"
    rng = np.random.default_rng(0)
    with DatasetWriter(folder, resolution=16, channels=1) as writer:
        for image in rng.integers(0, 256, (40, 16, 16, 1), np.uint8):
            writer.add(image)
        writer.add_labels(np.eye(3, dtype=np.float32)[rng.integers(3, size=40)])
    return folder


@pytest.fixture(scope="module")
def words(dataset) -> list[str]:
    """The flags of the runs that are compared. They begin with a network that the chief alone loads."""
    options = dict(fmap_base=16, fmap_max=4, latent_size=4, precision="float64", seed=5)
    network = dataset.parent / "begin.keras"
    save_network(NetworkFactory(Config.from_values(options), 1, 3).generator(layer_stage(8)), network)
    return [f"--dataset={dataset}", f"--init_from={network}", *FLAGS]


class Process:
    """train.py; `out` and `err` are what it has printed once it has ended."""

    def __init__(self, *words, workers: tuple[str, ...] = (), task: int = 0, variable: bool = False):
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
        words = [*map(str, words)]
        if variable:
            jobs = {"chief": list(workers[:1]), "worker": list(workers[1:])}
            place = {"type": "worker", "index": task - 1} if task else {"type": "chief", "index": 0}
            environment["TF_CONFIG"] = json.dumps({"cluster": jobs, "task": place})
            words.append("--strategy=multi_worker")
        elif workers:
            words += ["--strategy=multi_worker", f"--workers={','.join(workers)}", f"--task={task}"]
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "train.py", *words], env=environment, cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def wait_for(self, beginning: str) -> None:
        """Returns when a line that begins so was printed."""
        assert any(line.startswith(beginning) for line in self.process.stdout), self.process.stderr.read()

    def end(self) -> int:
        """The exit status."""
        self.out, self.err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


def addresses(count: int = 2) -> tuple[str, ...]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return tuple(f"127.0.0.1:{port}" for port in ports)


def pair(*words, variable: bool = False) -> list[Process]:
    where = addresses()
    return [Process(*words, workers=where, task=task, variable=variable) for task in range(2)]


def state(folder: Path, name: str = "000000.192") -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(folder / "checkpoints" / name / "state"))
    names = set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    return {name: reader.get_tensor(name) for name in names}


def close(a: dict, b: dict, tolerance: float, least: float = 1e-6) -> bool:
    """Whether all differences are below so much of the largest number of the variable, or of `least`."""
    scale = {name: max(np.abs(b[name]).max(initial=0), least) for name in b}
    return a.keys() == b.keys() and all(
        np.abs(a[name] - b[name]).max(initial=0) <= tolerance * scale[name] for name in b
    )


def rows(folder: Path) -> list[dict[str, float]]:
    """The numbers of metrics.jsonl but those of clocks."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    apart = ("timing/", "memory/", "train_seconds", "seconds")
    return [
        {name: value for name, value in {**line, **line.get("values", {})}.items()
         if isinstance(value, (int, float)) and not name.startswith(apart)}
        for line in lines
    ]  # fmt: skip


@pytest.fixture(scope="module")
def alone(words, tmp_path_factory) -> Path:
    """The run of one process."""
    results = tmp_path_factory.mktemp("alone")
    process = Process(*words, f"--result_dir={results}")
    assert process.end() == 0, process.err
    return next(results.iterdir())


@pytest.fixture(scope="module")
def straight(words, tmp_path_factory) -> Path:
    """The run of two processes that nothing stopped; the second comes late, and writes nothing."""
    results, where = tmp_path_factory.mktemp("straight"), addresses()
    chief = Process(*words, f"--result_dir={results / 'chief'}", workers=where, variable=True)
    chief.wait_for(f"waiting for worker 1 ({where[1]}), at most 10 minutes")
    worker = Process(*words, f"--result_dir={results / 'worker'}", workers=where, task=1, variable=True)
    assert [worker.end(), chief.end()] == [0, 0], worker.err + chief.err
    said = (
        f"worker 1 of 2: trains with the chief ({where[0]}), which shows the run\nworker 1: has ended with the chief\n"
    )
    assert (worker.out, worker.err, chief.err) == (said, "", "")
    assert [path.name for path in results.iterdir()] == ["chief"]
    return next((results / "chief").iterdir())


def test_two_processes_train_to_the_numbers_of_one(alone, straight):
    assert close(state(straight), state(alone), 1e-9)
    for ours, theirs in zip(rows(straight), rows(alone), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    assert {path.name for path in straight.iterdir() if "tfevents" not in path.name} == {
        path.name for path in alone.iterdir() if "tfevents" not in path.name
    }


def test_in_float32_too_where_no_rounding_decides(dataset, tmp_path):
    """LeakyReLU's slope jumps at 0, and so do Adam's steps where a gradient is next to nothing: not so here."""
    smooth = ["--precision=float32", "--g_activation=tanh", "--d_activation=tanh", "--adam_epsilon=1e-3"]
    words = [f"--dataset={dataset}", *FLAGS, *smooth, "--fmap_base=128", "--fmap_max=16", "--metrics=none"]
    words.append("--total_kimg=0.096")  # the fade has begun
    results = [tmp_path / name for name in ("alone", "pair")]
    alone = Process(*words, f"--result_dir={results[0]}")
    chief, worker = pair(*words, f"--result_dir={results[1]}")
    assert [alone.end(), chief.end(), worker.end()] == [0, 0, 0], alone.err + chief.err + worker.err
    one, two = (next(folder.iterdir()) for folder in results)
    assert close(state(two, "000000.096"), state(one, "000000.096"), 1e-5, least=1e-3)  # which is a step of Adam
    for ours, theirs in zip(rows(two), rows(one), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-5)


def gone(folder: Path) -> str:
    """How the line of a process ends that has lost another one of the run in this folder."""
    return (
        f" is gone: its connection broke off; go on with: python train.py --resume={folder} on every worker; also on "
        "fewer, or with --strategy=mirrored on one machine alone\n"
    )


@pytest.fixture(scope="module")
def killed(words, tmp_path_factory) -> Path:
    """A run whose second worker was killed after two ticks."""
    results = tmp_path_factory.mktemp("killed")
    chief, worker = pair(*words, f"--result_dir={results}")
    chief.wait_for("tick 2 ")
    worker.process.kill()
    assert (chief.end(), worker.end()) == (1, -signal.SIGKILL)
    (folder,) = results.iterdir()
    assert chief.err.startswith("error: worker 1 (127.0.0.1:")
    assert chief.err.endswith(gone(folder))
    assert chief.err.count("\n") == 1
    assert (folder / "report.md").exists()  # the chief ends by itself, and is not ended
    return folder


def test_a_stop_of_any_worker_stops_all_and_one_goes_on(killed, straight, tmp_path):
    """Killed, gone on with, stopped by its second worker, finished by one process: as if nothing had been."""
    elsewhere = tmp_path / killed.name  # on another machine, which has no more of the run than this
    elsewhere.mkdir()
    shutil.copy(killed / "config.json", elsewhere)
    where = addresses()
    chief, worker = (Process(f"--resume={path}", workers=where, task=i) for i, path in enumerate((killed, elsewhere)))
    chief.wait_for("tick 4 ")
    worker.process.send_signal(signal.SIGTERM)
    assert [chief.end(), worker.end()] == [0, 0], chief.err + worker.err
    assert "stopped by SIGTERM after" in chief.out
    assert (chief.err, worker.err) == ("", "")
    assert [path.name for path in elsewhere.iterdir()] == ["config.json"]
    assert close(state(killed, "000000.128"), state(straight, "000000.128"), 0.0)  # to the last bit
    last = Process(f"--resume={killed}", workers=addresses(1))
    assert last.end() == 0, last.err
    assert close(state(killed), state(straight), 1e-9)


def test_a_worker_whose_chief_is_killed_ends_and_says_how_to_go_on(dataset, tmp_path):
    chief, worker = pair(f"--dataset={dataset}", f"--result_dir={tmp_path}", *FLAGS)
    chief.wait_for("tick 1 ")
    chief.process.kill()
    assert (chief.end(), worker.end()) == (-signal.SIGKILL, 1)
    assert worker.err.startswith("error: the chief (127.0.0.1:")
    assert worker.err.endswith(gone(next(tmp_path.iterdir())))
    assert worker.err.count("\n") == 1


def test_a_worker_with_other_options_is_refused_and_the_chief_waits_on(dataset, tmp_path):
    where, words = addresses(), [f"--dataset={dataset}", f"--result_dir={tmp_path}", *FLAGS]
    chief = Process(*words, workers=where)
    worker = Process(*words, "--g_lrate_base=0.002", workers=where, task=1)
    assert worker.end() == 2
    fault = "--g_lrate_base is 0.002, the chief's 0.001"
    assert worker.err == f"error: refused by the chief ({where[0]}): {fault}\n"
    chief.wait_for(f"refused worker 1: {fault}")
    chief.process.send_signal(signal.SIGTERM)
    assert chief.end() == 130
    assert [*tmp_path.iterdir()] == []


def test_a_dry_run_waits_for_nobody(dataset, tmp_path):
    process = Process(f"--dataset={dataset}", f"--result_dir={tmp_path}", *FLAGS, "--dry_run", workers=addresses(4))
    assert process.end() == 0, process.err
    assert "16x16 fade-in" in process.out
    assert [*tmp_path.iterdir()] == []
