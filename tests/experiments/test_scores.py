"""Means, deviations and tests of a suite, against scipy and arithmetic; the report keeps a person's words."""

import dataclasses
import io
import json
import math
import re
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from experiments.suites import make_comparison, make_suite, program, write_run, write_scripts, write_suite
from pgan_tf.metrics.registry import METRICS
from PIL import Image
from rich.console import Console
from scipy import stats

from pgan_tf.config import ConfigError, ScheduleOptions
from pgan_tf.evaluation.evaluator import Evaluator, Request
from pgan_tf.experiments import plots, runner, samples, scores, suite_report
from pgan_tf.experiments.counting import asked_for, counting, otherwise
from pgan_tf.experiments.curves import loss_curve, metric_curve
from pgan_tf.experiments.hparams import varied_options, write_hparams
from pgan_tf.experiments.runs import RunState, full_resolution, states
from pgan_tf.experiments.samples import _evenly
from pgan_tf.experiments.suite_file import read_suite
from pgan_tf.networks import saved
from pgan_tf.schedule import Schedule
from pgan_tf.text import digits


@pytest.fixture
def done(tmp_path, monkeypatch):
    """A complete suite with pictures."""
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    suite = make_suite(tmp_path)
    runner.Runner(suite, partial(program, write_scripts(tmp_path)), 2, Console(file=io.StringIO())).run()
    for folder in suite.results.glob("0*"):
        for kimg in range(9):
            Image.new("RGB", (768, 512), (0, 20 * kimg, 0)).save(folder / f"fakes{kimg:06d}.png")
    return suite


@pytest.mark.parametrize("images", [16, 1130, 60000])
@pytest.mark.parametrize("metric", METRICS)
def test_what_is_measured_for_a_suite_is_what_it_asked_for(metric, images):
    """Also of a metric that takes fewer samples than images are asked for."""
    with_reals = SimpleNamespace(request=Request((metric,), images), reals=SimpleNamespace(count=10**6))
    result = {"metric": metric, "count": Evaluator.count(with_reals, metric)}
    suite = SimpleNamespace(metrics=(metric,), images=images, extractor="", mirrored=False, held_out=0)
    assert asked_for(suite, result)
    assert not asked_for(suite, result | {"count": result["count"] - 1})


def test_what_another_seed_measured_counts_nowhere():
    suite = SimpleNamespace(metrics=("fid",), images=16, extractor="", mirrored=False, held_out=0)
    result = {"metric": "fid", "count": METRICS["fid"].takes(16)}
    assert asked_for(suite, result | {"seed": Request.seed})
    assert not asked_for(suite, result | {"seed": 7})


@pytest.mark.parametrize("field", ["reals_sha256", "extractor", "extractor_sha256"])
def test_a_table_holds_what_was_measured_like_its_reals(field, tmp_path):
    """Like the newest; other halves of the reals are Reals2; what says nothing, as older versions did not, counts."""
    comparison = make_comparison(tmp_path, metrics='["fid"]')
    comparison.results.mkdir()
    result = {"metric": "fid", "count": METRICS["fid"].takes(comparison.images), "values": {"fid": 1.0}}
    lines = [{"fakes": "Reals", field: "old"}, {"fakes": "Reals", field: "new"}, {"fakes": "Reals2", field: "half"}]
    found = [result | {"fakes": "network", field: value} for value in ("old", "new", "half")] + [result]
    assert counting(comparison, found) == found  # nothing is known of the reals
    comparison.reals.write_text("".join(json.dumps(result | line) + "\n" for line in lines))
    assert counting(comparison, found) == [found[1], found[3]]
    how = {"reals_sha256": "against other reals"}.get(field, "by another extractor")
    assert otherwise(comparison, [found[0], found[2]]) == [how]
    assert otherwise(comparison, found[:2]) == []  # a newer one is in its place


def test_scores_of_one_set_do_not_ask_which_reals(tmp_path):
    comparison = make_comparison(tmp_path, metrics='["ms_ssim"]')
    comparison.results.mkdir()
    result = {"metric": "ms_ssim", "count": METRICS["ms_ssim"].takes(comparison.images), "values": {"mean": 1.0}}
    comparison.reals.write_text(json.dumps(result | {"fakes": "Reals", "reals_sha256": "new"}) + "\n")
    found = [result | {"fakes": "network", "reals_sha256": "old"}]
    assert counting(comparison, found) == found


def test_rows_that_mirror_are_scored_against_mirrored_reals():
    """Of a metric that knows reals."""
    for metric in ("fid", "ms_ssim"):
        compared = METRICS[metric].reals
        result = {"metric": metric, "count": METRICS[metric].takes(16)}
        for mirrored in (False, True):
            suite = SimpleNamespace(metrics=(metric,), images=16, extractor="", mirrored=mirrored, held_out=0)
            assert asked_for(suite, result) == (not compared or not mirrored)
            assert asked_for(suite, result | {"reals_mirrored": True}) == (not compared or mirrored)


def test_rows_are_scored_against_the_part_that_the_suite_holds_out():
    """Of a metric that knows reals."""
    for metric in ("fid", "ms_ssim"):
        result = {"metric": metric, "count": METRICS[metric].takes(16)}
        for held_out in (0, 0.25):
            suite = SimpleNamespace(metrics=(metric,), images=16, extractor="", mirrored=False, held_out=held_out)
            for measured in (0, 0.25, 0.5):
                row = result | ({"reals_held_out": measured} if measured else {})
                assert asked_for(suite, row) == (not METRICS[metric].reals or measured == held_out)


def test_welch_is_what_the_textbook_says():
    """Equal deviations of 1 and 3 values a side: t = 3 / sqrt(2/3), 4 degrees of freedom."""
    t = 3 / math.sqrt(2 / 3)
    # the distribution function of Student's t with 4 degrees of freedom, in closed form
    x = t / math.sqrt(4 + t * t)
    expected = 1 - (1.5 * x - 0.5 * x**3)
    assert scores.welch((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)) == pytest.approx(expected, rel=1e-9)


def test_welch_lets_the_deviations_differ():
    """Welch 1947: the degrees of freedom follow from both deviations, and are not n + m - 2."""
    ours, theirs = (1.0, 2.0, 3.0, 4.0), (10.0, 30.0, 20.0)
    errors = [np.var(x, ddof=1) / len(x) for x in (ours, theirs)]
    freedom = sum(errors) ** 2 / (errors[0] ** 2 / 3 + errors[1] ** 2 / 2)
    t = abs(np.mean(ours) - np.mean(theirs)) / math.sqrt(sum(errors))
    assert scores.welch(ours, theirs) == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-9)


def test_welch_needs_two_values_a_side_and_a_difference():
    assert scores.welch((1.0,), (1.0, 2.0)) is None
    assert scores.welch((1.0, 2.0), ()) is None
    assert scores.welch((1.0, 1.0), (1.0, 1.0)) is None
    assert scores.welch((8.0, 8.0), (4.0, 4.0)) is None  # the statistic is infinite; it would be certain
    assert scores.welch((8.0, math.nan), (4.0, 5.0)) is None


def test_holm_never_falls_and_never_exceeds_one():
    assert scores.holm({"a": 0.04, "b": 0.01, "c": 0.03}, 3) == pytest.approx({"b": 0.03, "c": 0.06, "a": 0.06})
    assert scores.holm({"a": 0.9, "b": 0.8}, 2) == {"b": 1.0, "a": 1.0}


@pytest.mark.parametrize("late", [1e-6, 0.02, 0.5, 1.0])
def test_what_is_significant_remains_so_whatever_the_other_rows_will_be(late):
    known = {"a": 0.04, "b": 0.01}
    early, whole = scores.holm(known, 3), scores.holm({**known, "c": late}, 3)
    assert all(whole[row] <= early[row] for row in known)


def test_scores_are_those_of_the_last_snapshot(done):
    found = states(done)
    numbers = scores.scores(*done.comparisons, found)["swd"]
    base, rr = numbers["Baseline"], numbers["RR"]
    assert len(base.values) == len(rr.values) == 3
    assert all(10 <= value < 11 for value in base.values)  # of the snapshot at 2 kimg; that at 1 kimg has twice as much
    assert base.mean == pytest.approx(np.mean(base.values))
    assert base.deviation == pytest.approx(np.std(base.values, ddof=1))
    assert base.change is None
    assert base.p is None
    assert rr.change == pytest.approx(100 * (rr.mean / base.mean - 1))
    assert rr.p < 0.001 < numbers["Least Squares"].p
    assert rr.p_holm == pytest.approx(2 * rr.p)


def test_the_numbers_alone_make_the_same_tables(done, tmp_path):
    """Networks and pictures of complete runs may go."""
    before = _tables(done, tmp_path)
    for folder in done.results.glob("0*"):
        for path in folder.iterdir():
            if path.name not in ("config.json", "metrics.jsonl"):
                path.unlink()
    assert all(state.complete for state in states(done))
    assert _tables(done, tmp_path) == before


def _tables(suite, folder) -> list[str]:
    report = suite_report.write_report(suite, str(folder / "suite.toml"))[0]
    return [line for line in report.read_text().splitlines() if line.startswith("|")]


def test_a_network_that_went_before_it_was_measured_is_missed(done):
    """Its run is no complete one."""
    state = states(done)[0]
    metrics = state.folder / "metrics.jsonl"
    kept = [line for line in metrics.read_text().splitlines() if not ('"swd"' in line and "network-000002" in line)]
    metrics.write_text("".join(f"{line}\n" for line in kept))
    (state.folder / "network-000002.keras").unlink()
    assert not states(done)[0].complete


def test_a_run_that_is_not_complete_counts_nowhere(done):
    path = next(done.results.glob("*-rr-s2")) / "metrics.jsonl"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "ms_ssim" not in line))
    assert len(scores.scores(*done.comparisons, states(done))["swd"]["RR"].values) == 2


def test_curves_are_means_over_the_seeds(done):
    runs = [state for state in states(done) if state.row.title == "RR"]
    curve = metric_curve(runs, "swd")
    assert curve.kimg.tolist() == [1, 2]
    assert curve.mean[1] == pytest.approx(scores.scores(*done.comparisons, runs + states(done))["swd"]["RR"].mean)
    losses = loss_curve(runs, "loss/D")
    assert losses.mean.tolist() == pytest.approx([0.1, 0.2])
    assert losses.deviation.tolist() == pytest.approx([0, 0])


def test_the_report_has_every_row_and_its_pictures(done, tmp_path):
    files = suite_report.write_report(done, str(tmp_path / "suite.toml"))
    text = files[0].read_text()
    for title in ("Reals", "Reals2", "Baseline", "RR", "Least Squares"):
        assert f"\n| {title} |" in text
    assert "9 of 9 runs are complete" in text
    assert "nan" not in text.lower()
    for file in files[1:-1]:
        assert f"]({file.name})" in text
        with Image.open(file) as picture:
            assert min(picture.size) > 50
    assert sorted(path.name for path in (done.results / "hparams/table").iterdir()) == sorted(
        s.name for s in states(done)
    )


def test_each_data_set_has_its_tables(tmp_path, monkeypatch):
    """Those that are measured: a suite on the way has a report too."""
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    scripts, sets = write_scripts(tmp_path), '[datasets]\nRoll = "roll"\n"Ring of 8" = "ring"\n'
    suite = make_suite(tmp_path, seeds="[1]", tables=sets)
    for name in ("base", "rr", "lsgan"):
        (scripts / f"break-{name}-ring-s1").touch()
    run = partial(program, scripts)
    runner.Runner(suite, run, 1, Console(file=io.StringIO())).run()
    text = suite_report.write_report(suite, str(tmp_path / "suite.toml"))[0].read_text()
    assert "\n## Roll\n" in text
    assert "\n## Ring of 8\n" not in text
    assert "3 of 6 runs are complete" in text
    for broken in scripts.glob("break-*"):
        broken.unlink()
    runner.Runner(suite, run, 1, Console(file=io.StringIO())).run()
    files = suite_report.write_report(suite, str(tmp_path / "suite.toml"))
    text = files[0].read_text()
    assert text.index("\n## Roll\n") < text.index("\n## Ring of 8\n") < text.index("\n## The runs\n")
    assert text.count("\n### Table 1: scores\n") == 2
    assert sorted(re.findall(r"\]\((table_.*?)\)", text)) == sorted(file.name for file in files[1:-1])
    assert len({file.name for file in files}) == 2 + 2 * 3


def test_a_report_that_is_no_text_stays_and_nothing_is_drawn(done, tmp_path):
    done.report.parent.mkdir(exist_ok=True)
    done.report.write_bytes(b"# Ta\xe4t\n")
    before = {path: path.read_bytes() for path in done.report.parent.iterdir() if path.is_file()}
    with pytest.raises(ConfigError, match="is no text in UTF-8"):
        suite_report.write_report(done, str(tmp_path / "suite.toml"))
    assert {path: path.read_bytes() for path in done.report.parent.iterdir() if path.is_file()} == before


def test_a_persons_words_stay_and_the_tables_are_new(done, tmp_path):
    path = suite_report.write_report(done, str(tmp_path / "suite.toml"))[0]
    written = path.read_text()
    path.write_text("# Mine\n\nWhat it means.\n" + written[written.index(suite_report.MARKER) :] + "stale")
    suite_report.write_report(done, str(tmp_path / "suite.toml"))
    assert path.read_text() == "# Mine\n\nWhat it means.\n" + written[written.index(suite_report.MARKER) :]


def test_a_file_without_the_marker_is_kept_whole(done, tmp_path):
    done.report.parent.mkdir(parents=True)
    done.report.write_text("# All mine\n\nWords.\n")
    text = suite_report.write_report(done, str(tmp_path / "suite.toml"))[0].read_text()
    assert text.startswith(f"# All mine\n\nWords.\n\n{suite_report.MARKER}\n")


def test_nothing_measured_is_said_in_a_line(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing is measured yet; first: experiment.py run"):
        suite_report.write_report(make_suite(tmp_path), str(tmp_path / "suite.toml"))


@pytest.mark.parametrize(
    ("value", "count", "words"),
    [
        (165.4, 2, "165"),
        (99.7, 2, "100"),
        (99.4, 2, "99"),
        (7.06, 2, "7.1"),
        (0.02287, 4, "0.02287"),
        (25600, 4, "25600"),
    ],
)
def test_the_numbers_of_a_table_are_written_out(value, count, words):
    """538 ± 165, not 538 ± 1.7e+02: modes, of which there are a thousand."""
    assert digits(value, count) == words


def test_one_seed_has_no_deviation_and_no_test(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    suite = make_suite(tmp_path, seeds="[1]")
    runner.Runner(suite, partial(program, write_scripts(tmp_path)), 1, Console(file=io.StringIO())).run()
    text = suite_report.write_report(suite, str(tmp_path / "suite.toml"))[0].read_text()
    assert "±" not in text
    assert "nan" not in text.lower()


@pytest.mark.parametrize(("rows", "there"), [({"Baseline": "base"}, False), ({"Baseline": "base", "RR": "rr"}, True)])
def test_changes_against_the_baseline_are_of_other_rows(tmp_path, monkeypatch, rows, there):
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.01)
    suite = make_suite(tmp_path, seeds="[1]", rows=rows)
    runner.Runner(suite, partial(program, write_scripts(tmp_path)), 1, Console(file=io.StringIO())).run()
    text = suite_report.write_report(suite, str(tmp_path / "suite.toml"))[0].read_text()
    assert ("Table 2" in text) == there
    assert "Table 1" in text


def test_the_options_that_vary_are_those_of_the_rows(tmp_path):
    assert varied_options(make_comparison(tmp_path)) == ["loss", "regularizer"]


def test_hparams_take_dictionaries(tmp_path):
    path = write_suite(tmp_path, metrics='["swd"]')
    (tmp_path / "rr.flags").write_text("--dataset=data\n--fmap_max=8\n--minibatch_dict=4:8\n")
    suite = read_suite(path)
    (comparison,) = suite.comparisons
    assert "minibatch_dict" in varied_options(comparison)
    for row in comparison.rows[:2]:
        write_run(comparison, row)
    write_hparams(suite, states(suite))
    assert len(list((suite.results / "hparams/table").iterdir())) == 2


def test_suites_that_share_their_runs_folder_keep_each_others_hparams(tmp_path):
    first = make_suite(tmp_path, metrics='["swd"]')
    write_run(first.comparisons[0], first.comparisons[0].rows[0])
    for suite in (first, dataclasses.replace(first, report=tmp_path / "other.md")):
        write_hparams(suite, states(suite))
    assert sorted(path.name for path in (first.results / "hparams").iterdir()) == ["other", "table"]


def test_times_are_spread_from_the_first_to_the_last(tmp_path):
    files = [tmp_path / f"fakes{i:06d}.png" for i in range(26)]
    assert [int(file.stem[-6:]) for file in _evenly(files)] == [0, 4, 7, 11, 14, 18, 21, 25]
    assert _evenly(files[:3]) == files[:3]


def test_reals_of_another_extractor_are_not_shown(tmp_path):
    comparison = make_comparison(tmp_path, metrics='["fid"]', extractor='"efficientnet-lite0"')
    comparison.results.mkdir()
    row = {"metric": "fid", "fakes": "Reals2", "count": comparison.images}
    rows = [{**row, "extractor": extractor, "values": {"fid": value}}
            for extractor, value in (("efficientnet-lite0", 2.0), ("inception-2015", 3.0))]  # fmt: skip
    comparison.reals.write_text("".join(json.dumps(one) + "\n" for one in rows))
    assert scores.reals(comparison) == {"Reals2": {"fid": 2.0}}


def test_a_change_has_its_sign_below_zero_too(tmp_path):
    """KID's estimate has no bias and can be negative."""

    def state(title: str, value: float):
        return SimpleNamespace(row=SimpleNamespace(title=title), complete=True, score=lambda metric: value)

    numbers = scores.scores(make_comparison(tmp_path, metrics='["kid"]'), [state("Baseline", -2.0), state("RR", -1.0)])
    assert numbers["kid"]["RR"].change == pytest.approx(50.0)


def test_from_a_baseline_of_0_there_is_no_percent_but_a_test():
    score = scores.Score((1.0, 1.1), None, 0.01, 0.02)
    assert suite_report._change(score) == "**from 0** (0.01, 0.02)"
    assert suite_report._change(scores.Score((1.0,))) == ""


def test_the_report_says_that_the_reals_are_mirrored(tmp_path):
    """A suite of before this was so had unmirrored ones."""
    (comparison,) = make_suite(tmp_path).comparisons
    run = RunState(comparison, comparison.rows[0], 1, results=({"versions": {"python": "3"}},))
    for mirrored in (False, True):
        rows = [dataclasses.replace(row, config=row.config.replace(mirror_augment=mirrored)) for row in comparison.rows]
        whole = dataclasses.replace(comparison, rows=tuple(rows))
        (said,) = suite_report._facts(whole, [run])
        assert ("of each set, against mirrored reals. python 3." in said) == mirrored


@pytest.fixture
def figures(monkeypatch):
    """The figures that are drawn, in place of files."""
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    return drawn


def test_a_suite_of_one_row_has_curves(tmp_path, figures):
    comparison = make_comparison(tmp_path, rows={"Baseline": "base"}, metrics='["swd"]')
    write_run(comparison, comparison.rows[0])
    plots.plot_losses(comparison, states(comparison), tmp_path / "losses.png")
    assert [axis.lines[0].get_ydata().tolist() for axis in figures[0].axes] == [[1.0], [2.0]]


def test_the_picture_of_scores_has_the_rows_of_which_there_are_some(tmp_path, figures):
    comparison = make_comparison(tmp_path, seeds="[1]", metrics='["swd"]')
    write_run(comparison, comparison.rows[1])
    numbers = scores.scores(comparison, states(comparison))
    plots.plot_scores(comparison, numbers, {"swd": "SWD"}, {}, tmp_path / "scores.png")
    (axis,) = figures[0].axes
    assert [label.get_text() for label in axis.get_yticklabels()] == [comparison.rows[1].title]


def test_losses_of_another_kind_stand_alone(tmp_path, figures):
    """Least squares beside Wasserstein would be a line at 0; metrics are comparable."""
    comparison = make_comparison(tmp_path, seeds="[1]", metrics='["swd"]')
    for row in comparison.rows:
        write_run(comparison, row)
    plots.plot_losses(comparison, states(comparison), tmp_path / "losses.png")
    plots.plot_metrics(comparison, states(comparison), {"swd": "SWD"}, tmp_path / "curves.png")
    assert [[len(axis.lines) for axis in figure.axes] for figure in figures] == [[2, 1, 2, 1], [2, 2]]


def test_the_full_resolution_is_known_at_any_time():
    schedule = Schedule(ScheduleOptions(lod_training_kimg=1, lod_transition_kimg=1), 128)
    for images in range(100, 12_000, 100):
        now = schedule.at(images)
        assert full_resolution([{"resolution": now.stage.resolution, "lod": now.lod, "alpha": now.fade.alpha}]) == 128
    # a tick that ends a little after the stage that it reports
    assert full_resolution([{"resolution": 4, "lod": schedule.at(1100).lod, "alpha": 1.0}]) == 128


def test_pictures_of_a_run_that_ends_early_are_whole(tmp_path, monkeypatch):
    """The published schedule ends at 8x8 on the way to 128x128: its grids have cells of 128 pixels all the same."""
    comparison = make_comparison(tmp_path, rows={"Baseline": "base"}, metrics='["swd"]')
    folder = write_run(comparison, comparison.rows[0], resolution=8, lod=4.0)
    Image.new("RGB", (768, 512)).save(folder / "fakes000002.png")
    cells = []
    monkeypatch.setattr(samples, "_cells", lambda grid, cell: cells.append(cell) or np.zeros([8, 8, 3], np.uint8))
    samples.plot_samples(comparison, states(comparison), tmp_path / "grids.webp")
    assert cells == [128]


# ---- whose numbers these are -----------------------------------------------------------------------------------------


def test_a_result_of_another_network_of_that_name_counts_nowhere(tmp_path):
    """That which is there; of one that is gone nobody knows."""
    comparison = make_comparison(tmp_path, metrics='["swd"]')
    folder = write_run(comparison, comparison.rows[0])
    network, file = folder / "network-000002.keras", folder / "metrics.jsonl"
    tick, score = map(json.loads, file.read_text().splitlines())

    def score_now(fakes_sha256: str) -> float | None:
        file.write_text("".join(f"{json.dumps(line)}\n" for line in (tick, {**score, "fakes_sha256": fakes_sha256})))
        return states(comparison)[0].score("swd")

    assert score_now(saved.digest(network)) == 1.0
    assert score_now("of another") is None
    network.unlink()
    assert score_now("of another") == 1.0


def test_rows_of_several_precisions_and_versions_are_named(done, tmp_path):
    text = suite_report.write_report(done, str(tmp_path / "suite.toml"))[0].read_text()
    assert "python 3." in text
    assert "mix precisions" not in text
    folder = next(done.results.glob("0*-rr-s2"))
    config = json.loads((folder / "config.json").read_text())
    config["optim"]["precision"] = "bfloat16"
    (folder / "config.json").write_text(json.dumps(config))
    flags = tmp_path / "rr.flags"
    flags.write_text(f"{flags.read_text()}--precision=auto\n")
    file = folder / "metrics.jsonl"
    file.write_text(file.read_text().replace('"python": "3"', '"python": "4"'))
    suite = read_suite(tmp_path / "suite.toml")
    text = suite_report.write_report(suite, str(tmp_path / "suite.toml"))[0].read_text()
    assert "Rows that mix precisions: RR (1 bfloat16, 2 float32)." in text
    assert "python 3 (32 results); python 4 (4 results)." in text
    assert "| rr-s2 | 2.0 | bfloat16 | 1m 00s |" in text


def test_a_page_belongs_to_one_suite(done, tmp_path):
    """By its name, wherever it lies and however it is asked for."""
    for name in (str(tmp_path / "suite.toml"), "suite"):
        suite_report.write_report(done, name)
    before = done.report.read_text()
    with pytest.raises(ConfigError, match=r"has the tables of suite; give other\.toml a page of its own"):
        suite_report.write_report(done, "other.toml")
    assert done.report.read_text() == before


def test_a_bar_in_a_title_is_no_end_of_a_cell(tmp_path):
    comparison = make_comparison(tmp_path, rows={"Baseline": "base", "A | B": "rr"}, metrics='["swd"]')
    numbers = scores.scores(comparison, states(comparison))
    assert r"| A \| B | 0 |  |" in suite_report.table_one(comparison, {"swd": "SWD"}, numbers, {})
