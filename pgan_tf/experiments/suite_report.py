"""The suite's report: one Markdown file with its tables and pictures, and the same as one page of HTML.

What a person wrote above the line MARKER stays; everything below it is written anew.
"""

from __future__ import annotations

import math
import re
import shlex
import urllib.parse
from collections import Counter
from pathlib import Path

from pgan_tf import html_page
from pgan_tf.config import ConfigError
from pgan_tf.evaluation import results
from pgan_tf.experiments import collapses, hparams, sooner
from pgan_tf.experiments.figures import COLLAPSES, OVER_TIME, SCORES, Figure, Section
from pgan_tf.experiments.runs import RunState, read_ticks, states
from pgan_tf.experiments.scores import Score, measured, reals, scores, titles
from pgan_tf.experiments.suite import Comparison, Suite
from pgan_tf.files import new_file
from pgan_tf.text import digits, duration, read_text

BAR = r"\|"  # in a cell of Markdown
TABLE = "python experiment.py table "
MARKER = "<!-- experiment.py table writes everything below this line; words above it are kept -->"


def write_report(suite: Suite, suite_file: str) -> list[Path]:
    """Writes the report, its pictures, its page and TensorBoard's HParams. Returns the files in this order.

    `suite_file`: what it was asked for by, a path or an installed name. Raises ConfigError where nothing is measured
    yet, or the page is another suite's.
    """
    found = [(comparison, states(comparison)) for comparison in suite.comparisons]
    sections = [section_of(*one) for one in found if measured(*one)]
    if not sections:
        raise ConfigError(f"{suite.results}: nothing is measured yet; first: experiment.py run")
    suite.report.parent.mkdir(parents=True, exist_ok=True)
    words = _kept(suite, suite_file)  # before the work: it may be what cannot be read
    files = [draw(section, suite.report) for section in sections]
    parts = [line for one in zip(sections, files, strict=True) for line in _section(*one)]
    runs = [state for _, own in found for state in own]
    hparams.write_hparams(suite, runs)
    lines = "\n".join(_lines(suite_file, runs, parts)) + "\n"
    with new_file(suite.report) as temporary:
        temporary.write_text(f"{words}{MARKER}\n\n{lines}", encoding="utf-8")
    alone = suite.report.with_name(f"{suite.report.name.removesuffix('.md')}.html")
    with new_file(alone) as temporary:
        temporary.write_text(html_page.page(words + lines, suite.report.parent, suite.title), encoding="utf-8")
    return [suite.report, *(path for drawn in files for path in drawn.values()), alone]


def section_of(comparison: Comparison, runs: list[RunState]) -> Section:
    """The comparison with its numbers."""
    return Section(
        comparison, runs, titles(comparison, runs), scores(comparison, runs), reals(comparison),
        collapses.collapses(runs) if collapses.watched(comparison, runs) else [],
    )  # fmt: skip


def draw(section: Section, report: Path) -> dict[Figure, Path]:
    """Draws what figures there are to files beside the report."""
    stem = "_".join(filter(None, [report.stem, section.comparison.name]))
    files = {
        figure: report.with_name(f"{stem}_{figure.kind}{figure.suffix}") for figure in (SCORES, *OVER_TIME, COLLAPSES)
        if figure.when(section)
    }  # fmt: skip
    for figure, path in files.items():
        figure.draw(section, path)
    return files


def _kept(suite: Suite, suite_file: str) -> str:
    """What stands above the marker; in a file without one everything; where there is no file, a title.

    ConfigError where another suite has written the page.
    """
    if not suite.report.exists():
        return f"# {suite.title}\n\n"
    try:
        above, marker, below = read_text(suite.report).partition(MARKER)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{suite.report}: is no text in UTF-8 ({error}); save it as such, or rename it") from None
    made = re.search(rf"^{TABLE}(.+)$", below, re.MULTILINE)
    if made and Path(shlex.split(made[1])[-1]).stem != Path(suite_file).stem:
        raise ConfigError(f"{suite.report}: has the tables of {made[1]}; give {suite_file} a page of its own "
                          '(report = "...")')  # fmt: skip
    return above if marker else f"{above.rstrip()}\n\n"


def _lines(suite_file: str, runs: list[RunState], parts: list[str]) -> list[str]:
    complete, suite_word = sum(state.complete for state in runs), shlex.quote(suite_file)
    return [
        f"{complete} of {len(runs)} runs are complete. Made by", "", "```bash",
        f"python experiment.py run {suite_word}", f"{TABLE}{suite_word}", "```", "",
        *parts, "## The runs", "", *_runs_table(runs),
    ]  # fmt: skip


def _section(section: Section, files: dict[Figure, Path]) -> list[str]:
    comparison, title = section.comparison, section.comparison.title
    level = "###" if title else "##"
    return [
        *([f"## {title}", ""] if title else []),
        *_facts(comparison, section.runs), "", f"{level} Table 1: scores", "",
        "Mean and standard deviation over the seeds (not over parts of one set of images, as in papers). "
        + _directions(comparison, section.names), "",
        *table_one(comparison, section.names, section.numbers, section.references), "",
        *_changes(section, level),
        *_shown(section, SCORES, files[SCORES]),
        f"{level} Over time", "",
        *(line for figure in OVER_TIME if figure in files for line in _shown(section, figure, files[figure])),
        *_sooner(section, level),
        *_collapses(section, level, files),
    ]  # fmt: skip


def _changes(section: Section, level: str) -> list[str]:
    """Nothing where the baseline is the only row."""
    if len(section.comparison.rows) == 1:
        return []
    return [
        f"{level} Table 2: change against the baseline, in percent", "",
        "In brackets p of Welch's t test, and p after Holm's correction for the number of rows, complete or not; "
        "**bold**: below 0.05 after it. Each metric is corrected for by itself: the more metrics, the more likely is "
        "one by chance.", "",
        *table_two(section.comparison, section.names, section.numbers), "",
    ]  # fmt: skip


def _sooner(section: Section, level: str) -> list[str]:
    """Nothing where rows get equal images."""
    if not sooner.has_times(section.comparison, section.runs):
        return []
    head, *rows = sooner.table(section.comparison, section.runs, section.names)
    lines = [_row(head), _row(["---"] * len(head)), *map(_row, rows), ""]
    return [f"{level} Table 3: how many times as fast", "", sooner.RULE, "", *lines]


def _collapses(section: Section, level: str, files: dict[Figure, Path]) -> list[str]:
    """Nothing where runs were not watched."""
    if not collapses.watched(section.comparison, section.runs):
        return []
    said = [f"{level} Collapses", "", collapses.RULE, ""]
    if not section.collapses:
        return [*said, "There is none.", ""]
    head, *rows = collapses.lines(section.collapses)
    table = [_row(head), _row(["---"] * len(head)), *map(_row, rows), ""]
    return [*said, *table, *_shown(section, COLLAPSES, files[COLLAPSES])]


def _shown(section: Section, figure: Figure, file: Path) -> list[str]:
    return [f"![{figure.title}]({urllib.parse.quote(file.name)})", "", f"*{figure.caption(section)}*", ""]


def _facts(comparison: Comparison, runs: list[RunState]) -> list[str]:
    things = "points" if comparison.of_points else "images"
    versions = Counter(tuple(sorted(result.get("versions", {}).items())) for state in runs for result in state.results)
    share, mirrored = comparison.held_out, ", against mirrored reals" if comparison.mirrored else ""
    unseen = f"; the reals are of a part, {share:g} of the data, that no run has seen" if share else ""
    several = len(versions) > 1
    measured = "; ".join(
        ", ".join(f"{name} {version}" for name, version in found) + f" ({number} results)" * several
        for found, number in versions.most_common()
    )
    return [
        f"Data: `{comparison.dataset}`. {_seen(comparison)} thousand {things}. "
        f"Seeds: {', '.join(map(str, comparison.seeds))}. Metrics on {comparison.images:,} {things} of each set"
        f"{mirrored}{unseen}. {measured}.{_mixed(comparison, runs)}",
    ]


def _mixed(comparison: Comparison, runs: list[RunState]) -> str:
    """Which rows have runs of several precisions, of different machines: not their seeds alone differ."""
    used = {row.title: Counter(state.precision for state in runs if state.row is row and state.complete)
            for row in comparison.rows}  # fmt: skip
    words = [f"{title} ({', '.join(f'{number} {name}' for name, number in sorted(found.items()))})"
             for title, found in used.items() if len(found) > 1]  # fmt: skip
    return f" Rows that mix precisions: {', '.join(words)}." if words else ""


def _seen(comparison: Comparison) -> str:
    totals = sorted({row.config.growth.total_kimg for row in comparison.rows})
    if len(totals) == 1:
        return f"Each run sees {totals[0]:g}"
    return f"In about equal time runs see {totals[0]:g} to {totals[-1]:g}"


def _directions(comparison: Comparison, names: dict) -> str:
    """Which of the metrics is better high, and which low."""
    which = {"Lower": [], "Higher": []}
    for column in comparison.columns:
        which["Lower" if results.lower_is_better(column) else "Higher"].append(names[column])
    return " ".join(f"{word} is better: {', '.join(found)}." for word, found in which.items() if found)


def table_one(comparison: Comparison, names: dict, numbers: dict, references: dict) -> list[str]:
    """Lines of Markdown: reals, then every row, mean and deviation over the seeds."""
    lines = [_row(["Architecture", "seeds", *names.values()]), _row(["---"] * (2 + len(names)))]
    for title, values in references.items():
        lines.append(_row([title, "", *(_number(values.get(column, math.nan)) for column in comparison.columns)]))
    for row in comparison.rows:
        own = [numbers[column][row.title] for column in comparison.columns]
        lines.append(_row([row.title, str(len(own[0].values)), *map(_mean_deviation, own)]))
    return lines


def table_two(comparison: Comparison, names: dict, numbers: dict) -> list[str]:
    """Lines of Markdown: percent change against the baseline, and whether it can be chance."""
    lines = [_row(["Architecture", *(f"% Δ {name}" for name in names.values())]), _row(["---"] * (1 + len(names)))]
    for row in comparison.rows:
        if row.title != comparison.baseline:
            lines.append(_row([row.title, *(_change(numbers[column][row.title]) for column in comparison.columns)]))
    return lines


def _runs_table(runs: list[RunState]) -> list[str]:
    """Iterations and minibatch where these do not change, and the share of the source's length where it is known."""
    fixed, known = all(state.row.iteration for state in runs), all(state.comparison.source_kimg for state in runs)
    head = ["run", "thousands of images", *(["iterations", "minibatch"] if fixed else []),
            *(["share of the source's"] if known else []), "precision", "time of training"]  # fmt: skip
    lines = [_row(head), _row(["---"] * len(head))]
    for state in runs:
        ticks = read_ticks(state.folder, "train_seconds") if state.folder else []
        cells = [state.name, f"{state.kimg:.1f}"]
        if fixed:
            cells += [f"{1000 * state.kimg / state.row.iteration:,.0f}", str(state.row.config.growth.minibatch_base)]
        if known:
            cells.append(f"{state.kimg / state.comparison.source_kimg:.3g}")
        lines.append(_row([*cells, state.precision, duration(ticks[-1]["train_seconds"]) if ticks else ""]))
    return lines


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def _number(value: float) -> str:
    """Four digits; empty where there is none."""
    return "" if math.isnan(value) else digits(value, 4)


def _mean_deviation(score: Score) -> str:
    deviation = "" if math.isnan(score.deviation) else f" ± {digits(score.deviation, 2)}"
    return _number(score.mean) + deviation


def _change(score: Score) -> str:
    text = "" if score.change is None else f"{score.change:+.2f}"  # of a baseline of 0 there is no percent
    if score.p is None:
        return text
    bold = "**" if score.p_holm < 0.05 else ""
    return f"{bold}{text or 'from 0'}{bold} ({score.p:.2g}, {score.p_holm:.2g})"
