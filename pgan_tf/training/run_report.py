"""report.md and report.html: a run on one page, written from its metrics.jsonl whenever it ends."""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from pgan_tf import html_page, stamps
from pgan_tf.called import as_called
from pgan_tf.config import Config, Loss
from pgan_tf.evaluation import results
from pgan_tf.files import new_file
from pgan_tf.losses.adversarial import r_v
from pgan_tf.mirror import in_words
from pgan_tf.networks.families import FAMILIES
from pgan_tf.option import option_text
from pgan_tf.stages import Size
from pgan_tf.text import duration, plain
from pgan_tf.training import curves, rundir

# The numbers of a tick that the page shows, beside those of all.
NEEDS = (
    "resolution", "loss/D", "loss/G", "train_seconds", "nonfinite_rounds", "timing/tick_seconds",
    "timing/images_per_second", "memory/process_peak_mb",
)  # fmt: skip
ENVIRONMENT = ("started", "pgan_tf", "revision", "python", "tensorflow", "keras", "numpy", "platform", "hardware")
CURVES = "curves.svg"
PICTURES = (  # of fakes000120.png: the name, what stands above, the description
    ("fakes", "The newest {samples} of the averaged generator:", "generated {samples}"),
    ("scores", "What the discriminator says of every place:", "scores"),
    ("latents", "The latents by it:", "latents"),
)


def _mean_r_t(rows: list[dict]) -> float:
    means = _finite_means(rows, [R_T])
    return means[0] if means else 0.0


def _mean_r_v(rows: list[dict], options: Loss) -> float:
    """Of the mean scores: a tick in which fakes and reals score alike has an r_v of any size."""
    means = _finite_means(rows, ["holdout/held_out", "holdout/trained", "holdout/fakes"])
    return (r_v(*means, options) or 0.0) if means else 0.0


def _finite_means(rows: list[dict], names: list[str]) -> list[float]:
    """The mean of each over the ticks in which all are numbers; [] where there is none. Steps may be skipped as NaN."""
    values = [[row.get(name, math.nan) for name in names] for row in rows]
    found = [row for row in values if all(map(math.isfinite, row))]
    return [sum(values) / len(found) for values in zip(*found, strict=True)]


R_T, R_V = "overfitting/r_t", "overfitting/r_v"
# Signs of overfitting: {its tag: (from when on, what it says)}.
SIGNS = {
    R_T: (0.8, "it is sure of almost every real that it trains on"),
    R_V: (0.5, "reals that it never saw look more like fakes to it than like reals"),
}


def write_report(folder: Path, config: Config) -> None:
    """Writes report.md in `folder`, and of the same lines report.html, which holds its pictures and stands alone.

    They have the last pictures, the curves, a row per level of the schedule, options, environment, how to go on.
    """
    path = folder / "metrics.jsonl"
    rows, measured = results.read_ticks(path, NEEDS), results.read(path)
    sections = (
        [f"# {folder.name}"],
        _progress(rows, config),
        _pictures(folder, _samples(config)),
        _levels(rows, _samples(config)),
        _metrics_table(measured),
        *([line] for line in overfitting(rows, config)),
        _curves(folder, rows, measured),
        ["These options differ from the defaults:"],
        ["```", *(f"--{name}={option_text(value)}" for name, value in config.changes().items()), "```"],
        _environment(folder),
        _how_to_go_on(folder, rows, config),
    )
    text = in_words("\n\n".join("\n".join(lines) for lines in sections if lines)) + "\n"
    _write(folder / "report.md", text)
    _write(folder / "report.html", html_page.page(text, folder, folder.name))


def _write(path: Path, text: str) -> None:
    with new_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _progress(rows: list[dict], config: Config) -> list[str]:
    """What the last tick says of the run, in sentences."""
    if not rows:
        return []
    last = rows[-1]
    seen = f"The run has seen {last['kimg']:.1f} of {config.growth.total_kimg:g} thousand real {_samples(config)} in"
    bad = last["nonfinite_rounds"]
    rounds = {0: "No round", 1: "One round"}.get(bad, f"{bad} rounds")
    return [f"{seen} {duration(last['train_seconds'])}. {rounds} had a loss or gradient that was not finite."]


def _samples(config: Config) -> str:
    """What the networks of the run make."""
    return FAMILIES[config.model.family].takes.kind


def _pictures(folder: Path, samples: str) -> list[str]:
    """The newest of each kind, and what the run trains on."""
    lines = []
    for name, text, description in PICTURES:
        for path in stamps.in_time(folder, f"{name}*.png")[-1:]:
            lines += [text.format(samples=samples), "", f"![{description.format(samples=samples)}]({path.name})", ""]
    return [*lines, f"Training {samples}:", "", "![reals](reals.png)"] if lines else []


def _levels(rows: list[dict], samples: str) -> list[str]:
    """A row for each level of the schedule. Points have no resolution, but the rows of a growing width a number."""
    first = {"images": "resolution"}.get(samples, "level")
    head = [f"| {first} | kimg | time | {samples}/s | memory | loss D | loss G |", "|---|---|---|---|---|---|---|"]
    return head + [_level_row(level, rows, samples) for level in sorted({results.level(row) for row in rows})]


def _curves(folder: Path, rows: list[dict], measured: list[dict]) -> list[str]:
    """Draws them beside the report; no lines where there is nothing to draw."""
    losses = {name: [(row["kimg"], row[f"loss/{name}"]) for row in rows] for name in ("D", "G")}
    panels = [curves.Panel("losses", losses)]
    for name, own in results.series(row for row in measured if "kimg" in row).items():
        panels.append(curves.Panel(name, {name: sorted((row["kimg"], results.headline(row)) for row in own)}))
    drawing = curves.svg(panels)
    if not drawing:
        return []
    _write(folder / CURVES, drawing)
    return [f"![losses and metrics over the training]({CURVES})"]


def _environment(folder: Path) -> list[str]:
    """What the run began with; nothing where its environment.json is not there, or damaged."""
    known = rundir.read_environment(folder)
    rows = [f"| {name} | {plain(known[name])} |" for name in ENVIRONMENT if known.get(name)]
    return ["Begun with:", "", "| | |", "|---|---|", *rows] if rows else []


def _how_to_go_on(folder: Path, rows: list[dict], config: Config) -> list[str]:
    """What to type next."""
    word = shlex.quote(str(folder))
    unfinished = not rows or rows[-1]["kimg"] < config.growth.total_kimg
    go_on = as_called(f"To go on, type `python train.py --resume={word}`. ") if unfinished else ""
    return [f"{go_on}To see the curves, type `tensorboard --logdir {word}`."]


def _metrics_table(rows: list[dict]) -> list[str]:
    """The last and the best value of every metric, of each number of images, and against each set, by itself."""
    found = results.series(row for row in rows if "kimg" in row)
    if not found:
        return []
    lines = ["| metric | images of each set | last | at kimg | best | at kimg |", "|---|---|---|---|---|---|"]
    for name, unsorted in found.items():
        own = sorted(unsorted, key=lambda row: row["kimg"])
        best = own[0]
        for row in own:
            if results.is_better(row["metric"], results.headline(row), results.headline(best)):
                best = row
        cells = [f"{results.headline(row):.4g} | {row['kimg']:.1f}" for row in (own[-1], best)]
        lines.append(f"| {plain(name)} | {own[-1]['count']} | {' | '.join(cells)} |")
    return lines


def overfitting(rows: list[dict], config: Config) -> list[str]:
    """What the last quarter of the ticks says of a discriminator that knows its reals by heart, and what helps."""
    last = rows[len(rows) - max(len(rows) // 4, 1) :] if rows else []
    found = []
    means = {R_T: _mean_r_t(last), R_V: _mean_r_v(last, config.loss)}
    for name, (least, words) in SIGNS.items():
        if (value := means[name]) > least:
            found.append(f"The discriminator overfits: {words} ({name} {value:.2f}). {_remedy(last, config)}, "
                         "and see docs/recipes.md.")  # fmt: skip
    return found


def _remedy(rows: list[dict], config: Config) -> str:
    """What helps, of what the run's options go with."""
    augment, more = config.augment, f"take more {_samples(config)}, or an earlier end"
    if augment.augment == "none":
        fitting = [kind for kind in ("ada", "diffaugment") if config.goes_with(augment=kind)]
        return f"Begin a run with --augment={fitting[0]}, {more}" if fitting else more.capitalize()
    if rows[-1].get("augment/p", 1.0) >= 0.9:
        return f"Its augmentation has no more to give: {more}"
    if _mean_r_t(rows) > augment.ada_target:
        return "Its augmentation is still on the way up: a lower --ada_kimg takes it there sooner"
    return f"Its augmentation holds overfitting/r_t at --ada_target={augment.ada_target:g}: a lower one augments more"


def _level_row(level: int, rows: list[dict], samples: str) -> str:
    here = [row for row in rows if results.level(row) == level]
    seconds = sum(row["timing/tick_seconds"] for row in here)
    rate = sorted(row["timing/images_per_second"] for row in here)[len(here) // 2]
    last = here[-1]
    name = str(Size(level, last["resolution"], 0)) if samples == "images" else str(level)
    cells = [
        name, f"to {last['kimg']:.1f}", duration(seconds), f"{rate:.1f}",
        f"{last['memory/process_peak_mb'] / 1024:.1f} GB", f"{last['loss/D']:+.3f}", f"{last['loss/G']:+.3f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"
