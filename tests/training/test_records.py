"""What a run that goes on keeps of its records, and its pictures."""

import json
from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.data.pipeline import Reals
from pgan_tf.data.samples import open_samples
from pgan_tf.data.sources.planar import create_planar
from pgan_tf.latents import Purpose, stream
from pgan_tf.plane import Frame, samples_over_data, scored_points
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training.records import Pictures, Records


def test_rows_after_the_checkpoint_go_and_results_of_no_time_stay(tmp_path):
    ticks = [json.dumps({"tick": tick, "images": 1000 * tick}) for tick in (1, 2, 3)]
    baseline = json.dumps({"metric": "swd", "fakes": "Reals2", "values": {"avg": 4.9}})
    (tmp_path / "metrics.jsonl").write_text("\n".join([*ticks, baseline, ticks[0][:9]]))
    Records(tmp_path, Config()).rewind(2000)
    assert (tmp_path / "metrics.jsonl").read_text().splitlines() == [*ticks[:2], baseline]


class Turned:
    """A generator of points: the latents, turned by a quarter."""

    def draw_latents(self, count, seed):
        return tf.random.stateless_normal([count, 2], seed)

    def __call__(self, inputs, **fade):
        latents, labels = inputs
        self.called_with = latents.shape, labels.shape
        return tf.stack([-latents[:, 1], latents[:, 0]], axis=1)


class Sums:
    """A discriminator of points: x + y."""

    together = 1

    def __call__(self, points, training, **fade):
        return SimpleNamespace(scores=tf.reduce_sum(points, axis=1))


def test_points_are_drawn_from_the_same_latents_at_every_tick(tmp_path):
    create_planar(tmp_path / "set", "gaussians8", 50)
    dataset, config = open_samples(tmp_path / "set"), Config()
    pictures = Pictures(config, Reals(dataset, config.run.seed, 8), dataset.resolution)
    state = SimpleNamespace(ema=Turned(), stage=layer_stage(4), discriminator=Sums())
    first, again = (pictures.fakes(state, Fade()) for _ in range(2))
    assert first.keys() == again.keys() == {"fakes", "scores", "latents"}
    for name, picture in first.items():
        np.testing.assert_array_equal(picture, again[name])
    assert state.ema.called_with == ((50, 2), (50, 8))
    latents = Turned().draw_latents(50, stream(config.run.seed, Purpose.GRID, 0)).numpy()
    frame = Frame.around(dataset.points)
    expected = samples_over_data(np.stack([-latents[:, 1], latents[:, 0]], axis=1), dataset.points, frame)
    np.testing.assert_array_equal(first["fakes"], expected)
    assert pictures.real().shape == first["fakes"].shape
    points = np.stack([-latents[:, 1], latents[:, 0]], axis=1)
    expected = scored_points(latents, points.sum(axis=1), Frame.around(latents))
    np.testing.assert_array_equal(first["latents"], expected)
