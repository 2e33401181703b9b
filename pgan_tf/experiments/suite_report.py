"""The suite's report: one Markdown file with its tables and pictures.

What a person wrote above the line MARKER stays; everything below it is written anew.
"""

from __future__ import annotations

import math
import shlex
from collections import Counter
from pathlib import Path

from pgan_tf.experiments import hparams, plots
from pgan_tf.experiments.runs import RunState, read_ticks, states
from pgan_tf.experiments.scores import Score, reals, scores, titles
from pgan_tf.experiments.suite import Suite
from pgan_tf.files import new_file
from pgan_tf.metrics.registry import METRICS
from pgan_tf.training.console import duration

MARKER = "<!-- experiment.py table writes everything below this line; words above it are kept -->"


def write_report(suite: Suite, suite_file: Path) -> list[Path]:
    """Writes the report, its pictures and TensorBoard's HParams. Returns the files.

    Raises ConfigError where nothing is measured yet.
    """
    runs = states(suite)
    names, numbers, references = titles(suite, runs), scores(suite, runs), reals(suite)
    suite.report.parent.mkdir(parents=True, exist_ok=True)
    pictures = {
        kind: suite.report.with_name(f"{suite.report.stem}_{kind}{suffix}")
        for kind, suffix in (("scores", ".png"), ("curves", ".png"), ("losses", ".png"), ("grids", ".webp"))
    }
    plots.plot_scores(suite, numbers, names, references, pictures["scores"])
    plots.plot_metrics(suite, runs, names, pictures["curves"])
    plots.plot_losses(suite, runs, pictures["losses"])
    if not plots.plot_grids(suite, runs, pictures["grids"]):
        del pictures["grids"]
    hparams.write_hparams(suite, runs)
    text = f"{MARKER}\n\n" + "\n".join(_lines(suite, suite_file, runs, names, numbers, references, pictures))
    with new_file(suite.report) as temporary:
        temporary.write_text(_kept(suite) + text + "\n")
    return [suite.report, *pictures.values()]


def _kept(suite: Suite) -> str:
    """What stands above the marker; in a file without one everything; where there is no file, a title."""
    if not suite.report.exists():
        return f"# {suite.title}\n\n"
    above, marker, _ = suite.report.read_text().partition(MARKER)
    return above if marker else f"{above.rstrip()}\n\n"


def _lines(suite, suite_file, found, names, numbers, references, pictures) -> list[str]:
    complete, suite_word = sum(state.complete for state in found), shlex.quote(str(suite_file))
    return [
        f"{complete} of {len(found)} runs are complete. Made by", "", "```bash",
        f"python experiment.py run {suite_word}", f"python experiment.py table {suite_word}", "```", "",
        *_facts(suite, found), "", "## Table 1: scores", "",
        "Mean and standard deviation over the seeds (not over parts of one set of images, as in papers). "
        + _directions(suite, names), "",
        *table_one(suite, names, numbers, references), "",
        "## Table 2: change against the baseline, in percent", "",
        "In brackets p of Welch's t test, and p after Holm's correction for the number of rows; **bold**: below 0.05 "
        "after it. Each metric is corrected for by itself: the more metrics, the more likely is one by chance.", "",
        *table_two(suite, names, numbers), "",
        f"![scores]({pictures['scores'].name})", "",
        "*Each dot is a seed, the bar their mean; grey: the span of the baseline's seeds; dotted: Reals2.*", "",
        "## Over time", "", f"![metrics over time]({pictures['curves'].name})", "",
        "*Mean and standard deviation over the seeds; grey: the baseline.*", "",
        f"![losses over time]({pictures['losses'].name})", "",
        "*The same for the losses; without the baseline where the loss is another one.*", "",
        *([f"![pictures over time]({pictures['grids'].name})", "",
           "*The same latents at different times; of each row the first seed that is complete.*", ""]
          if "grids" in pictures else []),
        "## The runs", "", *_runs_table(found),
    ]  # fmt: skip


def _facts(suite: Suite, runs: list[RunState]) -> list[str]:
    config = suite.rows[0].config
    versions = Counter(tuple(sorted(result.get("versions", {}).items())) for state in runs for result in state.results)
    newest = ", ".join(f"{name} {version}" for name, version in versions.most_common(1)[0][0])
    return [
        f"Data: `{suite.dataset}`. Each run sees {config.growth.total_kimg:g} thousand images. "
        f"Seeds: {', '.join(map(str, suite.seeds))}. Metrics on {suite.images:,} images of each set. {newest}.",
    ]


def _directions(suite: Suite, names: dict) -> str:
    """Which of the metrics is better high, and which low."""
    which = {"Lower": [], "Higher": []}
    for metric in suite.metrics:
        which["Lower" if METRICS[metric].lower_is_better else "Higher"].append(names[metric])
    return " ".join(f"{word} is better: {', '.join(found)}." for word, found in which.items() if found)


def table_one(suite: Suite, names: dict, numbers: dict, references: dict) -> list[str]:
    """Lines of Markdown: reals, then every row, mean and deviation over the seeds."""
    lines = [_row(["Architecture", "seeds", *names.values()]), _row(["---"] * (2 + len(names)))]
    for title, values in references.items():
        lines.append(_row([title, "", *(_number(values.get(metric, math.nan)) for metric in suite.metrics)]))
    for row in suite.rows:
        own = [numbers[metric][row.title] for metric in suite.metrics]
        lines.append(_row([row.title, str(len(own[0].values)), *map(_mean_deviation, own)]))
    return lines


def table_two(suite: Suite, names: dict, numbers: dict) -> list[str]:
    """Lines of Markdown: percent change against the baseline, and whether it can be chance."""
    lines = [_row(["Architecture", *(f"% Δ {name}" for name in names.values())]), _row(["---"] * (1 + len(names)))]
    for row in suite.rows:
        if row.title != suite.baseline:
            lines.append(_row([row.title, *(_change(numbers[metric][row.title]) for metric in suite.metrics)]))
    return lines


def _runs_table(runs: list[RunState]) -> list[str]:
    lines = [_row(["run", "thousands of images", "time of training"]), _row(["---"] * 3)]
    for state in runs:
        ticks = read_ticks(state.folder, "train_seconds") if state.folder else []
        seconds = duration(ticks[-1]["train_seconds"]) if ticks else ""
        lines.append(_row([state.name, f"{state.kimg:.1f}", seconds]))
    return lines


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    """Four digits; empty where there is none."""
    return "" if math.isnan(value) else f"{value:.4g}"


def _mean_deviation(score: Score) -> str:
    deviation = "" if math.isnan(score.deviation) else f" ± {score.deviation:.2g}"
    return _number(score.mean) + deviation


def _change(score: Score) -> str:
    if score.change is None:
        return ""
    text = f"{score.change:+.2f}"
    if score.p is None:
        return text
    bold = "**" if score.p_holm < 0.05 else ""
    return f"{bold}{text}{bold} ({score.p:.2g}, {score.p_holm:.2g})"
