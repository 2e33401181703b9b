"""Which results are of a suite's measurements: a table holds no numbers that were measured in different ways."""

from __future__ import annotations

from pgan_tf.evaluation import results
from pgan_tf.evaluation.evaluator import Request
from pgan_tf.experiments.suite import Comparison
from pgan_tf.metrics.registry import ASKED, METRICS

SEED = Request.seed  # evaluate.py's own, which a suite does not change
EXTRACTOR = ("extractor", "extractor_sha256")
OTHERWISE = dict.fromkeys(EXTRACTOR, "by another extractor") | {"reals_sha256": "against other reals"}


def counting(comparison: Comparison, found: list[dict]) -> list[dict]:
    """A run's results that count: asked for, and by the extractor and against the reals of the suite's row Reals.

    Results of versions that do not say these count too.
    """
    reals = _reals(comparison)
    return [row for row in found if asked_for(comparison, row) and not _differing(row, reals)]


def otherwise(comparison: Comparison, found: list[dict]) -> list[str]:
    """How a run's results were measured that were asked for and do not count, nor newer ones in their place.

    Values of OTHERWISE.
    """
    reals, there = _reals(comparison), {_of(row) for row in counting(comparison, found)}
    missing = [row for row in found if asked_for(comparison, row) and _of(row) not in there]
    return sorted({OTHERWISE[name] for row in missing for name in _differing(row, reals)})


def _of(result: dict) -> tuple:
    """What a result says the numbers of."""
    return result["metric"], result["fakes"]


def _reals(comparison: Comparison) -> dict[str, dict]:
    """The newest of the suite's row Reals for each metric."""
    return {row["metric"]: row for row in results.read(comparison.reals)
            if row["fakes"] == "Reals" and asked_for(comparison, row)}  # fmt: skip


def asked_for(comparison: Comparison, result: dict) -> bool:
    """Whether a result is one of the suite's measurements: metric, count, seed, extractor, which reals."""
    if result["metric"] not in comparison.metrics:
        return False
    metric = METRICS[result["metric"]]
    if result["count"] != metric.takes(comparison.images) or result.get("seed", SEED) != SEED:
        return False
    which = (result.get("reals_mirrored", False), result.get("reals_held_out", 0))
    if metric.reals and which != (comparison.mirrored, comparison.held_out):
        return False
    free = not comparison.extractor or metric.extractor != ASKED
    return free or result.get("extractor") == comparison.extractor


def _differing(result: dict, reals: dict[str, dict]) -> list[str]:
    """What a result says of its extractor and its reals, and the row Reals of its metric says otherwise."""
    names = (*EXTRACTOR, "reals_sha256") if METRICS[result["metric"]].reals else EXTRACTOR
    row = reals.get(result["metric"], {})
    return [name for name in names if name in result and name in row and result[name] != row[name]]
