"""Writes data set folders: every resolution from the full one down to 4x4, labels, complete or not at all."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import final

import numpy as np

from pgan_tf.data.dataset import labels_path
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder, new_folder
from pgan_tf.data.pyramid import LOWEST, pyramid
from pgan_tf.data.tfrecord import encode_image, frame

HIGHEST = 8192
_ORDER_SEED = 123  # the one of NVIDIA's tool, so that the same pictures give the same files


def order(count: int, shuffle: bool = True) -> np.ndarray:
    """The order in which pictures 0..count-1 are written, int64 [count]: shuffled by a fixed seed, or as they are."""
    indices = np.arange(count)
    if shuffle:
        np.random.RandomState(_ORDER_SEED).shuffle(indices)
    return indices


def is_resolution(value: int) -> bool:
    """Whether pictures can have this size: a power of two from 4 to 8192."""
    return LOWEST <= value <= HIGHEST and value & (value - 1) == 0


def encode_levels(image: np.ndarray) -> list[bytes]:
    """uint8 [R, R, C] -> its records, ready to append to the files, from R down to 4. DataError for another shape."""
    shape = image.shape
    if len(shape) != 3 or shape[0] != shape[1] or shape[2] not in (1, 3) or not is_resolution(shape[0]):
        raise DataError(
            f"a picture of shape {list(shape)}; it must be [R, R, C], R a power of two >= {LOWEST}, C 1 or 3"
        )
    if image.dtype != np.uint8:
        raise DataError(f"a picture of type {image.dtype}; it must be uint8")
    return [frame(encode_image(level)) for level in pyramid(image).values()]


@final
class DatasetWriter:
    """Writes a new data set folder: `with DatasetWriter(folder) as writer: writer.add(image); ...`.

    The files are named after the folder. Everything goes to a hidden folder beside it, which gets the final name when
    the block ends well, and is removed when it does not. Pictures not of `resolution` and `channels` are refused.

    Attributes: folder; name, base name of the files; channels; count, pictures so far; bytes, of records so far.
    """

    def __init__(self, folder: str | os.PathLike, resolution: int, channels: int):
        """Raises DataError if `folder` exists and is not empty, or no data set has such pictures."""
        if not is_resolution(resolution) or channels not in (1, 3):
            raise DataError(
                f"{resolution}x{resolution}x{channels}: the resolution must be a power of two"
                f" from {LOWEST} to {HIGHEST}, with 1 or 3 channels"
            )
        self.count, self.bytes = 0, 0
        self.folder = Path(folder)
        self.name = self.folder.resolve().name
        self.channels = channels
        self._shape = (resolution, resolution, channels)
        self._labels: np.ndarray | None = None
        check_new_folder(folder)  # before any work; new_folder looks again

    @property
    def resolutions(self) -> list[int]:
        """Those being written, falling: the order of `encode_levels`."""
        return [2**n for n in range(self._shape[0].bit_length() - 1, LOWEST.bit_length() - 2, -1)]

    def add(self, image: np.ndarray) -> None:
        """Appends a picture, uint8 [resolution, resolution, channels]."""
        if image.shape != self._shape:
            raise DataError(f"picture {self.count} has shape {list(image.shape)}, the data set {list(self._shape)}")
        self.add_records(encode_levels(image))

    def add_records(self, records: list[bytes]) -> None:
        """Appends a picture that `encode_levels` has prepared, perhaps in another process."""
        for file, record in zip(self._files, records, strict=True):
            file.write(record)
            self.bytes += len(record)
        self.count += 1

    def add_labels(self, labels: np.ndarray) -> None:
        """Sets the labels, [pictures, label size] in the order of `add`; stored as float32."""
        self._labels = np.asarray(labels, np.float32)

    def add_text(self, suffix: str, lines: list[str]) -> None:
        """Writes `<folder>/<name><suffix>` for the reader's information; nothing of ours needs it."""
        text = "".join(f"{line}\n" for line in lines)
        (self._temporary / f"{self.name}{suffix}").write_text(text, encoding="utf-8")

    def __enter__(self) -> DatasetWriter:
        with ExitStack() as stack:
            self._temporary = stack.enter_context(new_folder(self.folder))
            self._files = [stack.enter_context(self._path(r).open("wb")) for r in self.resolutions]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind, error, traceback) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, traceback)
            return
        with self._stack:
            self._finish()

    def _finish(self) -> None:
        if self.count == 0:
            raise DataError(f"{self.name}: no picture was added; a data set needs one at least")
        if self._labels is None:
            return
        if self._labels.ndim != 2 or len(self._labels) != self.count:
            raise DataError(f"{self.name}: labels of shape {list(self._labels.shape)} for {self.count} pictures")
        with open(labels_path(self._temporary, self.name), "wb") as file:
            np.save(file, self._labels)

    def _path(self, resolution: int) -> Path:
        return self._temporary / f"{self.name}-r{resolution.bit_length() - 1:02d}.tfrecords"
