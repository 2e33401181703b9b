"""`train.py --strategy=multi_worker`: how a process joins the others of its run, and how it leaves them."""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import os
from collections.abc import Iterator
from typing import NamedTuple

from pgan_tf import __version__
from pgan_tf.config import Config, ConfigError
from pgan_tf.places import name_of
from pgan_tf.workers import cluster, meeting
from pgan_tf.workers.shared import options
from pgan_tf.workers.team import Alone, Facts, Team, set_current

MULTI_WORKER = "multi_worker"
VERSIONS = ("tensorflow", "keras")


class Launch(NamedTuple):
    """What the flags say of this process and not of the run."""

    workers: str
    task: int
    wait_minutes: float
    resume: str
    preset: str
    dry_run: bool


@contextlib.contextmanager
def joined(config: Config, launch: Launch) -> Iterator[Alone | Team]:
    """The ties to the other processes of the run, which end together. In all but the chief nothing is printed within.

    Raises ConfigError for what cannot be meant, Refused in a worker that does not go with the chief.
    """
    found = _cluster(config, launch)
    if found is None or len(found.addresses) == 1 or launch.dry_run:
        set_current(alone := Alone(found))
        yield alone
        return
    team, held = meeting.meet(found, facts(config, launch, found), launch.wait_minutes, _say)
    set_current(team)
    try:
        with held, _quiet(team):
            yield team
            team.close()
    except BaseException as error:
        team.close(error)
        raise
    if not team.chief:
        _say(f"worker {team.task}: has ended with the chief")


def _cluster(config: Config, launch: Launch) -> cluster.Cluster | None:
    """Who trains together; None where this process trains alone."""
    if config.run.strategy != MULTI_WORKER:
        if launch.workers or launch.task >= 0:
            name = f"--workers={launch.workers}" if launch.workers else f"--task={launch.task}"
            raise ConfigError(f"{name}: --strategy={config.run.strategy} trains in one process; add "
                              f"--strategy={MULTI_WORKER}")  # fmt: skip
        return None
    if launch.preset:
        raise ConfigError(f"--preset={launch.preset}: is chosen by the speed of one machine; let it print its flags, "
                          f"python train.py --dataset={config.data.dataset} --preset={launch.preset} --dry_run, and "
                          "give these to all workers")  # fmt: skip
    if not math.isfinite(launch.wait_minutes) or launch.wait_minutes <= 0:
        raise ConfigError(f"--wait_minutes={launch.wait_minutes:g}: must be a number of minutes above 0")
    found = cluster.find(launch.workers, launch.task, os.environ)
    if found is None:
        raise ConfigError(f"--strategy={MULTI_WORKER}: of which workers? {cluster.HOW}, or set {cluster.VARIABLE}; "
                          "--strategy=mirrored trains on this machine alone")  # fmt: skip
    return found


def facts(config: Config, launch: Launch, found: cluster.Cluster) -> Facts:
    """What has to be the same in all processes of a run, by the names that a user knows."""
    from pgan_tf.data import identity
    from pgan_tf.data.samples import open_samples

    dataset = open_samples(config.data.dataset)
    asked = config.data.resolution
    about = identity.describe(dataset, asked if asked in dataset.resolutions else dataset.resolution)
    return {
        "the version of pgan_tf": __version__,
        **{f"the version of {name}": version for name, version in _versions().items()},
        "--workers": ",".join(found.addresses),
        "--resume": name_of(launch.resume) if launch.resume else "not given",
        **options(config),
        "the data set": f"{dataset.content()}, sha256 {about['sha256'][:12]}",
    }


def _versions() -> dict[str, str]:
    """Of VERSIONS, by the distributions that bring them: tensorflow also comes as tensorflow-cpu."""
    brought = importlib.metadata.packages_distributions()  # reads the files of all that is installed
    return {name: importlib.metadata.version(brought.get(name, [name])[0]) for name in VERSIONS}


def _say(line: str) -> None:
    print(line, flush=True)


@contextlib.contextmanager
def _quiet(team: Team) -> Iterator[None]:
    """Stdout is the chief's."""
    if team.chief:
        yield
        return
    with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
        yield
