"""A 3x3 convolution and a resampling by two as one convolution with a 4x4 kernel, in forms of different speed.

`strided`: a convolution, or its transpose, with stride 2. `shuffled`: the same sums as a convolution with stride 1 and
a 2x2 kernel, since the four pixels of a 2x2 box can lie in four channels as well as in a square. Which one is faster,
above all in its gradients, depends on the processor: see pgan_tf/resampling.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

BORDER = [(0, 0), (1, 1), (1, 1), (0, 0)]


def box_widened(weight: tf.Tensor) -> tf.Tensor:
    """[k,k,a,b] -> [k+1,k+1,a,b]: the kernel convolved with a 2x2 box of ones.

    Written with pads, whose gradients are slices; the gradient of a strided slice takes longer than the convolution.
    """
    shifts = [(0, 1), (1, 0)]
    return tf.add_n([tf.pad(weight, [rows, columns, (0, 0), (0, 0)]) for rows in shifts for columns in shifts])


def strided_up(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """[N,H,W,in], [4,4,out,in] -> [N,2H,2W,out]."""
    shape = [tf.shape(x)[0], 2 * x.shape[1], 2 * x.shape[2], kernel.shape[2]]
    return tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME")


def strided_down(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """[N,H,W,in], [4,4,in,out] -> [N,H/2,W/2,out]."""
    return tf.nn.conv2d(x, kernel, 2, "SAME")


def shuffled_up(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """`strided_up`: each 2x2 window of x gives four pixels of the result, those of another box than it lies in."""
    _, _, outputs, inputs = kernel.shape
    height, width = x.shape[1:3]
    # [window row, row of pixels in it, window column, column of pixels, out, in]
    kernel = tf.reshape(kernel, [2, 2, 2, 2, outputs, inputs])
    kernel = tf.reverse(tf.transpose(kernel, [0, 2, 5, 1, 3, 4]), [0, 1])
    kernel = tf.reshape(kernel, [2, 2, inputs, 4 * outputs])
    y = tf.nn.conv2d(tf.pad(x, BORDER), kernel, 1, "VALID")  # [N,H+1,W+1,4out]
    y = tf.nn.depth_to_space(y, 2)  # [N,2H+2,2W+2,out]
    return tf.slice(y, [0, 1, 1, 0], [-1, 2 * height, 2 * width, outputs])


def shuffled_down(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """`strided_down`: the 4x4 pixels under the kernel are 2x2 boxes."""
    _, _, inputs, outputs = kernel.shape
    # [box row, row of pixels in it, box column, column of pixels, in, out]
    kernel = tf.reshape(kernel, [2, 2, 2, 2, inputs, outputs])
    kernel = tf.reshape(tf.transpose(kernel, [0, 2, 1, 3, 4, 5]), [2, 2, 4 * inputs, outputs])
    x = tf.nn.space_to_depth(tf.pad(x, BORDER), 2)  # [N,H/2+1,W/2+1,4in]
    return tf.nn.conv2d(x, kernel, 1, "VALID")


class Form(NamedTuple):
    up: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    down: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


FORMS = {"strided": Form(strided_up, strided_down), "shuffled": Form(shuffled_up, shuffled_down)}
