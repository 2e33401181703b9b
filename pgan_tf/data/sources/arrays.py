"""Numpy arrays as data sets, and what every set that comes as arrays needs: counts and labels checked."""

from __future__ import annotations

import math
import os
import struct
import zipfile
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder, check_readable
from pgan_tf.data.label_rows import label_matrix, vector_notes
from pgan_tf.data.source import Picture, PictureSource, as_picture
from pgan_tf.data.stored import StoredBytes
from pgan_tf.data.writer import HIGHEST, is_resolution
from pgan_tf.errors import reason

IMAGE_NAMES = ("images", "x", "X", "data", "x_train", "train_images", "arr_0")  # in an .npz; the first one there is
LABEL_NAMES = ("labels", "label", "y", "Y", "y_train", "train_labels")
_CHANNELS = (1, 3)
_COMPRESSED_LIMIT = 1 << 30  # bytes of an array that must be unpacked into memory
_BLOCK = 1 << 20  # bytes
_MAGIC = b"\x93NUMPY"
_LOCAL_HEADER = 30  # bytes of a zip entry before its name


def create_from_numpy(
    out: str | os.PathLike, file: str | os.PathLike, output: Output, own_size: bool = False
) -> Report:
    """Makes the data set `out` of the images in an .npy or .npz file.

    Images: uint8 [N,H,W], [N,H,W,C] or [N,C,H,W], C 1 or 3, square, a power of two, or with `own_size` of any size. In
    an .npz they are the first of `IMAGE_NAMES` that is there, or the only array beside the labels; labels, the first of
    `LABEL_NAMES`: integers [N] or [N,1], the classes, or numbers [N,L]. An .npy file, and an .npz of np.savez, are read
    in place, whatever their size. Raises DataError.
    """
    check_new_folder(out)
    stored, labels, notes = _read(Path(file))
    images = to_nhwc(stored, str(file), own_size)
    labels = None if labels is None else label_matrix(labels, len(images), str(file))
    notes = notes + vector_notes(labels)
    items, load = images, as_picture
    if isinstance(stored, np.memmap):  # then the workers read the file, and only numbers go to them
        order = "F" if stored.flags.f_contiguous and not stored.flags.c_contiguous else "C"
        items = range(len(images))
        load = partial(_load_row, path=stored.filename, offset=stored.offset, shape=stored.shape, order=order)
    description = f"{file} ({len(images)} images)"
    side, channels = images.shape[2:]
    source = PictureSource(
        description, side, channels, items, load, labels=labels, notes=notes, own_size=not is_resolution(side)
    )
    try:
        return write(out, source, output)
    finally:
        _opened.cache_clear()
        _whole.cache_clear()


def to_nhwc(images: np.ndarray, where: str, own_size: bool = False) -> np.ndarray:
    """uint8 [N,H,W], [N,H,W,C] or [N,C,H,W] -> [N,R,R,C], a view. DataError if no data set has such images.

    There is no doubt which axis is C: the other two are equal and 4 at least, and C is 1 or 3. own_size: R need be no
    power of two.
    """
    shape = list(images.shape)
    if images.dtype != np.uint8:
        raise DataError(
            f"{where}: pixels of type {images.dtype}; give uint8, 0..255 (of 0..1: np.uint8(np.rint(255 * x)))"
        )
    if images.ndim == 3:
        images = images[..., None]  # [N,H,W,1]
    elif images.ndim == 4 and shape[3] not in _CHANNELS and shape[1] in _CHANNELS:
        images = images.transpose(0, 2, 3, 1)  # [N,H,W,C]
    if images.ndim != 4 or images.shape[3] not in _CHANNELS:
        raise DataError(f"{where}: images of shape {shape}; give [N,H,W], [N,H,W,C] or [N,C,H,W] with C 1 or 3")
    if len(images) == 0:
        raise DataError(f"{where}: holds no images, shape {shape}")
    height, width = images.shape[1:3]
    if height != width or not (is_resolution(width) or (own_size and 4 <= width <= HIGHEST)):
        advice = "save them as PNG files and give the folder to create_from_images, which crops and resizes"
        advice += "; or keep their size by --own_size" * (height == width)
        raise DataError(f"{where}: images of {width}x{height}; they must be square, a power of two from 4; {advice}")
    return images


def check_count(where: str, found: int, expected: int, allow_partial: bool) -> list[str]:
    """Notes for the report about how many images there are. DataError unless all are, or a part is allowed."""
    if found == expected:
        return []
    if found > expected:
        raise DataError(f"{where}: {found} images, but the set has {expected}: this is another one")
    if found == 0:
        raise DataError(f"{where}: holds no images; download it again")
    if not allow_partial:
        raise DataError(f"{where}: {found} images of {expected}; download it again, or take the part: --allow_partial")
    return [f"{found} of the set's {expected} images (--allow_partial)"]


def read_npy(path: Path) -> np.ndarray:
    """An .npy file as a read-only memory map. Raises DataError."""
    check_readable(path, "give an .npy or .npz file")
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
        if magic != _MAGIC:
            raise DataError(f"{path}: not an .npy or .npz file; pictures are for create_from_images")
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    except Exception as error:  # a damaged header can fail in many ways
        raise DataError(f"{path}: not an .npy or .npz file of numbers, or damaged ({_line(error)})") from error
    return array


@lru_cache(maxsize=1)  # each process opens the file once
def _opened(path: Path) -> StoredBytes:
    return StoredBytes(path)


@lru_cache(maxsize=1)
def _whole(path: Path, offset: int, shape: tuple[int, ...]) -> np.ndarray:
    """An array whose pictures lie scattered over all of it."""
    size = math.prod(shape)
    if size > _COMPRESSED_LIMIT:
        raise DataError(f"{path}: in Fortran's order, {size} bytes; save np.ascontiguousarray of it")
    return np.frombuffer(_opened(path).read(offset, size), np.uint8).reshape(shape, order="F")


def _load_row(row: int, path: Path, offset: int, shape: tuple[int, ...], order: str) -> Picture:
    """Runs in a worker. By reading, not through a memory map: a file cut short under a map ends the process."""
    if order == "F":
        images = _whole(path, offset, shape)[row : row + 1]
    else:
        images = _opened(path).read_rows([row], math.prod(shape[1:]), offset).reshape(1, *shape[1:])
    return Picture(np.ascontiguousarray(to_nhwc(images, str(path), own_size=True)[0]))  # [R,R,C]


def _read(path: Path) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
    """The images and the labels of a file, as they are there, and notes for the report."""
    check_readable(path, "give an .npy or .npz file")
    if not zipfile.is_zipfile(path):
        return read_npy(path), None, []
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if len(entries) < len(archive.infolist()):
                raise DataError("has two arrays of one name; which is meant? write it again with np.savez")
            image_name, label_name = _choose(list(entries))
            images = _read_entry(path, archive, entries[image_name])
            labels = None if label_name is None else _read_entry(path, archive, entries[label_name])
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except Exception as error:  # a damaged archive can fail in many ways
        raise DataError(f"{path}: damaged ({_line(error)}); write it again with np.savez") from error
    others = sorted(set(entries) - {image_name, label_name})
    notes = [f"images from the array {image_name}, labels from {label_name or 'none'}"]
    return images, labels, notes + ([f"left alone the arrays {', '.join(others)}"] if others else [])


def _choose(names: list[str]) -> tuple[str, str | None]:
    """Which array of an .npz holds the images, which the labels."""
    labels = next((name for name in LABEL_NAMES if name in names), None)
    images = [name for name in IMAGE_NAMES if name in names] or [name for name in names if name != labels]
    if not images or (images[0] not in IMAGE_NAMES and len(images) > 1):
        raise DataError(f"has the arrays {', '.join(names) or 'none'}; call the images `images`, the labels `labels`")
    return images[0], labels


def _read_entry(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """One array of an .npz: a memory map where it is not compressed."""
    with archive.open(info) as file:
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = readers[np.lib.format.read_magic(file)](file)
        begin = file.tell()
        if dtype.kind not in "biuf":
            raise DataError(f"{info.filename}: an array of {dtype}; only plain numbers can be read")
        size = np.prod(shape, dtype=object) * dtype.itemsize  # of Python's integers: a damaged shape may be anything
        if size != info.file_size - begin:
            raise DataError(f"{info.filename}: damaged: {info.file_size - begin} bytes for shape {list(shape)} {dtype}")
        order = "F" if fortran else "C"
        if info.compress_type == zipfile.ZIP_STORED and size:  # nothing cannot be mapped
            while file.read(_BLOCK):
                pass  # the checksum is checked at the end
            offset = _content_offset(path, info) + begin
            return np.memmap(path, dtype, "r", offset, shape, order)
        if size > _COMPRESSED_LIMIT:
            limit = f"{size} bytes when unpacked, more than {_COMPRESSED_LIMIT}"
            raise DataError(f"{info.filename}: {limit}; save it by np.savez or np.save, which are read in place")
        return np.frombuffer(file.read(), dtype).reshape(shape, order=order)


def _content_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Where in the file the content of an entry begins: after its local header, a name and an extra field."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        name, extra = struct.unpack_from("<HH", file.read(_LOCAL_HEADER), _LOCAL_HEADER - 4)
    return info.header_offset + _LOCAL_HEADER + name + extra


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
