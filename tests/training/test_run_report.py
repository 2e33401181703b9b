"""report.md and report.html: what they say of a run that has ended, and of one that has not."""

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from pgan_tf.config import Config
from pgan_tf.training.run_report import write_report

TICK = {
    "tick": 1, "kimg": 2.0, "train_seconds": 60.0, "resolution": 8, "nonfinite_rounds": 0, "timing/tick_seconds": 60.0,
    "timing/images_per_second": 33.0, "memory/process_peak_mb": 700.0, "loss/D": 1.0, "loss/G": -1.0,
}  # fmt: skip


@pytest.mark.parametrize(("total_kimg", "goes_on"), [(2.0, False), (3.0, True)])
def test_how_to_go_on_stands_where_the_run_is_not_finished(tmp_path, total_kimg, goes_on):
    folder = tmp_path / "two words"
    folder.mkdir()
    (folder / "metrics.jsonl").write_text(json.dumps(TICK) + "\n")
    write_report(folder, Config.from_values({"total_kimg": total_kimg, "minibatch_dict": {4: 8, 8: 16}}))
    text = (folder / "report.md").read_text()
    assert (f"python train.py --resume='{folder}'" in text) is goes_on
    assert f"tensorboard --logdir '{folder}'" in text
    assert "--minibatch_dict=4:8,8:16\n" in text
    assert f"The run has seen 2.0 of {total_kimg:g} thousand real images in 1m 00s. No round had a loss" in text


class Words(HTMLParser):
    """The text of a page, and the addresses of its pictures."""

    def __init__(self, text: str):
        super().__init__()
        self.words, self.pictures = [], []
        self.feed(text[text.index("<body>") :])

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.pictures.append(dict(attributes)["src"])

    def handle_data(self, data):
        self.words += data.split()


@pytest.fixture
def run(tmp_path):
    """The folder of a run with pictures, three ticks, results of a metric, and its environment."""
    for name in ("fakes000001.png", "fakes000002.png", "reals.png"):
        Image.fromarray(np.full([4, 4, 3], len(name) * 9, np.uint8)).save(tmp_path / name)
    rows = [{**TICK, "tick": n, "kimg": n / 2, "loss/D": loss} for n, loss in enumerate((3.0, float("nan"), 1.0), 1)]
    result = {"metric": "swd", "title": "SWD <b>x1e3</b>", "fakes": "training", "count": 9, "values": {"avg": 3.0}}
    rows += [{**result, "kimg": kimg} for kimg in (1, 2)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    hostile = {"hardware": "<img src=http://a.org/x.png> | ![p](http://a.org/y.png)", "tensorflow": "2.99"}
    (tmp_path / "environment.json").write_text(json.dumps(hostile))
    return tmp_path


def test_the_page_says_what_the_markdown_says_and_holds_its_pictures(run):
    write_report(run, Config.from_values({"desc": "<script>alert(1)</script>"}))
    markdown, page = (run / "report.md").read_text(), Words((run / "report.html").read_text())
    lines = [line for line in markdown.splitlines() if not re.fullmatch(r"\|[-| ]+\||```|!\[.*|.*http.*", line)]
    said = re.findall(r"[\w.:-]+", " ".join(lines))
    assert len(said) > 50
    assert re.findall(r"[\w.:-]+", " ".join(page.words))[: len(said) // 2] == said[: len(said) // 2]
    assert not set(said) - set(re.findall(r"[\w.:-]+", " ".join(page.words)))
    contents = [base64.b64decode(address.partition(";base64,")[2]) for address in page.pictures]
    assert contents == [(run / name).read_bytes() for name in ("fakes000002.png", "reals.png", "curves.svg")]


def test_the_page_loads_nothing_and_obeys_no_name(run):
    write_report(run, Config.from_values({"desc": "<script>alert(1)</script>"}))
    text = (run / "report.html").read_text()
    assert not re.search(r"<(script|link|iframe|object|b)\b", text)
    assert not re.search(r'<[^>]*(src|href)=(?!"data:)', text)
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text


def test_the_curves_are_of_the_ticks_and_results(run):
    write_report(run, Config())
    drawing = (run / "curves.svg").read_text()
    assert drawing.count("<g ") == 2
    assert drawing.count("<circle") == 2  # a loss on each side of one that is no number
    assert drawing.count("<polyline") == 2  # the other loss, and the metric
    assert "SWD &lt;b&gt;x1e3" in drawing


def test_what_is_damaged_or_missing_costs_no_report(run):
    (run / "environment.json").write_text("{")
    (run / "reals.png").unlink()
    write_report(run, Config())
    assert "Begun with" not in (run / "report.md").read_text()
    assert len(Words((run / "report.html").read_text()).pictures) == 2


def test_a_run_on_points_speaks_of_points(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(json.dumps(TICK) + "\n")
    Image.new("RGB", (4, 4)).save(tmp_path / "fakes000002.png")
    write_report(tmp_path, Config.from_values({"family": "mlp"}))
    text = (tmp_path / "report.md").read_text()
    for line in ("thousand real points in", "The newest points of", "Training points:", "| level |", "points/s"):
        assert line in text
    assert "images" not in text
    assert "4x4" not in text
