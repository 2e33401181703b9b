"""SVHN, the house numbers as cropped digits: `train_32x32.mat` as distributed by its authors."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder, check_readable
from pgan_tf.data.label_rows import one_hot
from pgan_tf.data.source import PictureSource, as_picture
from pgan_tf.data.sources.arrays import check_count

COUNTS = {"train": 73_257, "test": 26_032}
_SIDE, _CLASSES = 32, 10
_MOST_NUMBERS = 2 * 531_131 * 3 * 32 * 32  # twice the largest part of the set


def create_svhn(
    out: str | os.PathLike,
    path: str | os.PathLike,
    output: Output,
    split: str = "train",
    allow_partial: bool = False,
) -> Report:
    """Makes the data set `out` of `<split>_32x32.mat`, 32x32 RGB; labels are one-hot, column i is digit i.

    path: the file, or the folder that holds it. Needs scipy. Raises DataError.
    """
    check_new_folder(out)
    file = Path(path, f"{split}_32x32.mat") if Path(path).is_dir() else Path(path)
    images, digits = read_mat(file)
    notes = check_count(str(file), len(images), COUNTS[split], allow_partial)
    labels = one_hot(digits, _CLASSES, str(file))
    source = PictureSource(f"{file}, {split} split", _SIDE, 3, images, as_picture, labels=labels, notes=notes)
    return write(out, source, output)


def read_mat(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """X and y of the file as (uint8 [N,32,32,3], int64 [N], the digits; 10 stands for 0 there). Raises DataError."""
    content = _load(file)
    if not content.keys() >= {"X", "y"}:
        raise DataError(f"{file}: has no X and y; give train_32x32.mat, the cropped digits (format 2)")
    images, labels = content["X"], content["y"]
    if images.dtype != np.uint8 or images.shape[:3] != (_SIDE, _SIDE, 3) or images.ndim != 4:
        raise DataError(f"{file}: X is {images.dtype} {list(images.shape)}; cropped digits are uint8 [32,32,3,N]")
    if labels.dtype.kind not in "iuf" or labels.shape != (images.shape[3], 1):
        raise DataError(f"{file}: y is {labels.dtype} {list(labels.shape)} for {images.shape[3]} images")
    if not np.isin(labels, np.arange(1, 11)).all():
        raise DataError(f"{file}: y has labels other than 1 to 10; download it again")
    return images.transpose(3, 0, 1, 2), labels[:, 0].astype(np.int64) % 10


def _load(file: Path) -> dict[str, np.ndarray]:
    try:
        from scipy.io import loadmat, whosmat
    except ImportError as error:
        raise DataError("create_svhn reads .mat files with scipy: pip install scipy") from error
    check_readable(file, "download it from http://ufldl.stanford.edu/housenumbers")
    try:
        for name, shape, kind in whosmat(file):  # by the headers: a file of a megabyte may declare terabytes
            if name in ("X", "y") and (kind == "object" or math.prod(shape) > _MOST_NUMBERS):
                raise DataError(f"{file}: {name} is {kind} {list(shape)[:9]}; cropped digits are uint8 [32,32,3,N]")
        return loadmat(file, variable_names=["X", "y"])
    except DataError:
        raise
    except Exception as error:  # scipy fails in many ways on a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"{file}: not a .mat file, or damaged ({reason}); download it again") from error
