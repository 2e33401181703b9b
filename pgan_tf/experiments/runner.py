"""Runs what a suite is missing: one process per run, one after another or several at a time.

A run is trained by train.py and measured by evaluate.py, whose own resuming and remembering make a suite resumable.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from pgan_tf import signals
from pgan_tf.config import ConfigError
from pgan_tf.experiments.runs import RunState, read_ticks, state_of, states
from pgan_tf.experiments.suite import Comparison, Suite
from pgan_tf.files import lock_held

POLL_SECONDS = 1.0
# Each of several runs has its share of the cores: threads that wait for each other on the same ones take many times as
# long as one.
THREADS = "TF_NUM_INTRAOP_THREADS"
GPUS = "CUDA_VISIBLE_DEVICES"
REPORT_SECONDS = 60.0  # between two lines on how far the runs are
RATE = "timing/images_per_second"


@dataclass(frozen=True)
class Job:
    """A process that works on a run; `state`: what it found; `place`: of the runs at the same time, from 0."""

    state: RunState
    place: int
    log: Path
    process: subprocess.Popen


@dataclass
class Runner:
    """`Runner(suite, program, jobs).run()` -> names of the runs that failed.

    program: a program's name -> the words that start it. console: where the lines go. gpus: their names in
    CUDA_VISIBLE_DEVICES, dealt out to the runs at the same time.
    """

    suite: Suite
    program: Callable[[str], list[str]]
    jobs: int = 1
    console: Console = field(default_factory=Console)
    gpus: Sequence[str] = ()

    def __post_init__(self):
        self._stopping: str | None = None
        self._lock: int | None = None  # the suite's, which every process holds
        self._active: list[Job] = []
        self._failed: list[str] = []
        self._opened: list[subprocess.Popen] = []  # every process that was started
        self._untold: list[subprocess.Popen] = []  # those that a signal must be passed on to

    def run(self) -> list[str]:
        """Does everything that is missing. A signal stops the runs at their next checkpoint; KeyboardInterrupt then.

        An exception stops them too, and goes on when they have ended.
        Raises ConfigError where another process works on the suite, or a run folder is in the way.
        """
        self.suite.results.mkdir(parents=True, exist_ok=True)
        lock = self.suite.results / ".lock"
        with _only_one(lock) as self._lock, signals.handled(self._stop), self._stopped_by_errors():
            states(self.suite)  # says at once what is in the way
            measurable = all(self._measure_reals(comparison) for comparison in self.suite.comparisons)
            todo = [state for state in states(self.suite) if not state.complete]  # by what the reals say now
            self._say(f"{len(self.suite.runs) - len(todo)} of {len(self.suite.runs)} runs are complete")
            for state in todo:
                self._say_what_does_not_count(state)
            if not measurable:
                todo = []  # no run is trained for metrics that cannot be measured
            last_report = time.monotonic()
            while (todo and not self._stopping) or self._active:
                while todo and len(self._active) < self.jobs and not self._stopping:
                    before = todo.pop(0)
                    with self._failing(before):
                        self._start(_now(before))
                self._pause()
                self._collect()
                if time.monotonic() - last_report > REPORT_SECONDS:
                    self._report_progress()
                    last_report = time.monotonic()
        if self._stopping:
            raise KeyboardInterrupt
        return self._failed

    # ---- one run ---------------------------------------------------------------------------------------------------

    def _start(self, state: RunState) -> None:
        """Starts the process that the run needs next."""
        log = self.suite.results / f"{state.name}.log"
        command = self._evaluate(state) if state.trained else self._train(state)
        self._say(f"{state.name}: {'measuring' if state.trained else 'training'}"
                  + (f" from {state.kimg:.1f} kimg on" if state.folder and not state.trained else ""))  # fmt: skip
        place = min(set(range(self.jobs)) - {job.place for job in self._active})
        self._active.append(Job(state, place, log, self._open(command, log, place)))

    def _open(self, command: list[str], log: Path, place: int = 0) -> subprocess.Popen:
        with log.open("a") as output:
            # A session of its own: Ctrl-C reaches this process alone, which then asks its children to stop.
            process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=[self._lock],
                env={THREADS: str(max(1, (os.cpu_count() or 1) // self.jobs)), **os.environ, **self._gpus_of(place)},
            )  # fmt: skip
        self._opened.append(process)
        self._untold.append(process)
        return process

    def _gpus_of(self, place: int) -> dict[str, str]:
        """The share of a run among several: whole GPUs, or one with others where there are more runs than GPUs."""
        if self.jobs == 1 or not self.gpus:
            return {}
        share = self.gpus[place :: self.jobs] or [self.gpus[place % len(self.gpus)]]
        return {GPUS: ",".join(share)}

    def _train(self, state: RunState) -> list[str]:
        train, row = self.program("train"), state.row
        if state.folder:
            return [*train, f"--resume={state.folder}", f"--dataset={state.comparison.dataset}"]
        return [
            *train, f"--flagfile={row.flagfile}", f"--result_dir={self.suite.results}", f"--desc={row.name}",
            f"--seed={state.seed}", f"--total_kimg={row.config.growth.total_kimg}",
            f"--dataset={state.comparison.dataset}",
        ]  # fmt: skip

    def _evaluate(self, state: RunState) -> list[str]:
        which = "latest" if state.comparison.last_only else "all"
        return [
            *self._evaluate_command(state.comparison), f"--run={state.folder}", f"--snapshots={which}",
            f"--dataset={state.comparison.dataset}",
        ]  # fmt: skip

    def _evaluate_command(self, comparison: Comparison) -> list[str]:
        return [
            *self.program("evaluate"), f"--metrics={','.join(comparison.metrics)}",
            f"--images={comparison.images}", f"--extractor={comparison.extractor}",
            *([f"--held_out={comparison.held_out}"] if comparison.held_out else []),
        ]  # fmt: skip

    def _measure_reals(self, comparison: Comparison) -> bool:
        """The rows Reals and Reals2; evaluate.py passes over what is in the file. -> whether they are there now."""
        output, log = comparison.reals, comparison.reals.with_suffix(".log")
        command = [
            *self._evaluate_command(comparison), f"--reals={comparison.dataset}", "--baselines", f"--output={output}",
            *(["--mirror_augment"] if comparison.mirrored else []),
        ]  # fmt: skip
        resolution = comparison.rows[0].config.data.resolution
        process = self._open([*command, *([f"--resolution={resolution}"] if resolution else [])], log)
        while process.poll() is None:
            self._pause()
        if process.returncode != 0 and not self._stopping:
            self._fail(output.stem, log, process.returncode)
        return process.returncode == 0

    # ---- watching --------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        """Takes the processes that have ended; a run that was trained goes on to be measured."""
        for job in list(self._active):
            status = job.process.poll()
            if status is None:
                continue
            self._active.remove(job)
            if not self._stopping:
                with self._failing(job.state):
                    self._go_on(job, _now(job.state), status)

    def _go_on(self, job: Job, state: RunState, status: int) -> None:
        """After a process of a run has ended."""
        if status == 0 and state.complete:
            scores = ", ".join(f"{metric} {state.score(metric):.4g}" for metric in state.comparison.metrics)
            self._say(f"{state.name}: complete: {scores}")
        elif status == 0 and state.trained and not job.state.trained:
            self._start(state)
        else:
            self._fail(state.name, job.log, status)

    @contextlib.contextmanager
    def _failing(self, state: RunState) -> Iterator[None]:
        """A ConfigError is this run's failure: its folder has become another run's. The others go on."""
        try:
            yield
        except ConfigError as error:
            self._failed.append(state.name)
            self._say(f"{state.name}: failed: {error}")

    def _fail(self, name: str, log: Path, status: int) -> None:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        last = next((line for line in reversed(lines) if line.strip()), "no output")
        self._failed.append(name)
        what = f"failed with status {status}: {last}" if status else "ended, but without what the suite asks for"
        self._say(f"{name}: {what} (all of it in {log})")

    def _say_what_does_not_count(self, state: RunState) -> None:
        if how := state.otherwise:
            reals = state.comparison.reals
            self._say(f"{state.name}: has results that do not count: {' and '.join(how)} than the row Reals of {reals}")

    def _report_progress(self) -> None:
        for job in self._active:
            try:
                state = _now(job.state)
            except ConfigError:
                self._ask_to_stop(job.process)  # `_collect` says why, when it has ended
                continue
            if not state.trained and state.folder and (ticks := read_ticks(state.folder, RATE)):
                total, rate = state.row.config.growth.total_kimg, ticks[-1][RATE]
                self._say(f"{state.name}: {state.kimg:.1f} of {total:g} kimg, {rate:.0f} images/s")

    def _say(self, text: str) -> None:
        self.console.print(
            f"{time.strftime('%H:%M:%S')}  {text}", highlight=False, soft_wrap=True, markup=False, emoji=False
        )

    # ---- stopping --------------------------------------------------------------------------------------------------

    def _stop(self, number, frame) -> None:
        self._stopping = signal.Signals(number).name  # no more: a process may be about to start

    def _pause(self) -> None:
        """Waits a moment; after a signal, asks each process once to stop."""
        time.sleep(POLL_SECONDS)
        if self._stopping:
            self._ask_to_stop(*self._untold)

    def _ask_to_stop(self, *processes: subprocess.Popen) -> None:
        """Each once: train.py saves a checkpoint and ends with status 0; evaluate.py keeps what it has measured."""
        for process in processes:
            if process in self._untold:
                self._untold.remove(process)
                process.send_signal(signal.SIGTERM)

    @contextlib.contextmanager
    def _stopped_by_errors(self) -> Iterator[None]:
        """Leaves no process behind: a full disk, say, must not make runs that nobody watches."""
        try:
            yield
        except BaseException:
            self._ask_to_stop(*self._untold)
            for process in self._opened:
                process.wait()
            raise


def _now(state: RunState) -> RunState:
    """What has become of a run since."""
    return state_of(state.comparison, state.row, state.seed)


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[int]:
    """Holds a lock that the system drops with the last process that has the file open, however these end.

    Yields the open file. The runs hold it too: if this process is killed they go on, and nobody may start them again.
    """
    with path.open("w") as file:
        try:
            lock_held(file.fileno())
        except BlockingIOError:
            raise ConfigError(
                f"{path.parent}: another experiment.py works on this suite, or a run that a killed one left behind; "
                "wait for it"
            ) from None
        yield file.fileno()
