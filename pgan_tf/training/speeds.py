"""How fast this machine trains each stage: measured with real steps at the start, then by the run itself.

Kept in the run folder as speed.json. What is not measured is scaled from what is, by the operations of a round.
"""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np

from pgan_tf.files import new_file
from pgan_tf.schedule import Schedule
from pgan_tf.stages import Stage

FILE = "speed.json"
START_SECONDS = 10.0  # building and tracing a stage, before one was measured


@dataclasses.dataclass
class Speeds:
    """Images per second by stage ('32x32 fade-in').

    Attributes:
        model: what a stage's operations let expect; once a stage was measured only their ratios count.
        measured: (images, seconds) of real steps.
        start_seconds: to build and trace a stage.
    """

    model: dict[str, float]
    measured: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    start_seconds: float = START_SECONDS

    @classmethod
    def read(cls, folder: Path) -> Speeds:
        """What a run folder keeps; nothing known where there is no such file, or a damaged one."""
        try:
            values = json.loads((folder / FILE).read_text())
            # As if measured for a second: another machine that goes on with the run soon has its own rates.
            measured = {stage: (float(n) / float(s), 1.0) for stage, (n, s) in values["measured"].items()}
            return cls({k: float(v) for k, v in values["model"].items()}, measured, float(values["start_seconds"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError):
            return cls({})

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    def write(self, folder: Path) -> None:
        with new_file(folder / FILE) as temporary:
            temporary.write_text(self.to_json())

    def add(self, stage: Stage, images: int, seconds: float) -> None:
        """Real steps of a stage took so long."""
        before = self.measured.get(str(stage), (0.0, 0.0))
        self.measured[str(stage)] = (before[0] + images, before[1] + seconds)

    def rate(self, stage: Stage) -> float:
        """Images per second: as measured, else the model's times how far it is off at the stages around; 0: unknown."""
        name = str(stage)
        if name in self.measured:
            images, seconds = self.measured[name]
            return images / max(seconds, 1e-9)
        return self.model.get(name, 0.0) * self._correction(name)

    def slowest(self) -> float:
        """Images per second of the slowest stage that was measured; 0 where none was."""
        return min((images / max(seconds, 1e-9) for images, seconds in self.measured.values()), default=0.0)

    def _correction(self, name: str) -> float:
        """Measured over modelled rate, between the measured stages on a line in the logarithms."""
        points = sorted(
            (math.log(self.model[stage]), math.log(images / max(seconds, 1e-9) / self.model[stage]))
            for stage, (images, seconds) in self.measured.items()
            if stage in self.model and images
        )
        if not points or name not in self.model:
            return 1.0
        return math.exp(np.interp(math.log(self.model[name]), *zip(*points, strict=True)))

    def seconds(self, schedule: Schedule, begin: float = 0.0, end: float = math.inf) -> float:
        """From `begin` to `end` images: the steps, and the starts of stages in between; 0 where a rate is unknown."""
        total = 0.0
        for phase in schedule.phases():
            first, last = max(1000 * phase.start, begin), min(1000 * phase.end, end)
            if last > first:
                rate = self.rate(phase.stage)
                if not rate:
                    return 0.0
                total += (last - first) / rate + (self.start_seconds if first == 1000 * phase.start else 0.0)
        return total

    def by_level(self, schedule: Schedule) -> dict[int, float]:
        """The slower of each level's stages."""
        found: dict[int, float] = {}
        for phase in schedule.phases():
            level = phase.stage.size.level
            found[level] = min(found.get(level, math.inf), self.rate(phase.stage))
        return found
