"""A suite is checked whole before anything runs."""

import dataclasses
import sys

import numpy as np
import pytest
from experiments.suites import ROWS, make_comparison, make_suite, write_suite
from pgan_tf.metrics.errors import MetricError

from pgan_tf.config import ConfigError
from pgan_tf.data import identity
from pgan_tf.data.samples import open_samples
from pgan_tf.data.sources.planar import create_planar
from pgan_tf.data.writer import DatasetWriter
from pgan_tf.experiments import runs
from pgan_tf.experiments.runs import find_folder
from pgan_tf.experiments.suite_data import check_data
from pgan_tf.experiments.suite_file import read_suite
from pgan_tf.programs import start
from pgan_tf.training import rundir


def test_rows_are_the_flagfiles_with_the_suites_budget(tmp_path):
    comparison = make_comparison(tmp_path)
    assert [row.title for row in comparison.rows] == list(ROWS)
    assert [row.name for row in comparison.rows] == list(ROWS.values())
    assert [row.config.loss.regularizer for row in comparison.rows] == ["none", "repelling", "none"]
    assert {row.config.growth.total_kimg for row in comparison.rows} == {2.0}
    assert comparison.dataset == "data"


def test_a_row_is_called_like_its_run_folder(tmp_path):
    """So that it is found again: `train.py` makes my_row of `my row`."""
    path = write_suite(tmp_path, rows={"Baseline": "base", "RR": "my row"})
    (tmp_path / "my row.flags").write_text("--dataset=data\n")
    (comparison,) = read_suite(path).comparisons
    folder = rundir.create(comparison.rows[1].config.replace(result_dir=str(comparison.results), seed=1), "data", "")
    assert find_folder(comparison, comparison.rows[1], 1) == folder


@pytest.mark.parametrize(("asked", "found"), [("auto", True), ("float32", False)])
def test_a_run_in_the_precision_that_auto_became_is_the_rows_own(asked, found, tmp_path):
    path = write_suite(tmp_path, rows={"Baseline": "base", "RR": "rr"})
    (tmp_path / "rr.flags").write_text(f"--dataset=data\n--precision={asked}\n")
    (comparison,) = read_suite(path).comparisons
    ran = comparison.rows[1].config.replace(result_dir=str(comparison.results), seed=1, precision="bfloat16")
    folder = rundir.create(ran, "data", "")
    if found:
        assert find_folder(comparison, comparison.rows[1], 1) == folder
    else:
        with pytest.raises(ConfigError, match="has --precision=bfloat16"):
            find_folder(comparison, comparison.rows[1], 1)


def test_the_data_set_of_a_run_may_lie_elsewhere_but_be_no_other(tmp_path, monkeypatch):
    """Of numbers that were kept neither the data nor what was in them need be known."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("mine", "moved", "other")):
        with DatasetWriter(tmp_path / name, resolution=4, channels=1) as writer:
            writer.add(np.full([4, 4, 1], number // 2, np.uint8))
    comparison = make_comparison(tmp_path)
    row = comparison.rows[0]
    folder = rundir.create(row.config.replace(result_dir=str(comparison.results), seed=1, dataset="mine"), "mine", "")

    def find(dataset: str):
        return find_folder(comparison, dataclasses.replace(row, config=row.config.replace(dataset=dataset)), 1)

    assert find("other") == folder  # nobody knows
    identity.write(folder, identity.describe(open_samples("mine"), 4), "mine")
    runs._check_data.cache_clear()
    assert [find(dataset) for dataset in ("mine", "moved", "gone")] == [folder] * 3
    with pytest.raises(ConfigError, match="was trained on another data set than other; move the folder away"):
        find("other")
    (tmp_path / "mine").rename("away")
    (tmp_path / "other").rename("mine")  # made anew at its place
    runs._check_data.cache_clear()
    with pytest.raises(ConfigError, match="was trained on another data set than mine; move the folder away"):
        find("mine")


def test_without_a_budget_the_flagfiles_own_counts(tmp_path):
    assert {row.config.growth.total_kimg for row in make_comparison(tmp_path, budget=None).rows} == {15000.0}


def test_all_rows_of_a_seed_come_before_the_next_seed(tmp_path):
    runs = [(row.name, seed) for _, row, seed in make_suite(tmp_path, seeds="[7, 5]").runs]
    assert runs == [("base", 7), ("rr", 7), ("lsgan", 7), ("base", 5), ("rr", 5), ("lsgan", 5)]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (dict(rows={"Baseline": "base", "RR": "nothing"}), "row 'RR': there is no flagfile .*nothing.flags"),
        (dict(rows={"Baseline": "base", "Again": "base"}), "'Baseline' and 'Again' would both make runs called 'base'"),
        (dict(rows={"Baseline": "base", " ": "rr"}), r"\[rows\] .*a title must be a line of text"),
        (dict(baseline='"RR2"'), "baseline = 'RR2' is not among the rows: Baseline, RR, Least Squares"),
        (dict(seeds="[]"), "seeds = .*different whole numbers"),
        (dict(seeds="[1, 1]"), "seeds = .*different whole numbers"),
        (dict(seeds='["a"]'), "seeds = .*different whole numbers"),
        (dict(seeds="[-1]"), "seeds = .*different whole numbers"),
        (dict(seeds="[true]"), "seeds = .*different whole numbers"),
        (dict(images="1"), "images = 1: metrics need at least 2"),
        (dict(metrics="[]"), "metrics = .*name at least one"),
        (dict(metrics="[3]"), r"metrics = \[3\]: name at least one"),
        (dict(metrics='["swd", "swd"]'), "metrics = .*each once"),
        (dict(extractor='"efficientnet"'), "extractor = 'efficientnet': the known ones are .*efficientnet-lite0"),
        (dict(title=None), "title is missing"),
        (dict(rooms="3"), "unknown key 'rooms': the known ones are"),
        (dict(images='"many"'), "images = 'many': of the wrong kind"),
        (dict(total_kimg="true"), "total_kimg = True: of the wrong kind"),
        (dict(total_kimg="0"), "total_kimg=0"),
        (dict(total_kimg="1" + "0" * 400), r"total_kimg=inf.*number"),
        (dict(total_kimg="nan"), "suite.toml: row 'Baseline': --total_kimg=nan"),
        (dict(seeds="[1"), "is not TOML"),
        (dict(seeds="[" * 100_000), "lists within lists"),
        (dict(seeds="[9223372036854775808]"), "seeds = .*whole numbers from 0 to 9223372036854775807"),
        (dict(images="10000001"), "images = 10000001: .*at most 10000000"),
        (dict(results='""'), "results = '': must be a line of text"),
        (dict(title=r'"two\nlines"'), "title = .*: must be a line of text"),
        (dict(metrics='["swd", "swd "]'), "suite.toml: metrics = .*twice"),
        (dict(snapshots='"first"'), "snapshots = 'first': give all or last"),
        (dict(held_out="0.25"), r"held_out = 0.25: the rows hold out 0 of their data \(--holdout\); give at most that"),
        (dict(held_out="-1"), "held_out = -1: the rows hold out 0"),
        (dict(held_out='"some"'), "held_out = 'some': of the wrong kind"),
        (dict(tables="[datasets]\n"), r"\[datasets\] names none"),
        (dict(tables="[datasets]\nRoll = 3\n"), "data set 'Roll': 3 is no folder's name"),
        (dict(tables='[datasets]\nRoll = ""\n'), "data set 'Roll': '' is no folder's name"),
        (dict(tables='[datasets]\nRoll = "."\n'), r"data set 'Roll': '\.' is no folder's name"),
        (dict(tables='[datasets]\n" " = "roll"\n'), "title must be a line of text"),
        (dict(tables='[datasets]\nA = "a/roll"\nB = "b/roll"\n'), "runs called 'base-roll' .a/roll, b/roll.; rename a"),
        (dict(metrics=None, tables='[metrics]\nRoll = ["swd"]\n'), r"\[metrics\] must have a line for each of \[data"),
        (dict(metrics=None, tables='[datasets]\nA = "a"\nB = "b"\n[metrics]\nA = ["swd"]\n'), "a line for each of"),
        (dict(metrics=None, tables='[datasets]\nA = "a"\n[metrics]\nA = "swd"\n'), "metrics = swd: name at least one"),
        (dict(metrics=None, tables='[datasets]\nA = "a"\n[metrics]\nA = ["x"]\n'), "unknown metric 'x'"),
        (dict(datasets='["a"]'), "datasets = .*of the wrong kind"),
    ],
)
def test_refusals(keys, message, tmp_path):
    with pytest.raises(ConfigError, match=message) as caught:
        make_suite(tmp_path, **keys)
    assert "\n" not in str(caught.value)


def test_an_unknown_metric_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(ConfigError, match="unknown metric 'beauty': the known ones are swd"):
        make_suite(tmp_path, metrics='["beauty"]')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_suite_as_editors_of_windows_save_it(encoding, tmp_path):
    path = write_suite(tmp_path, title='"Züge"')
    path.write_bytes(path.read_text(encoding="utf-8").replace("\n", "\r\n").encode(encoding))
    assert read_suite(path).title == "Züge"


def test_what_is_no_text_is_no_suite(tmp_path):
    path = write_suite(tmp_path)
    for content, line in {b'title = "Z\xfcge"': "is not UTF-8", bytes(range(128)): "is not TOML"}.items():
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=f"suite.toml: {line}"):
            read_suite(path)


def test_a_title_given_twice_is_refused(tmp_path):
    path = write_suite(tmp_path)
    path.write_text(path.read_text() + f'"RR" = "{tmp_path}/lsgan.flags"\n')
    with pytest.raises(ConfigError, match=r"suite.toml: is not TOML"):
        read_suite(path)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--regularizer=propelling", "rr.flags: .*propelling.*repelling"),
        ("--g_block=residul", "rr.flags: .*residul.*plain"),
        ("--minibatch_statistics=modes", "rr.flags: .*modes.*moments_as_coded"),
        ("--repelling_weight=-1", "repelling_weight=-1.0: must be at least 0"),
        ("--unroll_steps=-1", "unroll_steps=-1: must be at least 0"),
        ("--no_such_flag=1", "rr.flags: .*no_such_flag"),
        ("--dataset=other", "row 'RR' has other data options than 'Baseline'"),
        ("--flagfile=nowhere.flags", "rr.flags: .*nowhere.flags"),
    ],
)
def test_a_flagfile_that_cannot_train_is_refused(flag, message, tmp_path):
    path = write_suite(tmp_path)
    (tmp_path / "rr.flags").write_text(f"--dataset=data\n{flag}\n")
    with pytest.raises(ConfigError, match=message) as caught:
        read_suite(path)
    assert "\n" not in str(caught.value)


def test_rows_of_different_length_are_refused_unless_the_suite_sets_one(tmp_path):
    path = write_suite(tmp_path, budget=None)
    (tmp_path / "rr.flags").write_text("--dataset=data\n--total_kimg=5\n")
    with pytest.raises(ConfigError, match="row 'RR' sees 5 thousand images, 'Baseline' 15000; set total_kimg"):
        read_suite(path)
    own = path.read_text()
    path.write_text("total_kimg = 3\n" + own)
    assert {row.config.growth.total_kimg for row in read_suite(path).comparisons[0].rows} == {3.0}
    path.write_text('equal = "time"\n' + own)
    assert {row.config.growth.total_kimg for row in read_suite(path).comparisons[0].rows} == {5.0, 15000.0}
    path.write_text('equal = "seconds"\n' + own)
    with pytest.raises(ConfigError, match="equal = 'seconds': give images or time"):
        read_suite(path)


def test_what_the_data_set_has_not_is_refused_before_days_are_spent(tmp_path, monkeypatch):
    """Reals2 takes half of the images; scores of other counts are never shown."""
    monkeypatch.chdir(tmp_path)  # the flagfiles say --dataset=data
    with pytest.raises(ConfigError, match="data: there is no such data set; make it first"):
        check_data(make_suite(tmp_path))
    with DatasetWriter(tmp_path / "data", resolution=4, channels=3) as writer:
        for _ in range(129):
            writer.add(np.zeros([4, 4, 3], np.uint8))
    check_data(make_suite(tmp_path, images="64"))
    with pytest.raises(ConfigError, match="images = 65: at most 64, half of those in data"):
        check_data(make_suite(tmp_path, images="65"))
    path = write_suite(tmp_path, images="32", held_out="0.25")
    for flags in tmp_path.glob("*.flags"):
        flags.write_text(flags.read_text() + "--holdout=0.5\n")
    check_data(read_suite(path))
    path.write_text(path.read_text().replace("images = 32", "images = 33"))
    with pytest.raises(ConfigError, match=r"images = 33: at most 32, the smaller part by held_out = 0\.25 of those in"):
        check_data(read_suite(path))


ON_POINTS = dict(metrics='["wasserstein"]', tables='[datasets]\nRing = "ring"\n')


def test_points_go_with_networks_and_metrics_of_points(tmp_path, monkeypatch):
    """The plan of the one and the registry of the other would say so, when the first day is over."""
    monkeypatch.chdir(tmp_path)
    create_planar("ring", "gaussians8", 200, None, 1)
    with pytest.raises(ConfigError, match=r"row 'Baseline': ring: holds 200 points .*these networks make images"):
        check_data(make_suite(tmp_path, **ON_POINTS))
    path = write_suite(tmp_path, rows={"Baseline": "mlp"}, images="100", **ON_POINTS)
    (tmp_path / "mlp.flags").write_text("--family=mlp\n--grow=none\n--normalize_latents=false\n")
    check_data(read_suite(path))
    path.write_text(path.read_text().replace("wasserstein", "swd"))
    with pytest.raises(MetricError, match="swd measures images, ring has points"):
        check_data(read_suite(path))


def test_planar_stands_for_what_fits_each_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    create_planar("ring", "gaussians8", 200, None, 1)
    create_planar("roll", "swissroll", 200, None, 1)
    tables = '[datasets]\nRing = "ring"\nRoll = "roll"\n'
    ring, roll = make_suite(tmp_path, metrics='["planar"]', tables=tables).comparisons
    assert (ring.metrics, roll.metrics) == (("wasserstein", "mixture"), ("wasserstein", "swiss_roll"))
    assert "mixture/high_quality" in ring.columns
    with pytest.raises(ConfigError, match="metrics = planar: data holds no points to choose them by; name the metrics"):
        make_suite(tmp_path, metrics='["planar"]')


def test_a_data_set_that_is_missing_comes_with_its_own_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_suite(tmp_path, **ON_POINTS)
    (tmp_path / "base.flags").write_text("#   data      make roll first\n#             make ring 8\n")
    with pytest.raises(ConfigError, match=r"ring: .* make it first: make ring 8$"):
        check_data(read_suite(path))


def test_a_package_that_is_not_there_is_named_in_a_line(tmp_path, monkeypatch, capsys):
    path = write_suite(tmp_path)
    monkeypatch.setitem(sys.modules, "tomllib" if sys.version_info >= (3, 11) else "tomli", None)
    assert start.run("experiment", ["table", str(path)]) == 2
    assert capsys.readouterr().err.endswith("is not installed: pip install -e '.[experiments]'\n")


def test_no_such_file(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing.toml: no such suite file"):
        read_suite(tmp_path / "nothing.toml")
