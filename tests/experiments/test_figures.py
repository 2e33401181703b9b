"""The figures of a report: when they are drawn, of what, and what is said of runs that fell apart."""

import dataclasses
import json
from pathlib import Path
from unittest.mock import create_autospec

import numpy as np
import pytest
from experiments.suites import make_comparison, make_points, make_suite, write_points_run, write_run
from PIL import Image

from pgan_tf import grids, plane, stamps
from pgan_tf.config import ConfigError
from pgan_tf.data.holdout import split
from pgan_tf.data.writer import DatasetWriter
from pgan_tf.evaluation import snapshots
from pgan_tf.experiments import canvas, collapses, neighbors, outputs, runs, samples, suite_report, watched
from pgan_tf.experiments.runs import states
from pgan_tf.experiments.suite_data import check_data

PROBABILITIES = {"probability/real": 0.9, "probability/fake": 0.2}


@pytest.fixture
def ring(tmp_path):
    """The comparison of a suite of points with two seeds of two rows; the second row falls from 8 modes to 2."""
    (comparison,) = make_points(tmp_path, seeds="[1, 2]").comparisons
    m0, m1 = comparison.rows
    for seed in (1, 2):
        write_points_run(comparison, m0, seed, [1, 4, 8, 8], **PROBABILITIES)
        write_points_run(comparison, m1, seed, [1, 8, 2, 4])
    return comparison


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are drawn, in place of files."""
    figures = []
    for module in (outputs, watched, samples, collapses):
        monkeypatch.setattr(module, "save", lambda figure, path: figures.append(figure))
    return figures


def test_a_report_of_points_has_its_figures_and_names_what_fell(ring, tmp_path):
    suite = make_points(tmp_path, seeds="[1, 2]", source_kimg="20")
    files = suite_report.write_report(suite, str(tmp_path / "suite.toml"))
    text = files[0].read_text()
    kinds = ("scores", "watched", "outputs", "grids", "collapses")
    assert [file.stem for file in files[1:-1]] == [f"table_ring_{kind}" for kind in kinds]
    for file in files[1:-1]:
        assert f"]({file.name})" in text
        with Image.open(file) as picture:
            assert min(picture.size) > 50
    assert "| M0 | 2 | 8 ± 0 | 1 ± 0 |" in text  # modes, and the share of good samples
    head = "run | thousands of images | iterations | minibatch | share of the source's | precision | time of training"
    assert f"| {head} |" in text
    assert "| m0-ring-s1 | 2.0 | 40 | 50 | 0.1 | float32 | 1m 00s |" in text
    assert collapses.RULE in text
    assert "| m1-ring-s2 | mixture of Gaussians: modes | 8 (20) | 2 (30) | 4 |" in text
    assert "| m0-ring-s1 | mixture" not in text


def test_where_nothing_fell_the_report_says_so(tmp_path):
    suite = make_points(tmp_path, {"M0": "m0"}, seeds="[1]")
    write_points_run(suite.comparisons[0], suite.comparisons[0].rows[0], 1, [1, 8])
    text = suite_report.write_report(suite, str(tmp_path / "suite.toml"))[0].read_text()
    assert f"{collapses.RULE}\n\nThere is none.\n" in text
    assert "collapses.webp" not in text


def test_outputs_are_probabilities_where_a_run_has_them(ring, drawn):
    outputs.plot_outputs(ring, states(ring), Path("unused"))
    losses, _, probabilities, scores = drawn[0].axes
    assert [line.get_ydata()[0] for line in losses.lines] == [1.0, 2.0] * 2  # two seeds
    assert [line.get_ydata()[0] for line in probabilities.lines[:4]] == [0.9, 0.2] * 2
    assert probabilities.get_ylim()[1] < 1.1
    assert [line.get_ydata()[0] for line in scores.lines] == [0.5, -0.5] * 2
    assert losses.lines[0].get_xdata().tolist() == [10, 20, 30, 40]  # iterations


@pytest.mark.parametrize(("tick", "there"), [({}, False), (PROBABILITIES, True)])
def test_outputs_of_images_are_shown_where_they_are_probabilities(tick, there, tmp_path):
    comparison = make_comparison(tmp_path, metrics='["swd"]')
    write_run(comparison, comparison.rows[0], **tick)
    assert outputs.has_outputs(comparison, states(comparison)) is there


def test_rows_without_a_complete_run_take_no_room(tmp_path, drawn):
    rows = {f"M{n}": f"m{n}" for n in range(8)}
    (comparison,) = make_points(tmp_path, rows, seeds="[1]").comparisons
    assert not outputs.has_outputs(comparison, states(comparison))
    for row in comparison.rows[1::6]:
        write_points_run(comparison, row, 1, [8])
    assert outputs.has_outputs(comparison, states(comparison))
    outputs.plot_outputs(comparison, states(comparison), Path("unused"))
    assert [axis.get_title() for axis in drawn[0].axes] == ["M1", "M7", "", ""]


def test_rows_stand_in_lines_of_six(tmp_path, drawn):
    rows = {f"M{n}": f"m{n}" for n in range(8)}
    (comparison,) = make_points(tmp_path, rows, seeds="[1]").comparisons
    for row in comparison.rows:
        write_points_run(comparison, row, 1, [8])
    outputs.plot_outputs(comparison, states(comparison), Path("unused"))
    assert [axis.get_title() for axis in drawn[0].axes if axis.get_title()] == list(rows)
    assert len(drawn[0].axes) == 2 * 2 * 6


def test_watched_scores_are_means_over_the_seeds(ring, drawn):
    watched.plot_watched(ring, states(ring), Path("unused"))
    modes, good = drawn[0].axes
    assert [line.get_label() for line in modes.lines] == ["M0", "M1"]
    assert modes.lines[1].get_ydata().tolist() == [1, 8, 2, 4]
    assert modes.lines[1].get_xdata().tolist() == [10, 20, 30, 40]  # iterations
    assert good.lines[1].get_ydata().tolist() == [0.125, 1, 0.25, 0.5]


# ---- pictures over time ----------------------------------------------------------------------------------------------


def test_pictures_are_those_of_the_theses_iterations():
    every = {Path(f"{n}"): n for n in range(0, 120_001, 500)}
    assert [int(file.name) for file in samples.nearest(every)] == [
        1000, 2000, 3000, 4000, 6000, 8000, 10_000, 15_000, 20_000, 50_000, 100_000, 120_000,
    ]  # fmt: skip
    rough = {Path(f"{n}"): n for n in (0, 70, 1000, *range(5000, 200_001, 5000))}
    assert [int(file.name) for file in samples.nearest(rough)] == [
        1000, 5000, 10_000, 15_000, 20_000, 50_000, 100_000, 200_000,
    ]  # fmt: skip


def test_the_times_above_are_iterations_and_points_have_no_numbers_around(ring, drawn):
    samples.plot_samples(ring, states(ring), Path("unused"))
    titles = [axis.get_title() for axis in drawn[0].axes]
    assert titles == ["10", "20", "30", "40", "", "", "", ""]  # once: they are the same in both rows
    state = states(ring)[0]
    assert samples.shrunk(state, samples.over_time(state)[0]).shape == (samples.SIDE, samples.SIDE, 3)


def test_iterations_are_exact_where_names_leave_out_the_rest_of_a_thousand(tmp_path):
    (comparison,) = make_points(tmp_path, seeds="[1]", total_kimg="6.4").comparisons
    folder = write_points_run(comparison, comparison.rows[0], 1, [8])
    for old in folder.glob("fakes*"):
        old.unlink()
    ticks, before = [], 0
    for number in range(1, 17):  # of 400 points: 8 iterations
        name = stamps.stamp(400 * number, before)
        Image.new("RGB", (8, 8)).save(folder / f"fakes{name}.png")
        ticks.append({"tick": number, "kimg": 0.4 * number})
        before = 400 * number
    (folder / "metrics.jsonl").write_text("".join(json.dumps(tick) + "\n" for tick in ticks))
    state = runs.state_of(comparison, comparison.rows[0], 1)
    assert [samples.when(state, kimg) for kimg in samples.pictures(state).values()] == [
        f"{8 * n}" for n in range(1, 17)
    ]


def test_cells_of_28_pixels_are_cut_where_they_are(tmp_path):
    """A grid enlarges by whole pixels, so that the cells of 28x28 have 56."""
    comparison = make_comparison(tmp_path, metrics='["swd"]')
    folder = write_run(comparison, comparison.rows[0], resolution=28)
    shades = np.arange(12, dtype=np.uint8)[:, None, None, None] * np.ones((1, 28, 28, 1), np.uint8)
    file = folder / "fakes000002.png"
    grids.save_png(file, grids.grid(shades, 4, grids.cell_size(28)))
    state = next(state for state in states(comparison) if state.complete)
    cells = samples.shrunk(state, file).reshape(3, samples.CELL, 4, samples.CELL, 3).swapaxes(1, 2)
    assert (cells == np.arange(12).reshape(3, 4, 1, 1, 1)).all()


# ---- collapses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "share", "fell"),
    [
        ([1, 2, 3, 4], 0.7, None),
        ([4, 2.9, 3, 4], 0.7, None),  # 2.9 > 0.7 x 4
        ([4, 2.7, 4, 1], 0.7, (4, 2.7, 1)),  # the first fall, and the end
        ([0.001, 0.5, 0.4], None, None),  # before it had learned anything it had not fallen
        ([0.001, 0.5, 0.09], None, (0.5, 0.09, 0.09)),
        ([0.05, 0.01], None, None),
        ([], None, None),
    ],
)
def test_the_rule(values, share, fell):
    found = collapses._fallen(None, "a score", dict(enumerate(values)), share)
    assert (found and (found.best, found.fell, found.last)) == fell


def test_samples_that_are_all_alike_are_found(tmp_path):
    (comparison,) = make_points(tmp_path, seeds="[1]").comparisons
    write_points_run(comparison, comparison.rows[0], 1, [8, 8, 0.01, 8])
    found = [one for one in collapses.collapses(states(comparison)) if one.what.startswith("spread")]
    assert [(one.best_kimg, one.fell_kimg) for one in found] == [(0.5, 1.5)]


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.25])
def test_the_spread_of_points_is_read_off_their_picture(scale):
    data = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    frame = plane.Frame.around(data)
    of_data = plane.spread_of_data(plane.data_points(data, frame))
    assert of_data == pytest.approx(np.sqrt(data.var(axis=0).sum()) / frame.size, rel=0.05)
    of_fakes = plane.spread_of_samples(plane.samples_over_data(scale * data, data, frame))
    assert of_fakes / of_data == pytest.approx(scale, rel=0.1)


def test_the_spread_of_images_is_that_of_each_pixel():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (12, 28, 28, 1), np.uint8)
    grid = grids.grid(images, 4, 56)
    assert collapses._deviation(grid, 56) == pytest.approx(np.sqrt(images.astype(float).var(axis=0).mean()))
    assert collapses._deviation(grids.grid(images[[0] * 12], 4, 56), 56) == 0


# ---- nearest neighbours ----------------------------------------------------------------------------------------------


def write_noise(folder: Path) -> np.ndarray:
    """A data set of noise. -> its images uint8 [200,8,8,1]"""
    images = np.random.default_rng(0).integers(0, 256, (200, 8, 8, 1), np.uint8)
    with DatasetWriter(folder, resolution=8, channels=1) as writer:
        for image in images:
            writer.add(image)
    return images


def test_copies_of_training_images_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = write_noise(tmp_path / "data")
    suite = make_suite(tmp_path, metrics='["swd"]', neighbors='"RR"')
    (comparison,) = suite.comparisons
    folder = write_run(comparison, comparison.rows[1])
    copied = images[100:164].copy()
    copied[1:] ^= 1  # one is a copy, the others are next to one
    made = create_autospec(snapshots.images, side_effect=lambda *_: iter(np.split(copied, 2)))
    monkeypatch.setattr(snapshots, "images", made)
    text = suite_report.write_report(suite, str(tmp_path / "suite.toml"))[0].read_text()
    assert "table_neighbors.png" in text
    assert "1 of 64 are copies" in text
    found = neighbors.find(folder, "data")
    assert (found.neighbors == images[100:164]).all()
    assert found.neighborhood.usual > found.neighborhood.distances.max()


def test_mirrored_copies_are_copies_where_the_rows_mirror(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = write_noise(tmp_path / "data")
    copied = images[100:164, :, ::-1]
    monkeypatch.setattr(snapshots, "images", create_autospec(snapshots.images, side_effect=lambda *_: iter([copied])))
    (comparison,) = make_suite(tmp_path, metrics='["swd"]').comparisons
    for row, mirror in zip(comparison.rows[:2], (False, True), strict=True):
        row = dataclasses.replace(row, config=row.config.replace(mirror_augment=mirror))
        found = neighbors.find(write_run(comparison, row), "data")
        assert found.neighborhood.copies == 64 * mirror
        if mirror:
            assert (found.neighbors == copied).all(), "shown as they were compared"


def test_no_neighbour_is_of_what_the_run_held_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = write_noise(tmp_path / "data")
    monkeypatch.setattr(snapshots, "images", create_autospec(snapshots.images, side_effect=lambda *_: iter([images])))
    (comparison,) = make_suite(tmp_path, metrics='["swd"]').comparisons
    row = dataclasses.replace(comparison.rows[0], config=comparison.rows[0].config.replace(holdout=0.5))
    found, trained = neighbors.find(write_run(comparison, row), "data"), split(200, 0.5)[0]
    assert set(found.neighborhood.indices.ravel()) <= set(trained)
    assert found.neighborhood.copies == sum(trained < 64)


def test_neighbours_are_of_a_row_and_of_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="neighbors = 'M7' is not among the rows"):
        make_points(tmp_path, neighbors='"M7"')
    from pgan_tf.data.sources.planar import create_planar

    create_planar("ring", "gaussians8", 200, None, 1)
    with pytest.raises(ConfigError, match="neighbors = 'M0': are of images"):
        check_data(make_points(tmp_path, neighbors='"M0"'))


@pytest.mark.parametrize("title", ["M0", "(d) + Revised training parameters", "Small data, not augmented", "x" * 60])
def test_a_title_is_whole_and_has_room(title):
    lines = canvas.wrapped(title).split("\n")
    assert "".join(lines).replace(" ", "") == title.replace(" ", "")
    assert max(map(len, lines)) <= 20
