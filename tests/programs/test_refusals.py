"""Wrong command lines: each ends at once, in one line that names what is wrong, with status 2.

A row: the words, and how the line begins. {p} is an empty folder, {d} a small data set, {n} an imported network's file.
"""

import keras
import numpy as np
import pytest

from pgan_tf.data import DatasetWriter
from pgan_tf.networks import Generator
from pgan_tf.programs import start, train


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("places")
    with DatasetWriter(folder / "set", resolution=8, channels=3) as writer:
        for image in np.random.default_rng(0).integers(0, 256, (16, 8, 8, 3), np.uint8):
            writer.add(image)
        writer.add_labels(np.eye(2, dtype=np.float32)[np.arange(16) % 2])
    keras.utils.set_random_seed(0)
    Generator(resolution=8, fmap_base=16, fmap_max=4, latent_size=4, label_size=2).save(folder / "g.keras")
    (folder / "file").write_text("no folder")
    (folder / "binary.flags").write_bytes(bytes(range(256)))
    (folder / "mark.flags").write_bytes("\ufeff--seed=-1\r\n".encode("utf-16"))
    (folder / "self.flags").write_text("--flagfile=self.flags\n")
    return {"d": str(folder / "set"), "n": str(folder / "g.keras"), "f": str(folder / "file"), "p": str(folder)}


def line_of(program, words, places, tmp_path, monkeypatch, capsys) -> str:
    """The one line that a program ends with; nothing is written."""
    monkeypatch.chdir(tmp_path)
    words = [word.format(**places) if "{" in word and "{0.." not in word else word for word in words]
    try:
        status = start.run(program, words)
    finally:
        train.FLAGS.unparse_flags()
    error = capsys.readouterr().err
    assert (status, error.count("\n")) == (2, 1), error
    assert len(error) < 1200
    assert not list(tmp_path.iterdir())
    return error.removeprefix("error: ")


GENERATE = [
    ([], "the following arguments are required: COMMAND; see"),
    (["paint"], "argument COMMAND: invalid choice: 'paint'"),
    (["grid"], "the following arguments are required: NETWORK"),
    (["grid", ""], "argument NETWORK: is empty; give"),
    (["grid", "{n}", ""], "argument OUT: is empty; give"),
    (["grid", "{n}", "g.png", "--latents="], "argument --latents: is empty"),
    (["grid", "{n}", "g.png", "--grid_size=²x3"], "argument --grid_size: ²x3: write columns x rows"),
    (
        ["grid", "{n}", "g.png", "--grid_size=1000000x1000000"],
        "argument --grid_size: 1000000x1000000: has 1000",
    ),
    (["grid", "{n}", "g.png", "--grid_size=" + "9" * 5000], "argument --grid_size: 9999"),
    (["grid", "{n}", "g.png", "--seed=-1"], "argument --seed: -1: must be 0 or more"),
    (["grid", "{n}", "g.png", "--seed=9223372036854775808"], "argument --seed: 9223372036854775808: must be at most"),
    (
        ["grid", "{n}", "g.png", "--truncation=nan"],
        "argument --truncation: nan: must be a number, 0",
    ),
    (["grid", "{n}", "g.png", "--labels=" + "9" * 5000], "--labels=999"),
    (["grid", "{n}", "g.png", "--labels=²"], "--labels=²: give classes from 0 to 1"),
    (["grid", "{n}", "{f}/g.png"], "{f}/g.png: cannot be written ({f} is a file)"),
    (["grid", "{n}", "/proc/nope/g.png"], "/proc/nope/g.png: cannot be written (/proc: "),
    (["images", "{n}", "{f}/out"], "{f}/out: cannot be written ({f} is a file)"),
    (["images", "{n}", "out", "--num=99999999999"], "argument --num: 99999999999: must be at most 1000000"),
    (["axis", "{n}", "a.png", "--dims=1-" + "9" * 5000], "--dims=1-999"),
    (["axis", "{n}", "a.png", "--steps=0"], "argument --steps: 0: must be 1 or more"),
    (["interpolate", "{n}", "v.mp4", "--seeds=1," + "9" * 5000], "argument --seeds: 999"),
    (["interpolate", "{n}", "v.mp4", "--duration=1e300"], "argument --duration: 1e300: must be a number, above 0, at"),
    (["interpolate", "{n}", "v.mp4", "--duration=1e6", "--fps=1e6"], "--duration=1e+06 --fps=1e+06: 1000000000000 fr"),
    (["project", "{n}", ""], "argument IMAGE: is empty"),
]

DATASET_TOOL = [
    ([], "the following arguments are required: COMMAND; see"),
    (["verify", ""], "argument DATASET: is empty"),
    (["create_from_images", "", "{d}"], "argument OUT: is empty"),
    (["create_from_images", "out", ""], "argument PATH: is empty"),
    (
        ["create_from_images", "out", "{d}", "--beam_options='unclosed"],
        "--beam_options='unclosed: no closing",
    ),
    (
        ["create_from_images", "out", "{d}", "--shards=99999999999"],
        "argument --shards: 99999999999: must be",
    ),
    (["create_from_images", "out", "{d}", "--workers=²"], "argument --workers: ²: must be 1 or more"),
    (["create_mnistrgb", "out", "--num_images=99999999999"], "argument --num_images: 99999999999: must be at most 100"),
    (["create_from_images", "out", "x-{0..999999}{0..999999}.tar"], "x-{0..999999}{0..999999}.tar: "),
    (["display", "{d}", "--resolution=" + "9" * 5000], "argument --resolution: 999"),
    (["display", "{d}", "--num=0"], "argument --num: 0: must be 1 or more"),
    (["display", "{d}", "--output="], "argument --output: is empty"),
    (["extract", "{d}", ""], "argument OUT: is empty"),
    (["convert", "{d}", "out", "--to=gold"], "argument --to: invalid choice: 'gold'"),
]

EVALUATE = [
    ([], "give either --run=RUN, or --reals=SET --fakes=SET"),
    (["--run="], "argument --run: is empty"),
    (["--reals={d}", "--fakes={d}", "--metrics="], "--metrics=: names none"),
    (["--reals={d}", "--fakes={d}", "--metrics=,"], "--metrics=,: names none"),
    (["--reals={d}", "--fakes={d}", "--metrics=swd,swd"], "--metrics=swd,swd: names one of them twice"),
    (["--reals={d}", "--fakes={d}", "--metrics=beauty"], "unknown metric 'beauty'"),
    (["--reals={d}", "--fakes={d}", "--images=1"], "argument --images: 1: must be 2 or more"),
    (["--reals={d}", "--fakes={d}", "--seed=4294967296"], "argument --seed: 4294967296: must be at most 4294967295"),
    (
        ["--reals={d}", "--fakes={d}", "--metrics=swd", "--output={p}"],
        "--output={p}: cannot be written (it is",
    ),
    (["--reals={d}", "--fakes={d}", "--metrics=swd", "--output={f}/x"], "--output={f}/x: cannot be written ({f} is a"),
]

NETWORK_TOOL = [
    ([], "the following arguments are required: COMMAND; see"),
    (["info", ""], "argument NETWORK: is empty"),
    (["export", "{n}", "", "--format=weights"], "argument OUT: is empty"),
    (["export", "{n}", "a.npz", "--format=gold"], "argument --format: invalid choice: 'gold'"),
    (["import", "nvidia", "a.pkl", "out", "--lod=inf"], "argument --lod: inf: must be a number, 0 or more, at most 16"),
    (["import", "nvidia", "", "out"], "argument FILE: is empty"),
]

EXPERIMENT = [
    ([], "the following arguments are required: COMMAND; see"),
    (["run", ""], "argument SUITE: is empty"),
    (["run", "{p}/file", "--jobs=0"], "argument --jobs: 0: must be 1 or more"),
    (["run", "{p}"], "there is no suite file"),
]


@pytest.mark.parametrize(("words", "line"), GENERATE, ids=lambda value: str(value)[:60])
def test_generate(words, line, places, tmp_path, monkeypatch, capsys):
    assert line_of("generate", words, places, tmp_path, monkeypatch, capsys).startswith(line.format(**places))


@pytest.mark.parametrize(("words", "line"), DATASET_TOOL, ids=lambda value: str(value)[:60])
def test_dataset_tool(words, line, places, tmp_path, monkeypatch, capsys):
    assert line_of("dataset_tool", words, places, tmp_path, monkeypatch, capsys).startswith(line)


@pytest.mark.parametrize(("words", "line"), EVALUATE, ids=lambda value: str(value)[:60])
def test_evaluate(words, line, places, tmp_path, monkeypatch, capsys):
    assert line_of("evaluate", words, places, tmp_path, monkeypatch, capsys).startswith(line.format(**places))


@pytest.mark.parametrize(("words", "line"), NETWORK_TOOL, ids=lambda value: str(value)[:60])
def test_network_tool(words, line, places, tmp_path, monkeypatch, capsys):
    assert line_of("network_tool", words, places, tmp_path, monkeypatch, capsys).startswith(line)


@pytest.mark.parametrize(("words", "line"), EXPERIMENT, ids=lambda value: str(value)[:60])
def test_experiment(words, line, places, tmp_path, monkeypatch, capsys):
    assert line_of("experiment", words, places, tmp_path, monkeypatch, capsys).startswith(line)
