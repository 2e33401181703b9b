"""The run's records: metrics.jsonl, TensorBoard, picture grids, report.md."""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from pgan_tf.config import Config, parse_grid_size
from pgan_tf.data.pipeline import Reals
from pgan_tf.data.samples import DRAWINGS
from pgan_tf.evaluation import results
from pgan_tf.files import new_file
from pgan_tf.latents import Purpose, stream
from pgan_tf.networks.judging import Judge
from pgan_tf.plain import plain_path
from pgan_tf.stages import Fade
from pgan_tf.training.state import StageState


class Records:
    """Writes what a run leaves behind in its folder. Steps in TensorBoard are real images seen."""

    def __init__(self, folder: Path, config: Config):
        self.folder, self.config = folder, config
        self._aside = contextlib.ExitStack()
        self._writer = tf.summary.create_file_writer(self._aside.enter_context(plain_path(folder)))

    def start(self) -> None:
        """The config as text, on TensorBoard's Text page."""
        rows = "\n".join(f"| {name} | `{value}` |" for name, value in self.config.values().items())
        with self._writer.as_default(step=0):
            text = f"| option | value |\n|---|---|\n{rows}"
            tf.summary.text("config", text.encode(errors="backslashreplace"))  # a path may be no text

    def rewind(self, images: int, measured: bool = True) -> None:
        """Drops the rows that a killed run wrote after its last checkpoint: they will be written again.

        Without `measured`, so will be the results of this moment.
        """
        path = self.folder / "metrics.jsonl"
        if not path.exists():
            return
        lines = [line for line in path.read_bytes().split(b"\n") if line and results.images_of(line) <= images]
        if not measured:
            lines = [line for line in lines if results.images_of(line) < images or not results.is_measured(line)]
        with new_file(path) as temporary:
            temporary.write_bytes(b"".join(line + b"\n" for line in lines))

    def tick(self, row: dict) -> None:
        """One tick: a line of metrics.jsonl, and each number as a scalar; names without a group go to `run/`."""
        results.append(self.folder / "metrics.jsonl", row)
        with self._writer.as_default(step=row["images"]):
            for name, value in row.items():
                if isinstance(value, (int, float)):
                    tf.summary.scalar(name if "/" in name else f"run/{name}", value)
        self._writer.flush()

    def measured(self, row: dict) -> None:
        """A metric's result: a line of metrics.jsonl, and its values as scalars."""
        results.append(self.folder / "metrics.jsonl", row)
        results.write_scalars(self._writer, row)
        self._writer.flush()

    def picture(self, name: str, images: int, picture: np.ndarray) -> None:
        """A grid for TensorBoard, uint8 [H,W,C]."""
        with self._writer.as_default(step=images):
            tf.summary.image(name, picture[None])
        self._writer.flush()

    def histograms(self, state: StageState, images: int) -> None:
        with self._writer.as_default(step=images):
            for kind in ("generator", "discriminator"):
                for name, variable in getattr(state, kind).parameters_by_name().items():
                    tf.summary.histogram(f"{kind}/{name}", variable.value)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
        self._aside.close()


class Pictures:
    """What the averaged generator makes of fixed latents, and the reals beside it."""

    def __init__(self, config: Config, reals: Reals, resolution: int):
        size = parse_grid_size(config.run.grid_size) if config.run.grid_size else None
        self.drawing = DRAWINGS[reals.dataset.kind].of(reals.dataset, resolution, size)
        self.config, self.reals, self.resolution = config, reals, resolution

    def real(self) -> np.ndarray:
        """The first reals of the run, uint8 [H,W,C]."""
        return self.drawing.reals(self.reals.first(self.resolution, self.drawing.count)[0])

    def fakes(self, state: StageState, fade: Fade) -> dict[str, np.ndarray]:
        """What the averaged generator makes of fixed latents with the labels of the reals: {name: uint8 [H,W,C]}."""
        network, count, size = state.ema, self.drawing.count, self.drawing.at_once
        seed = stream(self.config.run.seed, Purpose.GRID, 0)
        latents = network.draw_latents(count, seed)
        reals, labels = self.reals.first(state.stage.resolution, count)
        parts = [
            network((latents[i : i + size], labels[i : i + size]), **fade.options()).numpy()
            for i in range(0, count, size)
        ]
        judge = Judge(state.discriminator, reals, fade)
        return self.drawing.fakes(np.concatenate(parts), latents.numpy(), judge)


def peak_memory_mb() -> float:
    """Peak resident memory of this process in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def device_memory_mb() -> float:
    """Peak memory on the busiest accelerator in MB, 0 without one."""
    devices = tf.config.list_logical_devices("GPU")
    return max((tf.config.experimental.get_memory_info(d.name)["peak"] / 2**20 for d in devices), default=0.0)
