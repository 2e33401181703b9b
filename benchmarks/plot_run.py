#!/usr/bin/env python3
"""Pictures of a run for docs/: its curves, and the last fakes of each resolution above some reals.

python benchmarks/plot_run.py results/00000-quickstart-s1000 --curve=docs/quickstart_curve.png
python benchmarks/plot_run.py results/00000-emoji64-s1000 --stages=docs/emoji64_stages.webp
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from PIL import Image

from pgan_tf.data.sources.picture import read_picture

PANELS = {
    "losses": {"loss/D": "discriminator", "loss/G": "generator"},
    "scores": {"scores/real": "real", "scores/fake": "fake"},
    "images per second": {"timing/images_per_second": ""},
}
CELL, COLUMNS, ROWS = 64, 12, 2  # of a grid, what a stage shows


def read_rows(run: Path) -> list[dict]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if "tick" in row]


def resolution_starts(rows: list[dict]) -> dict[int, float]:
    """{resolution: thousands of images at which it began}."""
    starts, before = {}, 0.0
    for row in rows:
        starts.setdefault(row["resolution"], before)
        before = row["kimg"]
    return starts


def plot_curves(rows: list[dict], path: Path) -> None:
    """Losses, scores and speed over thousands of images; grey lines where a resolution begins."""
    figure, axes = plt.subplots(1, len(PANELS), figsize=(13, 3.4), dpi=80)
    for axis, (title, lines) in zip(axes, PANELS.items(), strict=True):
        for name, label in lines.items():
            axis.plot([row["kimg"] for row in rows], [row[name] for row in rows], label=label)
        axis.set(title=title, xlabel="thousands of real images", yscale="log" if "second" in title else "linear")
        axis.spines[["top", "right"]].set_visible(False)
        for resolution, start in resolution_starts(rows).items():
            axis.axvline(start, color="#ccc", linewidth=0.8)
            axis.text(
                start, 1.0, f" {resolution}", color="#888", fontsize=8, transform=axis.get_xaxis_transform(), va="top"
            )
        if len(lines) > 1:
            axis.legend(frameon=False, loc="center right")
    figure.tight_layout()
    figure.savefig(path)


def stage_sheet(run: Path, rows: list[dict], path: Path) -> None:
    """The first cells of the last fakes at each resolution, then of the reals, in one picture."""
    pictures = {}
    for row in rows:
        fakes = run / f"fakes{row['images'] // 1000:06d}.png"
        if fakes.exists():
            pictures[row["resolution"]] = fakes
    strips = [
        Image.fromarray(read_picture(name, channels=3)).crop((0, 0, CELL * COLUMNS, CELL * ROWS))
        for name in [*pictures.values(), run / "reals.png"]
    ]
    sheet = Image.new(strips[0].mode, (CELL * COLUMNS, (CELL * ROWS + 4) * len(strips)), "white")
    for i, strip in enumerate(strips):
        sheet.paste(strip, (0, i * (CELL * ROWS + 4)))
    sheet.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--curve", type=Path)
    parser.add_argument("--stages", type=Path)
    args = parser.parse_args()
    rows = read_rows(args.run)
    if args.curve:
        plot_curves(rows, args.curve)
    if args.stages:
        stage_sheet(args.run, rows, args.stages)


if __name__ == "__main__":
    main()
