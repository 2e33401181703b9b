"""A data set on one page of HTML that needs nothing else: pictures at every resolution, labels, statistics."""

from __future__ import annotations

import base64
import io
import math
from html import escape
from pathlib import Path

import numpy as np

from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.tools.batches import evenly_spaced
from pgan_tf.data.tools.statistics import Statistics, log_heights, measure
from pgan_tf.files import new_file
from pgan_tf.grids import grid, to_pillow

_MEASURED_PIXELS = 2**27  # a page shall not take an hour for a large set
_LEAST_MEASURED = 1000  # pictures
_GRID_PIXELS = 2**21  # of the largest grid; pictures above it are fewer
_COLOURS = {"grey": "#777", "red": "#d33", "green": "#2a2", "blue": "#36d"}

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{name}</title>
<style>
body {{ font: 15px/1.5 sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222; }}
h1, h2 {{ font-weight: 600; }} h2 {{ margin-top: 2em; border-bottom: 1px solid #ccc; }}
table {{ border-collapse: collapse; }} td, th {{ padding: .1em 1em .1em 0; text-align: left; }}
td.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
img {{ max-width: 100%; min-width: 256px; image-rendering: pixelated; }}
.bar {{ background: #69c; height: .8em; }} svg {{ background: #f4f4f4; width: 100%; height: 110px; }}
</style></head><body>
<h1>{name}</h1>
{body}
</body></html>
"""


def write(path: Path, dataset: RecordDataset, num: int) -> None:
    """Writes the page of the first `num` pictures. Statistics of a large set are those of evenly spaced pictures."""
    most = max(_LEAST_MEASURED, _MEASURED_PIXELS // dataset.resolution**2)
    statistics = measure(dataset, evenly_spaced(dataset.count, most))
    sections = [_summary(dataset, statistics), _grids(dataset, num), _labels(statistics), _histograms(statistics)]
    text = _PAGE.format(name=escape(dataset.name), body="\n".join(sections))
    with new_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _summary(dataset: RecordDataset, statistics: Statistics) -> str:
    rows = {
        "images": f"{dataset.count:,}",
        "size": f"{dataset.resolution} x {dataset.resolution}, {'RGB' if dataset.channels == 3 else 'grey'}",
        "resolutions": ", ".join(map(str, dataset.resolutions)),
        "labels": f"{dataset.label_size} classes" if dataset.label_size else "none",
        "measured": f"{statistics.measured:,} images"
        + ("" if statistics.measured == statistics.count else ", evenly spaced"),
        "repeated": f"{len(statistics.repeats)} of the measured images have the pixels of an earlier one",
    }
    cells = (f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in rows.items())
    return f"<table>{''.join(cells)}</table>"


def _grids(dataset: RecordDataset, num: int) -> str:
    parts = []
    for resolution in reversed(dataset.resolutions):
        shown = max(1, min(num, dataset.count, _GRID_PIXELS // resolution**2))
        picture = grid(dataset.read(resolution, np.arange(shown)), min(shown, _columns(shown)))
        parts.append(f"<h2>{resolution} x {resolution}</h2>{_image(picture, f'{shown} images')}")
    return "\n".join(parts)


def _columns(count: int) -> int:
    """A grid twice as wide as it is high: a screen is wide."""
    return math.ceil(math.sqrt(2 * count))


def _image(picture: np.ndarray, text: str) -> str:
    file = io.BytesIO()
    to_pillow(picture).save(file, format="PNG", optimize=True)
    data = base64.b64encode(file.getvalue()).decode()
    width = max(256, min(1100, picture.shape[1]))
    return f'<img width="{width}" alt="{text}" title="{text}" src="data:image/png;base64,{data}">'


def _labels(found: Statistics) -> str:
    if not found.labels:
        return ""
    most = max(*found.labels.values(), 1)
    rows = (
        f'<tr><td>{escape(name)}</td><td class="number">{count:,}</td>'
        f'<td><div class="bar" style="width: {300 * count / most:.0f}px"></div></td></tr>'
        for name, count in found.labels.items()
    )
    return f"<h2>Labels</h2><table>{''.join(rows)}</table>"


def _histograms(found: Statistics) -> str:
    parts = ["<h2>Values</h2><p>0 to 255; heights are logarithmic.</p>"]
    for channel, name in enumerate(found.channel_names):
        heights = 100 * log_heights(found.histogram[channel])  # [256]
        bars = " ".join(f"M{value} 100v-{height:.1f}" for value, height in enumerate(heights) if height)
        parts.append(
            f"<p>{name}: mean {found.mean[channel]:.2f}, standard deviation {found.std[channel]:.2f}</p>"
            f'<svg viewBox="-1 0 258 100" preserveAspectRatio="none"><path d="{bars}" stroke="{_COLOURS[name]}"/></svg>'
        )
    return "\n".join(parts)
