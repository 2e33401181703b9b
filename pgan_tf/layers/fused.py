"""A 3x3 convolution and a resampling by two as one convolution with a 4x4 kernel, in forms of different speed.

`strided`: a convolution, or its transpose, with stride 2. `shuffled`: the same sums as a convolution with stride 1 and
a 2x2 kernel, since the four pixels of a 2x2 box can lie in four channels as well as in a square. `products`: as
strided, and of small images the gradients to the kernels are products of matrices, also where nothing is resampled.
Which one is faster, above all in its gradients, depends on the processor: see pgan_tf/resampling.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from pgan_tf.layers.products import kernel_gradient, with_kernel_gradient

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


def same(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """[N,H,W,in], [k,k,in,out] -> [N,H,W,out]."""
    return tf.nn.conv2d(x, kernel, 1, "SAME")


def same_transposed(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """[N,H,W,in], [k,k,out,in] -> [N,H,W,out]."""
    shape = [tf.shape(x)[0], *x.shape[1:3], kernel.shape[2]]
    return tf.nn.conv2d_transpose(x, kernel, shape, 1, "SAME")


def strided_kernel(x: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """[N,H,W,in] and the gradient [N,H/2,W/2,out] to its `strided_down` -> that to the kernel, [4,4,in,out]."""
    boxes = tf.nn.space_to_depth(tf.pad(x, BORDER), 2)  # [N,H/2+1,W/2+1,4in]
    kernel = kernel_gradient(boxes, gradient, 2, 0)  # [2,2,4in,out]
    kernel = tf.reshape(kernel, [2, 2, 2, 2, x.shape[3], gradient.shape[3]])  # as in `shuffled_down`
    return tf.reshape(tf.transpose(kernel, [0, 2, 1, 3, 4, 5]), [4, 4, x.shape[3], gradient.shape[3]])


SMALL = 8 * 8  # pixels of the smaller side, up to which products are faster
WIDE = 64  # feature maps on both sides, from which on they are
product_same, _ = with_kernel_gradient(same, same_transposed, lambda x, y: kernel_gradient(x, y, 3, 1))
product_down, product_up = with_kernel_gradient(strided_down, strided_up, strided_kernel)


def products_same(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """`same`; a kernel of one pixel is one product in any case."""
    return (product_same if _is_small(x, kernel) and kernel.shape[0] == 3 else same)(x, kernel)


def products_up(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    return (product_up if _is_small(x, kernel) else strided_up)(x, kernel)


def products_down(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    return (product_down if _is_small(x, kernel, 4 * SMALL) else strided_down)(x, kernel)


def _is_small(x: tf.Tensor, kernel: tf.Tensor, pixels: int = SMALL) -> bool:
    return x.shape[1] * x.shape[2] <= pixels and min(kernel.shape[2:]) >= WIDE


class Form(NamedTuple):
    up: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    down: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    same: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # without resampling


FORMS = {
    "strided": Form(strided_up, strided_down, same),
    "shuffled": Form(shuffled_up, shuffled_down, same),
    "products": Form(products_up, products_down, products_same),
}
