"""The training loop: stage after stage, block after block, tick after tick.

while images remain:  Schedule.at(images) -> Stage -> build networks + carry -> rounds(batch, fade, ..) -> ticks.TICKS

Run.train is the whole, Run._train_blocks its heart. calls.py has what a call of the step is given, failures.py what
ends a run, ticks.py what is made at the end of a tick.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.data.pipeline import Reals, RoundStream
from pgan_tf.files import clear_folder
from pgan_tf.places import place
from pgan_tf.schedule import Progress
from pgan_tf.stages import Fade, Stage
from pgan_tf.text import duration
from pgan_tf.training import checkpoint, initial, reference, rundir
from pgan_tf.training.blocks import Blocks, Piece
from pgan_tf.training.calls import concatenate, controls
from pgan_tf.training.clock import Reports, TickClock
from pgan_tf.training.deciding import Decision, pieces_of_a_call
from pgan_tf.training.failures import check_untrained, diverged, out_of_memory
from pgan_tf.training.plan import Plan, check_growth
from pgan_tf.training.run_report import write_report
from pgan_tf.training.saving import Saver
from pgan_tf.training.speeds import Speeds
from pgan_tf.training.state import Counters, StageState
from pgan_tf.training.step import TrainStep
from pgan_tf.training.stopping import StopNow, Stopping
from pgan_tf.training.ticks import Books, Moment, Ticks, open_books
from pgan_tf.training.together import UNREACHABLE, Silent, lost, spread
from pgan_tf.workers.team import current


class Stopped(Exception):
    """SIGTERM or SIGINT came; everything is saved."""


class Run:
    """One run in its folder: `Run(config, plan, folder).train()` starts it or goes on with it."""

    def __init__(
        self, config: Config, plan: Plan, folder: Path, opening: Sequence[str] = (),
        on_tick: Callable[[dict], object] | None = None,
    ):  # fmt: skip
        """opening: the first lines of the log. on_tick: is called at the end of each tick with its row of
        metrics.jsonl; what it raises ends the run, which is saved first."""
        self.opening, self.on_tick = opening, on_tick
        self.config, self.plan, self.folder = config, plan, folder
        self.schedule = plan.schedule
        if config.run.deterministic:
            tf.config.experimental.enable_op_determinism()
        self.reals = Reals(plan.dataset, config.run.seed, plan.label_size, config.data.holdout)
        self.total = config.growth.total_kimg * 1000
        self.counters, self.state = Counters(), None
        self.team, self.stopping = current(), Stopping()
        books = open_books(folder, config) if self.team.chief else Books(Silent(), Silent(), TickClock(), Speeds({}))
        self.log, self.records, self.clock, self.speeds = books
        self.warm: Stage | None = None  # the stage whose first call, which prepares, is over
        self.ticks: Ticks | Silent = Silent()
        self.saver: Saver | Silent = Silent()
        if self.team.chief:
            self.ticks = Ticks(config, plan, folder, self.reals, books, self.stopping)
            self.saver = Saver(folder / "checkpoints", config.run)
        self.blocks: Blocks | None = None  # from when the run has begun on
        self.agreed = False  # that the run stops now

    # ---- the loop ----------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Trains to total_kimg. Raises Diverged, or Stopped after a signal; the run folder is complete either way."""
        with self.stopping.handled(), self._others_stop():
            try:
                for line in self.opening:
                    self.log.line(line)
                with self._at_once():
                    self._begin()
                for change in rundir.change_config(self.folder, self.config) if self.team.chief else ():
                    self.log.line(change)
                self.blocks = Blocks(self.schedule, self.counters)
                self._measure_again()
                while self.counters.block_start < self.total:
                    self._train_stage()
                self._finish()
            except StopNow:
                self._stop()
            except UNREACHABLE as error:
                raise lost(self.team, error) from None
            finally:
                self._close()

    def _train_stage(self) -> None:
        """All blocks of one stage."""
        counters, growth = self.counters, self.config.growth
        began = time.monotonic()
        progress = self.blocks.now()
        self.log.busy(f"building {progress.stage}")
        if progress.stage != self.state.stage:
            self._enter_stage(progress.stage)
        stage = progress.stage
        step = TrainStep(self.config, self.state, self.plan.strategy, progress.minibatch, self.plan.resolution)
        with self._at_once():
            step.rounds.get_concrete_function()
        self.clock.add_build(time.monotonic() - began)
        data = self.reals.stream(
            counters.block_start, stage.resolution, progress.minibatch, growth.minibatch_repeats, growth.D_repeats,
            self.blocks.rounds_done(), step.feed.read,
        )  # fmt: skip
        with contextlib.closing(data):
            self._train_blocks(step, data, progress)

    def _enter_stage(self, stage: Stage) -> None:
        """Swaps the networks: new ones for `stage` that take over the weights of the old ones."""
        old = self.state
        self.state = self._build(stage)
        self.state.carry_from(old)
        reference.choose(self.state, self.reals)
        del old
        gc.collect()

    def _build(self, stage: Stage) -> StageState:
        with self.plan.strategy.scope():
            return StageState(stage, self.config, self.plan.dataset.channels, self.plan.label_size)

    def _train_blocks(self, step: TrainStep, data: RoundStream, progress: Progress) -> None:
        """Call after call of the step, until the schedule leaves the stage; ticks and checkpoints on the way."""
        counters, most = self.counters, 1
        while counters.block_start < self.total and self.blocks.now().stage == progress.stage:
            end = min(self.total, counters.tick_start + progress.tick_kimg * 1000)
            parts = self.blocks.next(end, most)
            seconds = self._call(step, parts, data)
            self.blocks.advance(sum(part.rounds for part in parts))
            if self.blocks.between() and counters.images >= end:
                counters.end_tick(self.clock.take_seconds())
                self._tell(self.ticks.end(progress, self._moment()))
            most = self._go_by(self._decide(len(parts), seconds))

    def _tell(self, row: dict) -> None:
        """A tick to who asked for it."""
        try:
            if self.on_tick:
                self.on_tick(row)
        except BaseException:
            if self.saver.images != self.counters.images:
                self._save_checkpoint()
            raise

    def _decide(self, pieces: int, seconds: float) -> Decision:
        """What comes next, after a call of so many pieces that took so long."""
        save = bool(self.saver.due(self.counters, self.counters.images >= self.total))
        own = Decision(pieces_of_a_call(pieces, seconds), save, self.stopping.number())
        return own.shared(self.config.run.strategy)

    def _go_by(self, decision: Decision) -> int:
        """Saves or stops where that was decided; returns how many pieces the next call may take."""
        if decision.save:
            self._save_checkpoint()
        self.agreed = bool(decision.signal)
        self.stopping.follow(decision.signal)
        return decision.pieces

    # ---- a call of the step ------------------------------------------------------------------------------------------

    def _call(self, step: TrainStep, parts: list[Piece], data: RoundStream) -> float:
        """Some pieces in one call of the step; returns the seconds that it took."""
        began, progress = time.monotonic(), parts[0].progress
        batch = concatenate([next(data) for _ in parts])
        got = time.monotonic()
        try:
            reports = step.rounds(batch, controls(self.config, parts, self.counters.rounds, step.dtype))
            reports = {name: values.numpy() for name, values in reports.items()}  # [K] each
        except tf.errors.ResourceExhaustedError:
            raise out_of_memory(self.config, self.folder, progress, self.schedule.devices) from None
        done = time.monotonic()
        rounds = sum(part.rounds for part in parts)
        self.counters.rounds += rounds
        images = rounds * self.blocks.round_images()
        self.clock.add_call(reports, got - began, done - got, images)
        self._check_finite(reports)
        self._show(parts[-1].progress, reports, images, done - began)
        return done - began

    def _check_finite(self, reports: Reports) -> None:
        bad = int(reports["nonfinite"].sum())
        self.counters.nonfinite += bad
        if bad and self.config.optim.nan == "stop" and not self.state.absorbs_overflow():
            raise diverged(self.folder, self.counters.images)

    def _show(self, progress: Progress, reports: Reports, images: int, seconds: float) -> None:
        """A call of the step, which trained so many images in so long, as what a person sees."""
        seen, stage = self.counters.images + images, progress.stage
        if self.warm == stage:
            self.speeds.add(stage, images, seconds)
        self.warm = stage
        rate = self.clock.rate()
        self.log.advance(
            seen / 1000, stage, self.schedule.span(stage),
            self.speeds.seconds(self.schedule, seen) or max(self.total - seen, 0) / max(rate, 1e-9), rate,
            (reports["loss/D"].mean(), reports["loss/G"].mean()),
        )  # fmt: skip

    # ---- how it begins -----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """The newest sound checkpoint, or the first stage; where several train, as the chief finds it."""
        path = None
        if self.team.chief:
            for folder in (self.folder, self.folder / "checkpoints"):
                clear_folder(folder)
            if checkpoint.paths(self.folder / "checkpoints"):
                path = checkpoint.newest_sound(self.folder / "checkpoints", self.log.line)
            else:
                check_untrained(self.folder)
        if path := self.team.share(str(path) if path else None):
            self._go_on(Path(path))
        else:
            self._start()

    def _go_on(self, path: Path) -> None:
        """From a sound checkpoint, which the chief has."""
        record = None
        if self.team.chief:
            stage, counters = checkpoint.read_counters(path)
            checkpoint.check_data(path, self.plan.resolution, self.plan.dataset.channels, self.plan.label_size)
            record = stage.to_record(), dataclasses.asdict(counters)
        stage, counters = self.team.share(record)
        stage, self.counters = Stage.from_record(stage), Counters(**counters)
        check_growth(self.schedule, stage, self.counters.block_start)
        self.state = self._build(stage)
        if self.team.chief:
            checkpoint.restore(path, self.state)
            if rundir.load_config(self.folder).optim.precision != self.config.optim.precision:
                for player in (self.state.g, self.state.d):
                    player.log_scale.assign(player.first_scale)
        spread(self.state)
        self.clock.carry_on(self.counters.tick_sums, self.counters.tick_rounds)
        self.records.rewind(self.counters.images, not self.counters.unmeasured)
        self.saver.saved(self.counters.images)
        self.log.reached(self.counters.images / 1000)
        self.log.line(f"going on from {path}: {self.counters.images / 1000:.1f} kimg, {stage}")

    def _start(self) -> None:
        """With the first stage."""
        self.state = self._build(self.schedule.at(0).stage)
        reference.choose(self.state, self.reals)
        if self.config.model.init_from and self.team.chief:
            trained = initial.load(place(self.config.model.init_from))
            for line in initial.take_over(trained, self.state):
                self.log.line(line)
        spread(self.state)
        self.records.rewind(0)
        self.records.start()
        self.ticks.reals(self._moment())
        if self.config.run.image_snapshot_ticks:  # what it knows before it has learned
            self.ticks.pictures(self._moment())
        self.log.line(f"run folder {self.folder}; watch it with: tensorboard --logdir {self.folder.parent}")
        self._save_checkpoint()  # from now on a run without one has lost it

    def _measure_again(self) -> None:
        """What was to be measured when the run was stopped. The other workers wait for what comes next."""
        if self.counters.unmeasured:
            if self.plan.measurements:
                self.ticks.measure(self._moment())
            self.counters.unmeasured = False
            self._go_by(self._decide(1, 0.0))

    # ---- how it ends, and what it saves ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _others_stop(self) -> Iterator[None]:
        """Within, a worker that is asked to stop asks the chief, who decides for all."""
        self.stopping.tell = self.team.send_stop
        self.team.on_stop = functools.partial(os.kill, os.getpid(), signal.SIGTERM)
        try:
            yield
        finally:
            self.team.on_stop = lambda: None

    def _at_once(self) -> contextlib.AbstractContextManager:
        """A scope that a signal ends at once; not where other workers would wait for this one."""
        return self.stopping.at_once() if self.team.size == 1 else contextlib.nullcontext()

    def _stop(self) -> None:
        """Saves what is not saved yet. Raises Stopped."""
        if not self.agreed:  # the chief was stopped while the others wait for what comes next
            Decision(1, False, self.stopping.number()).shared(self.config.run.strategy)
        after = f"stopped by {self.stopping.signal} after {self.counters.images / 1000:.1f} kimg"
        if self.blocks is None or (self.counters.images == self.saver.images and not self.counters.unmeasured):
            self.log.line(after)
        else:
            self.log.line(f"{after}; saved {self._save_checkpoint()}")
        raise Stopped(self.stopping.signal)

    def _finish(self) -> None:
        path = self.ticks.network(self._moment())
        kimg, seconds = self.counters.images / 1000, self.counters.seconds
        self.log.line(f"done: {kimg:.1f} kimg in {duration(seconds)}; the generator is {path}")

    def _close(self) -> None:
        self.records.close()
        self.log.close()
        if self.team.chief and (self.folder / "metrics.jsonl").exists():
            write_report(self.folder, self.config)

    def _save_checkpoint(self) -> Path:
        self.counters.seconds += self.clock.take_seconds()
        self.counters.tick_sums, self.counters.tick_rounds = self.clock.sums()
        return self.saver.save(*self._moment())

    def _moment(self) -> Moment:
        return Moment(self.counters, self.state, self._fade())

    def _fade(self) -> Fade:
        """The fade of the networks at this moment; a stage whose end has come is faded in."""
        now = self.schedule.at(self.counters.images)
        return now.fade if now.stage == self.state.stage else Fade()
