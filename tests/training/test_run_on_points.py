"""A run of a toy family on points in the plane: the loop, its pictures and metrics, and on from a checkpoint."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pgan_tf.config import Config
from pgan_tf.data.sources.planar import create_planar
from pgan_tf.networks import base, families
from pgan_tf.networks.families import Family, Takes
from pgan_tf.training import loop, rundir
from pgan_tf.training.plan import make_plan


def dense(network: base.Network, name: str, inputs: int, outputs: int):
    start = keras.initializers.RandomNormal(0, 0.1, seed=network.layer_seed(name))
    layer = keras.layers.Dense(outputs, name=name, kernel_initializer=start, dtype=network.dtype_policy)
    layer.build((None, inputs))
    return layer


class ToyGenerator(base.GeneratorNetwork):
    def __init__(self, **options):
        super().__init__(**options)
        self.sample_shape, self.latent_size = (2,), self.options.latent_size
        self.hidden = dense(self, "hidden", self.latent_size + self.label_size, 8)
        self.out = dense(self, "out", 8, 2)
        self.built = True

    def call(self, inputs, alpha=None, beta=None, tau=None, training=False, with_features=False):
        features = tf.nn.relu(self.hidden(self.used(inputs)))
        samples = self.out(features)
        return base.GeneratorOutput(samples, features) if with_features else samples


class ToyDiscriminator(base.DiscriminatorNetwork):
    input_name = "points"

    def __init__(self, **options):
        super().__init__(**options)
        self.sample_shape = (2,)
        self.hidden, self.out = dense(self, "hidden", 2, 8), dense(self, "out", 8, 1 + self.label_size)
        self.built = True

    def call(self, points, alpha=None, beta=None, tau=None, training=False, noise=None):
        features = tf.nn.leaky_relu(self.hidden(points))
        out = self.out(features)  # [N,1+L]
        return base.DiscriminatorOutput(out[:, 0], out[:, 1:], features)


@pytest.fixture
def config(tmp_path, monkeypatch):
    family = Family(ToyGenerator, ToyDiscriminator, frozenset(), Takes("points", doubling=False))
    monkeypatch.setitem(families.FAMILIES, "progressive", family)
    create_planar(tmp_path / "ring", "gaussians8", 80)
    return Config.from_values(
        {
            "dataset": str(tmp_path / "ring"), "result_dir": str(tmp_path / "results"), "latent_size": 2,
            "grow": "none", "max_label_size": -1, "mbstd_group_size": 0, "minibatch_base": 16, "total_kimg": 0.64,
            "tick_kimg_base": 0.32, "tick_kimg_dict": {}, "metrics": "planar", "metrics_images": 50,
        }
    )  # fmt: skip


def train(config, folder=None):
    run = loop.Run(config, make_plan(config), folder or rundir.create(config, "ring", ""))
    run.train()
    return run


def test_points_are_trained_on_drawn_and_measured(config):
    run = train(config)
    rows = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["images"] for row in rows if "tick" in row] == [320, 640]
    assert [row["values"]["w1"] > 0 for row in rows if row.get("metric") == "wasserstein"] == [True]
    log = (run.folder / "log.txt").read_text()
    assert "level 4" in log
    assert "pts/s" in log
    assert "4x4" not in log
    assert all(np.isfinite(row["loss/D"]) for row in rows if "tick" in row)
    assert [row["metric"] for row in rows if "metric" in row] == ["wasserstein", "mixture"]
    assert json.loads((run.folder / "best.json").read_text())["metric"] == "wasserstein"
    names = (
        "reals",
        *(f"{name}{stamp}" for name in ("fakes", "scores", "latents") for stamp in ("000000", "000000.640")),
    )
    pictures = [np.asarray(Image.open(run.folder / f"{name}.png")) for name in names]
    assert len({picture.tobytes() for picture in pictures}) == 7
    assert pictures[0].shape == pictures[1].shape
    longer = train(config.replace(total_kimg=0.96), run.folder)
    assert longer.counters.images == 960


def test_a_round_sees_the_points_of_the_run(config, monkeypatch):
    """Whatever is learnt is learnt of the set's own numbers."""
    run = loop.Run(config, make_plan(config), rundir.create(config, "ring", ""))
    seen, call = [], loop.concatenate
    monkeypatch.setattr(loop, "concatenate", lambda parts: (seen.append(parts[0].reals), call(parts))[1])
    run.train()
    known = {tuple(point) for point in run.plan.dataset.points.tolist()}
    assert {tuple(point) for reals in seen for point in reals.reshape(-1, 2).tolist()} == known


def test_the_family_of_dense_networks(tmp_path):
    """Grown in latents too, stopped and gone on with: the same bits."""
    create_planar(tmp_path / "roll", "swissroll", 80)
    config = Config.from_values(
        {
            "dataset": str(tmp_path / "roll"), "result_dir": str(tmp_path / "results"), "family": "mlp",
            "grow": "latent", "latent_size": 2, "resolution": 8, "lod_training_kimg": 0.1, "lod_transition_kimg": 0.1,
            "minibatch_base": 16, "total_kimg": 0.64, "tick_kimg_base": 0.32, "tick_kimg_dict": {}, "g_norm": "batch",
        }
    )  # fmt: skip
    straight, stopped = train(config), train(config.replace(total_kimg=0.16))
    gone_on = train(config, stopped.folder)
    assert [gone_on.state.generator.latent_part().now, gone_on.counters.images] == [2, 640]
    for name, variable in straight.state.variables_by_name().items():
        np.testing.assert_array_equal(gone_on.state.variables_by_name()[name], variable, err_msg=name)
