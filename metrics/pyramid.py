"""Laplacian pyramids of images: what changes from one scale to the next (Burt and Adelson 1983)."""

from __future__ import annotations

import tensorflow as tf

BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
SMALLEST = 16  # the pyramid's coarsest level, in pixels; Karras et al. 2018, section 5


def levels(resolution: int) -> list[int]:
    """The resolutions of a pyramid from the image's own down to 16: [128, 64, 32, 16]."""
    return [resolution] if resolution < 2 * SMALLEST else [resolution, *levels(resolution // 2)]


def laplacian_pyramid(images: tf.Tensor) -> list[tf.Tensor]:
    """float32 [N,H,W,C] -> its levels, finest first; the last is a blurred image, the others are differences."""
    pyramid = [images]
    for _ in levels(images.shape[1])[1:]:
        smaller = shrink(pyramid[-1])
        pyramid[-1] -= enlarge(smaller)
        pyramid.append(smaller)
    return pyramid


def shrink(images: tf.Tensor) -> tf.Tensor:
    """[N,H,W,C] -> [N,H/2,W/2,C]: blurred by the binomial filter, every second pixel; borders are mirrored."""
    for axis in (1, 2):
        taps = _pairs(images, axis)  # padded with (2, 2): tap k of output i is pixel 2i + k
        half = images.shape[axis] // 2
        images = tf.add_n([weight * _cut(taps[k % 2], axis, k // 2, half) for k, weight in enumerate(BINOMIAL)])
    return images


def enlarge(images: tf.Tensor) -> tf.Tensor:
    """[N,H,W,C] -> [N,2H,2W,C]: zeros between the pixels, then the binomial filter times two per axis."""
    for axis in (1, 2):
        size = images.shape[axis]
        # Mirroring the zero-filled image mirrors its pixels: -1 is pixel 1, and behind the end stands the last one.
        padded = tf.concat([_cut(images, axis, 1, 1), images, _cut(images, axis, size - 1, 1)], axis)
        before, here, after = (_cut(padded, axis, k, size) for k in range(3))
        even = (before + after) * (2 * BINOMIAL[0]) + here * (2 * BINOMIAL[2])
        odd = (here + after) * (2 * BINOMIAL[1])
        shape = tf.shape(images)
        doubled = tf.concat([shape[:axis], [2 * size], shape[axis + 1 :]], 0)
        images = tf.reshape(tf.stack([even, odd], axis + 1), doubled)
    return images


def _pairs(images: tf.Tensor, axis: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The even and the odd rows (axis 1) or columns (2) of the images with two mirrored ones at each end."""
    padding = [[0, 0]] * 4
    padding[axis] = [2, 2]
    padded = tf.pad(images, padding, "REFLECT")
    shape = tf.shape(padded)
    half = padded.shape[axis] // 2
    split = tf.reshape(padded, tf.concat([shape[:axis], [half, 2], shape[axis + 1 :]], 0))
    even, odd = tf.unstack(split, num=2, axis=axis + 1)
    return even, odd


def _cut(images: tf.Tensor, axis: int, start: int, size: int) -> tf.Tensor:
    begin, extent = [0] * 4, [-1] * 4
    begin[axis], extent[axis] = start, size
    return tf.slice(images, begin, extent)
