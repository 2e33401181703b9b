"""load_generator: the same network from a run, a snapshot or an imported folder, and one line where there is none."""

import shutil

import numpy as np
import pytest

from pgan_tf.config import Config
from pgan_tf.inference.load import load_generator
from pgan_tf.networks import Discriminator, Generator
from pgan_tf.networks.mlp import DenseGenerator
from pgan_tf.networks.saved import NetworkError
from pgan_tf.stages import Fade
from pgan_tf.training.export import save_generator

SIZES = {"resolution": 8, "fmap_base": 64, "fmap_max": 8}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with snapshots of three times, a best one that is older, and config.json; the networks differ by seed."""
    folder = tmp_path_factory.mktemp("run")
    for name, seed in {"network-000010": 1, "network-999999": 2, "network-1000000": 3, "network-best": 4}.items():
        save_generator(Generator(**SIZES, seed=seed), Fade(), folder / f"{name}.keras")
    (folder / "config.json").write_text(Config.from_values({"fmap_max": 8, "desc": "tiny"}).to_json())
    return folder


def test_a_run_gives_its_newest_snapshot_and_its_options(run):
    loaded = load_generator(run)
    assert loaded.path == run / "network-1000000.keras"
    assert loaded.network.seed == 3
    assert loaded.config.run.desc == "tiny"


def test_a_file_gives_itself(run):
    loaded = load_generator(str(run / "network-best.keras"))
    assert (loaded.network.seed, loaded.config.run.desc) == (4, "tiny")


def test_an_imported_network_gives_the_averaged_generator(run, tmp_path):
    for name, seed in {"generator": 5, "generator_ema": 6}.items():
        save_generator(Generator(**SIZES, seed=seed), Fade(), tmp_path / f"{name}.keras")
    loaded = load_generator(tmp_path)
    assert (loaded.path.name, loaded.network.seed, loaded.config) == ("generator_ema.keras", 6, None)


def test_weights_and_fade_are_the_saved_ones(tmp_path):
    network = Generator(**SIZES, fading=True, seed=7)
    save_generator(network, Fade(0.25), tmp_path / "network-000003.keras")
    latents = np.random.default_rng(0).standard_normal([3, 8]).astype(np.float32)
    expected = network(latents, alpha=0.25).numpy()
    np.testing.assert_array_equal(load_generator(tmp_path).network(latents).numpy(), expected)


def wrong(folder, run):
    """{what is wrong: (path, part of the message)}"""
    (folder / "empty").mkdir()
    (folder / "young").mkdir()
    shutil.copy(run / "config.json", folder / "young")
    (folder / "text.keras").write_text("not a network")
    Discriminator(**SIZES).save(folder / "discriminator.keras")
    (folder / "broken").mkdir()
    shutil.copy(run / "network-000010.keras", folder / "broken")
    (folder / "broken" / "config.json").write_text('{"model": {"fmap_mix": 8}}')
    return {
        "nothing": (folder / "gone", "no such file or folder"),
        "neither run nor import": (folder / "empty", "holds neither network-*.keras nor generator_ema.keras"),
        "no snapshot yet": (folder / "young", "holds no network-*.keras yet"),
        "no network": (folder / "text.keras", "cannot be loaded as a generator"),
        "a discriminator": (folder / "discriminator.keras", "holds a Discriminator, not a generator"),
        "broken options": (folder / "broken", "cannot be read as a run's options (unknown option 'fmap_mix'"),
    }


def test_bad_input_is_refused_in_one_line_that_names_it(run, tmp_path):
    for path, part in wrong(tmp_path, run).values():
        with pytest.raises(NetworkError) as error:
            load_generator(path)
        assert part in str(error.value)
        assert str(error.value).startswith(str(path))
        assert "\n" not in str(error.value)


def test_a_generator_of_points_is_refused(tmp_path):
    DenseGenerator(num_channels=2, latent_size=3).save(tmp_path / "n.keras")
    with pytest.raises(NetworkError, match=r"n\.keras: makes points in the plane, this is for images"):
        load_generator(tmp_path / "n.keras")
