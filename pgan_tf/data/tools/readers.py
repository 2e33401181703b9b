"""Data sets, and the picture files that writers.py makes of them, as sources that keep every pixel and the order."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

import numpy as np

from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.errors import DataError
from pgan_tf.data.sources.picture import EXTENSIONS, read_picture
from pgan_tf.data.sources.source import Picture, PictureSource, as_picture
from pgan_tf.data.tools.batches import label_names
from pgan_tf.data.writer import is_resolution

LABELS, LABEL_NAMES = "labels.npy", "labels.txt"
_MEMBER_BYTES = 2**30  # of an unpacked file; few bytes can promise many


def open_source(path: str | os.PathLike, split: str) -> PictureSource:
    """Whatever `path` is as a source in its own order, with its labels. Raises DataError.

    A data set folder, at full resolution; a .zip of pictures; a folder <split>/<class>/<picture> (the layout of
    tensorflow-datasets' ImageFolder); a folder of pictures. Picture files are in the order of their names and must all
    have one size, a power of two, and one mode; their labels are in labels.npy.
    """
    for applies, read in _READERS:
        if applies(Path(path), split):
            return read(Path(path), split)
    raise DataError(f"{path}: neither a data set folder, nor a folder of pictures, nor a .zip of pictures")


class _Records(Sequence):
    """The pictures of a data set, read when they are asked for."""

    def __init__(self, dataset: RecordDataset):
        self._dataset = dataset

    def __len__(self) -> int:
        return self._dataset.count

    def __getitem__(self, where):
        chosen = np.arange(len(self))[where]
        images = self._dataset.read(self._dataset.resolution, np.atleast_1d(chosen))  # [n,R,R,C]
        return images if isinstance(where, slice) else images[0]


def read_records(path: Path, split: str = "") -> PictureSource:
    """A data set folder at full resolution. Raises DataError."""
    dataset = RecordDataset(path)
    return PictureSource(
        f"the data set {path}", dataset.resolution, dataset.channels, _Records(dataset), as_picture,
        name=_unnamed, labels=dataset.labels, label_names=label_names(dataset),
    )  # fmt: skip


def _unnamed(image: np.ndarray) -> str:
    return "a record"


def _read_folder(path: Path, split: str) -> PictureSource:
    names = sorted(entry.name for entry in path.iterdir() if _is_picture(entry.name))
    texts = {name: (path / name).read_bytes() for name in (LABELS, LABEL_NAMES) if (path / name).is_file()}
    return _of_files(path, names, partial(_load_file, root=path), *_known(path, texts))


def _read_zip(path: Path, split: str) -> PictureSource:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            texts = {name: _unpack(archive, name) for name in (LABELS, LABEL_NAMES) if name in members}
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path}: cannot be read as a .zip ({error}); make or fetch it again") from error
    names = sorted(name for name in members if _is_picture(PurePosixPath(name).name))
    return _of_files(path, names, partial(_load_member, archive=path), *_known(path, texts))


def _read_class_folders(path: Path, split: str) -> PictureSource:
    """Labels from the folders, sorted by name; none where there is one. The order is that of the bare file names."""
    files = [file for file in (path / split).glob("*/*") if _is_picture(file.name)]
    files.sort(key=lambda file: (file.name, file.parent.name))
    classes = sorted({file.parent.name for file in files})
    columns = {name: column for column, name in enumerate(classes)}
    labels = np.eye(len(classes), dtype=np.float32)[[columns[file.parent.name] for file in files]]  # [N,L]
    names = [file.relative_to(path).as_posix() for file in files]
    known = (labels, classes) if len(classes) > 1 else (None, [])
    return _of_files(path, names, partial(_load_file, root=path), *known)


_READERS: list[tuple[Callable[[Path, str], bool], Callable[[Path, str], PictureSource]]] = [
    (lambda path, split: path.is_dir() and any(path.glob("*.tfrecords")), read_records),
    (lambda path, split: path.is_file() and path.suffix.lower() == ".zip", _read_zip),
    (lambda path, split: (path / split).is_dir(), _read_class_folders),
    (lambda path, split: path.is_dir(), _read_folder),
]


def _known(path: Path, texts: dict[str, bytes]) -> tuple[np.ndarray | None, list[str]]:
    """The labels and the names of the classes from the files beside the pictures, as far as they are there."""
    try:
        labels = np.lib.format.read_array(io.BytesIO(texts[LABELS]), allow_pickle=False) if LABELS in texts else None
        return labels, texts.get(LABEL_NAMES, b"").decode().splitlines()
    except (ValueError, EOFError, MemoryError) as error:  # not UTF-8 is a ValueError too
        raise DataError(f"{path}: {LABELS} or {LABEL_NAMES} cannot be read ({error}); write them again") from error


def _of_files(
    path: Path, names: list[str], load: Callable[..., np.ndarray], labels: np.ndarray | None, label_lines: list[str]
) -> PictureSource:
    if not names:
        raise DataError(f"{path}: holds no pictures ({' '.join(sorted(EXTENSIONS))})")
    if labels is not None and (labels.ndim != 2 or labels.dtype.kind not in "biuf" or len(labels) != len(names)):
        raise DataError(f"{path}: {LABELS} has shape {list(labels.shape)}; {len(names)} pictures need [pictures, size]")
    shape = _readable(path, names[0], load).shape
    if shape[0] != shape[1] or not is_resolution(shape[0]):
        raise DataError(
            f"{path}: {names[0]} has {shape[1]}x{shape[0]} pixels, no square power of two; "
            "create_from_images crops and resizes"
        )
    labels = None if labels is None else labels.astype(np.float32)
    return PictureSource(
        f"{path} ({len(names)} picture files)", shape[0], shape[2], names, partial(_as_is, load=load, shape=shape),
        labels=labels, label_names=label_lines,
    )  # fmt: skip


def _readable(path: Path, name: str, load: Callable[[str], np.ndarray]) -> np.ndarray:
    try:
        return load(name)
    except Exception as error:  # decoders raise anything
        raise DataError(f"{path}: {name} cannot be read ({error}); remove or replace it") from error


def _as_is(name: str, load: Callable[[str], np.ndarray], shape: tuple[int, int, int]) -> Picture:
    """Runs in a worker."""
    pixels = load(name)
    if pixels.shape != shape:
        raise DataError(f"shape {list(pixels.shape)} [H, W, C], but the first picture has {list(shape)}")
    return Picture(pixels)


def _load_file(name: str, root: Path) -> np.ndarray:
    return read_picture(root / name)


def _load_member(name: str, archive: Path) -> np.ndarray:
    return read_picture(io.BytesIO(_unpack(_opened(archive, archive.stat().st_mtime_ns), name)))


def _unpack(archive: zipfile.ZipFile, name: str) -> bytes:
    size = archive.getinfo(name).file_size
    if size > _MEMBER_BYTES:
        raise DataError(f"{name} unpacks to {size:,} bytes: no part of a data set")
    return archive.read(name)


@lru_cache(maxsize=1)
def _opened(archive: Path, changed: int) -> zipfile.ZipFile:
    """Opened once a process: a table of contents of many pictures takes its time. `changed`: so that it is this one."""
    return zipfile.ZipFile(archive)


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and PurePosixPath(name).suffix.lower() in EXTENSIONS
