"""Where the face is: landmarks -> the square to cut out, and what to crop and pad around it.

Quadrangles are float32, as they were with numpy 1; what it computed in double is double here, whatever numpy's rules of
promotion are today. Boxes and paddings are (left, top, right, bottom) in whole pixels.
"""

from __future__ import annotations

import math

import numpy as np

f32 = np.float32

SIDE = 1024  # of the final picture

Box = tuple[int, int, int, int]


def face_quad(landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Landmarks [5,2] -> (corners NW, SW, SE, NE of the square around the face, float32 [4,2]; its zoom).

    The landmarks: x and y of the left eye, right eye, nose, left and right end of the mouth. Zoom: pixels of the final
    picture for one of this. From the appendix of the paper on progressive growing (Karras et al., 2018).
    """
    points = np.asarray(landmarks, f32).reshape(5, 2)
    eyes = (points[0] + points[1]) * f32(0.5) + f32(0.5)
    mouth = (points[3] + points[4]) * f32(0.5) + f32(0.5)
    eye_to_eye, eye_to_mouth = points[1] - points[0], mouth - eyes
    x = eye_to_eye - _rotate(eye_to_mouth)
    x = x / _length(x)
    x = x * f32(max(float(_length(eye_to_eye)) * 2.0, float(_length(eye_to_mouth)) * 1.8))
    y = _rotate(x)
    center = eyes + eye_to_mouth * f32(0.1)
    quad = np.stack([center - x - y, center - x + y, center + x + y, center + x - y])
    return quad, SIDE / (float(_length(x)) * 2)


def shrinking(zoom: float) -> int:
    """By which whole number a picture is to be divided first; below 2: not at all."""
    return math.floor(0.5 / zoom)


def enlargement(zoom: float) -> int:
    """The power of two to enlarge by, so that the square has at least the final size; below 2: not at all."""
    return int(2.0 ** math.ceil(math.log2(zoom)))


def border_width(zoom: float) -> int:
    """What is kept around the square: a tenth of its side, at least 3 pixels."""
    return max(round(SIDE * 0.1 / zoom), 3)


def crop_box(quad: np.ndarray, border: int, width: int, height: int) -> Box:
    """The square's bounding box and a border, as far as the picture has them."""
    left, top, right, bottom = bounding_box(quad)
    return max(left - border, 0), max(top - border, 0), min(right + border, width), min(bottom + border, height)


def padding(quad: np.ndarray, border: int, zoom: float, width: int, height: int) -> Box | None:
    """What to add on each side of a picture; None if the border nearly fits. All sides are padded when one needs it."""
    left, top, right, bottom = bounding_box(quad)
    missing = (-left + border, -top + border, right - width + border, bottom - height + border)
    if max(*missing, 0) <= border - 4:
        return None
    least = round(SIDE * 0.3 / zoom)
    return tuple(max(side, least) for side in missing)


def moved(quad: np.ndarray, x: int, y: int) -> np.ndarray:
    """The quad, float32 [4,2], seen from the point (x, y)."""
    return (quad.astype(np.float64) - (x, y)).astype(f32)


def bounding_box(quad: np.ndarray) -> Box:
    """The whole pixels around a quad."""
    left, top = (math.floor(value) for value in quad.min(axis=0))
    right, bottom = (math.ceil(value) for value in quad.max(axis=0))
    return left, top, right, bottom


def _rotate(v: np.ndarray) -> np.ndarray:
    return np.array([-v[1], v[0]], f32)


def _length(v: np.ndarray) -> np.float32:
    return f32(math.sqrt(float(v[0]) ** 2 + float(v[1]) ** 2))
