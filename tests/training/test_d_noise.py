"""The noise of --d_noise in whole rounds: nothing when off, its running score, its numbers, resumes, devices."""

import json

import numpy as np
import pytest
import reference
import tensorflow as tf
from training.rounds import all_numbers, equal, make_batch, make_controls, make_step

from pgan_tf.config import Config
from pgan_tf.data import DatasetWriter
from pgan_tf.latents import Purpose
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import checkpoint, loop, rundir
from pgan_tf.training import critic as critic_module
from pgan_tf.training.feed import Samples
from pgan_tf.training.plan import make_plan
from pgan_tf.training.state import StageState

OFF = dict(loss="lsgan", penalty="none", wgan_epsilon=0.0, minibatch=4)
ON = dict(OFF, d_noise=0.2)
SMALLEST = layer_stage(4)


def make(score=0.0, stage=SMALLEST, **options):
    """A step with the noise on whose running score is `score`."""
    step = make_step(stage, **{**ON, **options})
    step.state.extras["running_score"].assign(score)
    return step


def play(step, rounds=1, first=0):
    """Metrics of some rounds, [M,rounds]."""
    report = step.rounds(make_batch(step, rounds), make_controls(rounds, first=first, dtype=step.dtype))
    return np.stack([values.numpy() for values in report.values()])


def gradients(step, purpose=Purpose.D_NOISE, index=0, drawn=None) -> tuple[list, list, dict]:
    """Those of D and of G for fixed inputs, and D's report, with the noise of one step of a run."""
    random, n, size = np.random.RandomState(0), step.minibatch, step.state.stage.resolution

    def draw(*shape):
        return tf.constant(random.standard_normal([n, *shape]), step.dtype)

    fade, rate = Fade(*(tf.constant(x, step.dtype) for x in Fade(0.5))), tf.constant(0.1, step.dtype)
    reals, labels, latents = draw(size, size, 3), draw(0), draw(16)
    samples = Samples(labels, latents, reals, draw())
    drawn = drawn or step.drawn(purpose, index)
    d, report = step._d_gradients(samples, fade, 1.0, drawn)
    last = samples if step.config.loss.unroll_steps else None
    g, _ = step._g_gradients(Samples(labels, draw(16)), fade, 1.0, drawn, 0, last, rate)
    return [x.numpy() for x in d], [x.numpy() for x in g], {name: x.numpy() for name, x in report.items()}


def same(a: tuple, b: tuple) -> list[bool]:
    """Whether the gradients of D, those of G, the reports agree to the last bit."""
    return [
        all(np.array_equal(x, y) for x, y in zip(*map(tf.nest.flatten, pair), strict=True))
        for pair in zip(a, b, strict=True)
    ]


def normals(step) -> int:
    """How many operations of the rounds draw normal numbers, in the loop over them too."""
    graph = step.rounds.get_concrete_function().graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return sum(node.op == "StatelessRandomNormalV2" for node in nodes)


# ---- off, and without effect -----------------------------------------------------------------------------------


def test_off_leaves_no_trace():
    step = make_step(SMALLEST, **OFF)
    assert step.drawn(Purpose.D_NOISE, 0) == step.state.extras_row() == {}
    assert make().state.variables_by_name().keys() - step.state.variables_by_name().keys() == {"running_score"}


def test_up_to_a_score_of_one_half_it_is_the_run_without():
    off, on = make_step(SMALLEST, **OFF), make(0.5)
    metrics = [play(step, 2) for step in (off, on)]
    assert 0 < on.state.extras["running_score"].numpy() < 0.5
    np.testing.assert_array_equal(*metrics)
    assert equal(all_numbers(off.state), all_numbers(on.state))
    assert normals(off) == 2  # the latents of D and of G
    assert normals(on) == 2 + 2 * 2  # and the two layers of D, in its step and in that of G


# ---- the running score -----------------------------------------------------------------------------------------


def test_it_follows_the_scores_of_the_reals_with_every_discriminator_step():
    """Steps that change nothing else, on the same reals: 0.9 to the power of their number remains."""
    step = make(0.75, precision="float64", D_repeats=3)
    batch = make_batch(step)
    batch = batch._replace(reals=tf.repeat(batch.reals[:1], 3, 0))
    _, seed = step.drawn(Purpose.D_NOISE, 0)["noise"]
    silent = {"noise": (tf.zeros([], tf.float64), seed)}
    step.drawn = lambda *_: silent  # so that the scores of the three steps are the same
    report = step.rounds(batch, make_controls(lrate=0.0, dtype="float64"))
    expected, row = 0.75 * 0.9**3 + float(report["scores/real"][0]) * (1 - 0.9**3), step.state.extras_row()
    assert row["noise/running_score"] == pytest.approx(expected, rel=1e-9)
    assert row["noise/magnitude"] == pytest.approx(0.2 * (expected - 0.5) ** 2, rel=1e-7)


def test_it_begins_at_zero_and_a_skipped_step_does_not_move_it():
    step = make_step(SMALLEST, **ON)
    for score, finite, expected in ((2.0, True, 0.2), (np.nan, False, 0.2), (1.0, True, 0.28)):
        report = {"scores/real": tf.constant(score, tf.float32)}
        step.state.update_extras(step.state.d, report, tf.constant(finite), step.minibatch)
        assert step.state.extras["running_score"].numpy() == pytest.approx(expected, rel=1e-6)


# ---- its numbers -----------------------------------------------------------------------------------------------


def test_they_follow_from_the_seed_of_the_run_the_step_and_whose_step_it_is():
    found = [
        step.drawn(purpose, index)["noise"]
        for step in (make(1.0, seed=1), make(1.0, seed=2))
        for purpose in (Purpose.D_NOISE, Purpose.G_NOISE)
        for index in (0, 1)
    ]
    assert {float(magnitude) for magnitude, _ in found} == {np.float32(0.05)}
    assert len({tuple(seed.numpy()) for _, seed in found}) == 8
    assert float(make(1.0, d_noise=0.4).drawn(Purpose.D_NOISE, 0)["noise"][0]) == np.float32(0.1)


@pytest.mark.parametrize("steps", [0, 1])
def test_each_step_takes_its_own(steps):
    """Round 1 of a call, round 7 of the run, two D steps each: D step 3 of the batch, 15 of the run."""
    step, seen, batch = make(1.0, D_repeats=2, unroll_steps=steps), {}, make_batch(make(D_repeats=2), 2)
    step.drawn = lambda purpose, index, microbatch: (purpose, index)
    step._d_gradients = lambda *data: seen.update(d=data[3]) or ([], {})
    step._g_gradients = lambda *data: seen.update(g=data[3]) or ([], {})
    step.d_replica(batch, 3, 15, Fade(), 1.0)
    step.g_replica(batch, 1, 7, Fade(), 0.25, 1.0)
    assert seen == {"d": (Purpose.D_NOISE, 15), "g": (Purpose.G_NOISE, 7)}


@pytest.mark.parametrize("jit", [False, True])
def test_both_networks_feel_it(jit):
    """The same numbers give the same gradients, other numbers others; compiled, the numbers are XLA's."""
    step = make(1.0, jit=jit)
    results = [gradients(step, *which) for which in ((), (), (Purpose.G_NOISE,), (Purpose.D_NOISE, 1))]
    assert same(results[0], results[1]) == [True] * 3
    assert same(results[0], results[2]) == same(results[0], results[3]) == [False] * 3


class Counted(critic_module.Noise):
    made = []

    def __init__(self, *source):
        super().__init__(*source)
        self.made.append(self)


PASSES = [
    (dict(), 1, 1),  # reals with fakes; the generator's fakes
    (dict(penalty="gradient"), 2, 1),
    (dict(mbstd_group_size=8), 2, 1),  # no whole groups: reals and fakes apart
    (dict(unroll_steps=2, penalty="gradient"), 2, 2 * 2 + 1),
]


@pytest.mark.parametrize(("options", "d_passes", "g_passes"), PASSES)
def test_every_pass_of_a_step_has_its_own(options, d_passes, g_passes, monkeypatch):
    monkeypatch.setattr(critic_module, "Noise", Counted)
    monkeypatch.setattr(Counted, "made", [])
    report = gradients(make(1.0, **options))[2]
    assert [noise.calls for noise in Counted.made] == [2 * d_passes, 2 * g_passes]  # two layers in each pass
    assert np.isfinite(list(report.values())).all()


def test_the_penalty_is_that_of_the_disturbed_discriminator():
    step = make(2.0, layer_stage(8, True), penalty="gradient", precision="float64")
    strength, seed = step.drawn(Purpose.D_NOISE, 0)["noise"]
    found = [gradients(step, drawn={"noise": (strength * factor, seed)})[2] for factor in (1.0, 0.0)]
    with_noise, without = (report["penalty/value"] for report in found)
    assert abs(with_noise / without - 1) > 1e-3


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_is_finite(precision):
    step = make(
        1.5, layer_stage(8, True),
        precision=precision, penalty="gradient", d_block="residual", minibatch_statistics="moments",
    )  # fmt: skip
    d, g, report = gradients(step)
    assert all(np.isfinite(x).all() for x in (*d, *g, *report.values()))
    assert all(np.any(x) for x in (*d, *g) if x.ndim == 4)
    assert step.state.extras["running_score"].dtype == tf.float32


# ---- checkpoints, stages, whole runs, devices ------------------------------------------------------------------


def test_it_is_in_the_checkpoint_and_is_carried_to_the_next_stage(tmp_path):
    state, config = make(0.8125).state, make().config
    checkpoint.save(tmp_path, state, checkpoint.Counters(images=1000), keep=1)
    again = StageState(SMALLEST, config, 3, 0)
    checkpoint.restore(checkpoint.paths(tmp_path)[0], again)
    assert again.extras["running_score"].numpy() == 0.8125
    grown = StageState(layer_stage(8, True), config, 3, 0)
    grown.carry_from(again)
    assert grown.extras["running_score"].numpy() == 0.8125


@pytest.fixture
def config(tmp_path):
    """Scores that are told to be 3, fast, so that there is noise."""
    rng = np.random.default_rng(0)
    with DatasetWriter(tmp_path / "set", resolution=4, channels=3) as writer:
        for _ in range(16):
            writer.add(rng.integers(0, 256, (4, 4, 3), np.uint8))
    return Config.from_values(
        {
            "loss": "lsgan", "penalty": "none", "wgan_epsilon": 0.0, "d_noise": 0.2, "lsgan_b": 3.0,
            "d_lrate_base": 0.02, "dataset": str(tmp_path / "set"), "result_dir": str(tmp_path / "results"),
            "fmap_base": 32, "fmap_max": 8, "latent_size": 8, "minibatch_base": 4, "minibatch_repeats": 1,
            "tick_kimg_base": 0.06, "tick_kimg_dict": {}, "image_snapshot_ticks": 0,
        }
    )  # fmt: skip


def test_a_resumed_run_is_the_run_that_was_not_stopped(config):
    """To the last bit, the running score and the rows of its ticks included."""
    states, rows = [], []
    for stops in ((0.24,), (0.18, 0.24)):
        folder = rundir.create(config, "set", "")
        for kimg in stops:
            changed = config.replace(total_kimg=kimg)
            run = loop.Run(changed, make_plan(changed), folder)
            run.train()
        states.append({name: variable.numpy() for name, variable in run.state.variables_by_name().items()})
        rows.append([json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()])
    assert states[0].keys() == states[1].keys() >= {"running_score"}
    assert equal(*states)
    assert len(rows[0]) == 4
    for straight, resumed in zip(*rows, strict=True):
        for name in ("images", "noise/running_score", "noise/magnitude", "scores/real", "loss/G"):
            assert straight[name] == resumed[name]
    assert min(row["noise/magnitude"] for row in rows[0][1:]) > 0.01  # there was noise to go wrong


def test_devices_have_their_own_noise_and_the_same_score(fresh_process):
    printed = fresh_process(reference.TESTS / "training" / "noise_on_devices.py")
    assert [line.split()[-1] for line in printed.splitlines()[-4:]] == ["True"] * 4, printed
