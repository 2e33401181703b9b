"""The suite on TensorBoard's HParams page: each run with the options in which rows differ, and its scores."""

from __future__ import annotations

import shutil

from pgan_tf.experiments.runs import RunState
from pgan_tf.experiments.suite import Comparison, Suite
from pgan_tf.option import option_text
from pgan_tf.plain import plain_path

FOLDER = "hparams"  # in the folder of the runs


def write_hparams(suite: Suite, states: list[RunState]) -> None:
    """Writes the complete runs anew to <results>/hparams/<report>/<run>: suites may share the folder of the runs."""
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    root = suite.results / FOLDER / suite.report.stem
    shutil.rmtree(root, ignore_errors=True)
    varied = {part.name: varied_options(part) for part in suite.comparisons}
    for state in states:
        if not state.complete:
            continue
        names = varied[state.comparison.name]
        options = state.row.config.values()
        (root / state.name).mkdir(parents=True)
        with plain_path(root / state.name) as plain, tf.summary.create_file_writer(plain).as_default(step=0):
            api.hparams({**_about(state), **{name: _plain(options[name]) for name in names}}, trial_id=state.name)
            for column in state.comparison.columns:
                if (score := state.score(column)) is not None:
                    tf.summary.scalar(column, score)


def _about(state: RunState) -> dict[str, int | str]:
    about = {"row": state.row.title, "seed": state.seed}
    return {**about, "data": state.comparison.title} if state.comparison.title else about


def _plain(value: object) -> bool | int | float | str:
    """HParams takes numbers and words; an option may also be a dictionary of resolutions."""
    return option_text(value) if isinstance(value, dict) else value


def varied_options(comparison: Comparison) -> list[str]:
    """The options that are not the same in all rows."""
    rows = [row.config.values() for row in comparison.rows]
    return [name for name in rows[0] if name != "desc" and any(row[name] != rows[0][name] for row in rows)]
