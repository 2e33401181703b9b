"""A face cut out upright: Karras et al. 2018, appendix C, in today's numpy and Pillow.

The points of the face give an oriented square; what lies beyond the picture's edge is mirrored and blurred. Coordinates
are continuous here, x to the right and y down: pixel i covers i to i + 1.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageFilter

from pgan_tf.data.errors import DataError

_OVERSAMPLING = 4  # the square is sampled so much finer than it is stored
_BORDER = 0.1  # of the square's side, kept around it while it is cut out
_PADDING = 0.3  # of the side, mirrored at every edge when the square reaches beyond one
_BLUR = 0.02  # of the side: standard deviation of the blur of what is mirrored
_NEAR = 4  # pixels; a square that comes so close to an edge counts as reaching it
_LARGEST = 4  # the square's side over the picture's longer side


def face_square(points: np.ndarray) -> np.ndarray:
    """Five points [5,2] in pixel indices (eyes, nose, corners of the mouth) -> corners float64 [4,2]: NW, SW, SE, NE.

    The x axis is the eyes' direction and the perpendicular of eyes to mouth, averaged; the half side is the greater of
    2 eye distances and 1.8 distances from eyes to mouth; the centre is a tenth of the way from the eyes to the mouth.
    DataError if the points have no extent.
    """
    left, right, _, mouth_left, mouth_right = np.asarray(points, np.float64) + 0.5
    eyes, mouth = (left + right) / 2, (mouth_left + mouth_right) / 2
    across, down = right - left, mouth - eyes
    x = across - _quarter_turn(down)
    if np.hypot(*x) < 1:
        raise DataError("the five points of the face have no extent, or eyes and mouth stand the wrong way round")
    x *= max(2 * np.hypot(*across), 1.8 * np.hypot(*down)) / np.hypot(*x)
    y, centre = _quarter_turn(x), eyes + 0.1 * down
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


def align(picture: np.ndarray, points: np.ndarray, size: int) -> np.ndarray:
    """uint8 [H,W,3] and the points [5,2] of a face in it -> uint8 [size,size,3].

    DataError if the points cannot be those of a face in this picture.
    """
    square = face_square(points)
    _check_inside(picture, square)
    image, square = _shrink(Image.fromarray(picture), square, size)
    image, square = _crop(image, square)
    image, square = _enlarge(image, square, size)
    image, square = _pad(image, square)
    fine = (_OVERSAMPLING * size,) * 2
    image = image.transform(fine, Image.Transform.QUAD, square.ravel().tolist(), Image.Resampling.BILINEAR)
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))


def _check_inside(picture: np.ndarray, square: np.ndarray) -> None:
    height, width = picture.shape[:2]
    x, y = square.mean(axis=0)
    if not (0 <= x <= width and 0 <= y <= height) or _side(square) > _LARGEST * max(width, height):
        raise DataError(f"the points of the face do not belong to this picture of {width}x{height} pixels")


def _shrink(image: Image.Image, square: np.ndarray, size: int) -> tuple[Image.Image, np.ndarray]:
    """By a whole number, where the square has more than four pixels for one of the result's."""
    factor = math.floor(0.5 * _side(square) / size)
    return _resized(image, square, 1 / factor) if factor > 1 else (image, square)


def _enlarge(image: Image.Image, square: np.ndarray, size: int) -> tuple[Image.Image, np.ndarray]:
    """By a power of two, where the square has fewer pixels than the result: smoother than what samples it next."""
    factor = 2 ** math.ceil(math.log2(size / _side(square)))
    return _resized(image, square, factor) if factor > 1 else (image, square)


def _resized(image: Image.Image, square: np.ndarray, factor: float) -> tuple[Image.Image, np.ndarray]:
    size = [max(1, round(side * factor)) for side in image.size]
    return image.resize(size, Image.Resampling.LANCZOS), square * (np.array(size) / image.size)


def _crop(image: Image.Image, square: np.ndarray) -> tuple[Image.Image, np.ndarray]:
    """To the square and a border: all that follows costs less."""
    border = _border(square)
    left, top = np.maximum(np.floor(square.min(axis=0)) - border, 0).astype(int)
    right, bottom = np.minimum(np.ceil(square.max(axis=0)) + border, image.size).astype(int)
    return image.crop((int(left), int(top), int(right), int(bottom))), square - np.array([left, top])


def _pad(image: Image.Image, square: np.ndarray) -> tuple[Image.Image, np.ndarray]:
    """Mirrors the picture at its edges where the square reaches beyond one, and hides the mirror in a blur.

    From a third of the padding within the picture outward the blur comes in, from the edge outward the median colour.
    """
    border = _border(square)
    before = np.maximum(np.ceil(-square.min(axis=0)) + border, 0)  # left, top
    after = np.maximum(np.ceil(square.max(axis=0) - image.size) + border, 0)  # right, bottom
    if max(*before, *after) <= border - _NEAR:
        return image, square
    least = round(_PADDING * _side(square))
    left, top = np.maximum(before, least).astype(int)
    right, bottom = np.maximum(after, least).astype(int)
    padded = np.pad(np.asarray(image), ((top, bottom), (left, right), (0, 0)), mode="reflect")  # [H,W,3]
    far = _farness(padded.shape[:2], (left, top, right, bottom))[..., None]  # [H,W,1]
    blurred = Image.fromarray(padded).filter(ImageFilter.GaussianBlur(_BLUR * _side(square)))
    mixed = _blend(padded.astype(np.float32), np.asarray(blurred), np.clip(3 * far + 1, 0, 1))
    mixed = _blend(mixed, np.median(mixed, axis=(0, 1)), np.clip(far, 0, 1))
    return Image.fromarray(np.rint(mixed).clip(0, 255).astype(np.uint8)), square + np.array([left, top])


def _farness(shape: tuple[int, int], padding: tuple[int, int, int, int]) -> np.ndarray:
    """float32 [H,W]: 1 at the padded picture's edges, 0 where the true picture begins, falling further inside."""
    (height, width), (left, top, right, bottom) = shape, padding
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    across = np.minimum(x / left, x[::-1] / right)
    down = np.minimum(y / top, y[::-1] / bottom)
    return 1 - np.minimum(across, down)


def _blend(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return a + (b - a) * weight


def _side(square: np.ndarray) -> float:
    return float(np.hypot(*(square[3] - square[0])))


def _border(square: np.ndarray) -> int:
    return max(round(_BORDER * _side(square)), 3)


def _quarter_turn(vector: np.ndarray) -> np.ndarray:
    """Of x to y: clockwise as one looks at a picture."""
    return np.array([-vector[1], vector[0]])
