"""Image sets of tensorflow-datasets. TensorFlow reads them once; workers without it decode and resize."""

from __future__ import annotations

import io
import os
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import beside, check_new_folder, storing
from pgan_tf.data.label_rows import Labels, one_hot
from pgan_tf.data.sources.fitting import Files, Options, write_files
from pgan_tf.data.sources.listing import is_hidden
from pgan_tf.files import temporary_name
from pgan_tf.places import name_of
from pgan_tf.progress import track
from pgan_tf.quiet import import_tensorflow_quietly
from pgan_tf.text import shown


class Spooled(NamedTuple):
    """A picture file within the temporary file."""

    index: int
    start: int
    size: int


class Spool(Sequence):
    """All of them, by where each ends; 8 bytes a picture."""

    def __init__(self) -> None:
        self._ends = array("q", [0])

    def add(self, size: int) -> None:
        self._ends.append(self._ends[-1] + size)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> Spooled:
        start, end = self._ends[index], self._ends[index + 1]
        return Spooled(int(index), start, end - start)


def create_from_tfds(
    out: str | os.PathLike, name: str, options: Options, data_dir: str | os.PathLike | None = None,
    split: str = "train", image: str | None = None, label: str | None = None,
) -> Report:  # fmt: skip
    """Makes the data set `out` of a split of an image set of tensorflow-datasets, which prepares it if need be.

    name: of a set, `cifar10` or `oxford_flowers102:2.1.1`; or the folder of a prepared one; or a folder
    SPLIT/CLASS/PICTURE, as for tfds.ImageFolder. split: also a part, `train[:10%]`. image: the feature, where there
    are several. label: the class feature, where there are several, or `none`; labels are one-hot. The pictures, as
    they are encoded, pass through a temporary file beside `out`. Raises DataError.
    """
    check_new_folder(out)
    builder = _builder(name, data_dir)
    features = builder.info.features
    image, label = _image_feature(features, image), _label_feature(features, label)
    with _temporary_file(temporary_name(beside(out, f"{name_of(out)}.spool"))) as file:
        spool, classes = _read(builder, split, image, label, file)
        labels = _one_hot(classes, features[label].names, label) if label else Labels()
        files = Files(spool, partial(_open, path=file.name), _name, *labels)
        report = Report(source=f"{builder.info.full_name}, {split} ({len(spool)} pictures)")
        return write_files(out, files, options, report)


def _builder(name: str, data_dir: str | os.PathLike | None) -> Any:
    import_tensorflow_quietly()
    import tensorflow_datasets as tfds

    with _explained(name):
        if Path(name, "dataset_info.json").is_file():
            return tfds.builder_from_directory(name)
        if Path(name).is_dir():
            _check_image_folder(Path(name))
            return tfds.ImageFolder(name)
        builder = tfds.builder(name, data_dir=data_dir)
        builder.download_and_prepare()
        return builder


def _check_image_folder(folder: Path) -> None:
    """DataError where tfds.ImageFolder would take folders of the system for parts of the set, or for classes."""
    for path in sorted([*folder.glob("*/"), *folder.glob("*/*/")]):
        if path.is_dir() and is_hidden(path.name):
            raise DataError(f"{shown(str(path))}: is of the system, no class; remove it, or take create_from_images")


def _image_feature(features: Any, wanted: str | None) -> str:
    import tensorflow_datasets as tfds

    images = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    name = _only("image", images, wanted)
    pixels = np.dtype(features[name].np_dtype)
    if pixels not in (np.uint8, np.uint16):
        raise DataError(f"--image={name}: holds pixels of type {pixels}, not uint8 or uint16")
    return name


def _label_feature(features: Any, wanted: str | None) -> str | None:
    import tensorflow_datasets as tfds

    classes = [key for key, feature in features.items() if isinstance(feature, tfds.features.ClassLabel)]
    return None if wanted == "none" or not (classes or wanted) else _only("label", classes, wanted)


def _only(flag: str, keys: list[str], wanted: str | None) -> str:
    """The one that is wanted, or the one that there is."""
    if wanted is None and len(keys) == 1:
        return keys[0]
    if wanted not in keys:
        names = ", ".join(sorted(keys)) or "(it has none)"
        raise DataError(f"--{flag}={wanted or '?'}: must be one of the set's features {names}")
    return wanted


def _read(builder: Any, split: str, image: str, label: str | None, file: BinaryIO) -> tuple[Spool, array]:
    """Writes the encoded pictures to `file` in the order of the set; where they are, and their classes."""
    import tensorflow_datasets as tfds

    spool, classes = Spool(), array("q")
    with _explained(f"{builder.info.full_name}, --split={split}"):
        one_by_one = tfds.ReadConfig(interleave_cycle_length=1)  # files in a row: their order is the set's
        raw = {image: tfds.decode.SkipDecoding()}
        dataset = builder.as_dataset(split=split, decoders=raw, shuffle_files=False, read_config=one_by_one)
        wanted = dataset.map(lambda example: (example[image], example[label] if label else 0))
        for content, number in track(tfds.as_numpy(wanted), len(dataset), "reading"):
            with storing(file.name):
                file.write(content)
            spool.add(len(content))
            classes.append(int(number))
    with storing(file.name):
        file.flush()
    if not spool:
        raise DataError(f"{builder.info.full_name}, --split={split}: has no pictures")
    return spool, classes


def _one_hot(classes: Sequence[int], names: list[str], label: str) -> Labels:
    """Classes, int [N] -> float32 [N,L]; tfds writes -1 where the class is not known."""
    if min(classes) < 0:
        raise DataError(f"--label={label}: not every picture of this split has one; give --label=none")
    return Labels(one_hot(np.asarray(classes), len(names), f"--label={label}"), names)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Everything that tensorflow-datasets raises, in one line."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise DataError(f"{what}: tensorflow-datasets cannot read it: {lines[0].strip()}") from error


@contextmanager
def _temporary_file(path: Path) -> Iterator[BinaryIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "wb") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


# ---- in the workers --------------------------------------------------------------------------------------------------


def _open(item: Spooled, path: str) -> BinaryIO:
    with open(path, "rb") as file:
        file.seek(item.start)
        return io.BytesIO(file.read(item.size))


def _name(item: Spooled) -> str:
    return f"picture {item.index}"
