"""Runs, checkpoints and .keras files of version 0.1.0 go on as that version would have gone on with them.

tests/golden/README.md says how they were made; `run_0.1.0.npz` has what that version's own code computes from them.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
import reference
import tensorflow as tf

from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.pipeline import Reals, shuffled_indices
from pgan_tf.latents import LATENTS, Purpose, stream
from pgan_tf.networks.checkpoints import load_generator
from pgan_tf.networks.saved import load_network
from pgan_tf.training import checkpoint, initial, rundir
from pgan_tf.training.state import StageState

PATIENCE = 600  # seconds for a process to end, also on a machine that is busy with other work
OLD = reference.SMALL / "run_0.1.0"
RUNS = {"labels": "00000-labels-s1000", "float32": "00001-float32-s1000", "variants": "00002-variants-s7"}
SEEDS, STEPS = (0, 1000, 2**59 - 1), (0, 7, 10**9)
SAME = dict(rtol=1e-9, atol=1e-9)  # float64 on any machine; on the one that made the numbers they are equal
CLOSE = dict(rtol=1e-5, atol=1e-5)  # images in float32
# What another order of sums may make of a run until its end: ten times the most that came of weights changed in their
# last bits, five times in float64 and in float32 (weights 5e-8, 2e-4; numbers 3e-8, 9e-6; norms of gradients 2e-6, 3%).
FLOAT64 = dict(weights=5e-7, numbers=3e-7, gradients=2e-5)
FLOAT32 = dict(weights=2e-3, numbers=1e-4, gradients=0.3)
KINDS = ("generator", "discriminator", "ema")


@pytest.fixture(scope="module")
def numbers():
    return reference.small("run_0.1.0.npz")


def tolerances(run: str) -> dict[str, float]:
    return FLOAT32 if run == "float32" else FLOAT64


def checkpoint_of(folder: Path) -> Path:
    (path,) = (folder / "checkpoints").iterdir()  # one is kept
    return path


def tensors(path: Path) -> dict[str, np.ndarray]:
    """What TensorFlow reads from a checkpoint: {'generator/8x8_Conv1/weight': array, ...}."""
    reader, suffix = tf.train.load_checkpoint(str(path / "state")), "/.ATTRIBUTES/VARIABLE_VALUE"
    keys = [key for key in reader.get_variable_to_shape_map() if key.endswith(suffix)]
    return {key.removesuffix(suffix).replace(".S", "/"): reader.get_tensor(key) for key in keys}


def contents(arrays) -> Counter:
    """How often each content is there, whatever it is called."""
    return Counter((str(array.dtype), array.shape, array.tobytes()) for array in map(np.asarray, arrays))


# ---- random numbers and data -----------------------------------------------------------------------------------------

OLD_PURPOSES = range(14)


def test_streams_keep_their_numbers(numbers):
    def integers(seed):
        return tf.random.stateless_uniform([4], seed, None, None, tf.int32).numpy()

    found = [[[integers(stream(s, Purpose(p), k)) for k in STEPS] for p in OLD_PURPOSES] for s in SEEDS]
    np.testing.assert_array_equal(found, numbers["streams/integers"])
    normal = [
        [LATENTS["gaussian"]([4], stream(1000, Purpose(p), k), tf.float64).numpy() for k in STEPS] for p in OLD_PURPOSES
    ]
    np.testing.assert_allclose(normal, numbers["streams/normal"][0], **SAME)


def test_the_order_of_the_images_and_labels_is_kept(numbers):
    found = [shuffled_indices(position, 25, 10, 1000) for position in (0, 392, 10**9 + 7)]
    np.testing.assert_array_equal(found, numbers["order/indices"])
    reals = Reals(RecordDataset(OLD / "data"), 1000, 3)
    blocks = [reals.read_rounds(position, 16, 4, 10, 2, slice(8, 10)) for position in (0, 392)]
    sums = [block.reals.astype(np.int64).sum((2, 3, 4)) for block in blocks]
    np.testing.assert_array_equal(sums, numbers["order/reals"])
    np.testing.assert_array_equal([block.labels for block in blocks], numbers["order/labels"])
    np.testing.assert_array_equal([block.g_labels for block in blocks], numbers["order/g_labels"])


# ---- what is in the files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNS)
def test_networks_of_a_checkpoint_are_restored_by_name(run):
    stored = tensors(checkpoint_of(OLD / RUNS[run]))
    trained = initial.load(OLD / RUNS[run])
    for kind in KINDS:
        named = {f"{kind}/{name}": v.numpy() for name, v in getattr(trained, kind).parameters_by_name().items()}
        assert named.keys() == {name for name in stored if name.startswith(f"{kind}/")}
        for name, value in named.items():
            np.testing.assert_array_equal(value, stored[name], err_msg=name)


@pytest.mark.parametrize("run", RUNS)
def test_a_checkpoint_that_is_restored_and_saved_loses_nothing(run, tmp_path):
    """Optimizers, loss scales and the running score too, whatever they are called today."""
    path = checkpoint_of(OLD / RUNS[run])
    stage, counters = checkpoint.read_counters(path)
    state = StageState(stage, rundir.load_config(OLD / RUNS[run]), *checkpoint.read_sizes(path))
    checkpoint.restore(path, state)
    again = checkpoint.save(tmp_path, state, counters, 1, checkpoint.read_fade(path))
    before, after = contents(tensors(path).values()), contents(tensors(again).values())
    assert not before - after
    assert checkpoint.read_counters(again) == (stage, counters)
    assert checkpoint.read_fade(again) == checkpoint.read_fade(path)


def images(network, run: str) -> np.ndarray:
    """What it makes of fixed latents and labels, with the fade that it was saved with."""
    latents, labels = np.random.RandomState(0).standard_normal([2, 3]), np.eye(3)[[0, 2]]
    inputs = (latents,) if run == "variants" else (latents, labels)
    inputs = [tf.constant(x, network.variable_dtype) for x in inputs]
    return network(inputs if len(inputs) > 1 else inputs[0]).numpy()


@pytest.mark.parametrize("run", RUNS)
def test_the_generator_of_a_checkpoint_makes_the_same_images(run, numbers):
    network = load_generator(checkpoint_of(OLD / RUNS[run]))
    np.testing.assert_allclose(images(network, run), numbers[f"{run}/images/checkpoint"], **CLOSE)


def test_a_generator_of_a_file_makes_the_same_images(numbers):
    (path,) = (OLD / RUNS["labels"]).glob("*.keras")
    network = load_network(path)
    np.testing.assert_allclose(images(network, "labels"), numbers[f"labels/images/{path.stem}"], **CLOSE)
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        stored = []
        file.visititems(lambda _, item: stored.append(item[()]) if isinstance(item, h5py.Dataset) else None)
    assert contents(stored) == contents(variable.numpy() for variable in network.variables)


# ---- what they become ------------------------------------------------------------------------------------------------


def program(name: str, folder: Path, *arguments) -> str:
    """What a program prints that runs in `folder`."""
    command = [sys.executable, reference.TESTS.parent / f"{name}.py", *map(str, arguments)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=RUNS)
def gone_on(request, tmp_path_factory):
    """(which run, the folder of a copy that has gone on to its end)."""
    base = tmp_path_factory.mktemp(request.param)
    shutil.copytree(OLD, base / "old")
    folder = base / "old" / RUNS[request.param]
    assert "going on from" in program("train", base, f"--resume={folder}")
    return request.param, folder


def test_it_ends_with_the_weights_of_0_1_0(gone_on, numbers):
    """Stopped within a block, a tick and a fade."""
    run, folder = gone_on
    trained, limit = initial.load(folder), tolerances(run)["weights"]
    for kind in KINDS:
        expected = numbers.get(f"{run}/{kind}")
        if expected is not None:
            named = sorted(getattr(trained, kind).parameters_by_name().items())
            found = np.concatenate([variable.numpy().ravel() for _, variable in named])
            np.testing.assert_allclose(found, expected, rtol=0, atol=limit, err_msg=kind)


def test_its_records_go_on(gone_on, numbers):
    run, folder = gone_on
    before = OLD / RUNS[run] / "metrics.jsonl"
    before, after = before.read_bytes() if before.exists() else b"", (folder / "metrics.jsonl").read_bytes()
    assert after.startswith(before)
    rows = [json.loads(line) for line in after[len(before) :].splitlines()]
    expected = json.loads(bytes(numbers["ticks"]))[run]
    assert len(rows) == len(expected)
    # With several steps of D to a round that version reported the last one.
    mean = ("loss/D", "scores/", "penalty/", "gradient_norm/D", "label_loss/") if run == "variants" else ()
    limits = tolerances(run)
    for row, old in zip(rows, expected, strict=True):
        kept = {name: value for name, value in old.items() if not name.startswith(mean)} if mean else old
        for name, value in kept.items():
            limit = limits["gradients" if name.startswith("gradient_norm/") else "numbers"]
            assert row[name] == pytest.approx(value, rel=limit), name


@pytest.mark.parametrize("gone_on", ["labels"], indirect=True)
def test_its_generators_are_shown_and_evaluated(gone_on):
    folder = gone_on[1]
    for network in ("network-000000.200.keras", "network-000000.520.keras"):  # of that version, and of today
        program("generate", folder, "grid", network, f"{network}.png", "--grid_size=2x2")
        assert (folder / f"{network}.png").exists()
    program("evaluate", folder.parent, f"--run={folder}", "--metrics=swd", "--images=8")
    row = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert (row["images"], row["metric"]) == (520, "swd")
