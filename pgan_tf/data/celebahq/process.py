"""A photograph and the landmarks of a face -> its 1024x1024 picture, as CelebA-HQ was processed before the deltas.

Bit for bit what Pillow 3.1.1, numpy 1.13 and scipy 1.0 gave; the steps are those in the appendix of the paper on
progressive growing (Karras et al., 2018).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pgan_tf.data.celebahq.blur import blur_frame
from pgan_tf.data.celebahq.geometry import (
    SIDE,
    Box,
    border_width,
    crop_box,
    enlargement,
    face_quad,
    moved,
    padding,
    shrinking,
)
from pgan_tf.data.celebahq.resample import resize, transform_quad
from pgan_tf.data.errors import DataError

_OVERSAMPLING = 4  # the quad is sampled at four times the final size


class Cutout(NamedTuple):
    """A picture and the square in it that will be cut out."""

    image: np.ndarray  # uint8 [H,W,3]
    quad: np.ndarray  # float32 [4,2]
    zoom: float  # pixels of the final picture for one of this
    border: int = 0  # pixels to keep around the square, in the picture before it is enlarged


def process(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """uint8 [H,W,3], landmarks [5,2] -> uint8 [1024,1024,3]. DataError if the landmarks leave nothing to cut out."""
    if image.ndim != 3 or image.shape[2] != 3:
        raise DataError(f"a picture of shape {list(image.shape)}; it must be RGB")
    cutout = start(image, landmarks)
    for step in (shrunk, cropped, enlarged, padded):
        cutout = step(cutout)
    return finished(cutout)


def start(image: np.ndarray, landmarks: np.ndarray) -> Cutout:
    """The whole picture. DataError if the landmarks span no square within reach of it."""
    with np.errstate(all="ignore"):
        quad, zoom = face_quad(landmarks)
    height, width = image.shape[:2]
    apart = (quad.max(axis=0) <= 0).any() or (quad.min(axis=0) >= (width, height)).any()
    if not np.isfinite(quad).all() or not 2.0**-6 < zoom < 2.0**10 or apart:
        raise DataError(f"the landmarks {np.asarray(landmarks).ravel().tolist()} mark no face in the picture")
    return Cutout(image, quad, zoom)


def shrunk(cutout: Cutout) -> Cutout:
    """Divided by a whole number, if the square is at least twice too large; from here on the border is known."""
    image, quad, zoom, _ = cutout
    factor = shrinking(zoom)
    if factor > 1:
        height, width = image.shape[:2]
        image = resize(image, round(width / factor), round(height / factor))
        quad, zoom = quad / np.float32(factor), zoom * factor
    return Cutout(image, quad, zoom, border_width(zoom))


def cropped(cutout: Cutout) -> Cutout:
    """Without what lies far from the square."""
    image, quad, zoom, border = cutout
    height, width = image.shape[:2]
    left, top, right, bottom = crop_box(quad, border, width, height)
    return Cutout(image[top:bottom, left:right], moved(quad, left, top), zoom, border)


def enlarged(cutout: Cutout) -> Cutout:
    """As large as the final picture or larger."""
    image, quad, zoom, border = cutout
    factor = enlargement(zoom)
    if factor < 2:
        return cutout
    height, width = image.shape[:2]
    return Cutout(resize(image, width * factor, height * factor), quad * np.float32(factor), zoom / factor, border)


def padded(cutout: Cutout) -> Cutout:
    """With mirrored edges that fade into a blur and then into the median colour, if the square reaches over an edge."""
    image, quad, zoom, border = cutout
    height, width = image.shape[:2]
    pad = padding(quad, border, zoom, width, height)
    if pad is None:
        return cutout
    image = mirrored(image, pad)
    for channel in range(3):
        plane = faded(image[..., channel], pad, SIDE * 0.02 / zoom)
        image[..., channel] = np.rint(plane).clip(0, 255)
    return Cutout(image, moved(quad, -pad[0], -pad[1]), zoom, border)


def finished(cutout: Cutout) -> np.ndarray:
    """uint8 [1024,1024,3]: what lies in the square."""
    side = SIDE * _OVERSAMPLING
    return resize(transform_quad(cutout.image, cutout.quad + np.float32(0.5), side, side), SIDE, SIDE)


def mirrored(image: np.ndarray, pad: Box) -> np.ndarray:
    """uint8 [H,W,C] -> [top+H+bottom,left+W+right,C], mirrored at the edge pixels as often as it takes."""
    height, width = image.shape[:2]
    left, top, right, bottom = pad
    rows, columns = _bounced(-top, height + bottom, height), _bounced(-left, width + right, width)
    return image[rows][:, columns]


def faded(plane: np.ndarray, pad: Box, sigma: float) -> np.ndarray:
    """uint8 [H,W] -> float32 [H,W]: towards the edges it turns into its blurred self, then into the median of that."""
    height, width = plane.shape
    down, across = _fade(height, pad[1], pad[3]), _fade(width, pad[0], pad[2])
    blur_down, blur_across = (_unit(fade * np.float32(3) + np.float32(1)) for fade in (down, across))
    sharp = plane.astype(np.float32)
    blurred = blur_frame(sharp, sigma, blur_down > 0, blur_across > 0)
    mixed = _blend(sharp, blurred, np.maximum(blur_down[:, None], blur_across))
    return _blend(mixed, np.median(mixed), np.maximum(_unit(down)[:, None], _unit(across)))


def _blend(plane: np.ndarray, other: np.ndarray | np.float32, share: np.ndarray) -> np.ndarray:
    """plane + (other - plane) * share, float32 [H,W]."""
    change = other - plane
    change *= share
    change += plane
    return change


def _fade(size: int, before: int, after: int) -> np.ndarray:
    """float32 [size]: 1 at both edges, 0 where the padding of `before` and `after` pixels ends, falling on inwards."""
    place = np.arange(size, dtype=np.float32)
    return np.float32(1) - np.minimum(place / np.float32(before), place[::-1] / np.float32(after))


def _unit(values: np.ndarray) -> np.ndarray:
    return values.clip(0, 1)


def _bounced(begin: int, end: int, size: int) -> np.ndarray:
    """Indices begin..end-1 brought into 0..size-1: ... 2 1 | 0 1 ... size-1 | size-2 ..."""
    if size == 1:
        return np.zeros(end - begin, np.intp)
    period = 2 * (size - 1)
    index = np.arange(begin, end) % period
    return np.minimum(index, period - index)
