"""Networks of points in the plane: their samples, what their discriminator says, their training as a video."""

import numpy as np
import pytest
from PIL import Image

from pgan_tf import plane
from pgan_tf.config import Config
from pgan_tf.data.points import PointDataset
from pgan_tf.data.sources.planar import create_planar
from pgan_tf.errors import UserError
from pgan_tf.inference.drawing import Drawing
from pgan_tf.inference.load import load_generator
from pgan_tf.networks import Generator, checkpoints
from pgan_tf.programs import generate
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import checkpoint, export
from pgan_tf.training.state import Counters, StageState


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's folder with a snapshot, a checkpoint and pictures, its data beside it; and its state."""
    root = tmp_path_factory.mktemp("results")
    create_planar(root / "ring", "gaussians8", 40)
    options = {"family": "mlp", "grow": "none", "latent_size": 3, "mbstd_group_size": 0, "hidden_units": 4}
    config = Config.from_values({"dataset": str(root / "ring"), **options})
    folder = root / "00000-ring-s1000"
    folder.mkdir()
    (folder / "config.json").write_text(config.to_json())
    state = StageState(layer_stage(4), config, num_channels=2, label_size=0)
    export.save_generator(state.ema, Fade(), folder / "network-000001.keras")
    checkpoint.save(folder / "checkpoints", state, Counters(images=1000), 2)
    for name in ("fakes", "scores"):
        Image.new("RGB", (40, 30)).save(folder / f"{name}000001.png")
    return folder, state


def made(words: list) -> int:
    return generate.main([str(word) for word in words])


def test_samples_are_numbers_and_a_picture_of_the_same(run, tmp_path):
    folder, state = run
    for kind in ("npy", "png"):
        assert made(["samples", folder, tmp_path / f"a.{kind}", "--num=33", "--seed=2"]) == 0
    latents = Drawing(load_generator(folder, "points"), seed=2).latents(33)
    points = np.load(tmp_path / "a.npy")
    assert points.dtype == np.float32
    np.testing.assert_allclose(points, state.ema(latents), rtol=1e-4, atol=1e-6)
    data = PointDataset(folder.parent / "ring").points
    expected = plane.samples_over_data(points, data, plane.Frame.around(data))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), expected)


def test_the_discriminator_of_a_checkpoint_is_that_of_the_run(run):
    folder, state = run
    loaded = checkpoints.load_discriminator(folder / "checkpoints" / "000001.000")
    points = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    np.testing.assert_array_equal(loaded(points).scores, state.discriminator(points).scores)


def test_a_field_shows_scores_and_latents(run, tmp_path):
    folder, state = run
    assert made(["field", folder, tmp_path / "a.png", f"--save_latents={tmp_path / 'z.npy'}"]) == 0
    latents, data = np.load(tmp_path / "z.npy"), PointDataset(folder.parent / "ring").points
    assert latents.shape == (40, 3)
    scores, frame = state.discriminator(state.ema(latents)).scores.numpy(), plane.Frame.around(latents[:, :2])
    right = plane.scored_points(latents[:, :2], scores, frame)
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    assert abs(picture[:, -right.shape[1] :].astype(int) - right).mean() < 1
    assert picture.shape[1] == 2 * right.shape[1]
    assert len(data) == 40


@pytest.mark.parametrize("source", ["networks", "fakes", "scores"])
def test_training_is_a_video(run, tmp_path, source):
    pytest.importorskip("imageio_ffmpeg")
    words = ["training_video", run[0], tmp_path / "a.gif", f"--source={source}", "--duration=1", "--fps=2"]
    assert made(words) == 0
    assert (tmp_path / "a.gif").stat().st_size > 0


REFUSED = {
    "grid {run}": "makes points in the plane, this is for images; for points: generate.py samples, field",
    "images {run}": "makes points in the plane, this is for images",
    "interpolate {run}": "makes points in the plane, this is for images",
    "walk {run}": "makes points in the plane, this is for images",
    "axis {run}": "makes points in the plane, this is for images",
    "style {run}": "makes points in the plane, this is for images",
    "neighbors {run}": "makes points in the plane, this is for images",
    "project {run} {run}/fakes000001.png": "makes points in the plane, this is for images",
    "training_video {run} --grid_size=2x2": "--grid_size: is for images",
    "training_video {run} --truncation=0.5": "--truncation=0.5: is for --family=progressive",
    "training_video {run} --source=latents": r"holds no latents\*.png",
    "samples {images}": "makes images, this is for points in the plane; for images: generate.py grid",
    "samples {run} --dataset={run}": "holds no .*-points.tfrecords|holds no",
    "samples {run} a.npy --save_latents=a.npy": "--save_latents=a.npy: is OUT as well",
    "samples {run} a.txt": "its name must end in .png, .webp, .npy",
    "field {run}/network-000001.keras": "a generator alone; its discriminator is in the run's checkpoints",
    "field {images}": "a generator alone",
    "field {folder}": "holds no checkpoints",
    "samples {run} --labels=3": "trained without labels",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_not_for_points_names_what_is(run, tmp_path, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Generator(resolution=4, fmap_base=16, fmap_max=4, latent_size=4).save(tmp_path / "images.keras")
    said = words.format(run=run[0], images=tmp_path / "images.keras", folder=tmp_path).split()
    with pytest.raises(UserError, match=REFUSED[words]) as error:
        made(said)
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["images.keras"]
