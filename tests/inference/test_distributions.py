"""Whoever draws latents for a network draws those of the distribution that it was trained with."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from training.rounds import make_batch, make_controls, make_step

from pgan_tf.config import Config
from pgan_tf.data.samples import ImageGrid
from pgan_tf.evaluation import snapshots
from pgan_tf.inference.drawing import Drawing
from pgan_tf.inference.load import load_generator
from pgan_tf.inference.pictures import moving
from pgan_tf.inference.search.projection import Search, pixel_loss, project
from pgan_tf.latents import LATENTS
from pgan_tf.networks import Generator
from pgan_tf.networks.saved import load_network
from pgan_tf.programs import start
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import reference
from pgan_tf.training.records import Pictures

SIZE = 64  # components, so that one row tells the distributions apart
OPTIONS = {"normalize_latents": False, "fmap_base": 16, "fmap_max": 4, "latent_size": SIZE}
# What rows of each have: their length, and their largest component.
LENGTHS = {"gaussian": (SIZE**0.5, np.inf), "uniform": ((SIZE / 3) ** 0.5, 1.0), "sphere": (1.0, 1.0)}


def of_the_kind(rows: np.ndarray, kind: str) -> bool:
    """Whether rows [N,SIZE] may have been drawn from a distribution, and from no other."""
    length, largest = LENGTHS[kind]
    return abs(np.linalg.norm(rows, axis=1) / length - 1).max() < 0.4 and np.abs(rows).max() <= largest + 1e-6


@pytest.fixture
def network(tmp_path, request):
    """A file that has nothing beside it, of a network of these latents."""
    Generator(resolution=4, latents=request.param, **OPTIONS).save(tmp_path / "network-000001.keras")
    return tmp_path / "network-000001.keras"


def in_training(network):
    """A round, and the batch of virtual batch norm."""
    kind = load_network(network).options.latents
    step = make_step(layer_stage(4), 4, 4, latents=kind, g_norm="virtual_batch", reference_batch=4, **OPTIONS)
    reference.choose(step.state, _Reals())
    step.round(make_batch(step), make_controls(), 0)


def in_grids(network):
    pictures = Pictures.__new__(Pictures)
    pictures.config, pictures.reals, pictures.drawing = Config(), _Reals(), ImageGrid(2, 4, 4)
    pictures.fakes(_State(load_network(network)), Fade())


def in_evaluation(network):
    next(iter(snapshots.images(snapshots.Snapshot(network, 1, network.name), (4, 4, 3), None, seed=0)))


def in_pictures(network):
    """With truncation, which draws some more for its centre."""
    drawing = Drawing(load_generator(network), truncation=0.5)
    drawing.pictures(drawing.latents(4), drawing.labels(4))


def in_projection(network):
    project(load_network(network), pixel_loss(np.zeros([4, 4, 3], np.float32)), Search(3, 4, 2))


class _Reals:
    def first(self, resolution, count):
        return np.zeros([count, resolution, resolution, 3], np.uint8), np.zeros([count, 0], np.float32)


class _State:
    def __init__(self, network):
        self.ema, self.stage, self.discriminator = network, layer_stage(4), None


@pytest.mark.parametrize("drawer", [in_training, in_grids, in_evaluation, in_pictures, in_projection])
@pytest.mark.parametrize("network", LATENTS, indirect=True)
def test_what_a_network_is_given_is_of_its_distribution(network, drawer, monkeypatch):
    kind, seen, used = load_network(network).options.latents, [], Generator.used

    def watched(self, inputs):
        seen.append((inputs[0] if isinstance(inputs, (tuple, list)) else inputs).numpy())
        return used(self, inputs)

    monkeypatch.setattr(Generator, "used", watched)
    tf.config.run_functions_eagerly(True)
    try:
        drawer(network)
    finally:
        tf.config.run_functions_eagerly(False)
    assert of_the_kind(np.concatenate(seen), kind)
    assert not any(of_the_kind(np.concatenate(seen), other) for other in LATENTS if other != kind)


# ---- commands that move between latents --------------------------------------------------------------------------

SHORT = ("--duration=1", "--fps=8", "--grid_size=2x1")
COMMANDS = [
    ("images", "out", "--num=5"),
    ("grid", "out.png", "--grid_size=3x2"),
    ("walk", "out.png", "--dims=1-48"),
    ("walk", "out.gif", "--dims=1-48", *SHORT[:2]),
    ("style", "out.png", "--grid_size=3x2"),
    ("axis", "out.png", "--dims=1-2"),
    ("interpolate", "out.gif", *SHORT, "--smoothing=0.3"),
    ("interpolate", "out.gif", *SHORT, "--seeds=1,2,3"),
    ("interpolate", "out.gif", *SHORT, "--latents={folder}/rows.npy"),
    ("project", "out.png", "{folder}/image.png", "--steps=3", "--candidates=4", "--feature_weight=0"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:3:2]))
@pytest.mark.parametrize("network", ["uniform", "sphere"], indirect=True)
def test_a_way_does_not_leave_the_distribution(network, command, tmp_path):
    kind = load_network(network).options.latents
    rows = LATENTS[kind]([8, SIZE], [5, 0]).numpy()
    np.save(tmp_path / "rows.npy", rows)
    Image.new("RGB", (4, 4), (200, 30, 60)).save(tmp_path / "image.png")
    name, out, *flags = (part.format(folder=tmp_path) for part in command)
    between = [flags.pop(0)] if name == "project" else []
    saved = [] if name == "project" else [f"--save_latents={tmp_path / 'out.npy'}"]
    assert start.run("generate", [name, str(network), *between, str(tmp_path / out), *flags, *saved]) == 0
    rows = np.load(tmp_path / "out.npy")
    assert np.abs(rows).max() <= 1 + 1e-6
    if kind == "sphere":
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("network", ["uniform"], indirect=True)
def test_a_smoothed_walk_is_as_often_everywhere(network):
    """Not near 0, as the mean of many uniform numbers is."""
    rows = moving.smooth_walk(Drawing(load_generator(network)), 400, 2, sigma=3.0)
    shares = np.histogram(rows, bins=4, range=(-1, 1))[0] / rows.size
    np.testing.assert_allclose(shares, 1 / 4, atol=0.03)
    steps = np.abs(np.diff(rows, axis=0)).max()
    assert steps < 1.0 < np.abs(np.diff(rows[::40], axis=0)).max()


@pytest.mark.parametrize("network", ["uniform", "sphere"], indirect=True)
def test_an_axis_ends_where_the_latents_do(network, tmp_path, capsys):
    assert start.run("generate", ["axis", str(network), str(tmp_path / "a.png"), "--reach=1.5"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--reach=1.5: no component of this network's latents is beyond 1" in line


def test_a_file_with_latents_that_nobody_knows_is_no_network():
    with pytest.raises(ValueError, match="latents='cube': choose one of gaussian, uniform, sphere"):
        Generator(resolution=4, latents="cube")
