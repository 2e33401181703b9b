"""All that can be known to go wrong before the first picture is made."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple

from pgan_tf.data.celebahq.decode import decode_jpeg, pixels_md5
from pgan_tf.data.celebahq.deltas import delta_name, zip_name
from pgan_tf.data.celebahq.geometry import SIDE
from pgan_tf.data.celebahq.listing import Entry
from pgan_tf.data.celebahq.work import WorkFolder
from pgan_tf.data.errors import DataError
from pgan_tf.data.pyramid import LOWEST

PICTURES = 30_000
FIRST_JPEG = "000001.jpg"
FIRST_JPEG_MD5 = "9cad8178d6cb0196b36f7b34bc5eb6d3"  # of its pixels, published by the makers of CelebA-HQ
JPEG_FOLDERS = ("img_celeba", "Img/img_celeba")  # as the makers of CelebA-HQ had it, as it is distributed
LANDMARKS = "Anno/list_landmarks_celeba.txt"
IMAGE_LIST = "image_list.txt"
_WORK_SHARE = 0.5  # a photograph's PNG, of its pixels' bytes

Landmarks = list[tuple[str, tuple[int, ...]]]  # file name and 5 points of each row


class Inputs(NamedTuple):
    """Where everything is."""

    jpegs: Path
    landmarks: Path
    image_list: Path
    deltas: Path  # the folder of the archives


def check_resolution(resolution: int) -> None:
    """Raises DataError."""
    if not LOWEST <= resolution <= SIDE or resolution & (resolution - 1):
        raise DataError(f"--resolution={resolution}: must be a power of two, {LOWEST} to {SIDE}")


def find_inputs(celeba: Path, deltas: Path) -> Inputs:
    """DataError, with a line for each, if something is missing without which nothing can be said."""
    folders = [celeba / name for name in JPEG_FOLDERS if (celeba / name).is_dir()]
    inputs = Inputs(folders[0] if folders else celeba, celeba / LANDMARKS, deltas / IMAGE_LIST, deltas)
    missing = [] if folders else [f"{celeba / JPEG_FOLDERS[0]}: no such folder; unpack CelebA's img_celeba there"]
    if not inputs.landmarks.is_file():
        missing.append(f"{inputs.landmarks}: no such file; it comes with CelebA")
    if not inputs.image_list.is_file():
        missing.append(f"{inputs.image_list}: no such file; it comes with the deltas of CelebA-HQ")
    if missing:
        raise DataError("\n".join(missing))
    return inputs


def check_inputs(inputs: Inputs, entries: list[Entry], landmarks: Landmarks) -> tuple[list[str], list[Entry]]:
    """(a line for each thing that is missing, the entries that lack nothing)."""
    names = set(os.listdir(inputs.jpegs))
    archives = {name: _zip_content(inputs.deltas / name) for name in {zip_name(entry.index) for entry in entries}}
    lacks = {  # what a line says: the entries that it is true of
        f"{inputs.jpegs}: lacks {{}}; unpack all of img_celeba":
            [e for e in entries if e.file not in names],
        f"{inputs.landmarks}: not the landmarks of {{}}; take the file that comes with CelebA":
            [e for e in entries if e.landmark_row >= len(landmarks) or landmarks[e.landmark_row][0] != e.file],
        f"{inputs.deltas}: lacks the archives, or they are damaged, for {{}}; fetch deltas00000.zip and so on":
            [e for e in entries if archives[zip_name(e.index)] is None],
        f"{inputs.deltas}: the archives lack the deltas of {{}}; fetch them again":
            [e for e in entries if delta_name(e.index) not in (archives[zip_name(e.index)] or [delta_name(e.index)])],
    }  # fmt: skip
    problems = [text.format(_some(lacking)) for text, lacking in lacks.items() if lacking]
    if len(entries) != PICTURES:
        problems.insert(0, f"{inputs.image_list}: has {len(entries)} rows, the whole list {PICTURES}; fetch it again")
    bad = {entry.index for lacking in lacks.values() for entry in lacking}
    return problems, [entry for entry in entries if entry.index not in bad]


def check_decoder(path: Path) -> None:
    """DataError unless this file has the pixels that it had for the makers of CelebA-HQ."""
    md5 = pixels_md5(decode_jpeg(path))
    if md5 != FIRST_JPEG_MD5:
        raise DataError(
            f"{path}: its pixels have the md5 {md5}, not {FIRST_JPEG_MD5}; take the original file of CelebA's"
            " img_celeba (not img_align_celeba); if it is the original, the decoder is wrong here"
        )


def check_space(out: str | os.PathLike, entries: list[Entry], work: WorkFolder) -> None:
    """DataError if the disk cannot hold the data set and the finished pictures beside it."""
    picture = 3 * work.resolution**2
    unfinished = sum(not work.has(entry.index, entry.final_md5) for entry in entries)
    needed = round(len(entries) * picture * 4 / 3 + unfinished * picture * _WORK_SHARE)
    place = next(folder for folder in Path(out).resolve().parents if folder.is_dir())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise DataError(
            f"{place}: {free / 1e9:.1f} GB are free, {needed / 1e9:.1f} GB are needed; choose another disk or a lower"
            " --resolution"
        )


def _zip_content(path: Path) -> frozenset[str] | None:
    """The names in an archive; None if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return frozenset(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return None


def _some(entries: list[Entry], limit: int = 3) -> str:
    names = ", ".join(entry.label for entry in entries[:limit])
    return f"{len(entries)} pictures: {names}" + (" ..." if len(entries) > limit else "")
