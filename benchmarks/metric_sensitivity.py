#!/usr/bin/env python3
"""What does each metric notice? Half of the emoji stand for the reals, the other half is made worse, step by step.

    npm pack emoji-datasource-google@16.0.0 && tar xzf emoji-datasource-google-*.tgz
    python benchmarks/metric_sensitivity.py package

Blur and noise are Gaussian (sigma in pixels, in grey levels of 255); 'categories' keeps the pictures of the 1, 2, ..
largest categories, again and again until there are as many as before. Skin tones of an emoji are never in both halves.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

METRICS = ("swd", "fid", "kid", "is", "pr", "ms_ssim")
SHOWN = {  # panel: (metric, value)
    "SWD x1e3": ("swd", "avg"),
    "FID": ("fid", "fid"),
    "KID": ("kid", "mean"),
    "Inception Score": ("is", "mean"),
    "precision": ("pr", "precision"),
    "recall": ("pr", "recall"),
    "MS-SSIM": ("ms_ssim", "mean"),
}
STEPS = {"blur": [0, 0.5, 1, 2, 4], "noise": [0, 4, 8, 16, 32], "categories": [9, 6, 4, 2, 1]}


def read_halves(package: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two halves uint8 [N,64,64,3] with the second's categories [N] in order of their size."""
    from pgan_tf.data.sources.picture import read_picture

    emoji = [entry for entry in json.loads((package / "emoji.json").read_text()) if entry["has_img_google"]]
    names = sorted({entry["category"] for entry in emoji} - {"Component"})
    random, halves = np.random.default_rng(0), ([], [])
    for category, name in enumerate(names):
        entries = [entry for entry in emoji if entry["category"] == name]
        for place, index in enumerate(random.permutation(len(entries))):
            entry = entries[index]
            variants = [entry, *entry.get("skin_variations", {}).values()]
            files = [variant["image"] for variant in variants if variant["has_img_google"]]
            halves[place % 2].extend((category, package / "img" / "google" / "64" / file) for file in files)
    arrays = []
    for half in halves:
        order = random.permutation(len(half))
        arrays.append((np.stack([read_picture(half[i][1], 3) for i in order]), np.array([half[i][0] for i in order])))
    count = min(len(images) for images, _ in arrays)
    return arrays[0][0][:count], arrays[1][0][:count], arrays[1][1][:count]


def worse(images: np.ndarray, categories: np.ndarray, kind: str, amount: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(1)
    if kind == "blur":
        return gaussian_filter(images.astype(np.float32), (0, amount, amount, 0)).round().astype(np.uint8)
    if kind == "noise":
        noisy = images + amount * random.standard_normal(images.shape, dtype=np.float32)
        return np.clip(noisy, 0, 255).round().astype(np.uint8)
    by_size = np.argsort(-np.bincount(categories), kind="stable")
    kept = np.flatnonzero(np.isin(categories, by_size[: int(amount)]))
    return images[np.resize(kept, len(images))]


def measure(package: Path) -> tuple[dict[str, str], dict[str, list[dict]]]:
    """{panel: its title, with the extractor's name if that matters}, {kind: [{'amount': .., panel: value, ..}]}."""
    from pgan_tf.metrics import registry

    from pgan_tf.evaluation.evaluator import Evaluator, Request
    from pgan_tf.evaluation.sets import from_array

    reals, others, categories = read_halves(package)
    print(f"{len(reals)} pictures in each half, {categories.max() + 1} categories", flush=True)
    evaluator = Evaluator(from_array("reals", reals, lambda: iter([reals.tobytes()])), Request(METRICS))
    found = {kind: [] for kind in STEPS}
    for kind, amounts in STEPS.items():
        for amount in amounts:
            fakes = [worse(others, categories, kind, amount)]
            rows = {row["metric"]: row["values"] for row in evaluator.measure(f"{kind} {amount}", fakes, len(reals))}
            values = {panel: rows[metric][value] for panel, (metric, value) in SHOWN.items()}
            found[kind].append({"amount": amount, **values})
            print(kind, amount, {panel: round(value, 4) for panel, value in values.items()}, flush=True)
    name = evaluator.options.extractor.name
    titles = {
        panel: f"{panel} ({name})" if registry.METRICS[metric].extractor else panel
        for panel, (metric, _) in SHOWN.items()
    }
    return titles, found


def draw(titles: dict[str, str], found: dict[str, list[dict]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(found), len(SHOWN), figsize=(15, 6.4), dpi=80, sharey="col")
    for row, (kind, points) in zip(axes, found.items(), strict=True):
        ticks = [f"{point['amount']:g}" for point in points]
        for axis, panel in zip(row, SHOWN, strict=True):
            axis.plot(ticks, [point[panel] for point in points], "o-", color="#26c", markersize=4)
            axis.spines[["top", "right"]].set_visible(False)
            if axis in axes[0]:
                axis.set_title(titles[panel].replace(" (", "\n("), fontsize=11)
        row[0].set_ylabel({"blur": "blur, pixels", "noise": "noise, of 255", "categories": "categories kept"}[kind])
    figure.tight_layout()
    figure.savefig(path)


def table(titles: dict[str, str], found: dict[str, list[dict]]) -> str:
    lines = [f"| | {' | '.join(titles.values())} |", "|---" * (len(SHOWN) + 1) + "|"]
    for kind, points in found.items():
        for point in points:
            cells = " | ".join(f"{point[panel]:.4g}" for panel in SHOWN)
            lines.append(f"| {kind} {point['amount']:g} | {cells} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path)
    parser.add_argument("--figure", type=Path, default=Path("metrics_sensitivity.png"))
    parser.add_argument("--table", type=Path, default=Path("metrics_sensitivity.md"))
    options = parser.parse_args()
    measured = measure(options.package)
    draw(*measured, options.figure)
    options.table.write_text(table(*measured))


if __name__ == "__main__":
    main()
