"""Pictures of the plane: points of a data set and of a generator, and what a discriminator says where.

Arrays in, uint8 [H,W,3] out. Points that are not finite, or outside of the frame, are not drawn.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 448  # pixels of the frame
DATA, FAKES, INK, LIGHT = (160, 160, 160), (214, 77, 30), (70, 70, 70), (245, 245, 245)
_MARGIN = 0.08  # of the frame, around what it is made for
_FINER = 2  # times as many pixels while points are drawn
_RADIUS, _LARGE = 1.4, 2.5  # pixels of a point; of one whose colour says something
_THROUGH = 0.45  # of what is below a point still shows
_DARK, _REDDISH = 200, 60  # below and above that a pixel is one of a point of data, of a sample
_BAND = 0.15  # of the frame, for latents of one component
_LEFT, _BELOW, _ABOVE, _RIGHT, _BAR = 38, 22, 8, 10, 58  # pixels around the frame, for numbers; of the scale of colours
# From low to high: dark blue, teal, green, yellow, rising in lightness, so that it reads in grey as well.
_COLOURS = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)], float)


class Frame(NamedTuple):
    """The square of the plane that a picture shows."""

    left: float
    bottom: float
    size: float

    @classmethod
    def around(cls, points: np.ndarray) -> Frame:
        """The square that has all of the points [N,2], and a margin."""
        points = _finite(points)
        low, high = points.min(axis=0), points.max(axis=0)
        half = (0.5 + _MARGIN) * max((high - low).max(), 1e-6)
        middle = (low + high) / 2
        return cls(float(middle[0] - half), float(middle[1] - half), float(2 * half))

    def lattice(self, n: int) -> np.ndarray:
        """The middles of n x n cells, float32 [n*n,2], from the top left corner row by row: where to ask for scores."""
        steps = (np.arange(n) + 0.5) / n * self.size
        x, y = np.meshgrid(self.left + steps, (self.bottom + steps)[::-1])
        return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def data_points(data: np.ndarray, frame: Frame, side: int = SIDE) -> np.ndarray:
    """Points [N,2] of a data set."""
    return _with_axes(_spread(_white(side), data, INK, frame), frame)


def samples_over_data(samples: np.ndarray, data: np.ndarray, frame: Frame, side: int = SIDE) -> np.ndarray:
    """A generator's samples [N,2] in red over the data [M,2] in grey."""
    canvas = _spread(_white(side), data, DATA, frame)
    return _with_axes(_spread(canvas, samples, FAKES, frame), frame)


def score_field(
    scores: np.ndarray,
    data: np.ndarray,
    samples: np.ndarray,
    frame: Frame,
    span: tuple[float, float] | None = None,
    side: int = SIDE,
) -> np.ndarray:
    """A discriminator's scores [n*n] at `frame.lattice(n)` as colours, under the data in white and the samples in red.

    span: the scores of the lowest and the highest colour; default: of this field.
    """
    n = math.isqrt(len(scores))
    span = span or _span(scores)
    field = Image.fromarray(_coloured(scores, span).reshape(n, n, 3).astype(np.uint8))
    canvas = np.asarray(field.resize((_FINER * side, _FINER * side), Image.Resampling.BILINEAR), np.float32)
    canvas = _spread(canvas, data, LIGHT, frame)
    canvas = _spread(canvas, samples, FAKES, frame)
    return _with_axes(canvas, frame, span)


def scored_points(
    points: np.ndarray,
    scores: np.ndarray,
    frame: Frame,
    span: tuple[float, float] | None = None,
    side: int = SIDE,
) -> np.ndarray:
    """Points [N,2], each in the colour of its score [N]: samples, or the latents that they were made of.

    With the scores of what is made of latents, the latent plane (Sandstroem 2019, figures 7 to 9). span: as in
    `score_field`.
    """
    span = span or _span(scores)
    return _with_axes(_spread(_white(side), points, _coloured(scores, span), frame, _LARGE), frame, span)


def inside(picture: np.ndarray) -> np.ndarray:
    """What is in the frame of a picture made here, without the numbers around it: uint8 [side,side,3]."""
    side = len(picture) - _ABOVE - _BELOW
    return picture[_ABOVE : _ABOVE + side, _LEFT : _LEFT + side]


def spread_of_data(picture: np.ndarray) -> float:
    """The standard deviation of the data's places in a picture of `data_points`, as a share of the frame."""
    return _spread_of(inside(picture).max(axis=2) < _DARK)


def spread_of_samples(picture: np.ndarray) -> float:
    """The same of the samples in a picture of `samples_over_data`."""
    red, _, blue = np.moveaxis(inside(picture).astype(int), 2, 0)
    return _spread_of(red - blue > _REDDISH)


def _spread_of(drawn: np.ndarray) -> float:
    """Of the pixels [side,side] that are drawn; 0 where none is."""
    places = np.argwhere(drawn) / len(drawn)  # [n,2]
    return float(np.sqrt(places.var(axis=0).sum())) if len(places) else 0.0


# ---- points and colours ----------------------------------------------------------------------------------------------


def latent_plane(latents: np.ndarray) -> np.ndarray:
    """Where latents [N,L] are drawn, [N,2]: by their first two components; those of one fill a band along it."""
    first = np.asarray(latents, float)[:, :2]
    if first.shape[1] == 2:
        return first
    width = _BAND * max(np.ptp(first), 1e-6)
    return np.concatenate([first, width * np.linspace(-0.5, 0.5, len(first))[:, None]], axis=1)


def _finite(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, float)
    return points[np.isfinite(points).all(axis=1)]


def _white(side: int) -> np.ndarray:
    return np.full((_FINER * side, _FINER * side, 3), 255, np.float32)


def _spread(canvas: np.ndarray, points: np.ndarray, colours, frame: Frame, radius: float = _RADIUS) -> np.ndarray:
    """The points [N,2] as discs in their colours [N,3], or all in one, on a canvas float32 [S,S,3]; where many lie they
    mix."""
    side, reach = len(canvas), round(radius * _FINER)
    with np.errstate(invalid="ignore", over="ignore"):
        places = (np.asarray(points, float) - frame[:2]) / frame.size * side  # [N,2], from the lower left corner
        inside = ((places >= 0) & (places < side)).all(axis=1)  # not of a point that is no number
    disc = np.array([(x, y) for x in range(-reach, reach + 1) for y in range(-reach, reach + 1)
                     if x * x + y * y <= reach * reach])  # fmt: skip
    pixels = (places[inside].astype(int)[:, None] + disc).reshape(-1, 2)  # [n*d,2]
    shown = ((pixels >= 0) & (pixels < side)).all(axis=1)
    columns, rows = pixels[shown].T
    cells = (side - 1 - rows) * side + columns
    count = np.bincount(cells, minlength=side * side)  # of points that reach a pixel
    reached = np.flatnonzero(count)  # most of the canvas stays as it is
    colour = np.asarray(colours, float)
    if colour.ndim == 2:
        weights = colour[inside].repeat(len(disc), axis=0)[shown]  # [n*d,3]
        sums = np.stack([np.bincount(cells, channel, side * side)[reached] for channel in weights.T], axis=1)
        colour = sums / count[reached, None]  # [reached,3]
    pixels = canvas.reshape(-1, 3).copy()  # [S*S,3]
    opacity = 1 - _THROUGH ** count[reached, None].astype(float)
    pixels[reached] += opacity * (colour - pixels[reached])
    return pixels.reshape(side, side, 3)


def _span(scores: np.ndarray) -> tuple[float, float]:
    """The lowest and the highest score that is a number."""
    scores = np.asarray(scores, float)
    scores = scores[np.isfinite(scores)]
    return (float(scores.min()), float(scores.max())) if len(scores) else (0.0, 0.0)


def _coloured(scores: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    """Scores [N] -> colours [N,3], 0..255; what is no number is white."""
    scores, (low, high) = np.asarray(scores, float), span
    where = np.clip((scores - low) / max(high - low, 1e-12), 0, 1) * (len(_COLOURS) - 1)  # [N]
    known = np.arange(len(_COLOURS))
    colours = np.stack([np.interp(where, known, channel) for channel in _COLOURS.T], axis=-1)  # [N,3]
    return np.where(np.isfinite(scores)[:, None], colours, 255.0)


# ---- around the frame ------------------------------------------------------------------------------------------------


def _with_axes(canvas: np.ndarray, frame: Frame, span: tuple[float, float] | None = None) -> np.ndarray:
    """The canvas, made as large as it is to be, with the numbers of its axes and the scale of its colours."""
    side = len(canvas) // _FINER
    width = _LEFT + side + (_BAR if span else _RIGHT)
    picture = Image.new("RGB", (width, _ABOVE + side + _BELOW), (255, 255, 255))
    picture.paste(Image.fromarray(np.rint(canvas).astype(np.uint8)).reduce(_FINER), (_LEFT, _ABOVE))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(11)
    draw.rectangle((_LEFT - 1, _ABOVE - 1, _LEFT + side, _ABOVE + side), outline=INK)
    for value in _round_values(frame.left, frame.size):
        x = _LEFT + (value - frame.left) / frame.size * side
        draw.line((x, _ABOVE + side, x, _ABOVE + side + 4), fill=INK)
        draw.text((x, _ABOVE + side + 5), f"{value:g}", INK, font, anchor="ma")
    for value in _round_values(frame.bottom, frame.size):
        y = _ABOVE + side - (value - frame.bottom) / frame.size * side
        draw.line((_LEFT - 5, y, _LEFT - 1, y), fill=INK)
        draw.text((_LEFT - 7, y), f"{value:g}", INK, font, anchor="rm")
    if span:
        _draw_scale(picture, draw, font, side, span)
    return np.asarray(picture)


def _draw_scale(picture: Image.Image, draw, font, side: int, span: tuple[float, float]) -> None:
    colours = _coloured(np.linspace(1, 0, side), (0.0, 1.0))[:, None].repeat(10, axis=1)  # [side,10,3]
    left = _LEFT + side + 10
    picture.paste(Image.fromarray(np.rint(colours).astype(np.uint8)), (left, _ABOVE))
    for value, y, anchor in ((span[1], _ABOVE, "la"), (sum(span) / 2, _ABOVE + side // 2, "lm"),
                             (span[0], _ABOVE + side, "ls")):  # fmt: skip
        draw.text((left + 13, y), _short(value), INK, font, anchor=anchor)


def _short(value: float) -> str:
    """In at most six letters, with three digits where they have room: what the margin beside the scale holds."""
    texts = [f"{value:.{digits}g}".replace("e+", "e").replace("e0", "e").replace("e-0", "e-") for digits in (3, 2, 1)]
    return next((text for text in texts if len(text) <= 6), f"{value:.0e}".replace("e-0", "e-"))


def _round_values(begin: float, size: float) -> list[float]:
    """Some four to ten round numbers between `begin` and `begin + size`."""
    rough = size / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * min((1, 2, 5, 10), key=lambda factor: abs(math.log(factor * power / rough)))
    first = math.ceil(begin / step)
    return [round(n * step, 12) for n in range(first, math.floor((begin + size) / step) + 1)]
