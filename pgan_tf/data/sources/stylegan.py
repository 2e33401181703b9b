"""TFRecord folders of StyleGAN 1 and 2 and of ProGAN, also those of which only the highest resolution was downloaded.

They need no command: every tool and `train.py` reads them as they are. A folder without its lower resolutions does.
"""

from __future__ import annotations

import os
from functools import lru_cache, partial

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.source import Picture, PictureSource

IN_THEIR_ORDER = Output(shuffle=False)  # they are shuffled already


def create_from_tfrecords(out: str | os.PathLike, folder: str | os.PathLike, output: Output = IN_THEIR_ORDER) -> Report:
    """Makes the data set `out` of the highest resolution in `folder`, with all lower ones; labels are taken over.

    A record that cannot be read is skipped and counted. Raises DataError.
    """
    check_new_folder(out)
    dataset = RecordDataset(folder)
    load = partial(_load, folder=os.fspath(folder))
    source = PictureSource(
        f"{folder} ({dataset.count} records of {dataset.resolution}x{dataset.resolution})", dataset.resolution,
        dataset.channels, range(dataset.count), load, _name, dataset.labels if dataset.label_size else None,
    )  # fmt: skip
    return write(out, source, output)


def _name(index: int) -> str:
    return f"record {index}"


@lru_cache(maxsize=1)
def _open(folder: str) -> RecordDataset:
    return RecordDataset(folder)


def _load(index: int, folder: str) -> Picture:
    dataset = _open(folder)
    try:
        return Picture(dataset.read(dataset.resolution, np.array([index]))[0])
    except DataError as error:
        raise DataError(str(error).replace(f"{folder}{os.sep}", "")) from error
