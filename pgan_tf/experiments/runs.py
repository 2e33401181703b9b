"""What has become of a run of a suite: its folder, how far it is, which of its snapshots are measured."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pgan_tf import stamps
from pgan_tf.config import Config, ConfigError
from pgan_tf.data import identity
from pgan_tf.data.samples import is_data_set, open_samples
from pgan_tf.errors import reason
from pgan_tf.evaluation import results
from pgan_tf.experiments.counting import counting, otherwise
from pgan_tf.experiments.suite import Comparison, Row, Suite
from pgan_tf.networks import saved
from pgan_tf.places import place

# What may differ between a run and what the suite asks for without making it another run. Of the data set the path may.
_ELSEWHERE = ("result_dir", "dataset")
AUTO = "auto"  # stands for what a run found best on its machine and keeps in its config.json


@dataclass(frozen=True)
class RunState:
    """A run of a suite.

    Attributes:
        comparison, row, seed: which.
        folder: its run folder; None where it has not begun.
        kimg: thousands of images that it has seen.
        trained: whether that is all of them and there is the last network, or what was measured of it.
        results: of its snapshots, those that the suite asks for.
        measured: whether none is missing.
        watched: the results of the measurements while it trained.
    """

    comparison: Comparison
    row: Row
    seed: int
    folder: Path | None = None
    kimg: float = 0.0
    trained: bool = False
    results: tuple[dict, ...] = ()
    measured: bool = False
    watched: tuple[dict, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.row.name}-s{self.seed}"

    @property
    def complete(self) -> bool:
        return self.trained and self.measured

    @property
    def precision(self) -> str:
        """What it is trained in; '' where it has not begun."""
        return Config.read(self.folder / "config.json").optim.precision if self.folder else ""

    @property
    def otherwise(self) -> list[str]:
        """How results of it were measured that do not count; see counting.OTHERWISE."""
        return otherwise(self.comparison, _found(self.folder)) if self.folder else []

    def curve(self, column: str, watched: bool = False) -> dict[float, float]:
        """{thousands of images: a column's number}, in the order of time; of its snapshots, or of what was watched."""
        metric = column.partition("/")[0]
        rows = [row for row in (self.watched if watched else self.results) if row["metric"] == metric]
        return {row["kimg"]: number for row in sorted(rows, key=lambda row: row["kimg"])
                if (number := results.value(row, column)) is not None}  # fmt: skip

    def score(self, column: str) -> float | None:
        """A column's number at the end of the training; None until it is known."""
        return list(self.curve(column).values() or [None])[-1] if self.complete else None


def states(whole: Suite | Comparison) -> list[RunState]:
    """Every run of a suite or a comparison. ConfigError: a folder in the way."""
    return [state_of(*run) for run in whole.runs]


def state_of(comparison: Comparison, row: Row, seed: int) -> RunState:
    folder = find_folder(comparison, row, seed)
    if folder is None:
        return RunState(comparison, row, seed)
    ticks = read_ticks(folder)
    kimg = ticks[-1]["kimg"] if ticks else 0.0
    found = _found(folder)
    # of each measurement the newest
    known = {(result["metric"], result["fakes"]): result for result in counting(comparison, found)}

    def is_measured(name: str) -> bool:
        return all((metric, name) in known for metric in comparison.metrics)

    networks = _networks(folder, filter(is_measured, {name for _, name in known}))
    last = stamps.kimg(networks[-1]) if networks else -1
    trained = kimg >= row.config.growth.total_kimg and last in (int(kimg), round(kimg, 3))
    names = [path.name for path in (networks[-1:] if comparison.last_only else networks)]
    own = tuple(result for (_, name), result in known.items() if name in names)
    watched = tuple(result for result in found if result["fakes"] == results.WATCHED)
    return RunState(comparison, row, seed, folder, kimg, trained, own, all(map(is_measured, names)), watched)


def _found(folder: Path) -> list[dict]:
    """What was measured of a run's own networks, whether it counts or not."""
    measured = results.read(folder / "metrics.jsonl")
    return [result for result in measured if "kimg" in result and _is_own(folder, result)]


def _is_own(folder: Path, result: dict) -> bool:
    """Whether a result is of the network that has its name now, as far as both are known: it may be gone."""
    path = folder / result["fakes"]
    if "fakes_sha256" not in result or not path.is_file():
        return True
    return result["fakes_sha256"] == _digest(path, path.stat().st_mtime_ns)


@functools.cache  # for each state of a file once
def _digest(path: Path, changed: int) -> str:
    return saved.digest(path)


def _networks(folder: Path, measured: Iterable[str]) -> list[Path]:
    """A run's networks, oldest first: those that are there, and those of which all is `measured`, there or not."""
    gone = [folder / name for name in measured if stamps.kimg(Path(name)) is not None]
    return stamps.ordered({*saved.snapshots(folder), *gone})


def read_ticks(folder: Path, *needs: str) -> list[dict]:
    """The ticks of a run that have the numbers which are needed."""
    return results.read_ticks(folder / "metrics.jsonl", needs)


FULL = ("resolution", "lod", "alpha")  # what `full_resolution` needs of a tick


def full_resolution(ticks: list[dict]) -> int:
    """The resolution to which a run's networks grow; the run may end before."""
    # lod is log2(full / current), and 1 - alpha more in a fade. A tick that ends at a change of stage may say less.
    return max(results.level(tick) * 2 ** round(tick["lod"] - (1 - tick["alpha"])) for tick in ticks)


def find_folder(comparison: Comparison, row: Row, seed: int) -> Path | None:
    """The folder of a run that was begun. ConfigError: there are two, or it has other options."""
    pattern = re.compile(rf"\d{{5,}}-{re.escape(row.name)}-s{seed}")
    root = comparison.results
    folders = sorted(path for path in root.iterdir() if pattern.fullmatch(path.name)) if root.is_dir() else []
    if len(folders) > 1:
        raise ConfigError(
            f"{folders[0]} and {folders[1]} are both runs of {row.title!r} with seed {seed}; move one away"
        )
    if not folders:
        return None
    try:
        ours = Config.read(folders[0] / "config.json").values()
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(f"{folders[0]}: has no config.json; move the folder away") from None
    except OSError as error:
        raise ConfigError(f"{folders[0]}: its config.json cannot be read: {reason(error)}") from None
    wanted = row.config.replace(seed=seed).values()
    for name, value in wanted.items():
        if ours[name] != value and name not in _ELSEWHERE and value != AUTO:
            raise ConfigError(
                f"{folders[0]}: has --{name}={ours[name]}, {row.flagfile} says {value}; "
                "move the folder away to train anew"
            )
    _check_data(folders[0], wanted["dataset"])
    return folders[0]


@functools.cache  # it reads pictures: once for a folder
def _check_data(folder: Path, dataset: str) -> None:
    """ConfigError where the data set of a suite is not the one that the run knows as its own: it may be made anew."""
    if not identity.read(folder) or not is_data_set(place(dataset)):
        return  # numbers that were kept need no data
    if not identity.is_known(folder, open_samples(dataset)):
        raise ConfigError(f"{folder}: was trained on another data set than {dataset}; move the folder away to train "
                          "anew")  # fmt: skip
