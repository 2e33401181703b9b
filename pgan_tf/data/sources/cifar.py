"""CIFAR-10 and CIFAR-100 as their author distributes them: the python or the binary version, unpacked or not."""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path, PurePosixPath

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder, check_readable
from pgan_tf.data.label_rows import one_hot
from pgan_tf.data.source import PictureSource, as_picture
from pgan_tf.data.sources.arrays import check_count
from pgan_tf.data.sources.pickled import load_pickle

COUNTS = {"train": 50_000, "test": 10_000}
_SIDE, _PIXELS = 32, 3 * 32 * 32
_BLOCK = 1 << 20  # bytes
_FILE_LIMIT = 1 << 28  # bytes; the largest file of the four distributions has 155 million


@dataclass(frozen=True)
class _Version:
    """One way in which a set is distributed.

    folder: its name in the archive. files: of each split, in order. names: the file of the label names. read_batch:
    (content, file name) -> uint8 [n,3072] and integers [n]. read_names: (content, file name) -> the label names.
    """

    folder: str
    files: dict[str, list[str]]
    names: str
    read_batch: Callable[[bytes, str], tuple[np.ndarray, np.ndarray]]
    read_names: Callable[[bytes, str], list[str]]


def create_cifar10(
    out: str | os.PathLike,
    path: str | os.PathLike,
    output: Output,
    split: str = "train",
    allow_partial: bool = False,
) -> Report:
    """Makes the data set `out` of a `split` of CIFAR-10, 32x32 RGB, labels one-hot [N,10].

    path: the .tar.gz, or a folder with or around its files. `allow_partial`: some batches will do. Raises DataError.
    """
    return _create(out, path, CIFAR10, 10, output, split, allow_partial)


def create_cifar100(
    out: str | os.PathLike,
    path: str | os.PathLike,
    output: Output,
    split: str = "train",
    allow_partial: bool = False,
) -> Report:
    """The same of CIFAR-100: labels are its 100 fine classes, one-hot."""
    return _create(out, path, CIFAR100, 100, output, split, allow_partial)


def _create(
    out: str | os.PathLike,
    path: str | os.PathLike,
    versions: list[_Version],
    classes: int,
    output: Output,
    split: str,
    allow_partial: bool,
) -> Report:
    check_new_folder(out)
    version, contents = _find(Path(path), versions, split)
    missing = [name for name in version.files[split] if name not in contents]
    if missing and not allow_partial:
        raise DataError(f"{path}: has no {', '.join(missing)}; download it again, or take the part: --allow_partial")
    names = contents.pop(version.names, None)
    label_names = [] if names is None else _label_names(version, names, classes, str(path))
    batches = []
    for name in version.files[split]:
        if name in contents:
            batches.append(_batch(version, contents.pop(name), classes, f"{path}: {name}"))
    pixels = np.concatenate([batch[0] for batch in batches])  # [N,3072]
    labels = np.concatenate([batch[1] for batch in batches])  # [N,L]
    notes = check_count(str(path), len(pixels), COUNTS[split], allow_partial)
    images = pixels.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)  # [N,32,32,3]
    description = f"{path}, {version.folder}, {split} split"
    source = PictureSource(
        description, _SIDE, 3, images, as_picture, labels=labels, label_names=label_names, notes=notes
    )
    return write(out, source, output)


def _batch(version: _Version, content: bytes, classes: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    """One file -> uint8 [n,3072], each R, G and B in rows, and float32 [n,L]."""
    pixels, labels = version.read_batch(content, where)
    if len(pixels) != len(labels) or len(pixels) == 0:
        raise DataError(f"{where}: {len(labels)} labels for {len(pixels)} images; download it again")
    return pixels, one_hot(labels, classes, where)


def _label_names(version: _Version, content: bytes, classes: int, where: str) -> list[str]:
    names = version.read_names(content, f"{where}: {version.names}")
    if len(names) != classes:
        raise DataError(f"{where}: {version.names} has {len(names)} names for {classes} classes; download it again")
    return names


# ---- files -----------------------------------------------------------------------------------------------------------


def _find(path: Path, versions: list[_Version], split: str) -> tuple[_Version, dict[str, bytes]]:
    """The first version of which files are in `path`, a folder or an archive, and those: {base name: content}."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; download the set's .tar.gz")
    wanted = {name for version in versions for name in (*version.files[split], version.names)}
    archived = {} if path.is_dir() else _read_archive(path, wanted)
    for version in versions:
        contents = archived or _read_folder(path, wanted) or _read_folder(path / version.folder, wanted)
        if contents.keys() & set(version.files[split]):
            return version, contents
    expected = " or ".join(version.files[split][0] for version in versions)
    raise DataError(f"{path}: has no {split} split of this set, no file {expected}; give the .tar.gz as downloaded")


def _read_folder(folder: Path, wanted: set[str]) -> dict[str, bytes]:
    files = {name: folder / name for name in sorted(wanted) if (folder / name).is_file()}
    for name, file in files.items():
        _check_size(folder, name, file.stat().st_size)
    return {name: file.read_bytes() for name, file in files.items()}


def _read_archive(path: Path, wanted: set[str]) -> dict[str, bytes]:
    """Read in place: nothing is unpacked, whatever the names in the archive say."""
    check_readable(path, "give the .tar.gz as downloaded, or a folder")
    contents = {}
    if zipfile.is_zipfile(path):
        raise DataError(f"{path}: a .zip; unpack it and give the folder")
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if name in wanted and member.isfile():
                    _check_size(path, name, member.size)
                    if name in contents:
                        raise DataError(f"{path}: holds two files {name}; which is meant? unpack it, give the folder")
                    contents[name] = archive.extractfile(member).read()
            while archive.fileobj.read(_BLOCK):
                pass  # gzip's checksum stands behind the end of the archive
    except DataError:
        raise
    except (tarfile.TarError, OSError, EOFError, zlib.error, LZMAError, ValueError, OverflowError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
        raise DataError(f"{path}: not a .tar.gz archive, or damaged ({reason}); download it again") from error
    return contents


def _check_size(path: Path, name: str, size: int) -> None:
    if size > _FILE_LIMIT:
        raise DataError(f"{path}: {name} has {size} bytes, more than any file of this set")


# ---- the python version ----------------------------------------------------------------------------------------------


def _read_pickle(label_key: str) -> Callable[[bytes, str], tuple[np.ndarray, np.ndarray]]:
    def read(content: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
        batch = _text_keys(content, where)
        pixels, labels = batch.get("data"), batch.get(label_key)
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[1:] != (_PIXELS,):
            raise DataError(f"{where}: `data` is not an array uint8 [N,{_PIXELS}]; download it again")
        if not _are_integers(labels):
            raise DataError(f"{where}: `{label_key}` is not a list of integers; download it again")
        return pixels, np.asarray(labels)

    return read


def _are_integers(labels: object) -> bool:
    if isinstance(labels, np.ndarray):
        return labels.ndim == 1 and labels.dtype.kind in "iu"
    return isinstance(labels, list) and all(type(label) is int for label in labels)


def _read_pickled_names(key: str) -> Callable[[bytes, str], list[str]]:
    def read(content: bytes, where: str) -> list[str]:
        names = _text_keys(content, where).get(key)
        if not isinstance(names, list) or not all(isinstance(name, (bytes, str)) for name in names):
            raise DataError(f"{where}: `{key}` is not a list of names; download it again")
        return [_text(name) for name in names]

    return read


def _text_keys(content: bytes, where: str) -> dict[str, object]:
    pickled = load_pickle(content, where)
    if not isinstance(pickled, dict):
        raise DataError(f"{where}: holds {type(pickled).__name__}, not a dict; download it again")
    return {_text(key): value for key, value in pickled.items() if isinstance(key, (bytes, str))}


def _text(value: bytes | str) -> str:
    """Python 2's text comes as bytes."""
    return value.decode("latin1") if isinstance(value, bytes) else value


# ---- the binary version ----------------------------------------------------------------------------------------------


def _read_records(label_bytes: int) -> Callable[[bytes, str], tuple[np.ndarray, np.ndarray]]:
    """Records of `label_bytes` labels, the last one the finest, and 3072 pixels."""

    def read(content: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
        length = label_bytes + _PIXELS
        if len(content) % length:
            raise DataError(f"{where}: {len(content)} bytes are not a multiple of {length}; download it again")
        records = np.frombuffer(content, np.uint8).reshape(-1, length)  # [n,length]
        return records[:, label_bytes:], records[:, label_bytes - 1]

    return read


def _read_lines(content: bytes, where: str) -> list[str]:
    return [line.strip() for line in content.decode("latin1").splitlines() if line.strip()]


CIFAR10 = [
    _Version(
        "cifar-10-batches-py",
        {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]},
        "batches.meta",
        _read_pickle("labels"),
        _read_pickled_names("label_names"),
    ),
    _Version(
        "cifar-10-batches-bin",
        {"train": [f"data_batch_{number}.bin" for number in range(1, 6)], "test": ["test_batch.bin"]},
        "batches.meta.txt",
        _read_records(1),
        _read_lines,
    ),
]
CIFAR100 = [
    _Version(
        "cifar-100-python",
        {"train": ["train"], "test": ["test"]},
        "meta",
        _read_pickle("fine_labels"),
        _read_pickled_names("fine_label_names"),
    ),
    _Version(
        "cifar-100-binary",
        {"train": ["train.bin"], "test": ["test.bin"]},
        "fine_label_names.txt",
        _read_records(2),
        _read_lines,
    ),
]
