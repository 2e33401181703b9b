"""Holds a suite against its data, before days are spent on it."""

from __future__ import annotations

from pgan_tf import flagfiles
from pgan_tf.config import ConfigError
from pgan_tf.data.holdout import split
from pgan_tf.data.samples import open_samples
from pgan_tf.experiments.suite import Comparison, Suite
from pgan_tf.metrics.registry import check_kind
from pgan_tf.networks.families import FAMILIES
from pgan_tf.places import place
from pgan_tf.training.plan import check_samples


def check_data(suite: Suite) -> None:
    """Is every data set there, with what the rows and the metrics are of, and as much as the metrics are to get?

    Raises ConfigError or MetricError where it is not; DataError where it is damaged.
    """
    for comparison in suite.comparisons:
        _check(comparison)


def _check(comparison: Comparison) -> None:
    folder = comparison.dataset
    if not place(folder).exists():
        recipe = _recipe(comparison)
        raise ConfigError(f"{folder}: there is no such data set; make it first" + (recipe and f": {recipe}"))
    samples = open_samples(folder)
    for row in comparison.rows:
        try:
            check_samples(row.config, samples, FAMILIES[row.config.model.family].takes)
        except ConfigError as error:
            raise ConfigError(f"row {row.title!r}: {error}") from None
    if comparison.neighbors and comparison.of_points:
        raise ConfigError(f"neighbors = {comparison.neighbors!r}: are of images; take it out for points in the plane")
    check_kind(comparison.metrics, samples.shape(samples.resolution), folder)
    share = comparison.held_out
    most = min(map(len, split(samples.count, share or 0.5)))
    if comparison.images > most:
        part = f"the smaller part by held_out = {share:g}" if share else "half"
        raise ConfigError(f"images = {comparison.images}: at most {most}, {part} of those in {folder}; the row Reals2 "
                          "holds one part against the other")  # fmt: skip


def _recipe(comparison: Comparison) -> str:
    """How the data set is made, by the head of a flagfile; of several data sets, what makes this one."""
    recipe = flagfiles.data_recipe(comparison.rows[0].flagfile)
    if not comparison.name:
        return recipe
    return " && ".join(part for part in recipe.split(" && ") if comparison.dataset in part.split())
