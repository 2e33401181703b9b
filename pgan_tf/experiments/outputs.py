"""Both losses and what the discriminator says of reals and fakes, each seed a line: how a pair gets along.

Yamazaki, figures 5.3 to 5.10, C.1 and C.2.
"""

from __future__ import annotations

from pathlib import Path

from pgan_tf.experiments.canvas import pyplot, save, wrapped
from pgan_tf.experiments.runs import RunState, read_ticks
from pgan_tf.experiments.suite import Comparison, Row

BLUE, ORANGE = "#1f6fb4", "#e8730c"  # of the discriminator and of reals; of the generator and of fakes
LOSSES = {"loss/D": BLUE, "loss/G": ORANGE}
PROBABILITIES = {"probability/real": BLUE, "probability/fake": ORANGE}  # of losses whose scores are logits
SCORES = {"scores/real": BLUE, "scores/fake": ORANGE}
COLUMNS = 6  # rows of the table side by side


def has_outputs(comparison: Comparison, states: list[RunState]) -> bool:
    """Whether the figure says more than the losses alone: of points, and where D's outputs are probabilities."""
    return any(comparison.of_points or _ticks(state, PROBABILITIES) for state in states if state.complete)


def plot_outputs(comparison: Comparison, states: list[RunState], path: Path) -> None:
    """Two panels per row that has a complete run, losses above outputs."""
    complete = [state for state in states if state.complete]
    rows = [row for row in comparison.rows if any(state.row is row for state in complete)]
    per_line = min(COLUMNS, len(rows))
    lines = -(-len(rows) // per_line)
    figure, axes = pyplot().subplots(
        2 * lines, per_line, figsize=(2.3 * per_line + 0.5, 3.6 * lines + 0.4), dpi=90, squeeze=False
    )
    for axis in axes.ravel():
        axis.axis("off")
    for number, row in enumerate(rows):
        line, column = divmod(number, per_line)
        above, below = axes[2 * line][column], axes[2 * line + 1][column]
        own = [state for state in complete if state.row is row]
        above.set_title(wrapped(row.title), fontsize=9)
        _draw(above, own, row, LOSSES)
        outputs = PROBABILITIES if any(_ticks(state, PROBABILITIES) for state in own) else SCORES
        _draw(below, own, row, outputs)
        if outputs is PROBABILITIES:
            below.axhline(0.5, color="black", linestyle=":", linewidth=0.8)
            below.set_ylim(-0.03, 1.03)
        below.set_xlabel("iterations" if row.iteration else "thousands of samples", fontsize=7)
        if column == 0:
            above.set_ylabel("losses", fontsize=8)
        if column == 0 or outputs is SCORES:
            below.set_ylabel("D's output" if outputs is PROBABILITIES else "D's scores", fontsize=8)
    figure.tight_layout()
    save(figure, path)


def _draw(axis, states: list[RunState], row: Row, tags: dict[str, str]) -> None:
    """Each seed's ticks."""
    axis.axis("on")
    for state in states:
        ticks = _ticks(state, tags)
        times = [1000 * tick["kimg"] / row.iteration if row.iteration else tick["kimg"] for tick in ticks]
        for tag, color in tags.items():
            axis.plot(times, [tick[tag] for tick in ticks], color=color, linewidth=0.8, alpha=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=7)
    axis.locator_params(axis="x", nbins=3)  # 200000 is long


def _ticks(state: RunState, tags: dict[str, str]) -> list[dict]:
    return read_ticks(state.folder, *tags)
