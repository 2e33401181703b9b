"""stats: what numpy says of all pictures at once; and the page that shows it."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from pgan_tf.data import DataError, DatasetWriter, RecordDataset
from pgan_tf.data.tools import batches, display, stats
from pgan_tf.data.tools.batches import evenly_spaced
from pgan_tf.grids import grid


def written(folder, images, labels=None, names=()):
    with DatasetWriter(folder, images.shape[1], images.shape[3]) as writer:
        for image in images:
            writer.add(image)
        if labels is not None:
            writer.add_labels(labels)
        if names:
            writer.add_text("-labels.txt", list(names))
    return folder


@pytest.mark.parametrize("channels", [1, 3])
def test_moments_and_histograms_are_those_of_the_pixels(channels, tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "_BATCH_BYTES", 3 * 8 * 8 * channels)  # batches of three
    images = (np.random.RandomState(2).beta(0.5, 2, (10, 8, 8, channels)) * 255).astype(np.uint8)
    found = stats(written(tmp_path / "set", images))
    np.testing.assert_allclose(found.mean, images.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found.std, images.std(axis=(0, 1, 2)), rtol=1e-12)
    for channel in range(channels):
        counts = [(images[..., channel] == value).sum() for value in range(256)]
        np.testing.assert_array_equal(found.histogram[channel], counts)
    assert (found.count, found.measured, found.resolution, found.channels) == (10, 10, 8, channels)
    assert f"mean {images[..., 0].mean():6.2f}" in str(found)


def test_repeats_name_the_first_of_their_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "_BATCH_BYTES", 2 * 8 * 8)
    images = np.random.RandomState(3).randint(0, 256, (9, 8, 8, 1)).astype(np.uint8)
    images[4] = images[1]
    images[7] = images[1]
    images[8] = images[0]
    images[6] = images[5]
    images[6, 7, 7, 0] ^= 1  # nearly
    found = stats(written(tmp_path / "set", images))
    assert found.repeats == [(4, 1), (7, 1), (8, 0)]
    assert "repeated 3 images: 4 = 1, 7 = 1, 8 = 0" in str(found)


def test_labels_are_counted_by_name(tmp_path, small_set):
    assert stats(small_set).labels == {"0": 4, "1": 3, "2": 3}
    images = np.zeros((4, 4, 4, 1), np.uint8)
    folder = written(tmp_path / "named", images, np.eye(3)[[2, 0, 2, 2]], ["cat", "dog & <b>", "eel"])
    assert stats(folder).labels == {"cat": 1, "dog & <b>": 0, "eel": 3}
    assert "3 classes: cat (1), dog & <b> (0), eel (3)" in str(stats(folder))
    several = written(tmp_path / "several", images, [[1, 1], [0, 1], [0, 0], [0, -2.5]])
    assert stats(several).labels == {"0": 1, "1": 3}
    assert stats(written(tmp_path / "none", images)).labels == {}
    with pytest.raises(DataError, match="no such folder"):
        stats(tmp_path / "absent")


def test_the_scale_of_a_histogram_leaves_nothing_invisible(tmp_path):
    images = np.zeros((2, 64, 64, 1), np.uint8)
    images[0, 0, 0] = 255
    text = str(stats(written(tmp_path / "set", images)))
    (bars,) = re.findall(r"0\|(.{64})\|255", text)
    assert bars[0] == "█"
    assert set(bars[1:-1]) == {" "}
    assert bars[-1] != " "


@pytest.mark.parametrize(("count", "most"), [(1, 5), (5, 5), (7, 5), (1000, 3), (2, 1)])
def test_evenly_spaced(count, most):
    chosen = evenly_spaced(count, most)
    assert len(chosen) == min(count, most)
    assert chosen[0] == 0
    assert most == 1 or chosen[-1] == count - 1
    assert np.ptp(np.diff(chosen)) <= 1 if len(chosen) > 1 else True


# ---- the page --------------------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Collects pictures and text; fails at a tag that is not closed."""

    def __init__(self):
        super().__init__()
        self.pictures, self.words, self.open, self.links = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.links += [attrs[name] for name in ("src", "href") if name in attrs]
        if tag == "img":
            data = base64.b64decode(attrs["src"].removeprefix("data:image/png;base64,"))
            self.pictures.append(np.asarray(Image.open(io.BytesIO(data))))
        elif tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        self.words.append(data)


def read_page(path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert not reader.open
    return reader


def test_the_page_has_every_resolution_and_needs_nothing_else(small_set, tmp_path):
    (path,) = display(small_set, num=6, html=tmp_path / "new" / "page.html")
    page, dataset = read_page(path), RecordDataset(small_set)
    assert len(page.pictures) == 3
    for picture, resolution in zip(page.pictures, (16, 8, 4), strict=True):
        np.testing.assert_array_equal(picture, grid(dataset.read(resolution, np.arange(6)), 4))
    assert all(link.startswith("data:") for link in page.links)
    text = " ".join(page.words)
    for words in ("16 x 16, RGB", "4, 8, 16", "Labels", "red: mean", "blue: mean"):
        assert words in text


def test_the_page_escapes_names(tmp_path):
    images = np.random.RandomState(0).randint(0, 256, (3, 8, 8, 1)).astype(np.uint8)
    folder = written(tmp_path / "a<b", images, np.eye(2)[[0, 1, 1]], ["x&y", "<i>"])
    (path,) = display(folder, html=tmp_path / "page.html")
    page = read_page(path)
    assert {"a<b", "x&y", "<i>"} <= set(page.words)
    assert "<i>" not in path.read_text(encoding="utf-8")


def test_picture_and_page_together(small_set, tmp_path):
    paths = display(small_set, tmp_path / "a.png", html=tmp_path / "a.html")
    assert [path.name for path in paths] == ["a.png", "a.html"]
    assert all(path.is_file() for path in paths)
