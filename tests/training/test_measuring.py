"""Metrics in the loop: the curve is there, the best is kept, and the training does not notice."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.measured import MeasuredSet

from pgan_tf.config import Config, ConfigError
from pgan_tf.data import DatasetWriter
from pgan_tf.evaluation import results, snapshots
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import loop, rundir
from pgan_tf.training.export import save_generator
from pgan_tf.training.plan import make_plan
from pgan_tf.training.state import StageState

METRICS = {"metrics": "ms_ssim,swd", "best_metric": "swd", "metrics_ticks": 2, "metrics_images": 24}


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "set"
    images = np.random.default_rng(0).integers(0, 256, (32, 16, 16, 1), np.uint8)
    with DatasetWriter(folder, resolution=16, channels=1) as writer:
        for image in images:
            writer.add(image)
        writer.add_labels(np.eye(2, dtype=np.float32)[np.arange(32) % 2])
    return {
        "dataset": str(folder), "max_label_size": -1, "fmap_base": 16, "fmap_max": 4, "latent_size": 4,
        "lod_initial_resolution": 8, "lod_training_kimg": 0.04, "lod_transition_kimg": 0.04, "total_kimg": 0.2,
        "minibatch_base": 4, "minibatch_repeats": 1, "tick_kimg_base": 0.04, "tick_kimg_dict": {}, "grid_size": "2x2",
    }  # fmt: skip


def train(options, result_dir, **more):
    config = Config.from_values({**options, **more, "result_dir": str(result_dir)})
    folder = rundir.create(config, "set", "")
    run = loop.Run(config, make_plan(config), folder)
    run.train()
    weights = {name: value.numpy() for name, value in run.state.variables_by_name().items()}
    return folder, weights


@pytest.fixture(scope="module")
def measured(options, tmp_path_factory):
    return train(options, tmp_path_factory.mktemp("measured"), **METRICS)


def test_every_few_ticks_and_at_the_end(measured):
    folder, _ = measured
    ticks = [row for row in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines()) if "tick" in row]
    due = [row["images"] for row in ticks if row["tick"] % 2 == 0 or row is ticks[-1]]
    rows = results.read(folder / "metrics.jsonl")
    assert len(due) >= 2
    assert ticks[-1]["tick"] % 2  # so that the end is not one of the few by itself
    for metric in ("ms_ssim", "swd"):
        assert [row["images"] for row in rows if row["metric"] == metric] == due
    assert {row["count"] for row in rows} == {24}
    assert "SWD x1e3" in (folder / "log.txt").read_text()
    assert "| SWD x1e3 | 24 |" in (folder / "report.md").read_text()


def test_a_run_that_mirrors_is_measured_against_mirrored_reals(options, measured, tmp_path):
    folder, _ = train(options, tmp_path, **{**METRICS, "metrics": "swd"}, mirror_augment=True, total_kimg=0.08)
    assert {row.get("reals_mirrored") for row in results.read(folder / "metrics.jsonl")} == {True}
    assert "reals_mirrored" not in (measured[0] / "metrics.jsonl").read_text()


def test_tensorboard_has_the_curves(measured):
    tags = set()
    for path in measured[0].glob("events.out.tfevents.*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            tags |= {value.tag for value in event.summary.value}
    assert tags >= {"metrics/swd/avg", "metrics/swd/16", "metrics/ms_ssim/mean", "timing/metrics_share"}


def test_the_best_snapshot_is_the_one_with_the_best_value(measured):
    folder, _ = measured
    swd = [row for row in results.read(folder / "metrics.jsonl") if row["metric"] == "swd"]
    best = min(swd, key=results.headline)
    assert json.loads((folder / "best.json").read_text()) == {
        "metric": "swd", "value": results.headline(best), "kimg": best["kimg"],
    }  # fmt: skip
    assert (folder / "network-best.keras").exists()


def test_the_loop_measures_what_evaluate_measures_of_the_snapshot(options, tmp_path):
    """At every stage and fade, whatever was measured before."""
    config = Config.from_values({**options, **METRICS})
    measurements = make_plan(config).measurements
    evaluator = measurements.evaluator
    fading = layer_stage(16, True)
    for stage, fade in ((layer_stage(8), Fade()), (fading, Fade(0.25)), (fading, Fade(0.75))):
        state = StageState(stage, config, num_channels=1, label_size=2)
        path = tmp_path / "network-000001.keras"
        save_generator(state.ema, fade, path)
        fakes = snapshots.images(
            snapshots.Snapshot(path, 1, path.name), (16, 16, 1), measurements.labels, evaluator.request.seed
        )
        expected = list(evaluator.measure("snapshot", fakes))
        for ours, theirs in zip(measurements.measure(state, fade, 1000), expected, strict=True):
            assert ours["values"] == pytest.approx(theirs["values"], rel=1e-3)


def test_every_measurement_is_of_the_same_latents(options, monkeypatch):
    """So that a curve shows what training does, and not which latents were drawn."""
    config = Config.from_values({**options, **METRICS})
    plan, drawn = make_plan(config), []

    def draw(latents, labels, fade):
        drawn.append(np.concatenate([latents, labels], axis=1))
        return tf.random.uniform([len(latents), 16, 16, 1])

    measurements, state = plan.measurements, SimpleNamespace(ema=SimpleNamespace(latent_size=4, options=config.model))
    monkeypatch.setattr(measurements, "_draw", lambda state: draw)
    list(measurements.measure(state, Fade(), 1000))
    first = len(drawn)
    list(measurements.measure(state, Fade(), 2000))
    assert np.array_equal(drawn[:first], drawn[first:])


def test_training_does_not_notice(measured, options, tmp_path):
    _, without = train(options, tmp_path)
    assert without.keys() == measured[1].keys()
    assert all(np.array_equal(without[name], measured[1][name]) for name in without)


def test_what_cannot_be_measured_does_not_end_a_run(options, tmp_path, monkeypatch):
    def refuse(self, count):
        raise MetricError("no such luck")

    monkeypatch.setattr(MeasuredSet, "projections", refuse)
    folder, _ = train(options, tmp_path, **METRICS, lod_initial_resolution=16, total_kimg=0.08)
    assert "not measured: no such luck" in (folder / "log.txt").read_text()
    assert list(folder.glob("network-*.keras"))
    assert {row["metric"] for row in results.read(folder / "metrics.jsonl")} == {"ms_ssim"}  # the one before it


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": "beauty"}, "unknown metric 'beauty'"),
        ({"metrics": "swd", "resolution": 8}, "not 8x8"),
        ({"metrics": "fid", "extractor": "vgg"}, "--extractor=vgg: the known ones are"),
    ],
)
def test_refused_before_anything_is_written(options, change, message, tmp_path):
    with pytest.raises((ConfigError, MetricError), match=message):
        make_plan(Config.from_values({**options, **change, "result_dir": str(tmp_path)}))
    assert not list(tmp_path.iterdir())
