"""Results of metrics: lines of JSON, a table for the terminal, curves for TensorBoard."""

from __future__ import annotations

import functools
import json
import math
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from pgan_tf.files import append_text
from pgan_tf.metrics.registry import METRICS

IDENTITY = ("metric", "fakes", "count", "extractor", "extractor_sha256", "seed", "reals_sha256", "fakes_sha256")


WATCHED = "training"  # the fakes of a measurement while a run trains
# What every tick of a training says in numbers.
TICK = ("tick", "kimg")
MAY_DIVERGE = {"loss", "label_loss", "scores", "penalty", "gradient_norm", "regularizer"}  # numbers that may be NaN


def append(path: Path, row: dict) -> None:
    """Adds one line, which is on the disk when this returns. A line that a kill cut off before is ended first."""
    text = json.dumps(row) + "\n"
    append_text(path, text if _ends_whole(path) else "\n" + text)


def _ends_whole(path: Path) -> bool:
    """Whether the last line is there to its end."""
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"
    except OSError:  # not there, or empty
        return True


def read(path: Path) -> list[dict]:
    """The results among the lines of a file; ticks of a training are passed over."""
    rows = _read(path, _is_result, "tick")
    return [{**row, "title": row.get("title", METRICS[row["metric"]].title)} for row in rows]


def read_ticks(path: Path, needs: Iterable[str] = ()) -> list[dict]:
    """The ticks of a training among the lines of a file; each has the numbers of TICK, and those that are needed.

    A tick without one of these is of another training, and nothing is said of it; one with words for it is no tick.
    """

    def wanted(row: object) -> bool:
        return isinstance(row, dict) and _is_tick(row, [name for name in needs if name in row])

    return [row for row in _read(path, wanted, "metric") if all(name in row for name in needs)]


def level(tick: dict) -> int:
    """The level of the schedule that a tick, which has its `resolution`, was trained at.

    Versions that do not say it grew by layers alone, where it is the resolution.
    """
    said = tick.get("level")
    return said if type(said) is int and 0 < said < 2**31 else tick["resolution"]


def parse(line: bytes) -> object:
    """A line's JSON. ValueError where it is none."""
    try:
        return json.loads(line.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deep") from None


def _read(path: Path, wanted: Callable[[object], bool], other: str) -> list[dict]:
    """The wanted lines, none where there is no file. Says of others that have not the key of the `other` kind."""
    rows, strange = [], []
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            row = parse(line)
        except ValueError:
            if line and number < len(lines):  # what a kill has cut off stands at the end
                strange.append(number)
            continue
        if wanted(row):
            rows.append(row)
        elif not isinstance(row, dict) or other not in row:
            strange.append(number)
    if strange:
        _say_strange(path, tuple(strange))
    return rows


@functools.cache  # said once, however often a file is read
def _say_strange(path: Path, numbers: tuple[int, ...]) -> None:
    which = f"line {numbers[0]} is" if len(numbers) == 1 else f"{len(numbers)} lines, the first line {numbers[0]}, are"
    with suppress(OSError, ValueError, AttributeError):  # nobody reads the messages
        print(f"{path}: {which} none that this program writes; passed over", file=sys.stderr)


def _is_tick(row: dict, needs: Iterable[str]) -> bool:
    return all(
        _is_number(row.get(name)) and (math.isfinite(row[name]) or name.partition("/")[0] in MAY_DIVERGE)
        for name in (*TICK, *needs)
    )


def _is_result(row: object) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("values"), dict) or row.get("metric") not in list(METRICS):
        return False
    values = row["values"]
    return (
        METRICS[row["metric"]].headline in values
        and all(_is_number(value) for value in [*values.values(), row.get("count"), row.get("kimg", 0)])
        and all(isinstance(row.get(name, ""), str) for name in ("title", "reals", "extractor", "extractor_sha256"))
        and isinstance(row.get("fakes"), str)
        and isinstance(row.get("versions", {}), dict)
    )


def _is_number(value: object) -> bool:
    """A number that can be counted with; JSON has whole ones that no float holds."""
    return isinstance(value, float) or (type(value) is int and abs(value) < 2**63)


def is_measured(line: bytes) -> bool:
    """Whether a line is a metric's result."""
    return _is_result(parse(line))


def images_of(line: bytes) -> float:
    """The real images seen when a line was written: 0 for one of no such time, infinite for what is no JSON."""
    try:
        row = parse(line)
    except ValueError:
        return math.inf
    images = row.get("images") if isinstance(row, dict) else None
    return images if _is_number(images) else 0


def find(rows: Iterable[dict], identity: dict) -> dict | None:
    """The result of the same measurement, if it was made before."""
    wanted = [identity.get(key) for key in IDENTITY]
    return next((row for row in rows if [row.get(key) for key in IDENTITY] == wanted), None)


def headline(row: dict) -> float:
    """The value that stands for a result."""
    return row["values"][METRICS[row["metric"]].headline]


def columns(metrics: Iterable[str]) -> tuple[str, ...]:
    """What a table shows of metrics: the headline by the metric's name, its other values as 'metric/value'."""
    return tuple(column for metric in metrics for column in (metric, *(f"{metric}/{v}" for v in METRICS[metric].also)))


def value(row: dict, column: str) -> float | None:
    """A result's number in a column of its metric; None where an older version has not measured it."""
    return row["values"].get(column.partition("/")[2] or METRICS[row["metric"]].headline)


def lower_is_better(column: str) -> bool:
    """Of the numbers in a column."""
    metric, _, other = column.partition("/")
    return METRICS[metric].also[other] if other else METRICS[metric].lower_is_better


def column_title(title: str, column: str) -> str:
    """Of a column, where a result of its metric has this title."""
    metric, _, other = column.partition("/")
    if not METRICS[metric].also:
        return title
    return f"{title}: {(other or METRICS[metric].headline).replace('_', ' ')}"


def is_better(metric: str, value: float, other: float) -> bool:
    """Whether `value` is a better headline of this metric than `other`; a number is better than NaN."""
    if math.isnan(other):
        return not math.isnan(value)
    return value < other if METRICS[metric].lower_is_better else value > other


def table(rows: list[dict]):
    """The results as a table for rich's console: one row each, numbers to four digits."""
    from rich.table import Table

    listing = Table("images", "metric", "value", "count", "against", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        values = ", ".join(f"{name} {value:.4g}" for name, value in row["values"].items())
        listing.add_row(row["fakes"], row["title"], values, str(row["count"]), row.get("reals", "-"))
    return listing


def series(rows: Iterable[dict]) -> dict[str, list[dict]]:
    """{name: results that can be compared}: of one title, as many samples, against the same reals.

    The name is the title, and of several with one title also what tells them apart.
    """
    found: dict[str, dict[tuple, list[dict]]] = {}
    for row in rows:
        found.setdefault(row["title"], {}).setdefault((row["count"], row.get("reals", "")), []).append(row)
    named = {}
    for title, groups in found.items():
        counts, reals = map(set, zip(*groups, strict=True))
        for (count, against), own in groups.items():
            parts = [title, *([f"{count:,} of each"] * (len(counts) > 1)), *([f"against {against}"] * (len(reals) > 1))]
            named[", ".join(parts)] = own
    return named


def scalars(row: dict) -> dict[str, float]:
    """{TensorBoard's tag: value}: 'metrics/swd/avg' of a measurement while training, afterwards with the number of
    samples, 'metrics/fid-efficientnet-lite0-held_out_0.25-1130/fid': numbers of different counts are no curve."""
    extractor = [row["extractor"]] if "extractor" in row else []
    part = [f"held_out_{row['reals_held_out']}"] if "reals_held_out" in row else []
    count = [] if row["fakes"] == WATCHED else [str(row["count"])]
    name = "-".join([row["metric"], *extractor, *part, *count])
    return {f"metrics/{name}/{value}": number for value, number in row["values"].items()}


def write_scalars(writer, row: dict) -> None:
    """Adds a snapshot's result to TensorBoard's `writer`, at the real images that the snapshot had seen."""
    import tensorflow as tf

    with writer.as_default(step=row["images"]):
        for name, value in scalars(row).items():
            tf.summary.scalar(name, value)
