"""The HDF5 archives of the first, Theano version of ProGAN.

One data set a level at the top of the file, `data4x4` ... `data1024x1024`, each uint8 [N,C,H,W]; labels, if any, in
`<name>-labels.npy` beside `<name>.h5`. Only the highest level is read: the lower ones are made
anew, as NVIDIA's tool does.
"""

from __future__ import annotations

import os
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder, check_readable
from pgan_tf.data.label_rows import label_matrix
from pgan_tf.data.source import Picture, PictureSource
from pgan_tf.data.sources.arrays import read_npy
from pgan_tf.data.writer import is_resolution
from pgan_tf.hdf5 import HDF5Error, check_whole, own_datasets

if TYPE_CHECKING:
    import h5py


def create_from_hdf5(out: str | os.PathLike, file: str | os.PathLike, output: Output) -> Report:
    """Makes the data set `out` of the highest level of an HDF5 archive, with the labels that lie beside it.

    One picture at a time is read, whatever the size of the archive. Labels: numbers [N,L], or classes [N], one-hot
    then. Needs h5py. Raises DataError.
    """
    check_new_folder(out)
    path = Path(file)
    try:
        name, (count, channels, side, _) = _highest_level(path)
        labels, notes = _read_labels(path, count)
        source = PictureSource(
            f"{path}, {name} ({count} images)", side, channels, range(count), partial(_load, path=path, name=name),
            name=lambda row: f"{name}[{row}]", labels=labels, notes=notes,
        )  # fmt: skip
        return write(out, source, output)
    finally:
        _close(path)


def _highest_level(path: Path) -> tuple[str, tuple[int, ...]]:
    """The name and the shape [N,C,H,W] of the widest pictures in the archive."""
    file = _open_checked(path)
    try:
        levels = {name: item for name, item in own_datasets(file) if "/" not in name and len(item.shape or ()) == 4}
        name, level = max(levels.items(), key=lambda item: item[1].shape[3], default=("", None))
        kind = None if level is None else level.dtype
        if level is not None:
            check_whole(name, level)
    except HDF5Error as error:
        raise DataError(f"{path}: {error}; a data set is made of what is in its file only") from None
    except Exception as error:  # h5py fails in many ways on a damaged file
        raise DataError(f"{path}: damaged ({_line(error)}); download it again") from error
    if level is None:
        names = ", ".join(file) or "nothing"
        raise DataError(f"{path}: has {names}; a ProGAN archive has data4x4 and more, each [N,C,H,W]")
    count, channels, height, width = level.shape
    if kind != np.uint8 or channels not in (1, 3) or height != width or not is_resolution(width) or count == 0:
        want = "uint8 [N,C,R,R], C 1 or 3, R a power of two from 4"
        raise DataError(f"{path}: {name} is {kind} {list(level.shape)}; a ProGAN archive has {want}")
    return name, level.shape


def _read_labels(path: Path, count: int) -> tuple[np.ndarray | None, list[str]]:
    """The labels float32 [N,L] beside the archive, None where there are none, and a note where they are."""
    beside = path.with_name(f"{path.stem}-labels.npy")
    if not beside.exists():
        return None, [f"no labels: there is no {beside.name} beside it"]
    return label_matrix(read_npy(beside), count, str(beside)), [f"labels from {beside.name}"]


def _load(row: int, path: Path, name: str) -> Picture:
    """Runs in a worker."""
    return Picture(_open(path)[name][row].transpose(1, 2, 0))  # [H,W,C]


@lru_cache(maxsize=1)  # each process opens the archive once
def _open(path: Path) -> h5py.File:
    import h5py

    return h5py.File(path, "r")


def _close(path: Path) -> None:
    if _open.cache_info().currsize:
        _open(path).close()
        _open.cache_clear()


def _open_checked(path: Path) -> h5py.File:
    check_readable(path, "give an .h5 file of ProGAN's first version")
    try:
        return _open(path)
    except ImportError as error:
        raise DataError("create_from_hdf5 needs h5py: pip install h5py") from error
    except Exception as error:  # h5py fails in many ways on a damaged file
        raise DataError(f"{path}: not an HDF5 file, or damaged ({_line(error)}); download it again") from error


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
