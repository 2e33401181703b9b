"""How large the networks of each row are as time goes by, and how long its runs took. Sandstroem 2019, figure 27."""

from __future__ import annotations

from pathlib import Path

from pgan_tf.config import Config
from pgan_tf.data.samples import open_samples
from pgan_tf.experiments.canvas import pyplot, save
from pgan_tf.experiments.runs import RunState, read_ticks
from pgan_tf.experiments.suite import Comparison
from pgan_tf.schedule import Schedule
from pgan_tf.training.costs import stage_costs

SECONDS = "train_seconds"


def grows_differently(comparison: Comparison) -> bool:
    """Whether the rows differ in what grows, and the data set, which knows the size of the images, is there."""
    return len({row.config.growth.grow for row in comparison.rows}) > 1 and Path(comparison.dataset).exists()


def parameters(config: Config, resolution: int, channels: int, label_size: int = 0) -> list[tuple[float, float, int]]:
    """[(from, to thousands of images, parameters of G and D)] of the stages that a run reaches."""
    schedule = Schedule(config.growth, resolution, latent_size=config.model.latent_components)
    return [
        (phase.start, phase.end, sum(stage_costs(config.model, phase.stage, channels, label_size).parameters))
        for phase in schedule.phases()
    ]


def minutes(states: list[RunState]) -> list[float]:
    """Of training, of each complete run."""
    ticks = [read_ticks(state.folder, SECONDS) for state in states if state.complete]
    return [found[-1][SECONDS] / 60 for found in ticks if found]


def plot_growing(comparison: Comparison, states: list[RunState], path: Path) -> None:
    """Left a stair for each row, the parameters in powers of ten; right its minutes, each seed a dot."""
    dataset, titles = open_samples(comparison.dataset), [row.title for row in comparison.rows]
    figure, (stairs, times) = pyplot().subplots(1, 2, figsize=(9.5, 0.35 * len(titles) + 2.2), dpi=90)
    for y, row in enumerate(comparison.rows):
        labels = dataset.label_size if row.config.data.max_label_size else 0
        found = parameters(row.config, row.config.data.resolution or dataset.resolution, dataset.channels, labels)
        steps = [(kimg, count) for begin, end, count in found for kimg in (begin, end)]
        stairs.plot(*zip(*steps, strict=True), label=row.title, linewidth=1.5, color=f"C{y}")
        took = minutes([state for state in states if state.row is row])
        times.plot(took, [y] * len(took), "o", color=f"C{y}", markersize=5, alpha=0.75)
    stairs.set(yscale="log", xlabel="thousands of images", ylabel="parameters of G and D")
    stairs.legend(fontsize=8, frameon=False)
    times.set(
        yticks=range(len(titles)), yticklabels=titles, ylim=(len(titles) - 0.5, -0.5), xlabel="minutes of training"
    )
    times.set_xlim(left=0)
    for axis in (stairs, times):
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#eeeeee")
        axis.set_axisbelow(True)
    figure.tight_layout()
    save(figure, path)
