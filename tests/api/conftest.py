"""A data set of small pictures, and a run on it that a Python program has made."""

import numpy as np
import pytest

import pgan_tf
from pgan_tf.data import DatasetWriter


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A data set of 24 pictures of 8x8 with 3 classes."""
    folder, rng = tmp_path_factory.mktemp("data") / "tiny", np.random.default_rng(0)
    with DatasetWriter(folder, resolution=8, channels=3) as writer:
        for image in rng.integers(0, 256, (24, 8, 8, 3), np.uint8):
            writer.add(image)
        writer.add_labels(np.eye(3, dtype=np.float32)[rng.integers(3, size=24)])
    return folder


@pytest.fixture(scope="session")
def config(data, tmp_path_factory):
    """Three ticks of 40 images, at 8x8 from the start."""
    return pgan_tf.read_config(
        dataset=data, result_dir=tmp_path_factory.mktemp("results"), max_label_size=-1, lod_initial_resolution=8,
        fmap_base=32, fmap_max=8, latent_size=8, minibatch_base=8, minibatch_repeats=1, total_kimg=0.12,
        tick_kimg_base=0.04, tick_kimg_dict={}, grid_size="4x2", image_snapshot_ticks=1, checkpoint_ticks=3,
    )  # fmt: skip


@pytest.fixture(scope="session")
def trained(config):
    """The run, and what `on_tick` was told."""
    told = []
    run = pgan_tf.train(config, on_tick=lambda run, tick: told.append((run.kimg, tick["kimg"], len(run.pictures))))
    return run, told


@pytest.fixture
def one_line():
    """Checks that something is refused in one line, which says so."""

    def check(act, said: str) -> None:
        with pytest.raises(pgan_tf.UserError) as caught:
            act()
        assert said in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1

    return check
