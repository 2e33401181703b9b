"""What is to be compared: rows, on one data set or on several. `suite_file` reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pgan_tf.config import Config
from pgan_tf.evaluation import results
from pgan_tf.metrics.registry import METRICS, POINTS
from pgan_tf.option import NONE


@dataclass(frozen=True)
class Row:
    """A line of a table. `name` is that of its runs; `config` is the flagfile's, with the suite's data and budget."""

    title: str
    name: str
    flagfile: Path
    config: Config

    @property
    def iteration(self) -> float | None:
        """Samples to a step of the generator, where it is the same at all times; None where networks grow."""
        growth = self.config.growth
        if growth.grow != NONE or growth.minibatch_dict or growth.max_minibatch_per_device:
            return None
        return growth.minibatch_base * growth.D_repeats / growth.minibatch_updates


@dataclass(frozen=True)
class Comparison:
    """The rows on one data set: what the tables of a report hold.

    Attributes:
        title: the data set's, name: of its folder; '' where the suite has but one and does not name it.
        baseline: title of the row that the others are compared with.
        seeds: of every row.
        metrics: names of METRICS; images: of each set in a measurement; extractor: of features, '' = the best.
        last_only: whether the last snapshots alone are measured.
        neighbors: title of the row whose nearest neighbours are shown; '' for none.
        source_kimg: thousands of images of the runs that are repeated; None where nobody says.
        held_out: share of the data that rows are measured against, none of which they learn from; 0 = all of it.
        results: folder of the run folders.
    """

    title: str
    name: str
    baseline: str
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    images: int
    extractor: str
    last_only: bool
    neighbors: str
    source_kimg: float | None
    held_out: float
    results: Path
    rows: tuple[Row, ...]

    @property
    def runs(self) -> list[tuple[Comparison, Row, int]]:
        """Every run, all rows of the first seed first."""
        return [(self, row, seed) for seed in self.seeds for row in self.rows]

    @property
    def dataset(self) -> str:
        """The data set that all rows share."""
        return self.rows[0].config.data.dataset

    @property
    def mirrored(self) -> bool:
        """Whether its rows learn from mirrored images, and are measured against such."""
        return self.rows[0].config.data.mirror_augment

    @property
    def columns(self) -> tuple[str, ...]:
        """The numbers that its tables show, see `results.columns`."""
        return results.columns(self.metrics)

    @property
    def of_points(self) -> bool:
        """Whether what is compared are points in the plane."""
        return METRICS[self.metrics[0]].of == POINTS

    @property
    def reals(self) -> Path:
        """The file with the scores of the reals themselves."""
        return self.results / (f"reals-{self.name}.jsonl" if self.name else "reals.jsonl")


@dataclass(frozen=True)
class Suite:
    """See `suite_file`. `results`: folder of the run folders. `report`: the Markdown file that the tables go to."""

    title: str
    results: Path
    report: Path
    comparisons: tuple[Comparison, ...]

    @property
    def runs(self) -> list[tuple[Comparison, Row, int]]:
        """Every run, all of the first seed first: a suite that is stopped early has whole tables."""
        seeds = self.comparisons[0].seeds
        return [(part, row, seed) for seed in seeds for part in self.comparisons for row in part.rows]
