"""Runs whose data set and folder are on stores: their numbers, also after a stop and a kill, are those of the disk."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import pgan_tf
from pgan_tf.data import DatasetWriter
from pgan_tf.mirror import Mirror
from pgan_tf.networks import checkpoints
from pgan_tf.places import is_stored
from pgan_tf.programs import start
from tests.stores import ScriptedStore, new_root, tree

CLOCK = ("timing/", "memory/", "train_seconds")  # of this machine, not of the run


def write_set(folder):
    rng = np.random.default_rng(0)
    with DatasetWriter(folder, resolution=8, channels=3, shards=2, total=24) as writer:
        for image in rng.integers(0, 256, (24, 8, 8, 3), np.uint8):
            writer.add(image)
        writer.add_labels(np.eye(3, dtype=np.float32)[rng.integers(3, size=24)])
    return str(folder)


def config_of(root) -> pgan_tf.Config:
    """Three ticks of 40 images, at 8x8 from the start; a checkpoint at each."""
    return pgan_tf.read_config(
        dataset=write_set(root / "tiny"), result_dir=str(root / "results"), max_label_size=-1,
        lod_initial_resolution=8, fmap_base=32, fmap_max=8, latent_size=8, minibatch_base=8, minibatch_repeats=1,
        total_kimg=0.12, tick_kimg_base=0.04, tick_kimg_dict={}, grid_size="4x2", image_snapshot_ticks=1,
        network_snapshot_ticks=2, checkpoint_ticks=1, precision="float32", resampling="strided",
    )  # fmt: skip


def weights(run) -> dict[str, np.ndarray]:
    """All that the newest checkpoint of a run holds."""
    path = checkpoints.paths(run / "checkpoints")[-1]
    assert checkpoints.find_fault(path) is None
    reader = tf.train.load_checkpoint(f"{path}/state")
    names = sorted(set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"})
    return {name: reader.get_tensor(name) for name in names}


def ticks(run: pgan_tf.Run) -> list[dict]:
    return [{name: value for name, value in row.items() if not name.startswith(CLOCK)} for row in run.ticks]


def check_same(run: pgan_tf.Run, other: pgan_tf.Run, copy) -> None:
    """The rows of the ticks, the weights and all else that is trained, and the names of the files."""
    assert is_stored(run.folder)
    Mirror(copy, run.folder).pull(list)
    ours, theirs = weights(copy), weights(other.folder)
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-6, err_msg=name)
    assert [row["kimg"] for row in ticks(run)] == [row["kimg"] for row in ticks(other)]
    for a, b in zip(ticks(run), ticks(other), strict=True):
        assert {**a, "lod": 0} == pytest.approx({**b, "lod": 0}, rel=1e-3, abs=1e-5)
    names = [{name for name in tree(folder) if "tfevents" not in name} for folder in (run.folder, other.folder)]
    assert names[0] == names[1]


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run on the disk that nothing stopped."""
    return pgan_tf.train(config_of(tmp_path_factory.mktemp("disk")))


def test_a_run_has_the_same_numbers_and_files(straight, tmp_path, capfd):
    told, root = [], new_root("ram")
    run = pgan_tf.train(config_of(root), on_tick=lambda run, tick: told.append((str(run.folder), run.kimg)))
    assert str(run.folder) == f"{root}/results/00000-tiny-s1000"
    assert told == [(str(run.folder), kimg) for kimg in (0.04, 0.08, 0.12)]
    check_same(run, straight, tmp_path)
    again = pgan_tf.Run.open(str(run.folder))
    assert repr(again) == f"Run({str(run.folder)!r}, 0.12 of 0.12 kimg)"
    np.testing.assert_array_equal(again.generator.sample(2), run.generator.sample(2))
    assert again.generator.path == run.folder
    texts = [
        capfd.readouterr().out,
        *((run.folder / name).read_text() for name in ("log.txt", "report.md", "config.json")),
    ]
    assert all("pgan_tf-" not in text for text in texts)
    assert f"--resume={run.folder}" not in texts[2]
    assert f"run folder {run.folder}; watch it with: tensorboard --logdir {root}/results" in texts[1]


def test_a_run_that_was_killed_and_stopped_goes_on_to_the_same_numbers(straight, tmp_path, monkeypatch):
    """From its second tick on nothing reaches the store any more; what goes on from there is stopped at its first."""
    root, push = new_root("memory"), Mirror.push

    def kill(run, tick):
        if tick["kimg"] > 0.06:
            monkeypatch.setattr(Mirror, "push", lambda self: None)

    def stop(run, tick):
        raise KeyError("stop")

    pgan_tf.train(config_of(root), on_tick=kill)
    monkeypatch.setattr(Mirror, "push", push)
    run = pgan_tf.Run.open(root / "results" / "00000-tiny-s1000")
    killed = run.kimg
    assert killed < 0.12
    with pytest.raises(KeyError):
        run.resume(on_tick=stop)
    assert killed <= run.kimg < 0.12
    check_same(run.resume(), straight, tmp_path)


def test_numbers_of_runs_go_on_and_networks_are_taken_over(straight, tmp_path):
    """On a store that has a run: the next number, begun with the networks of the first."""
    root = new_root("memory")
    Mirror(straight.folder, root / "results" / "00007-tiny-s1000").push()
    first = root / "results" / "00007-tiny-s1000"
    config = config_of(root).replace(total_kimg=0.04, init_from=str(first))
    run = pgan_tf.train(config)
    assert run.folder.name == "00008-tiny-s1000"
    assert f"starts from {first}/checkpoints/" in (run.folder / "log.txt").read_text()


def test_a_store_that_takes_nothing_is_said_before_the_training(straight, monkeypatch, one_line_of):
    def refuse(call, path):
        if "results" in path:
            raise OSError("no rights")

    root = new_root("scripted")
    config = config_of(root)
    monkeypatch.setattr(ScriptedStore, "script", staticmethod(refuse))
    said = one_line_of(lambda: pgan_tf.train(config))
    assert said.startswith(f"{root}/results/00000-tiny-s1000/")
    assert "the store does not do it: no rights" in said


@pytest.fixture
def one_line_of():
    def call(act) -> str:
        with pytest.raises(pgan_tf.UserError) as info:
            act()
        assert len(str(info.value).splitlines()) == 1
        return str(info.value)

    return call


REFUSED = {
    "no such store": ({"result_dir": "ftp://a/b"}, "ftp://a/b: ftp:// is no store"),
    "no such set": ({"dataset": "ram://nowhere/x"}, "ram://nowhere/x: there is no such data set"),
    "no such networks": ({"init_from": "ram://nowhere/x"}, "--init_from=ram://nowhere/x: give an imported network"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_one_line(case, straight, one_line_of):
    options, said = REFUSED[case]
    assert said in one_line_of(lambda: pgan_tf.train(straight.config.replace(**options)))


def test_programs_work_on_it(straight, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    run = new_root("ram")
    Mirror(straight.folder, run).push()
    before = tree(run)
    network = sorted(name for name in before if name.endswith(".keras"))[-1]
    words = ["--metrics=pr", "--images=20", "--extractor=efficientnet-lite0"]
    for program, *rest in (
        ["generate", "grid", str(run), "a.png"], ["generate", "grid", f"{run}/{network}", "b.png"],
        ["generate", "neighbors", str(run), "c.png", "--extractor=none"], ["network_tool", "info", str(run)],
        ["network_tool", "export", str(run), "d.npz", "--format=weights"], ["evaluate", f"--run={run}", *words],
    ):  # fmt: skip
        assert start.run(program, rest) == 0, capfd.readouterr().err
    assert "pgan_tf-" not in capfd.readouterr().out
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    after = tree(run)
    changed = {name for name in after if after[name] != before.get(name)}
    assert {name for name in changed if "tfevents" not in name} == {"metrics.jsonl"}
    assert after["metrics.jsonl"].startswith(before["metrics.jsonl"])
    assert before.keys() <= after.keys()


GONE = {
    "generate": ["grid", "ram://nowhere/x"],
    "network_tool": ["info", "ram://nowhere/x"],
    "evaluate": ["--run=ram://nowhere/x"],
    "train": ["--resume=ram://nowhere/x"],
}


@pytest.mark.parametrize("program", GONE)
def test_programs_say_what_is_not_there(program, capfd):
    assert start.run(program, GONE[program]) == 2
    err = capfd.readouterr().err
    assert "ram://nowhere/x: no " in err
    assert err.count("\n") == 1
