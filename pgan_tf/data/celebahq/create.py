"""CelebA-HQ from CelebA and the published deltas, bit for bit, on today's Python."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf.data.celebahq.checks import (
    FIRST_JPEG,
    Inputs,
    check_decoder,
    check_inputs,
    check_resolution,
    check_space,
    find_inputs,
)
from pgan_tf.data.celebahq.decode import cut_off, decode_jpeg, require_jpeglib
from pgan_tf.data.celebahq.deltas import picture_md5, read_delta, require_cryptography, zip_name
from pgan_tf.data.celebahq.geometry import SIDE
from pgan_tf.data.celebahq.listing import Entry, read_image_list, read_landmarks
from pgan_tf.data.celebahq.process import process
from pgan_tf.data.celebahq.work import WorkFolder
from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.pyramid import pyramid
from pgan_tf.data.source import Picture, PictureSource

_BLAS_THREADS = "OPENBLAS_NUM_THREADS"


class Options(NamedTuple):
    """How CelebA-HQ becomes a data set; the flags of the command line, spelled as they are there."""

    resolution: int = SIDE
    allow_partial: bool = False  # leave out what is missing or wrong instead of stopping
    output: Output = Output()


class Item(NamedTuple):
    """All that a worker needs to know of one picture."""

    entry: Entry
    landmarks: tuple[int, ...]


def create_celebahq(
    out: str | os.PathLike, celeba: str | os.PathLike, deltas: str | os.PathLike, options: Options
) -> Report:
    """Makes the data set `out` of CelebA-HQ, from the folder of CelebA and that of the deltas and image_list.txt.

    The pictures are made at 1024x1024 and checked there; for a smaller resolution their means of 2x2 boxes, cascaded in
    float32 and then rounded, are the pictures of the data set, and the levels below are made of those. Finished ones
    stay in a hidden folder beside `out` until all is done: after an interruption the same call goes on from there and
    makes the same files.

    Raises DataError: one line for each thing that is missing, before anything is written; or the picture and the step
    that went wrong.
    """
    check_new_folder(out)
    source, work = celebahq_source(out, celeba, deltas, options)
    check_space(out, [item.entry for item in source.items], work)
    work.create()
    with _one_blas_thread():
        try:
            report = write(
                out, source, options.output._replace(strict=options.output.strict or not options.allow_partial)
            )
        except DataError as error:
            kept = f"finished pictures are kept in {work.folder}; run the command again to go on from there"
            raise DataError(f"{str(error).removesuffix(' (--strict)')}; {kept}") from error
    work.remove()
    return report


def celebahq_source(
    out: str | os.PathLike, celeba: str | os.PathLike, deltas: str | os.PathLike, options: Options
) -> tuple[PictureSource, WorkFolder]:
    """The pictures, and the folder where those finished are kept; any engine can write them. Writes nothing itself.

    Checks all that can be known before the first picture. Raises DataError, with a line for each problem.
    """
    check_resolution(options.resolution)
    require_jpeglib()
    require_cryptography()
    inputs = find_inputs(Path(celeba), Path(deltas))
    entries, landmarks = read_image_list(inputs.image_list), read_landmarks(inputs.landmarks)
    problems, usable = check_inputs(inputs, entries, landmarks)
    first = inputs.jpegs / FIRST_JPEG
    if first.exists():
        check_decoder(first)
    else:
        problems.append(f"{first}: no such file; it shows whether files are decoded rightly here")
    if problems and not (options.allow_partial and usable):
        raise DataError("\n".join(problems) + ("; --allow_partial takes what is there" if usable else ""))
    items = [Item(entry, landmarks[entry.landmark_row][1]) for entry in usable]
    work = WorkFolder(out, options.resolution)
    done = sum(work.has(entry.index, entry.final_md5) for entry in usable)
    source = PictureSource(
        f"CelebA-HQ of {celeba} and {deltas} ({len(items)} pictures)", options.resolution, 3, items,
        partial(load_picture, inputs=inputs, work=work), name=_name,
        notes=[*problems, *([f"{done} pictures were finished by an earlier run"] if done else [])],
    )  # fmt: skip
    return source, work


def load_picture(item: Item, inputs: Inputs, work: WorkFolder) -> Picture:
    """Runs in a worker: takes the finished picture or makes it. DataError says which step went wrong."""
    entry = item.entry
    pixels = work.load(entry.index, entry.final_md5)
    if pixels is None:
        pixels = reduced(make_picture(item, inputs), work.resolution)
        work.save(entry.index, entry.final_md5, pixels)
    return Picture(pixels)


def make_picture(item: Item, inputs: Inputs) -> np.ndarray:
    """uint8 [1024,1024,3], a picture of CelebA-HQ, proven by its md5. Raises DataError."""
    entry, path = item.entry, inputs.jpegs / item.entry.file
    processed = process(decode_jpeg(path), np.reshape(item.landmarks, (5, 2)))
    if picture_md5(processed) != entry.processed_md5:
        reason = "is cut off" if cut_off(path) else "or its landmarks are not the original ones"
        raise DataError(f"processed: not the md5 of image_list.txt; {path} {reason}")
    delta = read_delta(inputs.deltas, entry.index, path.read_bytes(), entry.file)
    final = processed + delta  # wraps around
    if picture_md5(final) != entry.final_md5:
        raise DataError(f"final: not the md5 of image_list.txt; {zip_name(entry.index)} is not the original one")
    return final


def reduced(picture: np.ndarray, resolution: int) -> np.ndarray:
    """uint8 [R,R,3] -> uint8 [resolution,resolution,3], as that level of the pyramid has it."""
    return pyramid(picture)[resolution]


def _name(item: Item) -> str:
    return f"picture {item.entry.label}"


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """For the worker processes started in this block: there is one for each core already."""
    before = os.environ.get(_BLAS_THREADS)
    os.environ[_BLAS_THREADS] = before or "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_BLAS_THREADS]
