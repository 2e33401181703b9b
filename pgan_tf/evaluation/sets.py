"""Sets to measure: a folder of pictures, a data set of images or points, an array, or what pytorch-fid kept of one."""

from __future__ import annotations

import functools
import hashlib
import math
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pgan_tf.data.dataset import RecordDataset, has_records, record_files
from pgan_tf.data.errors import DataError
from pgan_tf.data.holdout import split
from pgan_tf.data.points import PointDataset, has_points
from pgan_tf.data.samples import is_data_set
from pgan_tf.data.sources.listing import list_folder
from pgan_tf.data.sources.picture import picture_kind, read_picture
from pgan_tf.data.sources.planar import DISTRIBUTIONS
from pgan_tf.data.stored import StoredBytes, open_bytes
from pgan_tf.errors import reason
from pgan_tf.files import sha256
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.frechet import Statistics
from pgan_tf.metrics.numpy_files import UnpackedTooLarge, check_unpacked
from pgan_tf.metrics.planar import Truth
from pgan_tf.places import is_stored, place
from pgan_tf.text import shown

BATCH = 64  # images read at a time
POINT = (2,)  # the shape of a point in the plane
_MOST_UNPACKED = 2**33  # bytes of an .npz
_PIECE = 2**22  # bytes that are read at a time for a hash
_NAMED = 3  # of the pictures that are not as most are


@dataclass(frozen=True)
class ImageSet:
    """Images, or points in the plane, that can be read in any order; iterating yields all of them in batches.

    Attributes:
        name: where they come from, for messages and results.
        count: how many.
        shape: (H, W, C) of each image, (2,) of points.
        read: positions [n] -> uint8 [n,H,W,C], or points float [n,2].
        content: yields the bytes that the set is made of, for its hash.
        start: position of the first.
        notes: what the user should know of them, a line each.
        truth: the distribution that points were drawn from, where there is a metric for it.
        mirrored: whether half of the images are mirrored, as a run with --mirror_augment sees them.
        as_found: whether they lie in the order of somebody's files, which may be sorted by class.
        held_out: the share that these are of a set, none of which a run with --holdout of as much learns from.
    """

    name: str
    count: int
    shape: tuple[int, ...]
    read: Callable[[np.ndarray], np.ndarray]
    content: Callable[[], Iterator[bytes]]
    start: int = 0
    notes: tuple[str, ...] = ()
    truth: Truth | None = None
    mirrored: bool = False
    held_out: float = 0.0
    as_found: bool = False

    def __iter__(self) -> Iterator[np.ndarray]:
        for begin in range(self.start, self.start + self.count, BATCH):
            yield self.read(np.arange(begin, min(begin + BATCH, self.start + self.count)))

    def part(self, start: int, count: int, name: str) -> ImageSet:
        """`count` of the images from `start` on, as a set of its own."""
        return replace(self, name=name, count=count, start=self.start + start)

    def parted(self, share: float) -> tuple[ImageSet, ImageSet]:
        """What a run with --holdout of `share` learns from, and what it holds out. MetricError where one is empty."""
        positions = split(self.count, min(max(share, 0), 1))
        if not all(map(len, positions)):
            part = "all" if len(positions[1]) else "none"
            raise MetricError(f"--held_out={share:g}: is {part} of the {self.count:,} in {self.name}; give a share "
                              "such as 0.25")  # fmt: skip
        trained, held_out = (self._chosen(self.start + some) for some in positions)
        return trained, replace(held_out, held_out=share)

    def _chosen(self, positions: np.ndarray) -> ImageSet:
        """Those at the positions [n], as a set of its own."""

        def content() -> Iterator[bytes]:
            yield positions.astype("<i8").tobytes()
            yield from self.content()

        return replace(
            self, count=len(positions), start=0, read=lambda indices: self.read(positions[indices]), content=content
        )

    def in_mirror(self) -> ImageSet:
        """The same images, each mirrored or not, at random by its position.

        What --mirror_augment trains on; the original measures such runs against reals that it mirrors at random too.
        """
        turned = np.random.default_rng(0).random(self.start + self.count) < 0.5  # [start+count]

        def read(indices: np.ndarray) -> np.ndarray:
            images = self.read(indices)  # [n,H,W,C]
            return np.where(turned[indices][:, None, None, None], images[:, :, ::-1], images)

        def content() -> Iterator[bytes]:
            yield b"mirrored"
            yield from self.content()

        return replace(self, read=read, content=content, mirrored=True)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the content and of which part of it this is: the same images have the same digest anywhere."""
        digest = hashlib.sha256(f"{self.start}:{self.count}".encode())
        for piece in self.content():
            digest.update(piece)
        return digest.hexdigest()


@dataclass(frozen=True)
class StatisticsSet:
    """Mean and covariance of features, kept by pytorch-fid or by us; no images."""

    name: str
    statistics: Statistics
    digest: str


def open_set(
    path: str | os.PathLike | np.ndarray, resolution: int | None = None, mirror: bool = False
) -> ImageSet | StatisticsSet:
    """A folder of pictures or of TFRecords, a .npy or .npz array uint8 [N,H,W,C], or a .npz with `mu` and `sigma`.

    Also points in the plane: a data set of them, or an array float [N,2]. An array may be given as it is. `resolution`
    chooses a level of a data set; of any other set of images it is what they must have. `mirror`: as `in_mirror`.
    Raises MetricError or DataError: one line.
    """
    if isinstance(path, np.ndarray):
        path, opened = "array", from_array("array", path, lambda array=path: iter([array.tobytes()]))
    else:
        opened = _stored(place(path), resolution)
    images = isinstance(opened, ImageSet) and opened.shape != POINT
    if resolution and images and opened.shape[0] != resolution:
        raise MetricError(f"{path}: its images have {opened.shape[0]} pixels, not {resolution}; resize them first")
    if mirror and not images:
        raise MetricError(f"{path}: has no images that could be mirrored; leave out --mirror_augment")
    return opened.in_mirror() if mirror else opened


def _stored(path: Path, resolution: int | None) -> ImageSet | StatisticsSet:
    """What lies at a path, by what it is."""
    if not path.exists():
        raise MetricError(f"{path}: no such file or folder; give a folder of images, a data set, .npy or .npz")
    if is_stored(path) and not is_data_set(path):
        raise MetricError(f"{path}: on a store only data sets can be measured; copy it to a disk")
    if path.is_dir():
        return _folder(path, resolution)
    if not path.is_file():  # opening a pipe would wait for its other end
        raise MetricError(
            f"{path}: not a file, but a pipe or a device; give a folder of images, a data set, .npy or .npz"
        )
    if path.suffix == ".npz":
        return _archive(path)
    if path.suffix == ".npy":
        return _stored_array(path)
    raise MetricError(f"{path}: give a folder of images, a data set, .npy or .npz")


def _folder(path: Path, resolution: int | None) -> ImageSet:
    if has_points(path):
        return _points(path)
    return _records(path, resolution) if has_records(path) else _pictures(path)


def _points(folder: Path) -> ImageSet:
    dataset = PointDataset(folder)
    row = DISTRIBUTIONS.get(dataset.origin.distribution)
    return ImageSet(
        str(folder), dataset.count, POINT, dataset.points.__getitem__,
        lambda: iter([dataset.points.tobytes()]), truth=row.truth(dataset.origin.noise) if row and row.truth else None,
    )  # fmt: skip


def _records(folder: Path, resolution: int | None) -> ImageSet:
    dataset = RecordDataset(folder)
    resolution = resolution or dataset.resolution
    files = record_files(folder)[1].get(resolution)
    if files is None:
        known = ", ".join(map(str, dataset.resolutions))
        raise DataError(f"{folder}: has no resolution {resolution}; it has {known}")
    return ImageSet(
        str(folder), dataset.count, (resolution, resolution, dataset.channels),
        lambda indices: dataset.read(resolution, indices), lambda: _file_bytes(files),
    )  # fmt: skip


def _pictures(folder: Path) -> ImageSet:
    """As most of the pictures are: their size is the set's, and it is grey only where all of them are."""
    listing = list_folder(folder)
    files = [folder / name for name in listing.paths]
    if not files:
        raise MetricError(f"{folder}: holds neither pictures nor a data set")
    kinds = [_kind(file) for file in files]
    size = _usual_size(folder, files, [size for size, _ in kinds])
    grey, colour = ([f for f, (_, is_grey) in zip(files, kinds, strict=True) if is_grey == wanted] for wanted in (1, 0))
    channels = 3 if colour else 1
    fewer, what = (grey, "grey") if len(grey) <= len(colour) else (colour, "in colour")
    notes = [f"{folder}: {note}" for note in listing.notes()]
    if grey and colour:
        notes.append(f"{folder}: {_named(fewer)} {what}, the others are not; all are measured in colour")

    def read(indices: np.ndarray) -> np.ndarray:
        return np.stack([_picture(files[i], channels) for i in indices])  # [n,H,W,C]

    shape, content = (size[1], size[0], channels), lambda: _file_bytes(files)
    return ImageSet(str(folder), len(files), shape, read, content, notes=tuple(notes), as_found=True)


def _usual_size(folder: Path, files: list[Path], sizes: list[tuple[int, int]]) -> tuple[int, int]:
    """The width and height that all of them have. MetricError names those that are not as most are."""
    size = Counter(sizes).most_common(1)[0][0]
    odd = [file for file, its in zip(files, sizes, strict=True) if its != size]
    if odd:
        of_odd = "{}x{}".format(*sizes[files.index(odd[0])])
        raise MetricError(
            f"{folder}: {_named(odd)} not {size[0]}x{size[1]} as most are (the first has {of_odd}); "
            "make them one size with dataset_tool.py"
        )
    return size


def _named(files: list[Path]) -> str:
    """'3 pictures (a.png, b.png, ...) are'."""
    names = ", ".join(shown(file.name) for file in files[:_NAMED]) + ", ..." * (len(files) > _NAMED)
    return f"{len(files)} picture ({names}) is" if len(files) == 1 else f"{len(files)} pictures ({names}) are"


def _kind(file: Path) -> tuple[tuple[int, int], bool]:
    """A picture's (width, height) as seen and whether it is grey, by its header."""
    try:
        return picture_kind(file)
    except Exception as error:  # Pillow's decoders raise anything
        raise _unreadable(file, error) from None


def _picture(file: Path, channels: int) -> np.ndarray:
    try:
        return read_picture(file, channels)
    except Exception as error:  # Pillow's decoders raise anything
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: Exception) -> MetricError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return MetricError(f"{shown(str(file))}: cannot be read as a picture ({reason})")


def _archive(path: Path) -> ImageSet | StatisticsSet:
    arrays = _load(path)
    if "mu" in arrays and "sigma" in arrays:
        return StatisticsSet(str(path), Statistics.load(path), sha256(path))
    if len(arrays) != 1:
        raise MetricError(f"{path}: holds {', '.join(arrays)}; it must hold one array of images, or mu and sigma")
    return from_array(str(path), next(iter(arrays.values())), lambda: _file_bytes([path]))


def in_order(images: ImageSet | StatisticsSet | None, used: int) -> list[str]:
    """A line where the first `used` of somebody's files, or one part of them against another, are all that is seen."""
    if not isinstance(images, ImageSet) or not images.as_found or used >= images.count:
        return []
    return [
        f"of the {images.count:,} in {images.name} the first {used:,} are compared; if sorted, by class say,"
        " shuffle them before, or make a data set, which is shuffled"
    ]


def from_array(name: str, array: np.ndarray, content: Callable) -> ImageSet:
    """uint8 [N,H,W,C] or grey [N,H,W], or points float [N,2], as a set. `content`: see ImageSet."""
    if array.dtype.kind == "f" and array.shape[1:] == POINT:
        return ImageSet(name, len(array), POINT, np.array(array).__getitem__, content)
    if array.ndim == 3:
        array = array[..., None]  # [N,H,W,1]
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[-1] not in (1, 3):
        raise MetricError(
            f"{name}: {array.dtype} {list(array.shape)}; it must be uint8 [N,H,W,1 or 3], or points float [N,2]"
        )
    return ImageSet(name, len(array), array.shape[1:], lambda indices: array[indices], content, as_found=True)


def _stored_array(path: Path) -> ImageSet:
    """An .npy file, of which only what is asked for is read."""
    array = _load(path)
    images = from_array(str(path), array, lambda: _file_bytes([path]))
    if images.shape == POINT:
        return images
    if not isinstance(array, np.memmap) or not array.flags.c_contiguous:
        return replace(images, read=np.array(array).reshape(images.count, *images.shape).__getitem__)
    file, length, begin = StoredBytes(path), math.prod(images.shape), array.offset  # no map: see StoredBytes
    return replace(images, read=lambda indices: file.read_rows(indices, length, begin).reshape(-1, *images.shape))


def _load(path: Path):
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        check_unpacked(loaded, _MOST_UNPACKED)
        return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, OSError) and error.errno:
            raise MetricError(f"{path}: cannot be read: {reason(error)}") from None
        if isinstance(error, UnpackedTooLarge):
            raise MetricError(f"{path}: {error}; save the images as .npy, which is read in place") from None
        raise MetricError(f"{path}: cannot be read as {path.suffix}; write it again with numpy") from None


def _file_bytes(files: Sequence[Path]) -> Iterator[bytes]:
    for file in files:
        content = open_bytes(file)
        for begin in range(0, content.size, _PIECE):
            yield content.read(begin, min(_PIECE, content.size - begin))
