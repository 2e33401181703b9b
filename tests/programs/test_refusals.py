"""Wrong command lines: each ends at once, in one line that names what is wrong, with status 2.

A row: the words, and how the line begins. {p} is an empty folder, {d} a small data set, {n} an imported network's file.
"""

import importlib
import json

import keras
import numpy as np
import pytest

from pgan_tf.config import Config, ConfigError
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
    (folder / "mark.flags").write_bytes("--seed=-1\r\n".encode("utf-16"))
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
    (["--reals={d}", "--fakes={d}", "--dataset={d}"], "--dataset: goes with --run=RUN"),
    (["--reals={d}", "--fakes={d}", "--snapshots=all"], "--snapshots: goes with --run=RUN"),
    (["--reals={d}", "--fakes={d}", "--metrics=swd", "--weights={p}/gone"], "--weights={p}/gone: no such file"),
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


TOGETHER = ["--dataset={d}", "--strategy=multi_worker"]
TRAIN = [
    (["--dataset="], "--dataset is missing"),
    (["--dataset={d}", "--total_kimg=1e308"], "--total_kimg=1e+308: must be at most 1e+09"),
    (["--dataset={d}", "--minibatch_dict=4:1e400"], "--minibatch_dict: 4:inf: must be a whole number"),
    (["--dataset={d}", "--minibatch_dict=4:" + "-" * 9000 + "1"], "flag --minibatch_dict=4:---"),
    (["--dataset={d}", "--minibatch_dict=4:1.5"], "--minibatch_dict: 4:1.5: must be a whole number"),
    (["--dataset={d}", "--minibatch_dict=4:128,4:64"], "flag --minibatch_dict=4:128,4:64: '4:128,4:64' gives 4 two"),
    (["--dataset={d}", "--fmap_decay=1e9"], "--fmap_decay=1000000000.0: must be at most 16"),
    (["--dataset={d}", "--fmap_max=1000000000"], "--fmap_max=1000000000: must be at most 65536"),
    (["--dataset={d}", "--latent_size=1000000000"], "--latent_size=1000000000: must be at most"),
    (["--dataset={d}", "--residual_blocks=100000"], "--residual_blocks=100000: must be at most 32"),
    (["--dataset={d}", "--unroll_steps=1000"], "--unroll_steps=1000: must be at most 32"),
    (["--dataset={d}", "--D_repeats=1000000000"], "--D_repeats=1000000000: must be at most 1000"),
    (["--dataset={d}", "--minibatch_base=1000000000"], "--minibatch_base=1000000000: must be at most 1048576"),
    (
        ["--dataset={d}", "--seed=9223372036854775808"],
        "--seed=9223372036854775808: must be at most 9223",
    ),
    (["--dataset={d}", "--seed=" + "9" * 5000], "flag --seed=999"),
    (["--dataset={d}", "--grid_size=²x2"], "--grid_size=²x2: write columns x rows"),
    (["--dataset={d}", "--grid_size=99999x1"], "--grid_size=99999x1: has 99999 cells; at most"),
    (["--dataset={d}", "--nodry_run=1"], "--nodry_run=1 does not take an argument"),
    (["--dataset={d}", "--metrics=,"], "--metrics=,: names none"),
    (["--dataset={d}", "--metrics="], "--metrics is empty: name some, as in swd,fid, or none"),
    (["--dataset={d}", "--best_metric=fid"], "--best_metric=fid: is not among --metrics="),
    (["--dataset={d}", "--extractor=foo"], "--extractor=foo: the known ones are"),
    (["--dataset={d}", "--G_smoothing=1.5"], "--G_smoothing=1.5: must be at most 1"),
    (["--dataset={d}", "--tick_kimg_base=0"], "--tick_kimg_base=0.0: must be above 0"),
    (["--dataset={d}", "--max_label_size=99"], "--max_label_size=99: {d} has 2 label components; -1 takes all"),
    (["--dataset={d}", "--mbstd_group_size=64"], "--mbstd_group_size=64: above the minibatch, which has 16"),
    (["--dataset={d}", "--result_dir={f}"], "--result_dir={f}: no run can be written there ({f} is a file)"),
    (["--dataset={d}", "--result_dir=/proc/nope"], "--result_dir=/proc/nope: no run can be written there (/proc: "),
    (["--dataset={d}", "--result_dir="], "--result_dir=: must not be empty"),
    (["--dataset={d}", "--desc=" + "x" * 300], "--desc=xxx"),
    (["--dataset={d}", "--desc=a\nb"], "--desc='a\\nb': must be one line of text"),
    (["--flagfile={p}/binary.flags"], "{p}/binary.flags: is not"),
    (["--flagfile={p}/mark.flags", "--dataset={d}"], "--seed=-1: must be at least 0"),
    (["--flagfile={p}"], "there is no flagfile '{p}'"),
    (["--resume={p}"], "--resume={p}: no config.json there"),
    (["--dataset={d}", "--workers=a:1"], "--workers=a:1: --strategy=mirrored trains in one process; add --strategy="),
    (["--dataset={d}", "--task=0"], "--task=0: --strategy=mirrored trains in one process; add --strategy=multi_worker"),
    (["--dataset={d}", "--strategy=multi_worker"], "--strategy=multi_worker: of which workers? give all of them "),
    ([*TOGETHER, "--workers=a:1,b:1", "--task=7"], "--task=7: --workers names 2, so it is 0 to 1"),
    ([*TOGETHER, "--workers=a:1,b:1", "--preset=small"], "--preset=small: is chosen by the speed of one machine"),
    ([*TOGETHER, "--workers=a:1,b:1", "--task=0", "--wait_minutes=0"], "--wait_minutes=0: must be a number of minutes"),
    (["--dataset={d}", "word"], "word: options begin with --"),
]


@pytest.mark.parametrize(("words", "line"), TRAIN, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("dry_run", [True, False])
def test_train_and_its_dry_run(words, line, dry_run, places, tmp_path, monkeypatch, capsys):
    """Whatever the run would refuse, the dry run refuses, in the same words."""
    words = [*words, "--dry_run"] if dry_run else words
    assert line_of("train", words, places, tmp_path, monkeypatch, capsys).startswith(line.format(**places))


CHANGES = {
    "a number for a name": ("data", "dataset", 7, "--dataset=7: must be text"),
    "null": ("run", "seed", None, "--seed=None: must be a whole number"),
    "a float for an int": ("model", "fmap_max", 8.0, "--fmap_max=8.0: must be a whole number"),
    "a flag for an int": ("model", "fmap_max", True, "--fmap_max=True: must be a whole number"),
    "an int for a flag": ("data", "mirror_augment", 1, "--mirror_augment=1: must be true or false"),
    "a list for a dictionary": ("growth", "minibatch_dict", [[4, 8]], "--minibatch_dict=[[4, 8]]: must be resolution"),
    "a list in a dictionary": ("growth", "minibatch_dict", {"4": [8]}, "--minibatch_dict: 4:[8]: must be a whole"),
    "a word for a key": ("growth", "minibatch_dict", {"four": 8}, "--minibatch_dict: four:8 is not resolution:value"),
    "a wrong place": ("run", "fmap_max", 8, "the option fmap_max is in 'run', but belongs into 'model'"),
    "an unknown option": ("run", "speed", 8, "unknown option 'speed'"),
}


def damaged(tmp_path, text: str) -> str:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ConfigError) as caught:
        Config.read(tmp_path / "config.json")
    assert "\n" not in str(caught.value)
    beginning = f"{tmp_path}/config.json: cannot be read as a run's options ("
    assert str(caught.value).startswith(beginning)
    return str(caught.value).removeprefix(beginning)


@pytest.mark.parametrize("name", CHANGES)
def test_a_config_with_another_value(name, tmp_path):
    section, option, value, line = CHANGES[name]
    sections = json.loads(Config().to_json())
    sections[section][option] = value
    assert damaged(tmp_path, json.dumps(sections)).startswith(line)


def test_a_config_of_another_form(tmp_path):
    sections = json.loads(Config().to_json())
    del sections["model"]["fmap_max"]
    line = "the option fmap_max is missing; its default in 'model' is \"fmap_max\": 512"
    assert damaged(tmp_path, json.dumps(sections)).startswith(line)
    assert damaged(tmp_path, "[" * 100_000).startswith("lists within lists")
    for text in ("7", "[]", "null", '{"run": 7}'):
        assert damaged(tmp_path, text).startswith("is not sections of options")
    twice = Config().to_json().replace('"seed": 1000', '"seed": 1000, "seed": 2000')
    assert damaged(tmp_path, twice).startswith("seed is there twice")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_config_as_editors_of_windows_save_it(encoding, tmp_path):
    config = Config.from_values({"desc": "Züge", "minibatch_dict": {4: 8}})
    (tmp_path / "config.json").write_bytes(config.to_json().replace("\n", "\r\n").encode(encoding))
    assert Config.read(tmp_path / "config.json") == config


AT_ONCE = [
    ("train", ["--dataset={p}"], "{p}: holds no *-rNN.tfrecords files; make a data set of its pictures: python data"),
    ("generate", ["grid", "{p}/gone"], "{p}/gone: no such file or folder; give a run's folder"),
    ("generate", ["project", "{p}/gone", "a.png"], "{p}/gone: no such file or folder; give a run's folder"),
    ("network_tool", ["export", "{p}/gone", "a.onnx", "--format=onnx"], "{p}/gone: no such file or folder"),
    ("network_tool", ["import", "nvidia", "{p}/gone.pkl", "out"], "{p}/gone.pkl: no such file; give a .pkl"),
    ("evaluate", [], "give either --run=RUN, or --reals=SET --fakes=SET"),
    ("evaluate", ["--run={p}/gone"], "--run={p}/gone: no config.json there"),
]


@pytest.mark.parametrize(("program", "words", "line"), AT_ONCE, ids=lambda value: str(value)[:60])
def test_what_is_plainly_not_there_is_said_before_tensorflow_loads(
    program, words, line, places, tmp_path, monkeypatch, capsys
):
    def load(strategy: str = ""):
        raise AssertionError("it was to be said at once")

    monkeypatch.setattr(importlib.import_module(f"pgan_tf.programs.{program}"), "load_tensorflow", load)
    assert line_of(program, words, places, tmp_path, monkeypatch, capsys).startswith(line.format(**places))
