"""generate.py neighbors and project, as a user calls them: what is written, what is refused, what is said."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgan_tf.config import Config
from pgan_tf.data import identity
from pgan_tf.data.holdout import split
from pgan_tf.data.samples import open_samples
from pgan_tf.data.writer import DatasetWriter
from pgan_tf.grids import save_png
from pgan_tf.inference.drawing import Drawing
from pgan_tf.inference.load import load_generator
from pgan_tf.inference.search import projection
from pgan_tf.networks import Generator
from pgan_tf.programs import start
from pgan_tf.stages import Fade
from pgan_tf.training.export import save_generator

SIZES = {"resolution": 8, "fmap_base": 64, "fmap_max": 8}
QUICK = ["--steps=10", "--candidates=32", "--starts=2", "--feature_weight=0"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A run trained with mirrored images on a data set of 16x16, one with labels, and pictures to look for.

    Of the data set, image 5 is what the run makes of its first latent, and image 9 what it makes of the second,
    mirrored; at 8x8, which the run has reached.
    """
    folder = tmp_path_factory.mktemp("place")
    for name, options in {"run": {}, "labelled": {"label_size": 3, "num_channels": 1}}.items():
        (folder / name).mkdir()
        save_generator(Generator(**SIZES, **options, seed=4), Fade(), folder / name / "network-000010.keras")
        values = {"dataset": str(folder / "reals"), "mirror_augment": name == "run"}
        (folder / name / "config.json").write_text(Config.from_values(values).to_json())
    drawing = Drawing(load_generator(folder / "run"))
    fakes = drawing.pictures(drawing.latents(2), drawing.labels(2))  # [2,8,8,3]
    reals = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8)
    reals[5], reals[9] = fakes[0], fakes[1][:, ::-1]
    with DatasetWriter(folder / "reals", 16, 3) as writer:
        for image in reals.repeat(2, axis=1).repeat(2, axis=2):
            writer.add(image)
    save_png(folder / "made.png", fakes[0])
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (30, 50, 4), np.uint8)).save(folder / "other.webp")
    (folder / "text.png").write_text("not a picture")
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Where the command runs: an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def call(*arguments: object) -> int:
    return start.run("generate", [str(argument) for argument in arguments])


# ---- neighbors -------------------------------------------------------------------------------------------------------


def test_neighbors_of_a_run_find_its_copies(place, here, capsys):
    assert call("neighbors", place / "run", "--num=3", "--neighbors=2", "--extractor=none") == 0
    assert names(here) == ["run-neighbors-seed0.json", "run-neighbors-seed0.png"]
    facts = json.loads((here / "run-neighbors-seed0.json").read_text())
    found = facts["neighbors"]["pixels"]
    assert [row["indices"][0] for row in found["rows"][:2]] == [5, 9]
    assert [row["distances"][0] for row in found["rows"][:2]] == [0, 0]
    assert [row["mirrored"][0] for row in found["rows"][:2]] == [False, True]
    assert all(len(row["indices"]) == 2 for row in found["rows"])
    assert (facts["mirror"], facts["training_images"], facts["labels"], found["copies"]) == (True, 40, None, 2)
    assert len(facts["network_sha256"]) == 64
    assert "2 of 3 are copies" in capsys.readouterr().out


def test_features_stand_beside_the_pixels(place, here):
    assert call("neighbors", place / "run", "out.png", "--num=2", "--extractor=efficientnet-lite0") == 0
    facts = json.loads((here / "out.json").read_text())
    assert list(facts["neighbors"]) == ["pixels", "efficientnet-lite0"]
    assert [row["indices"][0] for row in facts["neighbors"]["efficientnet-lite0"]["rows"]] == [5, 9]
    assert len(facts["extractor_sha256"]) == 64
    with Image.open(here / "out.png") as picture:
        assert picture.width > 11 * 96  # the image and twice five neighbours


def test_neighbors_take_latents_and_another_set(place, here):
    latents = Drawing(load_generator(place / "run")).latents(2)[1:]
    np.save("one.npy", latents)
    np.save("set.npy", np.asarray(Image.open(place / "made.png"))[None].repeat(3, axis=0))
    arguments = ["--latents=one.npy", "--dataset=set.npy", "--neighbors=2", "--extractor=none"]
    assert call("neighbors", place / "run/network-000010.keras", "a.png", "--save_latents=b.npy", *arguments) == 0
    facts = json.loads(Path("a.json").read_text())
    assert facts["dataset"] == "set.npy"
    assert len(facts["neighbors"]["pixels"]["rows"]) == 1
    np.testing.assert_array_equal(np.load("b.npy"), latents)


def test_only_what_the_run_learned_from_is_looked_up(place, here):
    """Of its own data, wherever that lies; another set is searched whole."""
    run, reals = here / "run", here / "moved"
    for source, copy in ((place / "run", run), (place / "reals", reals)):
        shutil.copytree(source, copy)
    config = Config.read(run / "config.json").replace(holdout=0.5)
    (run / "config.json").write_text(config.to_json())
    trained = set(split(40, 0.5)[0].tolist())
    with DatasetWriter(here / "other", 8, 3) as writer:
        for _ in range(40):
            writer.add(np.zeros((8, 8, 3), np.uint8))

    def looked_up(*arguments) -> tuple[int, set[int]]:
        assert call("neighbors", run, "a.png", "--overwrite", "--num=9", "--extractor=none", *arguments) == 0
        facts = json.loads(Path("a.json").read_text())
        return facts["training_images"], {i for row in facts["neighbors"]["pixels"]["rows"] for i in row["indices"]}

    count, found = looked_up()
    assert (count, found <= trained) == (20, True)
    assert looked_up("--dataset=moved")[0] == 40  # nothing says that these are its own
    identity.write(run, identity.describe(open_samples("moved"), 8), "moved")
    assert looked_up("--dataset=moved") == (count, found)
    assert looked_up("--dataset=other")[0] == 40


# ---- project ---------------------------------------------------------------------------------------------------------


def test_projecting_an_image_of_the_run_finds_it(place, here, capsys):
    arguments = ["--steps=150", "--candidates=64", "--feature_weight=0"]
    assert call("project", place / "run", place / "made.png", *arguments) == 0
    stem = "run-project-made-seed0"
    assert names(here) == [f"{stem}.json", f"{stem}.npy", f"{stem}.png"]
    facts = json.loads((here / f"{stem}.json").read_text())
    assert facts["found"]["pixels"] < 0.02 < facts["best_start"]["pixels"]
    assert (facts["steps_done"], facts["interrupted"], facts["extractor"]) == (150, False, None)
    drawing = Drawing(load_generator(place / "run"), latents=here / f"{stem}.npy")
    again = drawing.pictures(drawing.latents(1), drawing.labels(1))[0]
    np.testing.assert_allclose(again.astype(int), np.asarray(Image.open(place / "made.png")), atol=8)
    assert "best start" in capsys.readouterr().out


def test_any_picture_is_made_to_fit_the_network(place, here):
    """Wide, transparent, in colour: for a network of grey 8x8 with labels; fitted in different ways."""
    for fit in ("crop", "pad"):
        assert call("project", place / "labelled", place / "other.webp", f"{fit}.png", f"--fit={fit}", *QUICK) == 0
    pages = [json.loads(Path(f"{fit}.json").read_text()) for fit in ("crop", "pad")]
    assert pages[0]["found"]["loss"] != pages[1]["found"]["loss"]
    assert pages[0]["found"]["label"] in (0, 1, 2)


def test_features_guide_the_search(place, here):
    quick = [*QUICK[:-1], "--pixel_weight=0"]
    assert call("project", place / "run", place / "other.webp", "a.png", *quick, "--labels=") == 0
    facts = json.loads(Path("a.json").read_text())
    assert facts["extractor"] == "efficientnet-lite0"
    assert facts["found"]["loss"] < facts["best_start"]["loss"]


def test_given_labels_are_the_only_ones_tried(place, here):
    assert call("project", place / "labelled", place / "made.png", "a.png", "--labels=1", *QUICK) == 0
    assert json.loads(Path("a.json").read_text())["found"]["label"] == 1


def test_the_same_seed_gives_the_same_files(place, here):
    for name in ("a", "b"):
        assert call("project", place / "run", place / "other.webp", f"{name}.png", *QUICK, "--seed=3") == 0
    for suffix in ("png", "npy", "json"):
        assert Path(f"a.{suffix}").read_bytes() == Path(f"b.{suffix}").read_bytes()


def test_an_interrupted_search_writes_the_best_so_far(place, here, monkeypatch, capsys):
    step, count = projection.Descent.step, iter(range(100))

    def interrupted(self, rate):
        if next(count) == 5:
            raise KeyboardInterrupt
        return step(self, rate)

    monkeypatch.setattr(projection.Descent, "step", interrupted)
    assert call("project", place / "run", place / "made.png", "a.png", *QUICK) == 130
    assert names(here) == ["a.json", "a.npy", "a.png"]
    facts = json.loads(Path("a.json").read_text())
    assert (facts["steps_done"], facts["interrupted"]) == (5, True)
    assert "interrupted after 5 steps" in capsys.readouterr().out


def test_one_interrupted_before_the_descent_writes_nothing(place, here, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(projection, "starts", interrupted)
    assert call("project", place / "run", place / "made.png", "a.png", *QUICK) == 130
    assert names(here) == []
    assert "nothing was written" in capsys.readouterr().err


# ---- what is refused -------------------------------------------------------------------------------------------------

WRONG = {
    "a run without snapshot": (["project", "{here}/young", "{place}/made.png"], "no network-*.keras yet"),
    "no such network": (["neighbors", "nowhere"], "nowhere: no such file or folder"),
    "no picture": (["project", "{place}/run", "{place}/text.png"], "text.png: cannot identify image file"),
    "no file": (["project", "{place}/run", "gone.png"], "gone.png: no such file"),
    "a folder": (["project", "{place}/run", "{place}"], "no such file; give a picture"),
    "no colour": (["project", "{place}/run", "{place}/made.png", "--background=soup"], "soup: not a colour"),
    "no label": (["project", "{place}/labelled", "{place}/made.png", "--labels=3"], "the network has no class 3"),
    "a random label": (["project", "{place}/labelled", "{place}/made.png", "--labels=random"], "the classes to try"),
    "labels in vain": (["project", "{place}/run", "{place}/made.png", "--labels=3"], "trained without labels"),
    "no loss": (["project", "{place}/run", "{place}/made.png", "--feature_weight=0", "--pixel_weight=0"], "nothing is"),
    "no weights": (["project", "{place}/run", "{place}/made.png", "--weights=gone.pth"], "gone.pth: no such file of"),
    "a wrong seed": (["project", "{place}/run", "{place}/made.png", "--seed=-1"], "argument --seed: -1"),
    "another suffix": (["project", "{place}/run", "{place}/made.png", "a.jpg"], "a.jpg: its name must end in .png"),
    "a set that was moved": (["neighbors", "{here}/moved", "--extractor=none"], "say by --dataset"),
    "a set not known": (["neighbors", "{here}/alone.keras", "--extractor=none"], "give the images by --dataset"),
    "a set without the resolution": (["neighbors", "{place}/run", "--dataset={here}/4.npy"], "images have 4 pixels"),
    "grey for colour": (["neighbors", "{place}/labelled", "--extractor=none"], "the generated ones [8, 8, 1]"),
    "too many": (["neighbors", "{place}/run", "--neighbors=40", "--extractor=none"], "give 1 to 39"),
    "no extractor": (["neighbors", "{place}/run", "--extractor=vgg"], "no extractor is named 'vgg'"),
}


@pytest.fixture(scope="module")
def bad(place, tmp_path_factory):
    """Runs that lack something, and a set of other pictures."""
    folder = tmp_path_factory.mktemp("bad")
    for name in ("young", "moved"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(Config.from_values({"dataset": "gone/away"}).to_json())
    network = (place / "run/network-000010.keras").read_bytes()
    for copy in ("moved/network-000010.keras", "alone.keras"):
        (folder / copy).write_bytes(network)
    np.save(folder / "4.npy", np.zeros((9, 4, 4, 3), np.uint8))
    return folder


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG.keys())
def test_bad_input_is_one_line_and_nothing_is_written(arguments, place, bad, here, capsys):
    words, message = arguments
    assert call(*(word.format(place=place, here=bad) for word in words)) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert names(here) == []


@pytest.mark.parametrize("there", ["a.png", "a.npy", "a.json"])
def test_existing_outputs_are_refused_unless_overwritten(there, place, here, capsys):
    Path(there).write_text("precious")
    arguments = ["project", place / "run", place / "made.png", "a.png", *QUICK]
    assert call(*arguments) == 2
    assert f"{there}: exists already; add --overwrite" in capsys.readouterr().err
    assert names(here) == [there]
    assert Path(there).read_text() == "precious"
    assert call(*arguments, "--overwrite") == 0
    assert names(here) == ["a.json", "a.npy", "a.png"]


def test_a_full_disk_leaves_nothing(place, here, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert call("project", place / "run", place / "made.png", "a.png", *QUICK) == 2
    assert names(here) == []
    assert "No space left" in capsys.readouterr().err
