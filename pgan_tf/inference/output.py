"""Where generated pictures go: one file, a folder of files, a data set. Checked before any work, complete or absent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pgan_tf.data import DatasetWriter
from pgan_tf.data.files import new_folder
from pgan_tf.files import clear_away, new_output, place_fault, replace_folder, temporary_name
from pgan_tf.grids import MOST_PIXELS, to_pillow
from pgan_tf.inference.errors import GenerateError

# Both without loss. PNG: level 1 is four times as fast as the default, and its files some percent larger.
PICTURES = {
    ".png": {"format": "PNG", "compress_level": 1},
    ".webp": {"format": "WEBP", "lossless": True, "method": 2},
}
WEBP_SIDE = 16383  # the most that the format has room for
LABELS = "labels.npy"
_WRITERS, _QUEUED = 2, 64


def check_file(path: Path, suffixes: Collection[str], overwrite: bool) -> None:
    """GenerateError unless `path` can be made: a suffix of `suffixes`, nothing in its place, a folder that takes it."""
    if path.suffix not in suffixes:
        raise GenerateError(f"{path}: its name must end in {', '.join(suffixes)}")
    if path.is_dir():
        raise GenerateError(f"{path}: is a folder; give the name of a file")
    if path.exists() and not overwrite:
        raise GenerateError(f"{path}: exists already; add --overwrite or give another name")
    if fault := place_fault(path.parent):
        raise GenerateError(f"{path}: cannot be written ({fault}); choose another place")


def check_size(path: Path, width: int, height: int, asked: str) -> None:
    """GenerateError for a picture of more pixels than anyone could open, or its format has room for.

    asked: the flags that ask for so many.
    """
    if width * height > MOST_PIXELS:
        raise GenerateError(f"{asked}: a picture of {width}x{height} pixels or more; ask for fewer")
    if path.suffix == ".webp" and max(width, height) > WEBP_SIDE:
        most = f"a WebP picture has at most {WEBP_SIDE} pixels a side, this one {width}x{height} or more"
        raise GenerateError(f"{asked}: {most}; write a .png")


def check_apart(path: Path, folder: Path) -> None:
    """GenerateError where a file would lie within a folder that holds nothing but pictures."""
    if folder.resolve() in path.resolve().parents:
        raise GenerateError(f"{path}: lies in {folder}, which holds the pictures; choose a place outside of it")


def save_picture(path: Path, picture: np.ndarray) -> None:
    """Writes uint8 [H,W,1 or 3] as .png or .webp, by the suffix; complete or not there at all."""
    with new_output(path) as temporary:
        encode(temporary, picture)


def save_array(path: Path, array: np.ndarray) -> None:
    """Writes an array as .npy; complete or not there at all."""
    with new_output(path) as temporary, open(temporary, "wb") as file:
        np.save(file, array)


def encode(path: Path, picture: np.ndarray) -> None:
    """The same without the detour over another name."""
    if path.suffix == ".webp" and max(picture.shape) > WEBP_SIDE:
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        raise GenerateError(f"a WebP picture has at most {WEBP_SIDE} pixels a side, this one {size}; write a .png")
    to_pillow(picture).save(path, **PICTURES[path.suffix])


@contextmanager
def new_output_folder(folder: Path, overwrite: bool) -> Iterator[Path]:
    """Yields the name of a folder to make, which does not exist. It becomes `folder` when the block succeeds.

    With `overwrite` a folder of pictures that an earlier command made is replaced at the very end; one that holds
    anything else is never touched, nor is a data set. GenerateError.
    """
    check_folder(folder, overwrite)
    if not folder.exists() or not any(folder.iterdir()):
        yield folder
        return
    folder = folder.resolve()
    aside = temporary_name(folder)
    try:
        aside.mkdir()
        yield aside / folder.name
        replace_folder(aside / folder.name, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def check_folder(folder: Path, overwrite: bool) -> None:
    """GenerateError unless `new_output_folder` can make `folder`."""
    clear_away(folder)
    if fault := place_fault(folder.parent):
        raise GenerateError(f"{folder}: cannot be written ({fault}); choose another place")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise GenerateError(f"{folder}: is a file; give the name of a folder")
    held = {path.name for path in folder.iterdir()}
    if held and not overwrite:
        raise GenerateError(f"{folder}: exists already; add --overwrite or give another folder")
    if held and not _generated(held):
        raise GenerateError(f"{folder}: holds what may be somebody's work; give another folder, or remove it yourself")


def _generated(names: set[str]) -> bool:
    """Whether a folder with these was surely made here: 000000.png, 000001.png, .. without a gap, and their labels.

    Of a data set nobody can tell.
    """
    pictures = names - {LABELS}
    numbers = range(max(1, len(pictures)))
    return any(pictures == {_numbered(i, suffix) for i in numbers} for suffix in PICTURES)


def _numbered(i: int, suffix: str) -> str:
    return f"{i:06d}{suffix}"


def write_folder(folder: Path, pictures: Iterator[np.ndarray], labels: np.ndarray, suffix: str) -> None:
    """000000.png, 000001.png, ..; with labels [N,K], K > 0, also labels.npy. Threads write, so that nobody waits."""
    with new_folder(folder) as temporary, ThreadPoolExecutor(_WRITERS) as pool:
        queue: list[Future] = []
        for i, picture in enumerate(pictures):
            queue.append(pool.submit(encode, temporary / _numbered(i, suffix), picture))
            if len(queue) > _QUEUED:
                queue.pop(0).result()
        for future in queue:
            future.result()
        if labels.shape[1]:
            np.save(temporary / LABELS, labels)


def write_records(folder: Path, pictures: Iterator[np.ndarray], labels: np.ndarray, shape: tuple) -> None:
    """A data set of pictures of `shape` [R,R,C], with labels [N,K] if K > 0."""
    with DatasetWriter(folder, shape[0], shape[2], total=len(labels)) as writer:
        for picture in pictures:
            writer.add(picture)
        if labels.shape[1]:
            writer.add_labels(labels)


IMAGE_FORMATS: dict[str, Callable] = {
    "png": lambda folder, pictures, labels, shape: write_folder(folder, pictures, labels, ".png"),
    "webp": lambda folder, pictures, labels, shape: write_folder(folder, pictures, labels, ".webp"),
    "records": write_records,
}
