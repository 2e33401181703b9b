"""Every program at paths that mean something to somebody: patterns, markup, no text, the user's own folder."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pgan_tf
from pgan_tf.data import DatasetWriter
from pgan_tf.programs import start, train

ODD = {
    "patterns and markup": "[v2] [b]b[/b] [/] what*is?{this} back\\slash",
    "line break and quotes": "two\nlines 100%d %s $HOME 'quoted\" :smile:",
    "letters": "-dash Zürich ☃ " + "x" * 150,
    "no text": os.fsdecode(b"caf\xe9 [v2]"),
}
TINY = [
    *("--fmap_base=16", "--fmap_max=4", "--latent_size=4", "--minibatch_base=4", "--minibatch_repeats=1"),
    *("--total_kimg=0.004", "--grid_size=1x1", "--max_label_size=-1", "--precision=float32", "--seed=5"),
]


@pytest.fixture
def call(capsys):
    """Runs a program; what it prints on stdout and stderr. Its status must be 0."""

    def run(program: str, *words) -> str:
        try:
            status = start.run(program, [str(word) for word in words])
        finally:
            train.FLAGS.unparse_flags()
        out, err = capsys.readouterr()
        assert status == 0, err
        return out + err

    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A data set of 4x4 and a run of one step."""
    folder = tmp_path_factory.mktemp("plain")
    with DatasetWriter(folder / "set", resolution=4, channels=3) as writer:
        for image in np.random.default_rng(0).integers(0, 256, (12, 4, 4, 3), np.uint8):
            writer.add(image)
        writer.add_labels(np.eye(2, dtype=np.float32)[np.arange(12) % 2])
    words = [f"--dataset={folder / 'set'}", f"--result_dir={folder / 'results'}", *TINY]
    try:
        assert start.run("train", words) == 0
    finally:
        train.FLAGS.unparse_flags()
    return folder


@pytest.mark.parametrize("name", ODD)
def test_every_program_takes_the_path(name, trained, tmp_path, call):
    odd = tmp_path / ODD[name]
    shutil.copytree(trained, odd)
    (run,) = (odd / "results").iterdir()
    dataset = odd / "set"
    assert "going on from" in call("train", f"--resume={run}", f"--dataset={dataset}", "--total_kimg=0.008")
    assert len(list(run.glob("events.out.tfevents.*"))) == 2
    call("generate", "grid", run, odd / "new" / "grid.png", "--grid_size=2x1")
    call("generate", "images", run, odd / "made", "--num=3")
    assert Image.open(odd / "new" / "grid.png").size == (128, 64)
    assert len(list((odd / "made").glob("*.png"))) == 3
    call("network_tool", "export", run, odd / "g.npz", "--format=weights")
    assert "4x4" in call("network_tool", "info", run)
    call("evaluate", f"--run={run}", f"--dataset={dataset}", "--metrics=ms_ssim", "--images=4")
    call(
        "evaluate", f"--reals={dataset}", f"--fakes={odd / 'made'}", "--metrics=ms_ssim", f"--output={odd / 's.jsonl'}"
    )
    call("dataset_tool", "verify", dataset)
    call("dataset_tool", "create_from_images", odd / "again", odd / "made", "--workers=1")
    call("dataset_tool", "extract", odd / "again", odd / "pictures", "--workers=1")
    assert not [path for path in odd.rglob(".tmp*")]


@pytest.mark.parametrize("name", ["patterns and markup", "no text"])
def test_a_run_begins_there(name, trained, tmp_path, call):
    odd = tmp_path / ODD[name]
    shutil.copytree(trained / "set", odd / "set")
    call("train", f"--dataset={odd / 'set'}", f"--result_dir={odd / 'results'}", *TINY)
    (run,) = (odd / "results").iterdir()
    text = (run / "flags.txt").read_text(encoding="utf-8")
    assert "--fmap_max=4\n" in text
    assert (f"--result_dir={odd / 'results'}\n" in text) == (name != "no text")
    assert ("# --dataset is " in text) == (name == "no text")


def test_a_tilde_is_the_users_folder(trained, tmp_path, call, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained / "set", tmp_path / "set")
    call("train", "--dataset=~/set", "--result_dir=~/results", *TINY)
    (run,) = (tmp_path / "results").iterdir()
    call("generate", "grid", f"~/results/{run.name}", "~/grid.png", "--grid_size=1x1")
    call("dataset_tool", "display", "~/set", "--output=~/shown.png")
    assert "going on from" in call("train", f"--resume=~/results/{run.name}", "--total_kimg=0.008")
    call("generate", "project", f"~/results/{run.name}", "~/grid.png", "~/projected.png", "--steps=1", "--candidates=4")
    assert (tmp_path / "projected.png").is_file()
    assert pgan_tf.open_dataset("~/set").count == 12
    assert (tmp_path / "grid.png").is_file()
    assert (tmp_path / "shown.png").is_file()
    assert not Path("~").exists()
