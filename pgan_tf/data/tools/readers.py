"""Data sets, and the picture files that writers.py makes of them, as sources that keep every pixel and the order."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pgan_tf.data.dataset import RecordDataset, has_records
from pgan_tf.data.errors import DataError
from pgan_tf.data.label_rows import Labels, one_hot, vectors
from pgan_tf.data.source import Picture, PictureSource, as_picture
from pgan_tf.data.sources.fitting import Files
from pgan_tf.data.sources.images import as_files, open_listing
from pgan_tf.data.sources.labels import from_index
from pgan_tf.data.sources.listing import Listing
from pgan_tf.data.sources.picture import EXTENSIONS, File, picture_kind, read_picture
from pgan_tf.data.sources.sides import Sides
from pgan_tf.data.tools.batches import label_names
from pgan_tf.data.writer import is_resolution
from pgan_tf.places import check_on_disk, place
from pgan_tf.text import decode, shown

LABELS, LABEL_NAMES = "labels.npy", "labels.txt"
_MEMBER_BYTES = 2**30  # of an unpacked file; few bytes can promise many
_NAMED = 5
_MEASURED = 1000  # pictures that tell of which shape a set is


class Part(NamedTuple):
    """Which split of an ImageFolder is meant; `must_be`: it is an error where there is none of that name."""

    split: str
    must_be: bool = False


@contextmanager
def open_source(
    path: str | os.PathLike, part: Part, out: str | os.PathLike, any_size: bool = False
) -> Iterator[PictureSource]:
    """Whatever `path` is as a source in its own order, with its labels, while the block runs. Raises DataError.

    A data set folder, at full resolution; a folder <split>/<class>/<picture> (the layout of tensorflow-datasets'
    ImageFolder); a folder or an archive of pictures. Picture files are in the order of their paths and must all have
    one size, square and a power of two unless `any_size`, and one mode; their labels are in labels.npy, or in
    StyleGAN's dataset.json. `out`: what is made of it; archives that must be unpacked are, beside it.
    """
    path = place(path)
    if not path.exists():
        raise DataError(f"{path}: neither a data set folder, nor a folder of pictures, nor an archive of pictures")
    if path.is_dir() and has_records(path):
        if part.must_be:
            raise DataError(f"--split={shown(part.split)}: {path} is a data set, which has none; leave it out")
        yield read_records(path)
        return
    check_on_disk(path, "a source of pictures")
    with open_listing(path, out, _Beside()) as listing:
        files, known = as_files(listing, path, _MEMBER_BYTES), _known(path, listing)
        splits = sorted({name.partition("/")[0] for name in listing.paths if "/" in name})
        if known.labels is None and part.split in splits:
            files, known = _in_class_folders(path, part.split, files, listing.paths)
        elif part.must_be:
            there = ", ".join(map(shown, splits[:_NAMED])) or "no folder"
            raise DataError(f"--split={shown(part.split)}: {path} has {there}; name one of these, or leave it out")
        yield _of_files(path, files, known, any_size)


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
        own_size=not is_resolution(dataset.resolution),
    )  # fmt: skip


def _unnamed(image: np.ndarray) -> str:
    return "a record"


def _in_class_folders(path: Path, split: str, files: Files, paths: Sequence[str]) -> tuple[Files, Labels]:
    """The pictures <split>/<class>/<picture> in the order of their bare names; labels where there are two classes."""
    parts = [(name.split("/"), index) for index, name in enumerate(paths) if name.startswith(f"{split}/")]
    for names, _ in parts:
        if len(names) != 3:
            raise DataError(
                f"{path}: {shown('/'.join(names))} is not {split}/<class>/<picture>; move it, or convert "
                f"{path / split} by itself, without labels"
            )
    pictures = sorted((names[2], names[1], index) for names, index in parts)
    classes = sorted({folder for _, folder, _ in pictures})
    items = [files.items[index] for _, _, index in pictures]
    if len(classes) < 2:
        return files._replace(items=items), Labels()
    columns = {name: column for column, name in enumerate(classes)}
    numbers = np.array([columns[folder] for _, folder, _ in pictures])
    return files._replace(items=items), Labels(one_hot(numbers, len(classes), path), classes)


class _Beside(Sides):
    """dataset.json, and what writers.py puts beside the pictures."""

    def __init__(self) -> None:
        super().__init__("json")
        self.suffix, self.ours = "", {}

    def take(self, path: str, size: int, read: Callable[[int], bytes]) -> bool:
        if path.rpartition("/")[2] not in (LABELS, LABEL_NAMES):
            return super().take(path, size, read)
        if size > _MEMBER_BYTES:
            raise DataError(f"{path} is of {size:,} bytes: no part of a data set")
        self.ours[path] = read(size)
        return True

    def folder(self, paths: Sequence[str]) -> str | None:
        """Where labels.npy is, '' or 'FOLDER/'; None without one. DataError where it is not around all pictures."""
        label_files = sorted(path for path in self.ours if path.endswith(LABELS))
        folders = [path.removesuffix(LABELS) for path in label_files]
        around = [folder for folder in folders if all(path.startswith(folder) for path in paths)]
        if label_files and not around:
            raise DataError(
                f"{shown(label_files[0])} has labels for a part of the pictures; convert its folder by itself"
            )
        return around[0] if around else None


def _known(path: Path, listing: Listing) -> Labels:
    """The labels and the names of the classes from the files beside the pictures, as far as they are there."""
    texts, folder = listing.sides.ours, listing.sides.folder(listing.paths)
    if folder is None:
        return from_index(listing.paths, listing.sides, path, empty_is_none=True) or Labels()
    try:
        array = np.lib.format.read_array(io.BytesIO(texts[folder + LABELS]), allow_pickle=False)
        names = decode(texts.get(folder + LABEL_NAMES, b"")).splitlines()
    except (ValueError, EOFError, MemoryError) as error:  # not UTF-8 is a ValueError too
        raise DataError(f"{path}: {LABELS} or {LABEL_NAMES} cannot be read ({error}); write them again") from error
    count = len(listing.paths)
    if array.ndim != 2 or len(array) != count:
        raise DataError(f"{path}: {LABELS} has shape {list(array.shape)}; {count} pictures need [pictures, size]")
    if array.dtype.kind not in "biuf":
        raise DataError(f"{path}: {LABELS} holds {array.dtype}, no numbers")
    return Labels(vectors(array, f"{path}: {LABELS}"), names)


def _of_files(path: Path, files: Files, known: Labels, any_size: bool) -> PictureSource:
    if not files.items:
        raise DataError(f"{path}: holds no pictures ({' '.join(sorted(EXTENSIONS))})")
    shape = _usual_shape(path, files)
    if shape[0] != shape[1] or not (any_size or is_resolution(shape[0])):
        keeps = "--own_size keeps it, " * (shape[0] == shape[1])
        raise DataError(
            f"{path}: {files.name(files.items[0])} has {shape[1]}x{shape[0]} pixels, no square power of two; {keeps}"
            "create_from_images crops and resizes"
        )
    return PictureSource(
        f"{path} ({len(files.items)} picture files)", shape[0], shape[2], files.items,
        partial(_as_is, open_file=files.open, shape=shape), files.name, known.labels, list(known.names),
        own_size=not is_resolution(shape[0]),
    )  # fmt: skip


def _usual_shape(path: Path, files: Files) -> tuple[int, int, int]:
    """[H, W, C] that most of the pictures have; of many, some spread over all tell it."""
    shapes: Counter = Counter()
    for index in range(0, len(files.items), max(1, len(files.items) // _MEASURED)):
        item = files.items[index]
        try:
            (width, height), grey = picture_kind(files.open(item))
        except Exception as error:  # decoders raise anything
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{path}: {files.name(item)} cannot be read ({reason}); remove or replace it") from error
        shapes[height, width, 1 if grey else 3] += 1
    return shapes.most_common(1)[0][0]


def _as_is(item: Any, open_file: Callable[[Any], File], shape: tuple[int, int, int]) -> Picture:
    """Runs in a worker."""
    pixels = read_picture(open_file(item))
    if pixels.shape != shape:
        raise DataError(f"shape {list(pixels.shape)} [H, W, C], but most pictures have {list(shape)}")
    return Picture(pixels)
