"""Results of metrics: lines of JSON, a table for the terminal, curves for TensorBoard."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.registry import METRICS

IDENTITY = ("metric", "fakes", "count", "extractor", "extractor_sha256", "seed", "reals_sha256", "fakes_sha256")


def append(path: Path, row: dict) -> None:
    """Adds one line. A line that a kill cut off before is ended first, so that it spoils no other."""
    text = json.dumps(row) + "\n"
    if path.exists() and path.read_bytes()[-1:] not in (b"", b"\n"):
        text = "\n" + text
    with path.open("a") as file:
        file.write(text)


def read(path: Path) -> list[dict]:
    """The results among the lines of a file; ticks of a training are passed over."""
    return [row for row in _rows(path) if "metric" in row and "values" in row]


def read_ticks(path: Path) -> list[dict]:
    """The ticks of a training among the lines of a file."""
    return [row for row in _rows(path) if "tick" in row]


def _rows(path: Path) -> list[dict]:
    """All whole lines; none where there is no file. A line that a kill cut off is passed over."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def find(rows: Iterable[dict], identity: dict) -> dict | None:
    """The result of the same measurement, if it was made before."""
    wanted = [identity.get(key) for key in IDENTITY]
    return next((row for row in rows if [row.get(key) for key in IDENTITY] == wanted), None)


def headline(row: dict) -> float:
    """The value that stands for a result."""
    return row["values"][METRICS[row["metric"]].headline]


def is_better(metric: str, value: float, other: float) -> bool:
    """Whether `value` is a better headline of this metric than `other`; a number is better than NaN."""
    if math.isnan(other):
        return not math.isnan(value)
    return value < other if METRICS[metric].lower_is_better else value > other


def table(rows: list[dict]):
    """The results as a table for rich's console: one row each, numbers to four digits."""
    from rich.table import Table

    found = Table("images", "metric", "value", "count", "against", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        values = ", ".join(f"{name} {value:.4g}" for name, value in row["values"].items())
        found.add_row(row["fakes"], row["title"], values, str(row["count"]), row.get("reals", "-"))
    return found


def scalars(row: dict) -> dict[str, float]:
    """{TensorBoard's tag: value}: 'metrics/swd/avg', 'metrics/fid-efficientnet-lite0/fid'."""
    name = "-".join([row["metric"], *([row["extractor"]] if "extractor" in row else [])])
    return {f"metrics/{name}/{value}": number for value, number in row["values"].items()}


def write_scalars(writer, row: dict) -> None:
    """Adds a snapshot's result to TensorBoard's `writer`, at the real images that the snapshot had seen."""
    import tensorflow as tf

    with writer.as_default(step=row["images"]):
        for name, value in scalars(row).items():
            tf.summary.scalar(name, value)


def check_headline(metric: str, metrics: Iterable[str]) -> None:
    """MetricError unless the metric that chooses the best snapshot is one of those measured."""
    if metric not in metrics:
        raise MetricError(f"--best_metric={metric}: not among --metrics={','.join(metrics)}; add it there")
