"""Where the time of a tick goes, and the means of its metrics."""

from __future__ import annotations

import time

import numpy as np

from pgan_tf.training.step import METRICS

Reports = dict[str, np.ndarray]  # {metric: its values in K rounds [K]}


class TickClock:
    """Sums up what happens between two ticks. Each second belongs to input, step, build, metrics or bookkeeping."""

    def __init__(self):
        self._counted_to = time.monotonic()
        self._last = (0.0, 0)  # seconds and images of the last call
        self._clear()

    def _clear(self) -> None:
        self._tick_began = time.monotonic()
        self._sums: dict[str, float] = {}
        self._rounds = 0
        self._input = self._step = self._build = self._metrics = 0.0
        self._images = 0

    def sums(self) -> tuple[dict[str, float], int]:
        """The sums of the metrics over the rounds of the tick so far, and the number of these."""
        return dict(self._sums), self._rounds

    def carry_on(self, sums: dict[str, float] | list[float], rounds: int) -> None:
        """Starts a tick that another process began. Version 0.2 wrote a list, in the order of METRICS, 0.1 others."""
        if isinstance(sums, list):
            sums = dict(zip(METRICS, sums, strict=True)) if len(sums) == len(METRICS) else {}
        self._sums, self._rounds = dict(sums), rounds

    def take_seconds(self) -> float:
        """Seconds of the run since the last take."""
        now = time.monotonic()
        seconds, self._counted_to = now - self._counted_to, now
        return seconds

    def add_build(self, seconds: float) -> None:
        """A stage's networks were built and its step traced."""
        self._build += seconds

    def add_metrics(self, seconds: float) -> None:
        """The generator was measured."""
        self._metrics += seconds

    def add_call(self, reports: Reports, input_seconds: float, step_seconds: float, images: int) -> None:
        """A call of the step with its metrics, the wait for its data, its own time, its images."""
        if set(METRICS) <= self._sums.keys() < reports.keys():  # the tick began in a version that reports less
            missing = {name: values for name, values in reports.items() if name not in self._sums}
            self._sums |= {name: float(values.mean()) * self._rounds for name, values in missing.items()}
        elif self._sums.keys() != reports.keys():  # the tick's first; or it began with other terms in the losses
            self._sums, self._rounds = dict.fromkeys(reports, 0.0), 0
        for name, values in reports.items():
            # One after another: however many come at a time, the sum is the same to the last bit.
            self._sums[name] = float(np.cumsum([self._sums[name], *values.astype(np.float64)])[-1])
        self._rounds += len(reports["nonfinite"])
        self._input += input_seconds
        self._step += step_seconds
        self._last = (input_seconds + step_seconds, images)
        self._images += images

    def rate(self) -> float:
        """Images per second of the last call."""
        seconds, images = self._last
        return images / max(seconds, 1e-9)

    def tick_row(self) -> dict:
        """Means over the tick's rounds, images/s, and the shares of its time; starts a new tick."""
        seconds = time.monotonic() - self._tick_began
        row = {name: value / self._rounds for name, value in self._sums.items()}
        row |= {
            "timing/tick_seconds": seconds,
            "timing/images_per_second": self._images / max(seconds - self._build - self._metrics, 1e-9),
            "timing/input_share": self._input / seconds,
            "timing/step_share": self._step / seconds,
            "timing/build_share": self._build / seconds,
            "timing/metrics_share": self._metrics / seconds,
            "timing/bookkeeping_share": max(
                0.0, 1 - (self._input + self._step + self._build + self._metrics) / seconds
            ),
        }
        self._clear()
        return row
