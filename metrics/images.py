"""Sets of images as the metrics read them: arrays, or batches from a stream, possibly twice."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator

import numpy as np

from .errors import MetricError


@contextlib.contextmanager
def rewindable(images: np.ndarray | Iterable) -> Iterator[Iterable]:
    """The same images, to be read as often as needed; what can be read only once goes through a temporary file."""
    if isinstance(images, np.ndarray):
        yield [images]
    elif not isinstance(images, Iterator):
        yield images
    else:
        with tempfile.TemporaryFile() as file:
            yield _Spooled(images, file)


class _Spooled:
    """Batches written to a file, one after the other, and read from it at every later pass."""

    def __init__(self, batches: Iterator, file):
        self._file, self._shapes = file, []
        for batch in batches:
            self._shapes.append(batch.shape)
            file.write(np.ascontiguousarray(batch, np.uint8))

    def __iter__(self) -> Iterator[np.ndarray]:
        self._file.seek(0)
        for shape in self._shapes:
            yield np.frombuffer(self._file.read(int(np.prod(shape))), np.uint8).reshape(shape)


def chunks(images: np.ndarray | Iterable, size: int) -> Iterator[np.ndarray]:
    """The images in arrays [size,H,W,C], only the last shorter: results then do not depend on the caller's batches.

    Raises:
        MetricError: something is not uint8 [n,H,W,C] with C = 1 or 3, or the sizes differ.
    """
    parts, held, shape = [], 0, None
    for batch in [images] if isinstance(images, np.ndarray) else images:
        shape = _checked(np.asarray(batch), shape)
        while len(batch):
            part, batch = batch[: size - held], batch[size - held :]
            parts.append(part)
            held += len(part)
            if held == size:
                yield parts[0] if len(parts) == 1 else np.concatenate(parts)
                parts, held = [], 0
    if held:
        yield np.concatenate(parts)


def _checked(batch: np.ndarray, shape: tuple | None) -> tuple:
    if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[-1] not in (1, 3):
        raise MetricError(f"images must be uint8 [n,height,width,1 or 3], not {batch.dtype} {list(batch.shape)}")
    if shape not in (None, batch.shape[1:]):
        raise MetricError(f"all images of a set must have one size; found {list(shape)} and {list(batch.shape[1:])}")
    return batch.shape[1:]
