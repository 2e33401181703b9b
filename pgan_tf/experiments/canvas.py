"""Matplotlib without a screen, titles that have room, and files that are whole or not there."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from PIL import Image

from pgan_tf.files import new_file

QUALITY = 60  # of WebP: pictures in figures are small ones


def pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def wrapped(title: str) -> str:
    """A row's title in lines that a small panel, or the margin beside pictures, has room for."""
    return textwrap.fill(title, 20)


def save(figure, path: Path) -> None:
    """Writes a figure and forgets it: a report lies in a repository, so PNG has 256 colours, a third of the file."""
    figure.canvas.draw()
    drawn = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")  # [H,W,4] -> [H,W,3]
    if path.suffix == ".png":
        drawn = drawn.quantize(256, dither=Image.Dither.NONE)
    with new_file(path) as temporary:
        drawn.save(temporary, quality=QUALITY, optimize=True)
    pyplot().close(figure)
