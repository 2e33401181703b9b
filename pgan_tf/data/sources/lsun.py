"""LSUN: a category's LMDB folder, as distributed, with WebP or JPEG values; any LMDB of picture files will do."""

from __future__ import annotations

import io
import os
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.parallel import ordered_map
from pgan_tf.data.source import Picture, PictureSource
from pgan_tf.data.sources.lmdb_file import LMDBFile
from pgan_tf.data.sources.picture import MAX_PIXELS, Target, load_picture, open_picture, read_opaque
from pgan_tf.data.writer import is_resolution
from pgan_tf.progress import track

IN_KEY_ORDER = Output(shuffle=False)  # NVIDIA's tool does not shuffle LSUN: its keys are random already
Size = tuple[int, int]  # width, height


class Keys(Sequence):
    """Keys of an LMDB, in about 8 bytes more than their length: LSUN has categories of ten million."""

    def __init__(self, keys: Iterable[bytes]):
        self._content, self._ends = bytearray(), array("q", [0])
        for key in keys:
            self._content += key
            self._ends.append(len(self._content))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, where):
        if isinstance(where, slice):
            return [self[i] for i in range(*where.indices(len(self)))]
        if not 0 <= where < len(self):
            raise IndexError(f"key {where} of {len(self)}")
        return bytes(self._content[self._ends[where] : self._ends[where + 1]])


def create_lsun(
    out: str | os.PathLike, lmdb_folder: str | os.PathLike, resolution: int = 256, max_images: int | None = None,
    output: Output = IN_KEY_ORDER, max_pixels: int = MAX_PIXELS,
) -> Report:  # fmt: skip
    """Makes the data set `out`: the middle square of each picture, resized by Lanczos, in the order of the keys.

    max_images: only the first so many, not counting values that are no pictures. No labels. Raises DataError.
    """
    check_new_folder(out)
    target = Target(resolution, max_pixels=max_pixels)
    keys, notes = _first(list_keys(lmdb_folder), lmdb_folder, max_images, _any_size, output.workers, max_pixels)
    load = partial(_load_square, path=os.fspath(lmdb_folder), target=target)
    source = PictureSource(f"{lmdb_folder} ({len(keys)} values)", resolution, 3, keys, load, key_name, notes=notes)
    return write(out, source, output)


def create_lsun_wide(
    out: str | os.PathLike, lmdb_folder: str | os.PathLike, width: int = 512, height: int = 384,
    max_images: int | None = None, output: Output = IN_KEY_ORDER, max_pixels: int = MAX_PIXELS,
) -> Report:  # fmt: skip
    """Makes the data set `out` of `width` x `height` pictures in the middle of a black square, as for LSUN cars.

    Pictures that are narrower, or lower at that width, are left out. As in NVIDIA's tool, the middle rows that are
    kept are as many as the picture has when it is `width` wide; then they are resized by Lanczos to width x height.
    The rest as in `create_lsun`.
    """
    check_new_folder(out)
    if not is_resolution(width) or not 0 < height <= width:
        raise DataError(f"--width={width} --height={height}: the width must be a power of two, 4 to 8192, not below it")
    fits = partial(is_wide, width=width, height=height)
    keys, notes = _first(list_keys(lmdb_folder), lmdb_folder, max_images, fits, output.workers, max_pixels)
    load = partial(_load_wide, path=os.fspath(lmdb_folder), size=(width, height), max_pixels=max_pixels)
    source = PictureSource(f"{lmdb_folder} ({len(keys)} values)", width, 3, keys, load, key_name, notes=notes)
    return write(out, source, output)


def list_keys(path: str | os.PathLike) -> Keys:
    """The keys of an LMDB folder or file, in its order. Raises DataError."""
    _database.cache_clear()
    keys = Keys(_database(os.fspath(path)).keys())
    if not keys:
        raise DataError(f"{path}: the database is empty")
    return keys


def key_name(key: bytes) -> str:
    """What messages call a key."""
    return key.decode("utf-8", "backslashreplace")


def is_wide(size: Size, width: int, height: int) -> bool:
    """Whether a picture of this size is used for width x height."""
    return size[0] >= width and kept_rows(size, width) >= height


def kept_rows(size: Size, width: int) -> int:
    """How many of its own rows a picture keeps: as many as it would have if it were `width` wide."""
    return round(width * size[1] / size[0])


def fit_wide(image: Image.Image, width: int, height: int) -> np.ndarray:
    """RGB picture -> uint8 [width, width, 3]: its middle rows as width x height between black bars."""
    rows = kept_rows(image.size, width)
    top, bottom = (image.height - rows) // 2, (image.height + rows) // 2
    strip = image.crop((0, top, image.width, bottom)).resize((width, height), Image.Resampling.LANCZOS)
    canvas = np.zeros((width, width, 3), np.uint8)
    canvas[(width - height) // 2 : (width + height) // 2] = np.asarray(strip)
    return canvas


def _any_size(size: Size) -> bool:
    return True


def _first(
    keys: Keys, path: str | os.PathLike, count: int | None, fits: Callable[[Size], bool], workers: int, max_pixels: int
) -> tuple[Sequence[bytes], list[str]]:
    """The keys of the first `count` pictures that fit, told by their headers; unreadable ones stay, to be reported."""
    if count is None and fits is _any_size:
        return keys, []
    sizes = ordered_map(partial(_size, path=os.fspath(path), max_pixels=max_pixels), keys, workers)
    chosen, pictures, small = [], 0, 0
    for key, size in zip(keys, track(sizes, len(keys), "looking at sizes"), strict=False):
        if size is not None and not fits(size):
            small += 1
            continue
        chosen.append(key)
        pictures += size is not None
        if pictures == count:
            break
    if not pictures:
        raise DataError(f"{path}: none of the {len(keys)} values is a picture that is large enough")
    return Keys(chosen), [f"left out {small} pictures that are too small for it"] * bool(small)


# ---- in the workers --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _database(path: str) -> LMDBFile:
    """Opened once in each process."""
    data = Path(path, "data.mdb") if os.path.isdir(path) else Path(path)
    if not data.exists():
        raise DataError(f"{path}: holds no data.mdb; unpack the category's zip and give its folder, <category>_lmdb")
    return LMDBFile(data)


def _value(key: bytes, path: str) -> io.BytesIO:
    return io.BytesIO(_database(path).value(key))


def _size(key: bytes, path: str, max_pixels: int) -> Size | None:
    """Width and height; None where the value is no picture."""
    try:
        with open_picture(_value(key, path), max_pixels) as image:
            return image.size
    except Exception:  # Pillow's decoders raise anything; the value is reported when it is loaded
        return None


def _load_square(key: bytes, path: str, target: Target) -> Picture:
    return load_picture(_value(key, path), target)


def _load_wide(key: bytes, path: str, size: Size, max_pixels: int) -> Picture:
    image, mode = read_opaque(_value(key, path), max_pixels=max_pixels)
    return Picture(fit_wide(image, *size), image.size, mode)
