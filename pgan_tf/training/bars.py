"""How far a run is, live: two bars in a terminal, a line in a notebook, nothing elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from pgan_tf import notebook
from pgan_tf.stages import Stage
from pgan_tf.text import duration

WIDTH = 24  # characters of a notebook's bar


class NoBars:
    """Shows nothing; what the others show, in thousands of images."""

    def __init__(self, total: float):
        self.total = total

    def reached(self, kimg: float) -> None:
        """Where a run goes on, before its first call."""

    def busy(self, text: str) -> None:
        """What happens while nothing moves."""

    def advance(
        self, kimg: float, stage: Stage, stage_span: tuple[float, float], eta: float, rate: float, losses: tuple
    ) -> None:
        """Thousands of images, the stage's first and last, seconds to go, images/s, (D, G) losses."""

    def close(self) -> None:
        """Nothing moves any more."""


class TerminalBars(NoBars):
    """The whole run, and the stage."""

    def __init__(self, total: float, console: Console):
        super().__init__(total)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<18}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.1f}/{task.total:.1f} kimg  {task.fields[note]}"),
        )
        self._bars = Progress(*columns, console=console, expand=True, refresh_per_second=4)
        self._run = self._bars.add_task("run", total=total, note="")
        self._stage = self._bars.add_task("starting", total=1.0, note="")
        self._bars.start()

    def reached(self, kimg: float) -> None:
        self._bars.update(self._run, completed=min(kimg, self.total))

    def busy(self, text: str) -> None:
        self._bars.update(self._stage, description=text, note="")

    def advance(
        self, kimg: float, stage: Stage, stage_span: tuple[float, float], eta: float, rate: float, losses: tuple
    ) -> None:
        start, end = stage_span
        self._bars.update(self._run, completed=min(kimg, self.total), note=f"ETA {duration(eta)}  {rate:.1f} img/s")
        note = f"loss D {losses[0]:+.3f} G {losses[1]:+.3f}"
        done, length = min(kimg, end) - start, max(end - start, 1e-3)
        self._bars.update(self._stage, description=str(stage), total=length, completed=done, note=note)

    def close(self) -> None:
        self._bars.stop()


class NotebookBar(NoBars):
    """A line with a bar of the whole run."""

    def __init__(self, total: float):
        super().__init__(total)
        self._line, self._bar = notebook.Line(), ""
        self.reached(0.0)

    def reached(self, kimg: float) -> None:
        share = min(kimg, self.total) / self.total
        full = round(WIDTH * share)
        self._bar = f"{'█' * full}{'░' * (WIDTH - full)} {min(kimg, self.total):.1f}/{self.total:.1f} kimg"

    def busy(self, text: str) -> None:
        self._line.show(f"{self._bar}  {text}")

    def advance(
        self, kimg: float, stage: Stage, stage_span: tuple[float, float], eta: float, rate: float, losses: tuple
    ) -> None:
        self.reached(kimg)
        self._line.show(f"{self._bar}  {stage}  {rate:.0f} img/s  {duration(eta)} to go")

    def close(self) -> None:
        self._line.close()


def bars(total: float, console: Console) -> NoBars:
    """What suits the place that a run is watched from."""
    if notebook.in_notebook():
        return NotebookBar(total)
    return TerminalBars(total, console) if console.is_terminal else NoBars(total)
