"""Held-out reals: never trained on, whatever the run's seed; what the discriminator says of them; what is advised."""

import math

import numpy as np
import pytest
from training.rounds import make_step

from pgan_tf.config import Config, ConfigError
from pgan_tf.data import DatasetWriter, RecordDataset
from pgan_tf.data.holdout import split
from pgan_tf.data.pipeline import Reals
from pgan_tf.networks import judging
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import gauge
from pgan_tf.training.gauge import Gauge
from pgan_tf.training.plan import check_samples
from pgan_tf.training.run_report import overfitting


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Twenty pictures whose pixels all hold their number."""
    folder = tmp_path_factory.mktemp("set") / "numbers"
    with DatasetWriter(folder, resolution=8, channels=3) as writer:
        for i in range(20):
            writer.add(np.full((8, 8, 3), 10 * i, np.uint8))
        writer.add_labels(np.eye(20))
    return RecordDataset(folder)


@pytest.mark.parametrize(
    ("count", "share", "held"), [(20, 0.0, 0), (20, 0.1, 2), (20, 0.55, 11), (3, 0.1, 0), (7, 1, 7)]
)
def test_two_parts_of_all(count, share, held):
    trained, held_out = split(count, share)
    assert len(held_out) == held
    assert sorted([*trained, *held_out]) == list(range(count))
    assert {*held_out} <= {*split(count, min(share + 0.1, 1))[1]}


def test_what_is_held_out_is_never_shown(dataset):
    reals = Reals(dataset, seed=3, label_size=20, holdout=0.3)
    data = reals.read_rounds(0, 4, minibatch=14, rounds=4, d_repeats=1)
    shown = data.labels.argmax(-1)  # [4,14]
    for epoch in shown:
        assert sorted(epoch) == reals.trained.tolist()
    assert {*data.g_labels.argmax(-1).ravel()} <= {*reals.trained}
    assert {*reals.first(4, 14)[1].argmax(-1)} == {*reals.trained}
    other = Reals(dataset, seed=4, label_size=20, holdout=0.3)
    np.testing.assert_array_equal(other.held_out, reals.held_out)


def test_without_it_the_order_is_that_of_earlier_versions(dataset):
    reals = Reals(dataset, seed=3, label_size=20)
    assert reals.trained.tolist() == list(range(20))
    assert Gauge(reals, 1000, Config().loss).row(None, Fade()) == {}


def test_the_scores_are_those_of_each_kind(dataset, monkeypatch):
    """A discriminator whose score is the brightness of the first pixel."""
    reals, state = Reals(dataset, seed=3, label_size=20, holdout=0.3), make_step(layer_stage(8, True), labels=20).state
    monkeypatch.setattr(judging.Judge, "__call__", lambda self, samples: 100 + samples[:, 0, 0, 0])
    monkeypatch.setattr(Gauge, "_fakes", lambda self, state, fade: np.full([2, 8, 8, 3], -3.0, np.float32))
    row = Gauge(reals, 1000, Config().loss).row(state, Fade(0.5))
    company = state.discriminator.together - 1  # of trained reals, which are not judged among themselves
    assert company > 0
    means = {
        name: np.mean(10 * part / 127.5 - 1)
        for name, part in (("trained", reals.trained[company:]), ("held_out", reals.held_out))
    }
    for name, value in {**means, "fakes": -3.0}.items():
        assert row[f"holdout/{name}"] == pytest.approx(100 + value, rel=1e-5)
    assert row["overfitting/r_v"] == pytest.approx(
        (means["trained"] - means["held_out"]) / (means["trained"] + 3), abs=1e-4
    )
    monkeypatch.setattr(Gauge, "_fakes", lambda self, state, fade: np.full([2, 8, 8, 3], 9.0, np.float32))
    assert "overfitting/r_v" not in Gauge(reals, 1000, Config().loss).row(state, Fade(0.5))
    upside_down = Config.from_values(UPSIDE_DOWN).loss  # least squares may have reals at 0, fakes at 1
    below = Gauge(reals, 1000, upside_down).row(state, Fade(0.5))
    assert below["overfitting/r_v"] == pytest.approx(
        (means["trained"] - means["held_out"]) / (means["trained"] - 9), abs=1e-4
    )


def test_a_real_discriminator_is_asked(dataset):
    reals, state = Reals(dataset, seed=3, label_size=20, holdout=0.3), make_step(layer_stage(8, True), labels=20).state
    row = Gauge(reals, 1000, Config().loss).row(state, Fade(0.5))
    assert {"holdout/held_out", "holdout/trained", "holdout/fakes"} <= set(row)
    assert np.isfinite(list(row.values())).all()
    assert row == Gauge(reals, 1000, Config().loss).row(state, Fade(0.5))


def test_what_is_asked_of_is_spread_over_the_set(dataset, monkeypatch):
    """Which may be in the order of its classes."""
    reals, asked = Reals(dataset, seed=3, label_size=20, holdout=0.5), []
    state = make_step(layer_stage(8, True), labels=20).state
    read = reals.read
    monkeypatch.setattr(gauge, "MOST", 2)
    monkeypatch.setattr(reals, "read", lambda size, indices: asked.append(indices.tolist()) or read(size, indices))
    Gauge(reals, 1000, Config().loss).row(state, Fade(0.5))
    assert asked == [[part[0], part[-1]] for part in (reals.held_out.tolist(), reals.trained.tolist())]


@pytest.mark.parametrize(("share", "words"), [(0.01, "is none"), (0.99, "leaves none")])
def test_a_share_that_is_none_or_all_is_refused(dataset, share, words):
    from pgan_tf.networks.families import FAMILIES

    config = Config.from_values({"holdout": share})
    with pytest.raises(ConfigError, match=f"^--holdout={share}: {words} of 20 images.*; give a share such as 0.1"):
        check_samples(config, dataset, FAMILIES["progressive"].takes)
    check_samples(Config.from_values({"holdout": 0.1}), dataset, FAMILIES["progressive"].takes)


NO_PENALTY = {"penalty": "none", "wgan_epsilon": 0.0}
UPSIDE_DOWN = {"loss": "lsgan", "lsgan_a": 1.0, "lsgan_b": 0.0, "lsgan_c": 0.0}


def scores(r_v: float, gap: float = 1.0) -> dict[str, float]:
    """Of a tick."""
    means = {"holdout/trained": gap, "holdout/fakes": 0.0, "holdout/held_out": gap - r_v * gap}
    return {**means, **({"overfitting/r_v": r_v} if gap > 0 else {})}


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        ([{}], {}, None),
        ([{"overfitting/r_t": 0.7, **scores(0.4)}], {}, None),
        ([{"overfitting/r_t": 0.9}], {"loss": "hinge"}, "Begin a run with --augment=ada, take more images"),
        ([scores(0.9)], {"loss": "hinge"}, "Begin a run with --augment=ada, take more images"),
        ([scores(0.9)], {}, "Begin a run with --augment=diffaugment, take more images"),
        ([scores(0.9)], {"unroll_steps": 2}, "Take more images, or an earlier end"),
        ([{"overfitting/r_t": 0.9}], {"family": "mlp", "loss": "minimax", **NO_PENALTY}, "Take more points, or"),
        ([scores(0.1)] * 7 + [scores(20.0, gap=1e-3)], {}, None),
        ([scores(0.9)] * 7 + [scores(-20.0, gap=1e-3)], {}, "--augment=diffaugment"),
        ([scores(0.9, gap=-1.0)], {}, None),
        ([scores(0.9, gap=-1.0)], UPSIDE_DOWN, "--augment=ada"),
        ([scores(0.9, gap=1.0)], UPSIDE_DOWN, None),
        ([scores(0.9)] * 7 + [dict.fromkeys(scores(0.9), math.nan)], {}, "--augment=diffaugment"),
        ([{"overfitting/r_t": 0.9}] * 7 + [{"overfitting/r_t": math.nan}], {"loss": "hinge"}, "--augment=ada"),
        ([{"overfitting/r_t": math.nan}], {"loss": "hinge"}, None),
        ([{"overfitting/r_t": 0.3, **scores(0.9), "augment/p": 0.1}], {"recipe": "small_data"}, "--ada_target=0.6"),
        ([{"overfitting/r_t": 0.99}] * 3 + [{"overfitting/r_t": 0.1}], {}, None),
        ([{"overfitting/r_t": 0.9, "augment/p": 0.5}], {"recipe": "small_data"}, "a lower --ada_kimg"),
        ([{"overfitting/r_t": 0.9, "augment/p": 1.0}], {"recipe": "small_data"}, "take more images"),
        ([{"overfitting/r_t": 0.9}], {"augment": "diffaugment"}, "take more images"),
    ],
)
def test_report_md_says_what_helps(rows, options, words):
    found = overfitting(rows, Config.from_values(options))
    assert bool(found) == bool(words)
    for text in found:
        assert words in text
        assert "docs/recipes.md" in text
    assert overfitting([], Config()) == []
