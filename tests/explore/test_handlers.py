"""What the controls do, without the page: a visit from the first picture to a film, and what is refused."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pgan_tf.explore import handlers, networks, uploads
from pgan_tf.explore.handlers import Visit
from pgan_tf.explore.networks import Source, open_sources
from pgan_tf.inference.errors import GenerateError
from pgan_tf.networks.saved import NetworkError


@pytest.fixture(scope="module")
def source(run):
    return Source(run)


@pytest.fixture
def visit(source):
    """With four pictures drawn, the third chosen, and two pinned."""
    _, visit = handlers.draw(source, Visit(), 4, "random", 1.0, 4)
    _, visit = handlers.pin(source, visit, "chosen", 1.0)
    _, visit = handlers.choose(source, visit, 2, 1.0)
    _, visit = handlers.pin(source, visit, "chosen", 1.0)
    return visit


def test_a_choice_is_one_of_the_drawn(source, visit):
    drawn, _ = handlers.draw(source, visit, 4, "random", 0.7, 4)
    chosen, after = handlers.choose(source, visit, 2, 0.7)
    assert np.abs(chosen[0].astype(int) - drawn[2]).max() <= 1
    assert after.pins is visit.pins


def test_sliders_move_the_chosen_picture_and_back(source, visit):
    chosen, _ = handlers.choose(source, visit, 2, 1.0)
    still, _ = handlers.move(source, visit, 1.0, 9, [0] * 16)
    moved, after = handlers.move(source, visit, 1.0, 9, [2] * 8 + [0.5] * 8)
    assert np.abs(still.astype(int) - chosen).max() <= 1
    assert np.abs(moved.astype(int) - chosen).max() > 10
    pinned, _ = handlers.pin(source, after, "made", 1.0)
    assert len(pinned) == 3
    assert np.abs(pinned[2].astype(int) - moved[0]).max() <= 1


def test_mixtures_are_of_the_two_pins(source, visit):
    pins = handlers.pinned(source, visit, 1.0)
    three, way, captions, _ = handlers.mix(source, visit, 1.0, 1, 2, [])
    assert np.abs(three[:2].astype(int) - pins).max() <= 1
    assert np.abs(three[2].astype(int) - pins[1]).max() <= 1  # nothing of A
    assert np.abs(way[0].astype(int) - pins[1]).max() <= 1
    assert captions == ["all of 2", "to 8 of 1", "to 16 of 1", "to 20 of 1"]
    assert len(way) == 4


@pytest.mark.parametrize("suffix", [".mp4", ".webp"])
def test_a_film_is_written_with_progress(source, visit, suffix, tmp_path):
    done = list(handlers.film(source, visit, 1.0, 1.5, tmp_path / f"way{suffix}"))
    assert done == sorted(done)
    assert done[-1] == 1
    assert (tmp_path / f"way{suffix}").stat().st_size > 500


def test_the_nearest_stand_in_rows(source, visit):
    pictures, captions = handlers.nearest(source, visit, 1.0, 2, 3)
    assert [len(pictures), len(captions)] == [8, 8]
    assert [i for i, caption in enumerate(captions) if caption == "generated"] == [0, 4]


def test_an_upload_is_found_step_by_step(source, visit, tmp_path):
    target, _ = handlers.choose(source, visit, 2, 1.0)
    Image.fromarray(target[0, ..., 0]).save(tmp_path / "mine.png")
    seen = list(handlers.project(source, visit, str(tmp_path / "mine.png"), "crop", "random", 12))
    assert [(step.what, step.done) for step, *_ in seen] == [("candidates", 0), *(("steps", n) for n in (1, 5, 10, 12))]
    assert np.abs(seen[0][1].astype(int) - target[0]).max() <= 1
    losses = [step.loss for step, *_ in seen[1:]]
    assert losses == sorted(losses, reverse=True)
    assert seen[-1][3].made.count == 1


def bomb(path: Path) -> None:
    """A picture of a gigapixel in some kilobytes."""
    Image.new("1", (2**15, 2**15)).save(path)


BAD_UPLOADS = {
    "no picture": (lambda path: path.write_bytes(b"<svg onload=alert(1)>"), "the file: cannot identify"),
    "a bomb": (bomb, "pixels"),
    "20 megapixels": (lambda path: Image.new("1", (5000, 4000)).save(path), "pixels"),
    "large": (lambda path: path.write_bytes(bytes(uploads.MOST_BYTES + 1)), "more than 8 MB"),
    "empty": (lambda path: path.touch(), "the file"),
}


@pytest.mark.parametrize("name", BAD_UPLOADS)
def test_bad_uploads_are_refused_in_one_line_without_their_path(name, source, visit, tmp_path):
    make, line = BAD_UPLOADS[name]
    make(tmp_path / "mine.png")
    with pytest.raises(GenerateError, match=line) as caught:
        next(handlers.project(source, visit, str(tmp_path / "mine.png"), "crop", "random", 5))
    assert len(str(caught.value).splitlines()) == 1
    assert str(tmp_path) not in str(caught.value)


REFUSED = {
    "too many": (lambda s, v: handlers.draw(s, v, 0, "all", 1.0, 25), "25 pictures"),
    "none": (lambda s, v: handlers.draw(s, v, 0, "all", 1.0, 0), "0 pictures"),
    "a seed below 0": (lambda s, v: handlers.draw(s, v, -1, "all", 1.0, 1), "seed -1"),
    "no such class": (lambda s, v: handlers.draw(s, v, 0, "7", 1.0, 1), "no class 7"),
    "truncation": (lambda s, v: handlers.draw(s, v, 0, "all", 2.0, 1), "truncation 2"),
    "nothing chosen": (lambda s, v: handlers.move(s, Visit(), 1.0, 1, [0] * 16), "no picture is chosen"),
    "beyond the drawn": (lambda s, v: handlers.choose(s, v, 4, 1.0), "no picture is chosen"),
    "before the drawn": (lambda s, v: handlers.choose(s, v, -1, 1.0), "no picture is chosen"),
    "a slider": (lambda s, v: handlers.move(s, v, 1.0, 1, [1e9] + [0] * 15), "out of its bounds"),
    "no number": (lambda s, v: handlers.move(s, v, 1.0, 1, [float("nan")] * 16), "out of its bounds"),
    "a pin": (lambda s, v: handlers.mix(s, v, 1.0, 1, 3, []), "pins 1 to 2"),
    "sets": (lambda s, v: handlers.mix(s, v, 1.0, 1, 2, [3]), "no such dimensions"),
    "nothing pinned": (lambda s, v: handlers.mix(s, Visit(), 1.0, 1, 2, []), "nothing is pinned"),
    "a long film": (lambda s, v: next(handlers.film(s, v, 1.0, 1e6, Path("x.mp4"))), "1e\\+06 seconds"),
    "no film": (lambda s, v: next(handlers.film(s, v, 1.0, float("nan"), Path("x.mp4"))), "nan seconds"),
    "no upload": (lambda s, v: next(handlers.project(s, v, None, "crop", "0", 5)), "no picture is given"),
    "steps": (lambda s, v: next(handlers.project(s, v, "x", "crop", "0", 10**6)), "1000000 steps"),
    "another network": (lambda s, v: networks.find({"a": s}, "../b"), "no such network"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_in_one_line(name, source, visit):
    act, line = REFUSED[name]
    with pytest.raises(GenerateError, match=line) as caught:
        act(source, visit)
    assert len(str(caught.value).splitlines()) == 1


def test_pins_are_limited(source, visit):
    for _ in range(handlers.MOST_PINS - 2):
        _, visit = handlers.pin(source, visit, "chosen", 1.0)
    with pytest.raises(GenerateError, match="12 pins already"):
        handlers.pin(source, visit, "chosen", 1.0)


def test_of_a_run_that_trains_the_newest_snapshot_is_shown(run, make_tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "LOOK_AGAIN", -1)
    new = tmp_path / "run"
    shutil.copytree(run, new)
    source = Source(new)
    before, visit = handlers.draw(source, Visit(), 1, "0", 1.0, 2)
    (new / "network-000030.keras").write_bytes(b"not whole yet")
    assert "network-000010.keras" in source.about()  # the one before stays
    make_tiny(3, seed=5).save(new / "network-000040.keras")
    assert "network-000040.keras" in source.about()
    after, _, _ = handlers.repaint(source, visit, 1.0)
    assert np.abs(before.astype(int) - after).max() > 10


def test_nobody_else_waits_while_a_newer_snapshot_is_read(run, make_tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "LOOK_AGAIN", -1)
    new, begun, go_on = tmp_path / "run", threading.Event(), threading.Event()
    shutil.copytree(run, new)
    source = Source(new)
    before = source.painter()
    make_tiny(3, seed=5).save(new / "network-000040.keras")
    real = networks.open_engine

    def slowly(file):
        begun.set()
        assert go_on.wait(60)
        return real(file)

    monkeypatch.setattr(networks, "open_engine", slowly)
    with ThreadPoolExecutor(2) as pool:
        waits = pool.submit(source.painter)
        try:
            assert begun.wait(60)
            assert pool.submit(source.painter).result(60) is before
        finally:
            go_on.set()
        assert waits.result(60).engine.path.name == "network-000040.keras"


def test_an_export_draws_and_says_what_it_cannot_do(onnx_file, run, tmp_path):
    sources = open_sources([run, onnx_file])
    pictures = [handlers.draw(source, Visit(), 4, "1", 0.5, 2)[0].astype(int) for source in sources.values()]
    assert list(sources) == ["00000-tiny-s1", "tiny.onnx"]
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    Image.new("L", (16, 16)).save(tmp_path / "mine.png")
    with pytest.raises(GenerateError, match="no gradients"):
        next(handlers.project(sources["tiny.onnx"], Visit(), str(tmp_path / "mine.png"), "crop", "", 5))
    with pytest.raises(GenerateError, match="does not say what it was trained on"):
        sources["tiny.onnx"].training_set()


def test_a_network_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NetworkError, match=r"nothing\.keras: no such file"):
        open_sources([tmp_path / "nothing.keras"])
