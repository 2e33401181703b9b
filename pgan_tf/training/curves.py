"""curves.svg: the losses and the metrics of a run over its real images, for the page of the run.

SVG needs no library of plots, stays sharp, and takes its colours from whether the reader's system is light or dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from typing import NamedTuple

WIDTH, HEIGHT = 720, 220  # of a panel, in pixels
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 34, 34  # around its axes
TICKS = 5  # at most, on an axis
MOST_POINTS = 1000  # of a line
LARGEST, SMALLEST = 1e30, 1e-30  # values that are drawn, distances that are seen
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<style>
text {{ font: 12px system-ui, sans-serif; fill: #5b6570; }}
.axis {{ stroke: #d5dadf; }}
polyline, .key, circle {{ stroke-width: 1.6; }}
polyline {{ fill: none; }}
.c0 {{ stroke: #1f6fb4; }} .c1 {{ stroke: #d1620a; }}
circle.c0 {{ fill: #1f6fb4; }} circle.c1 {{ fill: #d1620a; }}
@media (prefers-color-scheme: dark) {{
  text {{ fill: #9aa4ae; }} .axis {{ stroke: #3a4249; }}
  .c0 {{ stroke: #6db3f2; }} .c1 {{ stroke: #ff9d52; }}
  circle.c0 {{ fill: #6db3f2; }} circle.c1 {{ fill: #ff9d52; }}
}}
</style>
{panels}
</svg>
"""


class Panel(NamedTuple):
    """`lines`: {its name, one or two of them: points of (thousands of real images, value)}."""

    title: str
    lines: dict[str, list[tuple[float, float]]]


class Axis(NamedTuple):
    """Values low..high at pixels start..end."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round numbers on it: 1, 2 or 5 times a power of ten apart."""
        rough = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
        return [number * step for number in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]


def svg(panels: list[Panel]) -> str:
    """The panels one below the other; '' where none has a value to draw."""
    drawn = [panel for panel in panels if any(_finite(points) for points in panel.lines.values())]
    if not drawn:
        return ""
    parts = (f'<g transform="translate(0 {i * HEIGHT})">{"".join(_panel(p))}</g>' for i, p in enumerate(drawn))
    return SVG.format(width=WIDTH, height=HEIGHT * len(drawn), panels="\n".join(parts))


def _panel(panel: Panel) -> Iterator[str]:
    points = [point for line in panel.lines.values() for point in _finite(line)]
    across = _axis([0.0, *(kimg for kimg, _ in points)], LEFT, WIDTH - RIGHT)
    up = _axis([value for _, value in points], HEIGHT - BOTTOM, TOP)
    yield f'<text x="{LEFT}" y="16">{html.escape(panel.title)}</text>'
    for value in up.ticks():
        yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up.at(value):.1f}" y2="{up.at(value):.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{up.at(value) + 4:.1f}" text-anchor="end">{value:.4g}</text>'
    for value in across.ticks():
        yield f'<text x="{across.at(value):.1f}" y="{HEIGHT - 16}" text-anchor="middle">{value:.6g}</text>'
    yield f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 3}" text-anchor="end">thousands of reals</text>'
    for number, (name, line) in enumerate(panel.lines.items()):
        if len(panel.lines) > 1:
            x = WIDTH - RIGHT - 90 * (len(panel.lines) - number)
            yield f'<line class="key c{number}" x1="{x}" x2="{x + 18}" y1="12" y2="12"/>'
            yield f'<text x="{x + 24}" y="16">{html.escape(name)}</text>'
        for part in _unbroken(line):
            yield _line(part, number, across, up)


def _line(points: list[tuple[float, float]], number: int, across: Axis, up: Axis) -> str:
    if len(points) == 1:
        return f'<circle class="c{number}" r="2" cx="{across.at(points[0][0]):.1f}" cy="{up.at(points[0][1]):.1f}"/>'
    places = " ".join(f"{across.at(kimg):.1f},{up.at(value):.1f}" for kimg, value in points)
    return f'<polyline class="c{number}" points="{places}"/>'


def _unbroken(points: list[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    """The stretches between values that are no numbers."""
    part = []
    for point in (*points[:: -(-len(points) // MOST_POINTS) or 1], (0.0, math.nan)):
        if abs(point[1]) < LARGEST:
            part.append(point)
        elif part:
            yield part
            part = []


def _finite(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [point for point in points if abs(point[1]) < LARGEST]


def _axis(values: list[float], start: float, end: float) -> Axis:
    low, high = min(values), max(values)
    if high - low <= max(1e-9 * max(abs(low), abs(high)), SMALLEST):  # one value: in the middle
        room = abs(high) / 10 if abs(high) > SMALLEST else 1.0
        low, high = low - room, high + room
    return Axis(low, high, start, end)
