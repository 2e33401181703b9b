"""A run whose latents and feature maps grow beside its layers: it goes on to the same bits, and shows what it is."""

import contextlib
import json

import numpy as np
import pytest

from pgan_tf.config import Config
from pgan_tf.data import DatasetWriter
from pgan_tf.networks.checkpoints import load_generator
from pgan_tf.networks.saved import load_network
from pgan_tf.stages import Fade, Size, Stage
from pgan_tf.training import checkpoint, loop, rundir
from pgan_tf.training.plan import make_plan

FIRST, LAST = Size(4, 4, 4, narrower=2), Size(8, 8, 8)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("ladder"), np.random.default_rng(0)
    with DatasetWriter(folder / "set", resolution=8, channels=1) as writer:
        for _ in range(16):
            writer.add(rng.integers(0, 256, (8, 8, 1), np.uint8))
    return Config.from_values(
        {
            "dataset": str(folder / "set"), "result_dir": str(folder / "results"), "grow": "layers,latent,channels",
            "fmap_base": 32, "fmap_max": 8, "latent_size": 8, "minibatch_base": 4, "minibatch_repeats": 1,
            "tick_kimg_base": 0.02, "tick_kimg_dict": {}, "total_kimg": 0.1, "lod_training_kimg": 0.018,
            "lod_transition_kimg": 0.04, "grid_size": "2x2", "network_snapshot_ticks": 1, "checkpoints_kept": 10,
        }
    )  # fmt: skip


def run_of(config, folder) -> loop.Run:
    return loop.Run(config, make_plan(config), folder)


def stop_after(run: loop.Run, images: int) -> None:
    """Trains as far as a signal that comes after so many images."""
    advance = run.log.advance
    run.log.advance = lambda *shown: (
        advance(*shown), setattr(run.stopping, "signal", "SIGTERM" if run.counters.images >= images else None)
    )  # fmt: skip
    with contextlib.suppress(loop.Stopped):
        run.train()


@pytest.fixture(scope="module")
def straight(config):
    run = run_of(config, rundir.create(config, "set", ""))
    run.train()
    return run


def test_the_stages_are_those_of_the_ladder(straight):
    rows = [json.loads(line) for line in (straight.folder / "metrics.jsonl").read_text().splitlines()]
    assert [(row["level"], row["resolution"]) for row in rows] == [(4, 4), (8, 8), (8, 8), (8, 8), (8, 8)]
    stages = [checkpoint.read_counters(path)[0] for path in checkpoint.paths(straight.folder / "checkpoints")]
    assert {stage.size for stage in stages} == {FIRST, LAST}
    assert {stage.before for stage in stages} == {None, FIRST}


def test_a_run_stopped_in_every_stage_goes_on_to_the_same_bits(config, straight):
    folder = rundir.create(config, "set", "")
    for images in (12, 44, 1000):
        run = run_of(config, folder)
        stop_after(run, images)
    assert run.counters.images == straight.counters.images
    expected = straight.state.variables_by_name()
    for name, variable in run.state.variables_by_name().items():
        np.testing.assert_array_equal(variable.numpy(), expected[name].numpy(), err_msg=name)


def test_snapshots_and_checkpoints_make_the_same_images_in_every_stage(straight):
    """With latents of the final size, of which smaller networks use the first components."""
    latents, seen = np.random.default_rng(1).standard_normal((3, 8)).astype(np.float32), set()
    snapshots = {float(path.stem.partition("-")[2]): path for path in straight.folder.glob("network-*.keras")}
    for path in checkpoint.paths(straight.folder / "checkpoints"):
        stage, fade, network = checkpoint.read_counters(path)[0], checkpoint.read_fade(path), load_generator(path)
        images = network(latents).numpy()
        assert stage.fading or fade == Fade()
        if float(path.name) in snapshots:
            np.testing.assert_array_equal(load_network(snapshots[float(path.name)])(latents), images)
            seen.add((stage, fade.alpha < 1))
        if fade.alpha < 1:
            assert 0 < fade.alpha == fade.beta == 2 * fade.tau
            assert np.abs(network(latents, **Fade()._asdict()) - images).max() > 1e-4
        other = np.concatenate([latents[:, :4], latents[:, 4:] + 1], axis=1)
        assert np.array_equal(network(other), images) == (stage.size == FIRST)
    assert {(Stage(FIRST), False), (Stage(LAST, FIRST), True), (Stage(LAST), False)} <= seen
