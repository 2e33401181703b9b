"""A run from what is asked for to its end, the same for train.py and for Python programs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pgan_tf import mirror
from pgan_tf.config import Config, ConfigError
from pgan_tf.data import identity
from pgan_tf.files import place_fault
from pgan_tf.places import absolute, is_stored, place
from pgan_tf.training import initial, loop, rundir
from pgan_tf.training.begin import Asked, Start, begin
from pgan_tf.training.console import Screen
from pgan_tf.workers.shared import options, way_on
from pgan_tf.workers.team import current

SEEN = "--holdout: {} may be among the images held out now; scores of these (overfitting/r_v) are no judge of it"


class Prepared(NamedTuple):
    """A run that has been checked and can begin."""

    asked: Asked
    start: Start
    about: dict  # its data set, as identity.describe has it


class Ended(NamedTuple):
    """A run that has come to its end, or has been stopped and saved."""

    folder: Path
    signal: str | None  # the name of the one that stopped it


def prepare(asked: Asked, change_dataset: bool = False) -> Prepared:
    """Checks and measures what a run needs. `change_dataset`: it may go on with another data set.

    Raises UserError for what cannot work, before anything is written.
    """
    _check_place(asked)  # before anything is measured
    team, start = current(), begin(asked)
    config, plan = start.config, start.plan
    team.compare(options(config))  # what auto stands for on each machine
    about = identity.describe(plan.dataset, plan.resolution)
    if team.chief:
        start.lines.extend(_check_taken_over(asked, start, about, change_dataset))
    return Prepared(asked, start, about)


def _check_taken_over(asked: Asked, start: Start, about: dict, change_dataset: bool) -> list[str]:
    """UserError where a run cannot take over what it begins from. -> a line where that may know held-out images."""
    config, plan = start.config, start.plan
    if asked.resume:
        folder = place(asked.resume)
        if not change_dataset:
            identity.check(folder, about, config.data.dataset)
        clean, seen = identity.is_same(folder, about), "what the run was trained on before"
    elif config.model.init_from:
        initial.check(config, plan.dataset.channels, plan.label_size, plan.schedule)
        clean, seen = initial.held_out(config, about), "what --init_from's networks were trained on"
    else:
        return []
    return [SEEN.format(seen)] if config.data.holdout and not clean else []


def _check_place(asked: Asked) -> None:
    """ConfigError where a run's folder, or the place of a new one, takes nothing. A run that was moved knows its old
    place still, and nothing is written there."""
    option, folder, way = (
        ("resume", asked.resume, "copy the run to another place")
        if asked.resume
        else ("result_dir", asked.config.run.result_dir, "give another place")
    )
    where = place(folder)  # is there such a store?
    if current().chief and not is_stored(folder) and (fault := place_fault(where)):
        raise ConfigError(f"--{option}={folder}: no run can be written there ({fault}); {way}")


def train(prepared: Prepared, flags: str, on_tick: Callable[[Path, dict], object] | None = None) -> Ended:
    """Trains in a new folder, or in that of the run that goes on; where several train together, in the chief's.

    flags: what was asked for as a flagfile, to be kept in a new folder. on_tick: see loop.Run; also gets the folder.
    """
    start, team = prepared.start, current()
    config = start.config.replace(dataset=absolute(start.config.data.dataset))  # it may go on from anywhere
    with contextlib.ExitStack() as held:
        folder = held.enter_context(_claimed(prepared, config, flags)) if team.chief else None
        folder = folder or place(team.share(None))
        kept = mirror.original(folder)
        team.way_on = way_on(kept, team)
        held.enter_context(contextlib.redirect_stdout(Screen(sys.stdout)))
        tell = (lambda row: on_tick(mirror.up_to_date(folder), row)) if on_tick else None
        run = loop.Run(config, start.plan, folder, [*start.lines, *start.preset.splitlines()], tell)
        try:
            run.train()
        except loop.Stopped:
            return Ended(kept, run.stopping.signal)
    return Ended(kept, None)


@contextlib.contextmanager
def _claimed(prepared: Prepared, config: Config, flags: str) -> Iterator[Path]:
    """The run's folder, made where it is new, told to the other processes, and kept from those of other runs."""
    asked, start, about = prepared
    new = (config, start.plan.dataset.name, start.preset or flags, start.files())
    with contextlib.ExitStack() as held:
        if asked.resume:
            folder = held.enter_context(mirror.working(place(asked.resume), mirror.to_go_on))
        elif is_stored(config.run.result_dir):
            results = place(config.run.result_dir)
            folder = rundir.create(*new, held.enter_context(mirror.scratch(results)))
            held.enter_context(mirror.kept_up(mirror.Mirror(folder, results / folder.name)))
        else:
            folder = rundir.create(*new)
        held.enter_context(rundir.claimed(folder))
        identity.write(folder, about, config.data.dataset)
        current().share(absolute(mirror.original(folder)))
        yield folder
