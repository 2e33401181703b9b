"""How programs end: a reader of stdout that has gone, another backend of Keras, a data set that is not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgan_tf import flagfiles
from pgan_tf.config import ConfigError
from pgan_tf.data.errors import DataError
from pgan_tf.programs import start, train

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "help": ["train.py", "--help"],
    "argparse": ["dataset_tool.py", "create_from_images", "--help"],
    "version": ["evaluate.py", "--version"],
    "list": ["-m", "pgan_tf"],
    "work": ["dataset_tool.py", "verify", "tests/golden/nv_dataset"],
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_reader_that_has_gone_ends_a_program_quietly(words):
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run([sys.executable, *words], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert process.stderr == b""
    assert process.returncode in (0, 1)  # argparse passes over what it cannot print


@pytest.mark.parametrize("backend", ["jax", "torch", "numpy", "nonsense"])
def test_another_backend_is_refused_on_import(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, "-c", "import pgan_tf"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, last.split(";")[0]) == (
        1,
        f"ImportError: KERAS_BACKEND={backend}: pgan_tf works with TensorFlow only",
    )


# What is not there is refused before Keras is loaded: these are there.
NEEDS_KERAS = {
    "train": ["--dataset=tests/golden/nv_dataset"],
    "evaluate": ["--reals=tests/golden/nv_dataset", "--fakes=tests/golden/nv_dataset"],
    "experiment": ["table", "cpu/columbia"],
    "generate": ["grid", "tests/golden"],
    "network_tool": ["info", "tests/golden"],
}


@pytest.mark.parametrize("name", NEEDS_KERAS)
def test_another_backend_is_one_line_in_every_program(name, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.chdir(ROOT)
    try:
        assert start.run(name, NEEDS_KERAS[name]) == 2
    finally:
        train.FLAGS.unparse_flags()
    assert capsys.readouterr().err.splitlines() == [
        "error: KERAS_BACKEND=jax: pgan_tf works with TensorFlow only; unset it, or set KERAS_BACKEND=tensorflow"
    ]


@pytest.mark.parametrize("name", flagfiles.known())
def test_a_missing_data_set_says_how_it_is_made(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [f"--flagfile={name}"]
    dataset = [word for word in flagfiles.first(words) if word.startswith("--dataset=")][-1][10:]
    with pytest.raises(ConfigError, match=f"^{dataset}: .*python dataset_tool.py create_.*{dataset}") as caught:
        train.check_data_set(dataset, words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", ["", "elsewhere"])
def test_a_missing_data_set_of_ones_own(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="create_from_images"):
        train.check_data_set(given, ["--flagfile=quickstart"])
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(DataError, match="holds no"):  # and pictures are no data set yet
        train.check_data_set("elsewhere", ["--flagfile=quickstart"])
    (tmp_path / "elsewhere" / "elsewhere-r02.tfrecords").touch()
    train.check_data_set("elsewhere", ["--flagfile=quickstart"])


@pytest.mark.parametrize(
    "words", ["", "out", "out celeba", "out celeba deltas --from_images=x", "out --from_images=x --from_scratch=y"]
)
def test_celebahq_says_what_to_fetch_and_where_it_goes(words, capsys):
    assert start.run("dataset_tool", ["create_celebahq", *words.split()]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    for word in (
        "img_celeba/",
        "list_landmarks_celeba.txt",
        "image_list.txt",
        "deltas00000.zip",
        "CelebA.html",
        "--from_images",
    ):
        assert word in line
