"""The figures of a report: which there are, when each is drawn, and what stands under it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf.experiments import collapses, growing, neighbors, outputs, plots, samples, sooner, watched
from pgan_tf.experiments.collapses import Collapse
from pgan_tf.experiments.runs import RunState
from pgan_tf.experiments.scores import Score
from pgan_tf.experiments.suite import Comparison


class Section(NamedTuple):
    """A comparison with what is known of it."""

    comparison: Comparison
    runs: list[RunState]
    names: dict[str, str]  # {column: its title}
    numbers: dict[str, dict[str, Score]]  # {column: {row's title: Score}}
    references: dict[str, dict[str, float]]  # {'Reals': {column: value}}
    collapses: list[Collapse]


class Figure(NamedTuple):
    """A figure.

    Attributes:
        kind: in its file's name, which has this suffix; title: what stands for it where it is not seen.
        when: whether there is something to draw.
        draw: draws it to a file.
        caption: what it shows.
    """

    kind: str
    suffix: str
    title: str
    when: Callable[[Section], object]
    draw: Callable[[Section, Path], None]
    caption: Callable[[Section], str]


def _outputs(section: Section) -> bool:
    return outputs.has_outputs(section.comparison, section.runs)


def _watched_caption(section: Section) -> str:
    counts = sorted({result["count"] for state in section.runs if state.complete for result in state.watched})
    return (
        f"Measured while training, on {' or '.join(f'{count:,}' for count in counts)} samples of the same latents "
        f"every time: mean"
        f"{' and standard deviation' * (len(section.comparison.rows) <= watched.COLORS)} over the seeds."
    )


def _outputs_caption(section: Section) -> str:
    return (
        "Above the losses, of the discriminator blue, of the generator orange; below what the discriminator says of "
        "reals (blue) and of fakes (orange): its probability that they are real where its loss makes it one, else its "
        "scores. Each line is a seed, and each of its points the mean of a tick."
    )


def _samples_caption(section: Section) -> str:
    iterations = samples.by_iterations(section.comparison)
    when = " (above: iterations of the generator), over the data in grey" if iterations else ""
    return f"The same latents at different times{when}; of each row the first seed that is complete.{_outside(section)}"


def _collapses_caption(section: Section) -> str:
    return f"At its best, when the rule first applied, and at the end.{_outside(section)}"


def _outside(section: Section) -> str:
    return " Data alone: all samples lie outside." if samples.by_iterations(section.comparison) else ""


def _neighbors(section: Section) -> RunState | None:
    return neighbors.shown(section.comparison, section.runs)


def _neighbors_caption(section: Section) -> str:
    state = _neighbors(section)
    found = neighbors.find(state.folder, section.comparison.dataset).neighborhood
    mirrored = ", or its mirror image" if section.comparison.mirrored else ""
    return (
        f"Left what {state.name} makes at the end; right, in the same places, the nearest training images{mirrored} by "
        f"the root of the mean squared difference of pixels: {np.median(found.distances):.3g} in the median, "
        f"{found.distances.min():.3g} at the least (a training image has its nearest at {found.usual:.3g} in the "
        f"median); {found.copies} of {len(found.distances)} are copies."
    )


SCORES = Figure(
    "scores", ".png", "scores", lambda section: True,
    lambda section, path: plots.plot_scores(
        section.comparison, section.numbers, section.names, section.references, path
    ),
    lambda section: "Each dot is a seed, the bar their mean; grey: the span of the baseline's seeds; dotted: Reals2.",
)  # fmt: skip
COLLAPSES = Figure(
    "collapses", ".webp", "collapses", lambda section: section.collapses,
    lambda section, path: collapses.plot_collapses(section.collapses, path),
    _collapses_caption,
)  # fmt: skip
OVER_TIME = (
    Figure(
        "curves", ".png", "metrics over time", lambda section: not section.comparison.last_only,
        lambda section, path: plots.plot_metrics(section.comparison, section.runs, section.names, path),
        lambda section: "Mean and standard deviation over the seeds; grey: the baseline.",
    ),
    Figure(
        "times", ".png", "metrics over the time of training",
        lambda section: sooner.has_times(section.comparison, section.runs),
        lambda section, path: sooner.plot_times(section.comparison, section.runs, section.names, path),
        lambda section: "The same over the minutes of training; each line is a seed, each dot a snapshot.",
    ),
    Figure(
        "watched", ".png", "scores over time",
        lambda section: section.comparison.last_only and watched.watched_columns(section.runs),
        lambda section, path: watched.plot_watched(section.comparison, section.runs, path), _watched_caption,
    ),
    Figure(
        "losses", ".png", "losses over time", lambda section: not _outputs(section),
        lambda section, path: plots.plot_losses(section.comparison, section.runs, path),
        lambda section: "The same for the losses; without the baseline where the loss is another one.",
    ),
    Figure(
        "outputs", ".png", "losses and outputs over time", _outputs,
        lambda section, path: outputs.plot_outputs(section.comparison, section.runs, path), _outputs_caption,
    ),
    Figure(
        "growing", ".png", "parameters and minutes", lambda section: growing.grows_differently(section.comparison),
        lambda section, path: growing.plot_growing(section.comparison, section.runs, path),
        lambda section: "Parameters of both networks over time; minutes of training, each seed a dot.",
    ),
    Figure(
        "grids", ".webp", "pictures over time",
        lambda section: samples.pictured(section.comparison, section.runs),
        lambda section, path: samples.plot_samples(section.comparison, section.runs, path), _samples_caption,
    ),
    Figure(
        "neighbors", ".png", "nearest neighbours", _neighbors,
        lambda section, path: neighbors.plot_neighbors(_neighbors(section), path), _neighbors_caption,
    ),
)  # fmt: skip
