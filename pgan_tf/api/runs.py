"""Training, and what it leaves behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pgan_tf.api.generators import Generator
from pgan_tf.api.loading import in_one_line, load_tensorflow
from pgan_tf.api.values import number
from pgan_tf.config import Config
from pgan_tf.option import ConfigError
from pgan_tf.places import place


@in_one_line
def read_config(flagfile: str | os.PathLike = "", **options: Any) -> Config:
    """The options of a run.

        read_config("quickstart", total_kimg=20)
        read_config(dataset="datasets/cats", resolution=64, minibatch_base=32)

    Args:
        flagfile: A flagfile, or the name of one that comes with the package, such as quickstart or cpu/rr.
        **options: Options by their names, which win over the flagfile: those that `train.py --help` lists, and
            that `Config().values()` holds. A dictionary by resolution is `{4: 128, 8: 64}`.

    Returns:
        The options, a frozen `Config`; `config.replace(seed=1)` is another one.

    Raises:
        UserError: Unknown names, values out of bounds, options that do not go together.
    """
    from pgan_tf import flagfiles
    from pgan_tf.option_flags import read_options

    said = read_options(flagfiles.find(os.fspath(flagfile))) if flagfile else {}
    return Config.from_values({**said, **_plain(options)})


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    """Paths as text, which options are."""
    return {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in options.items()}


class Run:
    """A run in its folder, which another process may be training. Its properties say what is there now.

    Attributes:
        folder: Where it lies.
        signal: What stopped the training that returned it, such as SIGINT; None where nothing did.
    """

    def __init__(self, folder: Path, signal: str | None = None):
        self.folder, self.signal = folder, signal

    @classmethod
    @in_one_line
    def open(cls, folder: str | os.PathLike) -> Run:
        """The run in a folder. Raises UserError where there is none."""
        from pgan_tf.training import rundir

        path = place(os.path.expanduser(folder))
        rundir.load_config(path)
        return cls(path)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}, {self.kimg:g} of {self.config.growth.total_kimg:g} kimg)"

    @property
    def config(self) -> Config:
        """Its options."""
        from pgan_tf.training import rundir

        return rundir.load_config(self.folder)

    @property
    def ticks(self) -> list[dict]:
        """What metrics.jsonl says of each tick: `kimg`, `loss/D`, `loss/G`, `timing/images_per_second`, ..."""
        from pgan_tf.evaluation import results

        return results.read_ticks(self.folder / "metrics.jsonl")

    @property
    def results(self) -> list[dict]:
        """The results of metrics, measured while it trained or by `evaluate`."""
        from pgan_tf.evaluation import results

        return results.read(self.folder / "metrics.jsonl")

    @property
    def kimg(self) -> float:
        """Thousands of real images that it had seen at its last tick."""
        return self.ticks[-1]["kimg"] if self.ticks else 0.0

    @property
    def pictures(self) -> list[Path]:
        """Its fakes*.png, oldest first."""
        from pgan_tf import stamps

        return stamps.in_time(self.folder, "fakes*.png")

    @property
    def generator(self) -> Generator:
        """The averaged generator of its newest snapshot; until there is one, of its newest checkpoint."""
        return Generator.open(self.folder)

    @in_one_line
    def resume(self, *, on_tick: Callable[[Run, dict], object] | None = None, **options: Any) -> Run:
        """Goes on from its newest checkpoint.

        Args:
            on_tick: As for `train`.
            **options: What holds from here on, such as total_kimg. Networks and data cannot change.

        Returns:
            The run, as `train` does.
        """
        from pgan_tf.training import rundir

        config = rundir.resumed_config(self.folder, _plain(options))
        return _train(config, {"resume": str(self.folder)}, on_tick)


@in_one_line
def train(
    config: Config, *, preset: str = "", hours: float = 0.0, on_tick: Callable[[Run, dict], object] | None = None
) -> Run:
    """Trains a progressive GAN, as train.py does, in a new folder below `result_dir`.

        run = train(read_config("quickstart", total_kimg=20))
        run = train(read_config(dataset="datasets/cats"), preset="small", hours=1)

    A line for each tick is printed, and in a notebook or a terminal one that says how far it is. Ctrl-C, the stop
    button of a notebook and SIGTERM stop it where nothing is half done: a checkpoint is saved and the run is returned,
    with what stopped it as its `signal`; `run.resume()` goes on. (A second Ctrl-C raises KeyboardInterrupt at once, and
    what came after the last checkpoint is lost.) In another thread than the main one it hears of no signal.

    Args:
        config: Its options; `dataset` must be given.
        preset: small, medium or paper: chooses what read_config was not told, by the data and the machine.
        hours: With a preset: about how long it may take; 0 = the preset's own.
        on_tick: Is called as on_tick(run, tick) at the end of each tick, when its pictures are there, with its line of
            metrics.jsonl. What it raises ends the training and is raised here; what was trained is saved.

    Returns:
        The run, at its end or stopped.

    Raises:
        UserError: What cannot work, in one line that names the option; a loss that is not finite; a full disk.
    """
    from pgan_tf.presets import check

    if not isinstance(config, Config):
        raise ConfigError(f"{config!r}: train takes options, as train(read_config('quickstart')) gives them")
    hours = number("hours", hours, 0)
    check(preset, hours, "total_kimg" in config.said)
    return _train(config, {"preset": preset, "hours": hours}, on_tick)


def _train(config: Config, asked: dict[str, Any], on_tick: Callable[[Run, dict], object] | None) -> Run:
    if config.run.strategy == "multi_worker":
        raise ConfigError("strategy=multi_worker: its processes are started by train.py, one on each machine")
    _check_data(config.data.dataset)
    load_tensorflow(config.run.strategy)
    from pgan_tf.option_flags import flag_lines
    from pgan_tf.training import begin, launch

    values = config.values()
    said = {**config.changes(), **{name: values[name] for name in config.said}}
    prepared = launch.prepare(begin.Asked(config, given=said, **asked))
    tell = (lambda folder, tick: on_tick(Run(folder), tick)) if on_tick else None
    return Run(*launch.train(prepared, flag_lines(config.changes()), tell))


def _check_data(folder: str) -> None:
    from pgan_tf.data.samples import check_files

    if not folder:
        raise ConfigError("dataset is missing: give read_config the folder of one, as dataset='datasets/cats'")
    if not place(folder).exists():
        raise ConfigError(f"{folder}: there is no such data set; make one with pgan_tf.create_dataset")
    check_files(folder)
