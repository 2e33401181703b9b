"""A high-quality data set of faces from ordinary pictures: find, cut out, rank, keep the best."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgan_tf.data.creation_report import Report
from pgan_tf.data.engine import Output, write
from pgan_tf.data.errors import DataError
from pgan_tf.data.faces import quality
from pgan_tf.data.faces.align import align
from pgan_tf.data.faces.detect import find_faces
from pgan_tf.data.faces.landmarks import Face, read_landmarks, write_landmarks
from pgan_tf.data.faces.sheet import write_sheet
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.parallel import ordered_map
from pgan_tf.data.source import Picture, PictureSource
from pgan_tf.data.sources.listing import list_folder
from pgan_tf.data.sources.picture import read_picture
from pgan_tf.data.writer import is_resolution
from pgan_tf.files import new_file
from pgan_tf.progress import track


class FaceOptions(NamedTuple):
    """Which faces become a data set; the flags of the command line, spelled as they are there."""

    landmarks: str | os.PathLike | None = None  # a file of five points a face; None: find them by mtcnn
    num: int | None = None  # keep so many, the best; None: all
    resolution: int = 1024


class Ranked(NamedTuple):
    """Faces, best first, and their scores (quality.py)."""

    faces: list[Face]
    scores: list[float]


def create_from_faces(
    out: str | os.PathLike, folder: str | os.PathLike, options: FaceOptions, output: Output
) -> Report:
    """Makes the data set `out` of the best faces in the pictures of `folder` and below it.

    Every face is cut out twice: first for its score, then, if it is kept, for the data set, in the order of the files
    (or of the file of landmarks). In the folder go also <name>-quality.png, a contact sheet of the best and the worst,
    and <name>-quality.txt, the scores. Points that were found go to <out>-landmarks.txt before anything else is done:
    they can be corrected and given back. Raises DataError.
    """
    check_new_folder(out)
    _check(folder, options)
    report = Report(source=f"the faces in {folder}")
    faces = _read(Path(folder), options.landmarks, report) if options.landmarks else _find(out, Path(folder), report)
    load = partial(load_face, folder=Path(folder), resolution=options.resolution)
    ranked = rank(faces, load, output, report)
    kept = len(ranked.faces) if options.num is None else options.num
    if kept > len(ranked.faces):
        raise DataError(f"--num={kept}: only {len(ranked.faces)} faces of {folder} can be made")
    best = set(ranked.faces[:kept])
    source = PictureSource(
        f"the faces in {folder}: the best {kept} of {len(ranked.faces)}", options.resolution, 3,
        [face for face in faces if face in best], partial(_picture, load=load), name=_name, notes=report.notes,
    )  # fmt: skip
    written = write(out, source, output._replace(strict=True))
    written.skipped += report.skipped
    stem = Path(out) / Path(out).resolve().name
    _write_scores(Path(f"{stem}-quality.txt"), ranked)
    write_sheet(Path(f"{stem}-quality.png"), *ranked, kept, load, output.workers)
    written.notes.append(f"look at {stem}-quality.png: the best and the worst faces")
    return written


def rank(faces: list[Face], load: Callable[[Face], np.ndarray], output: Output, report: Report) -> Ranked:
    """Best first; faces that cannot be cut out are left out and reported (DataError if `output` is strict).

    load: a face -> uint8 [R,R,3], picklable.
    """
    measured = ordered_map(partial(_measure, load=load), faces, output.workers, chunk=1)
    good, spectra = [], []
    for face, found in zip(faces, track(measured, len(faces), "ranking"), strict=True):
        if isinstance(found, str):
            if output.strict:
                raise DataError(f"{face.file}: {found} (--strict)")
            report.skipped.append((face.file, found))
            continue
        good.append(face)
        spectra.append(found)
    if not good:
        raise DataError(f"{report.source}: none of the {len(faces)} can be made ({': '.join(report.skipped[0])})")
    scores = quality.scores(np.stack(spectra))  # [N]
    order = np.argsort(-scores, kind="stable")
    return Ranked([good[i] for i in order], scores[order].tolist())


def load_face(face: Face, folder: Path, resolution: int) -> np.ndarray:
    """Cuts a face out of its picture: uint8 [resolution, resolution, 3]. Runs in a worker."""
    return align(read_picture(folder / face.file, channels=3), face.points, resolution)


def _check(folder: str | os.PathLike, options: FaceOptions) -> None:
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no such folder")
    if not is_resolution(options.resolution) or options.resolution < quality.LEAST_RESOLUTION:
        raise DataError(f"--resolution={options.resolution}: must be a power of two, 64 to 8192; smaller have no rank")
    if options.num is not None and options.num < 1:
        raise DataError(f"--num={options.num}: must be 1 or more")


def _find(out: str | os.PathLike, folder: Path, report: Report) -> list[Face]:
    files = list_folder(folder).paths
    faces, missed = find_faces(folder, files)
    if not faces:
        raise DataError(f"{folder}: no face was found in its {len(files)} pictures; give their points by --landmarks")
    path = Path(out).resolve()
    landmarks = path.with_name(f"{path.name}-landmarks.txt")
    landmarks.parent.mkdir(parents=True, exist_ok=True)
    write_landmarks(landmarks, faces)
    report.skipped += missed
    report.notes.append(f"{len(faces)} faces were found in {len(files)} pictures; their points: {landmarks}")
    return faces


def _read(folder: Path, landmarks: str | os.PathLike, report: Report) -> list[Face]:
    faces = list(dict.fromkeys(_with_slashes(face, folder) for face in read_landmarks(landmarks)))
    there = [face for face in faces if (folder / face.file).is_file()]
    if not there:
        raise DataError(f"{folder}: holds none of the pictures of {landmarks} ({faces[0].file} is the first)")
    if len(there) < len(faces):
        report.notes.append(f"{len(faces) - len(there)} faces of {landmarks} have no picture in {folder}")
    return there


def _with_slashes(face: Face, folder: Path) -> Face:
    """The file of landmarks may be from Windows."""
    return face if (folder / face.file).is_file() else face._replace(file=face.file.replace("\\", "/"))


def _measure(face: Face, load: Callable[[Face], np.ndarray]) -> np.ndarray | str:
    """Runs in a worker: the spectrum of a face, or the reason why there is none."""
    try:
        return quality.spectrum(load(face))
    except Exception as error:  # decoders raise anything
        return (str(error).splitlines() or [type(error).__name__])[0]


def _picture(face: Face, load: Callable[[Face], np.ndarray]) -> Picture:
    """Runs in a worker."""
    return Picture(load(face))


def _name(face: Face) -> str:
    return face.file


def _write_scores(path: Path, ranked: Ranked) -> None:
    rows = [f"{place} {score:+.4f} {face.file}\n" for place, (face, score) in enumerate(zip(*ranked, strict=True), 1)]
    with new_file(path) as temporary:
        temporary.write_text("".join(rows), encoding="utf-8")
