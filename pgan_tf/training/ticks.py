"""The end of a tick: its line in the records and the log, and what a run makes every so many ticks (TICKS)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf import config as options
from pgan_tf import grids
from pgan_tf.config import Config
from pgan_tf.data.pipeline import Reals
from pgan_tf.devices import alone_scope
from pgan_tf.metrics.errors import MetricError
from pgan_tf.schedule import Progress
from pgan_tf.stages import Fade, Stage
from pgan_tf.stamps import stamp
from pgan_tf.text import duration
from pgan_tf.training import export
from pgan_tf.training.clock import TickClock
from pgan_tf.training.console import ConsoleLog
from pgan_tf.training.gauge import Gauge
from pgan_tf.training.measuring import summary
from pgan_tf.training.plan import Plan
from pgan_tf.training.records import Pictures, Records, device_memory_mb, peak_memory_mb
from pgan_tf.training.speeds import Speeds
from pgan_tf.training.state import Counters, StageState
from pgan_tf.training.stopping import Stopping


class Books(NamedTuple):
    """What a run writes while it goes: for people, for programs, and for its own estimates."""

    log: ConsoleLog
    records: Records
    clock: TickClock
    speeds: Speeds


def open_books(folder: Path, config: Config) -> Books:
    """The books of a run in its folder, where those of an earlier process go on."""
    log = ConsoleLog(folder / "log.txt", config.growth.total_kimg)
    return Books(log, Records(folder, config), TickClock(), Speeds.read(folder))


class Moment(NamedTuple):
    """Where a run is."""

    counters: Counters
    state: StageState
    fade: Fade  # of the networks


class Ticks:
    """Ends ticks, and makes what is due then, in the run's folder."""

    def __init__(self, config: Config, plan: Plan, folder: Path, reals: Reals, books: Books, stopping: Stopping):
        self.config, self.plan, self.folder, self.books, self.stopping = config, plan, folder, books, stopping
        self.total = config.growth.total_kimg * 1000
        self.drawn = Pictures(config, reals, plan.resolution)
        self.gauge = Gauge(reals, config.run.seed, config.loss)

    def end(self, progress: Progress, moment: Moment) -> dict:
        """A tick, trained by `progress`, is over and counted. -> its row."""
        counters, row = moment.counters, self._row(progress, moment)
        self.books.records.tick(row)
        self.books.speeds.write(self.folder)
        self.books.log.line(tick_line(row, progress.stage, self.plan.dataset.kind))
        for product in TICKS:
            if product.when(self.config.run, counters.tick, counters.images >= self.total):
                product.what(self, moment)
        return row

    def _row(self, progress: Progress, moment: Moment) -> dict:
        """What metrics.jsonl says of a tick."""
        counters, state, fade = moment
        return {
            "tick": counters.tick,
            "images": counters.images,
            "kimg": counters.images / 1000,
            "resolution": progress.stage.resolution,
            "level": progress.stage.size.level,
            "alpha": fade.alpha,
            "lod": self.plan.schedule.at(counters.images).lod,
            "minibatch": progress.minibatch,
            "g_lrate": progress.g_lrate,
            "d_lrate": progress.d_lrate,
            "train_seconds": counters.seconds,
            "nonfinite_rounds": counters.nonfinite,
            "memory/process_peak_mb": peak_memory_mb(),
            "memory/device_peak_mb": device_memory_mb(),
            **self.books.clock.tick_row(),
            **state.extras_row(),
            **self.gauge.row(state, fade),
        }

    # ---- what is made ----------------------------------------------------------------------------------------------

    def reals(self, moment: Moment) -> None:
        """A grid of the pictures that it learns from."""
        self._picture("reals", "reals", moment, self.drawn.real())

    def pictures(self, moment: Moment) -> None:
        """What the averaged generator makes: a grid of its pictures; its points, and what is said of them."""
        for name, picture in self.drawn.fakes(moment.state, moment.fade).items():
            self._picture(name, f"{name}{_stamp(moment)}", moment, picture)

    def _picture(self, tag: str, name: str, moment: Moment, picture: np.ndarray) -> None:
        grids.save_png(self.folder / f"{name}.png", picture)
        self.books.records.picture(tag, moment.counters.images, picture)

    def histograms(self, moment: Moment) -> None:
        """The weights of both networks, for TensorBoard."""
        self.books.records.histograms(moment.state, moment.counters.images)

    def network(self, moment: Moment) -> Path:
        """The averaged generator as a file."""
        path = self.folder / f"network-{_stamp(moment)}.keras"
        export.save_generator(moment.state.ema, moment.fade, path)
        return path

    def measure(self, moment: Moment) -> None:
        """The metrics of the averaged generator, and the best one as a file."""
        began, measurements, rows, log = time.monotonic(), self.plan.measurements, [], self.books.log
        counters, state, fade = moment
        counters.unmeasured = True
        log.busy(f"measuring {self.config.run.metrics}")
        try:
            with alone_scope(self.plan.strategy), self.stopping.at_once():
                for row in measurements.measure(state, fade, counters.images):
                    self.books.records.measured(row)
                    rows.append(row)
        except MetricError as error:  # too few images for it, images of NaN: no reason to lose a run
            log.line(f"not measured: {error}")
        counters.unmeasured = False
        while rows and measurements.doubts:
            log.line(f"warning: {measurements.doubts.pop()}")
        best = measurements.keep_best(self.folder, rows, state, fade)
        seconds = time.monotonic() - began
        self.books.clock.add_metrics(seconds)
        if rows:
            best_so_far = f" (best {measurements.best_metric} so far)" if best else ""
            log.line(f"{summary(rows)}{best_so_far}  in {duration(seconds)}")


class Product(NamedTuple):
    """What a run makes at the ends of some ticks."""

    name: str
    when: Callable[[options.Run, int, bool], bool]  # its options, the tick's number from 1 on, whether it is the last
    what: Callable[[Ticks, Moment], object]


def _every(ticks: int, tick: int) -> bool:
    """Whether this tick is one of every so many; 0 is never."""
    return bool(ticks) and tick % ticks == 0


def _pictures_due(run: options.Run, tick: int, last: bool) -> bool:
    return bool(run.image_snapshot_ticks) and (_every(run.image_snapshot_ticks, tick) or tick == 1 or last)


def _network_due(run: options.Run, tick: int, last: bool) -> bool:
    return _every(run.network_snapshot_ticks, tick) and not last  # the last one is written when the run is done


def _metrics_due(run: options.Run, tick: int, last: bool) -> bool:
    return bool(run.metrics) and (_every(run.metrics_ticks, tick) or last)


TICKS = (
    Product("pictures", _pictures_due, Ticks.pictures),
    Product("histograms", lambda run, tick, last: run.weight_histograms, Ticks.histograms),
    Product("networks", _network_due, Ticks.network),
    Product("metrics", _metrics_due, Ticks.measure),
)


def _stamp(moment: Moment) -> str:
    return stamp(moment.counters.images, moment.counters.tick_before)


def tick_line(row: dict, stage: Stage, kind: str = "images") -> str:
    """The line of a tick in log.txt and the terminal: at most 100 columns. kind: of the samples, images or points."""
    where = str(stage) if kind == "images" else f"level {stage.size.level}{' fade-in' * stage.fading}"
    rate, memory = row["timing/images_per_second"], row["memory/process_peak_mb"] / 1024
    return (
        f"tick {row['tick']:<4d} kimg {row['kimg']:<7.1f} {where:<15} {row['alpha']:.2f} "
        f"D {_loss(row['loss/D']):<7} G {_loss(row['loss/G']):<7} {rate:>5.{0 if rate >= 100 else 1}f} {UNITS[kind]}/s "
        f"{duration(row['train_seconds'])} {memory:.{0 if memory >= 100 else 1}f} GB"
    )


UNITS = {"images": "img", "points": "pts"}


def _loss(value: float) -> str:
    """A loss in 8 columns."""
    return f"{value:+.3g}" if abs(value) < 999.5 else f"{value:+.1e}"
