"""Points in the plane are measured as images are: the same sets, results and refusals."""

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.planar import Mixture, SwissRoll

from pgan_tf.data.sources.planar import DISTRIBUTIONS, create_planar
from pgan_tf.evaluation import results
from pgan_tf.evaluation.evaluator import Evaluator, Request
from pgan_tf.evaluation.fakes import GeneratedImages
from pgan_tf.evaluation.sets import open_set
from pgan_tf.programs import evaluate

COUNT = 600
METRIC = {Mixture: "mixture", SwissRoll: "swiss_roll", type(None): "wasserstein"}


@pytest.fixture
def sets(tmp_path):
    """The same distribution twice, by other random numbers, and the second one's points as arrays."""

    def make(distribution: str) -> None:
        create_planar(tmp_path / "reals", distribution, COUNT)
        create_planar(tmp_path / "fakes", distribution, COUNT, seed=1)
        points = open_set(tmp_path / "fakes").read(np.arange(COUNT))
        np.save(tmp_path / "fakes.npy", points)
        np.savez(tmp_path / "fakes.npz", points.astype(np.float64))

    make.folder = tmp_path
    return make


def values(folder, metric: str, fakes: str = "fakes", **options) -> dict:
    theirs = open_set(folder / fakes)
    (row,) = Evaluator(open_set(folder / "reals"), Request((metric,), **options)).measure("f", theirs, theirs.count)
    return row["values"]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_more_points_of_a_distribution_are_as_good_as_the_first(sets, distribution):
    sets(distribution)
    truth = open_set(sets.folder / "reals").truth
    found = values(sets.folder, METRIC[type(truth)])
    assert found.get("high_quality", 1) == pytest.approx(0.99, abs=0.015)
    assert found.get("coverage", 1) > 0.95
    assert found.get("modes", 0) in (0, 8, 25)
    spread = np.ptp(open_set(sets.folder / "reals").read(np.arange(COUNT)), axis=0).max()
    assert values(sets.folder, "wasserstein")["w1"] < 0.1 * spread


@pytest.mark.parametrize("kind", ["fakes.npy", "fakes.npz"])
def test_an_array_of_points_is_the_set(sets, kind):
    sets("gaussians8")
    for metric in ("mixture", "wasserstein"):
        assert values(sets.folder, metric, kind) == values(sets.folder, metric)


def test_the_program_measures_points_once_and_says_them(sets, capsys):
    sets("gaussians8")
    arguments = [
        f"--reals={sets.folder / 'reals'}", f"--fakes={sets.folder / 'fakes.npy'}", "--metrics=mixture,wasserstein",
        "--baselines", f"--output={sets.folder / 'scores.jsonl'}",
    ]  # fmt: skip
    for _ in range(2):
        assert evaluate.run(evaluate.parser().parse_args(arguments)) == 0
    rows = results.read(sets.folder / "scores.jsonl")
    assert len(rows) == 6  # two metrics of the fakes, the reals, and one half against the other
    assert {row["values"].get("modes", 8) for row in rows} == {8}
    assert "mixture of Gaussians" in capsys.readouterr().out


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_without_names_points_are_measured_by_what_fits_them(sets, distribution):
    sets(distribution)
    reals, theirs = (open_set(sets.folder / name) for name in ("reals", "fakes"))
    found = [
        {row["metric"]: row["values"] for row in Evaluator(reals, Request(names)).measure("f", theirs, theirs.count)}
        for names in ((), ("planar",), ("planar", "wasserstein"))
    ]
    assert found[0] == found[1] == found[2]
    assert found[0].keys() == {"wasserstein", METRIC[type(reals.truth)]}


def test_a_generator_of_points_is_a_set(sets):
    sets("gaussians8")
    centres = tf.constant(DISTRIBUTIONS["gaussians8"].centres[:3], tf.float32)
    draw = lambda latents, labels: tf.gather(centres, tf.cast(latents[:, 0] > 0, tf.int32))  # noqa: E731
    fakes = GeneratedImages(draw, 4, seed=7, resolution=2)
    (row,) = Evaluator(open_set(sets.folder / "reals"), Request(("mixture",), 64)).measure("f", fakes)
    assert row["values"] == {"modes": 2, "high_quality": 1, "kl": pytest.approx(np.log(4), abs=0.1)}


def test_what_does_not_go_together_is_refused(sets):
    sets("two_lines")
    np.save(sets.folder / "images.npy", np.zeros((9, 4, 4, 3), np.uint8))
    np.save(sets.folder / "nan.npy", np.full((9, 2), np.nan))
    np.save(sets.folder / "three.npy", np.zeros((9, 3)))
    np.save(sets.folder / "none.npy", np.zeros((0, 2)))
    for fakes, metric, message in (
        ("images.npy", "wasserstein", "holds images, not points as .*reals; sets to compare must be alike"),
        ("fakes", "fid", "fid measures images, .*reals has points; what measures them: mixture"),
        ("fakes", "swd", "swd measures images, .*reals has points; what measures them: mixture"),
        ("fakes", "mixture", "is not known as a mixture of Gaussians; take another metric"),
        ("nan.npy", "wasserstein", "NaN or infinite"),
        ("three.npy", "wasserstein", r"must be uint8 .*, or points float \[N,2\]"),
        ("none.npy", "wasserstein", "no images|at least one|at least 1"),
    ):
        with pytest.raises(MetricError, match=message) as error:
            values(sets.folder, metric, fakes)
        assert "\n" not in str(error.value)
