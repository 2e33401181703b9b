"""Pictures laid out on a white sheet in panels with headings, a caption under each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pgan_tf.grids import to_pillow

SMALLEST, LARGEST = 96, 256  # pixels that a picture has on the sheet
INK, PAPER = (0, 0, 0), (255, 255, 255)


class Panel(NamedTuple):
    """Pictures that belong together. All panels of a sheet have the same number of rows.

    rows: pictures uint8 [R,R,C]. captions: a text for each, or ''; its lines are parted by newlines.
    """

    heading: str
    rows: list[list[np.ndarray]]
    captions: list[list[str]]


def in_panels(panels: list[Panel]) -> np.ndarray:
    """uint8 [H,W,3]: the panels side by side, their rows level.

    Pictures are enlarged by whole pixels to at least 96 on the sheet, and reduced by whole factors to at most 256.
    """
    cell = side_on_sheet(len(panels[0].rows[0][0]))
    lines = max(text.count("\n") + 1 if text else 0 for panel in panels for row in panel.captions for text in row)
    font, line, margin, pitch = _measures(cell, lines)
    gap = cell // 3
    widths = [max(len(p.rows[0]) * pitch[0], int(font.getlength(p.heading)) + margin) for p in panels]
    height = line + 2 * margin + len(panels[0].rows) * pitch[1]
    page = Image.new("RGB", (margin + sum(widths) + gap * (len(panels) - 1), height), PAPER)
    draw, left = ImageDraw.Draw(page), margin
    for panel, width in zip(panels, widths, strict=True):
        draw.text((left, margin), panel.heading, INK, font)
        for r, (row, captions) in enumerate(zip(panel.rows, panel.captions, strict=True)):
            for c, (picture, caption) in enumerate(zip(row, captions, strict=True)):
                x, y = left + c * pitch[0], line + 2 * margin + r * pitch[1]
                page.paste(to_pillow(_resized(picture)), (x, y))
                draw.multiline_text((x, y + cell), caption, INK, font, spacing=0)
        left += width + gap
    return np.asarray(page)


def least_size(rows: int, columns: int, resolution: int, lines: int) -> tuple[int, int]:
    """Width and height that panels of so many pictures have at the least, with captions of so many lines."""
    *_, pitch = _measures(side_on_sheet(resolution), lines)
    return columns * pitch[0], rows * pitch[1]


def _measures(cell: int, lines: int) -> tuple[ImageFont.FreeTypeFont, int, int, tuple[int, int]]:
    """The font, the height of its lines, the margin, and how far it is from picture to picture."""
    font = ImageFont.load_default(size=max(12, cell // 10))
    line, margin = sum(font.getmetrics()), max(4, cell // 24)
    return font, line, margin, (cell + margin, cell + margin + lines * line)


def side_on_sheet(side: int) -> int:
    """Pixels of a picture of `side` pixels on the sheet."""
    larger, smaller = _factors(side)
    return side // smaller * larger


def _factors(side: int) -> tuple[int, int]:
    return -(-SMALLEST // side), max(1, side // LARGEST)


def _resized(picture: np.ndarray) -> np.ndarray:
    """uint8 [R,R,C] at its size on the sheet."""
    side, channels = picture.shape[0], picture.shape[-1]
    larger, smaller = _factors(side)
    if smaller > 1:
        side //= smaller
        means = picture.reshape(side, smaller, side, smaller, channels).mean(axis=(1, 3))  # [R/s,R/s,C]
        picture = np.rint(means).astype(np.uint8)
    return picture.repeat(larger, axis=0).repeat(larger, axis=1)
