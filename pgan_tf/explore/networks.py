"""The networks that a page shows, by name; of a run that is training always the newest snapshot."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from pgan_tf.explore.opening import ONNX, check_given, open_engine
from pgan_tf.explore.painter import Painter
from pgan_tf.explore.training_set import TrainingSet, open_training_set
from pgan_tf.inference.errors import GenerateError
from pgan_tf.networks.saved import NetworkError, generator_file, kimg

LOOK_AGAIN = 2.0  # seconds; files are not asked for more often, however many people look


class Source:
    """One of the networks: its path, and the Painter of what lies there now."""

    def __init__(self, path: Path):
        check_given(path)
        self.path = path
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._looked, self._file = 0.0, None
        self._painter: Painter | None = None
        self._reals: dict[int, TrainingSet] = {}  # by resolution

    def painter(self) -> Painter:
        """Of the newest file. Where that cannot be read, the one before stays. NetworkError: there is none.

        One visitor waits until a newer snapshot is read; the others have the one before in the meantime.
        """
        if self._lock.acquire(blocking=self._painter is None):
            try:
                if self._painter is None or time.monotonic() - self._looked > LOOK_AGAIN:
                    self._look()
                    self._looked = time.monotonic()
            finally:
                self._lock.release()
        return self._painter

    def _look(self) -> None:
        try:
            file = self.path if self.path.suffix.lower() == ONNX else generator_file(self.path)
            if file != self._file:
                painter = Painter(open_engine(file))
                painter.warm_up()
                self._painter, self._file = painter, file
        except (NetworkError, OSError):
            if self._painter is None:
                raise

    def training_set(self) -> TrainingSet:
        """What the run was trained on, read once for all visitors. Errors as of `open_training_set`."""
        engine = self.painter().engine
        with self._reading:
            if engine.resolution not in self._reals:
                self._reals[engine.resolution] = open_training_set(engine)
            return self._reals[engine.resolution]

    def about(self) -> str:
        """In a line: which file, what it makes."""
        engine = self.painter().engine
        trained = "" if engine.path.suffix.lower() == ONNX else kimg(engine.path)
        colours = "grey" if engine.num_channels == 1 else "colour"
        parts = [
            engine.path.name, f"{engine.resolution}x{engine.resolution}", colours,
            f"latents of {engine.latent_size}", f"{engine.label_size} classes" if engine.label_size else "no labels",
            f"{trained:g} thousand images seen" if trained else "",
        ]  # fmt: skip
        return " · ".join(part for part in parts if part)


def open_sources(paths: Sequence[Path]) -> dict[str, Source]:
    """{name to show: Source}, names as short as they can be told apart. The first is loaded: NetworkError, one line."""
    sources = {}
    for path in paths:
        name = _name(path)
        sources[name if name not in sources else str(path)] = Source(path)
    for source in sources.values():
        source.painter()
    return sources


def find(sources: dict[str, Source], name: str) -> Source:
    """GenerateError where the page has no such network."""
    if name not in sources:
        raise GenerateError("no such network on this page; choose one of its list")
    return sources[name]


def _name(path: Path) -> str:
    return path.resolve().name or str(path)
