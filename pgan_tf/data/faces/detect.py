"""Faces and their five points found by MTCNN (Zhang et al. 2016, arXiv 1604.02878; the PyPI package mtcnn)."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pgan_tf.data.errors import DataError
from pgan_tf.data.faces.landmarks import Face
from pgan_tf.data.sources.picture import read_picture
from pgan_tf.progress import track

LEAST_CONFIDENCE = 0.95  # below it, most of what is found is no face
_LONGEST_SIDE = 2048  # pixels; a larger picture is searched at this size
_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")  # in the order of landmarks.POINTS


def find_faces(
    folder: str | os.PathLike, files: Sequence[str], least_confidence: float = LEAST_CONFIDENCE
) -> tuple[list[Face], list[tuple[str, str]]]:
    """All faces in the pictures `files` of `folder`, in their order, and (file, reason) of pictures without any.

    A confidence is 0..1. Raises DataError without the package mtcnn.
    """
    detector = _detector()
    faces: list[Face] = []
    skipped = []
    for file in track(files, len(files), "finding faces"):
        try:
            found = list(_faces(detector, read_picture(Path(folder, file), channels=3), file, least_confidence))
        except Exception as error:  # decoders raise anything
            skipped.append((file, (str(error).splitlines() or [type(error).__name__])[0]))
            continue
        faces += found
        if not found:
            skipped.append((file, "no face was found"))
    return faces, skipped


def _detector():
    if importlib.util.find_spec("mtcnn") is None:
        raise DataError(
            "finding faces needs the package mtcnn: pip install 'pgan_tf[faces]'; or give their points by --landmarks"
        )
    from pgan_tf.quiet import import_tensorflow_quietly

    import_tensorflow_quietly()
    from mtcnn import MTCNN

    return MTCNN()


def _faces(detector, picture: np.ndarray, file: str, least_confidence: float) -> Iterator[Face]:
    """uint8 [H,W,3] -> its faces from left to right."""
    factor = max(1.0, max(picture.shape[:2]) / _LONGEST_SIDE)
    if factor > 1:
        size = round(picture.shape[1] / factor), round(picture.shape[0] / factor)
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    for face in sorted(detector.detect_faces(picture), key=lambda face: list(face["box"])):
        if face["confidence"] >= least_confidence:
            points = np.array([face["keypoints"][name] for name in _POINTS], float)  # [5,2] x, y
            yield Face(file, tuple(((points + 0.5) * factor - 0.5).ravel().tolist()))
