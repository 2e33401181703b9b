"""The numbers in the words of docs/results/columbia_cpu.md that `experiment.py table` does not print.

    python benchmarks/columbia_claims.py configs/cpu/columbia.toml

How far the seeds of a row lie apart, how large a difference so few seeds can find, whether SWD and IS go together, and
the two comparisons that were asked for after the numbers were seen.
"""

import argparse
import math
import sys
from pathlib import Path

import numpy as np
from scipy import optimize, stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pgan_tf.experiments.runs import states
from pgan_tf.experiments.suite import Comparison
from pgan_tf.experiments.suite_file import read_suite

APART = "Least Squares Loss"
RESIDUAL_D = ("Res Block D", "RR, Res Blocks G and D")
REPORTED = {  # table 1 of the report: SWD, IS
    "Baseline": (109.2181, 1.118), "Res Block G": (105.9239, 1.1132), "Res Block D": (108.1729, 1.1145),
    "RR": (113.236, 1.126), "RR, Res Block G": (103.6598, 1.114), "RR, Res Blocks G and D": (104.2972, 1.1161),
    "Least Squares Loss": (109.6703, 1.1175),
}  # fmt: skip
FOUND, LEVEL = 0.8, 0.05


def read(comparison: Comparison) -> dict[str, dict[str, np.ndarray]]:
    """{metric: {row: the scores of its seeds [S]}}"""
    found = states(comparison)
    return {
        metric: {
            row.title: np.array([s.score(metric) for s in found if s.row is row and s.complete])
            for row in comparison.rows
        }
        for metric in comparison.metrics
    }


def pooled(rows: dict[str, np.ndarray]) -> float:
    """The standard deviation within the rows."""
    weights = [len(values) - 1 for values in rows.values()]
    variances = [values.var(ddof=1) for values in rows.values()]
    return math.sqrt(np.average(variances, weights=weights))


def power(seeds: int, effect: float) -> float:
    """How often Student's t test of two rows finds a difference of `effect` standard deviations, and its sign."""
    freedom, shift = 2 * (seeds - 1), effect / math.sqrt(2 / seeds)
    edge = stats.t.ppf(1 - LEVEL / 2, freedom)
    return 1 - float(stats.nct.cdf(edge, freedom, shift))


def _means(rows: list[np.ndarray]) -> list[float]:
    return [float(values.mean()) for values in rows]


def _rank_correlation(a, b) -> float:
    return float(stats.spearmanr(a, b).statistic)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", type=Path)
    (comparison,) = read_suite(parser.parse_args().suite).comparisons
    scores, seeds = read(comparison), len(comparison.seeds)
    effect = optimize.brentq(lambda d: power(seeds, d) - FOUND, 0.1, 20)
    for metric, rows in scores.items():
        others = {title: values for title, values in rows.items() if title != APART}
        base, deviation = rows[comparison.baseline].mean(), pooled(others)
        needed = next(n for n in range(2, 10_000) if power(n, 0.05 * base / deviation) >= FOUND)
        rest = np.concatenate(list(others.values()))
        print(f"{metric}: between seeds {deviation:.3g}; {seeds} seeds find {100 * effect * deviation / base:.0f} %; "
              f"5 % take {needed} seeds; {APART} {rows[APART].min():.4g} to {rows[APART].max():.4g}, "
              f"the others {rest.min():.4g} to {rest.max():.4g}")  # fmt: skip
    swd, inception = ({t: v for t, v in scores[metric].items() if t != APART} for metric in ("swd", "is"))
    means, runs = ([f(list(rows.values())) for rows in (swd, inception)] for f in (_means, np.concatenate))
    report, rows, all_runs = (_rank_correlation(*pair) for pair in (zip(*REPORTED.values(), strict=True), means, runs))
    print(f"rank correlation of SWD and IS: report {report:.2f}, rows {rows:.2f}, runs {all_runs:.2f}")
    residual = np.concatenate([swd[title] for title in RESIDUAL_D])
    plain = np.concatenate([values for title, values in swd.items() if title not in RESIDUAL_D])
    print(f"SWD with a residual D {residual.mean():.4g} ({len(residual)}), with a plain one {plain.mean():.4g} "
          f"({len(plain)}): Mann-Whitney p {stats.mannwhitneyu(residual, plain).pvalue:.2g}")  # fmt: skip


if __name__ == "__main__":
    main()
