"""Matplotlib without a screen, and files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

from pgan_tf.files import new_file


def pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def save(figure, path: Path) -> None:
    """Writes a figure and forgets it."""
    with new_file(path) as temporary:
        figure.savefig(temporary)
    pyplot().close(figure)
