"""Tiny generators, in memory and in files."""

import pytest
from tiny_networks import tiny


@pytest.fixture(scope="session")
def make_tiny():
    return tiny


@pytest.fixture(scope="session")
def plain_file(tmp_path_factory):
    """A .keras file of a colour network without labels."""
    path = tmp_path_factory.mktemp("plain") / "plain.keras"
    tiny().save(path)
    return path


@pytest.fixture(scope="session")
def labelled_run(tmp_path_factory):
    """A run folder with two snapshots of a grey network with three classes, the first of them at 8x8."""
    from pgan_tf.config import Config

    run = tmp_path_factory.mktemp("runs") / "00000-tiny-s1"
    run.mkdir()
    (run / "config.json").write_text(Config.from_values({"latent_size": 20}).to_json())
    tiny(3, 8, 1).save(run / "network-000002.keras")
    tiny(3, 16, 1).save(run / "network-000010.keras")
    return run
