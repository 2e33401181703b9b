"""Gradients of convolutions to their kernels as products of matrices: faster than the library's where images are small.

oneDNN's gradient to the kernel takes in half precision up to six times as long as the convolution itself, most where a
row of the image is shorter than the tiles that a processor with AMX multiplies. The same sums are one product for each
entry of the kernel's window, over all pixels of all images. See docs/speed.md for what that is worth where.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

Map = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def kernel_gradient(x: tf.Tensor, gradient: tf.Tensor, size: int, border: int) -> tf.Tensor:
    """[N,H,W,in] and the gradient [N,h,w,out] to its convolution -> that to the kernel, [size,size,in,out].

    The convolution has a stride of 1, and `border` pixels of zeros around x. Pixels lie row after row, with zeros
    between the rows, and the images side by side in each: so every shift of the window is a shift of the whole.
    """
    images, (height, width, inputs) = tf.shape(x)[0], x.shape[1:]
    rows, columns, outputs = gradient.shape[1:]
    pitch = columns + size - 1 - border  # what is shifted over the end of a row must meet zeros
    pixels = height * pitch * images
    x = tf.pad(tf.transpose(x, [3, 1, 2, 0]), [(0, 0), (0, 0), (0, pitch - width), (0, 0)])  # [in,H,pitch,N]
    x = tf.reshape(x, [inputs, pixels])
    above, below = size - border, height + border + 1 - rows  # one row more on each side: for shifts along the rows
    gradient = tf.pad(tf.transpose(gradient, [1, 2, 0, 3]), [(above, below), (0, pitch - columns), (0, 0), (0, 0)])
    gradient = tf.reshape(gradient, [-1, outputs])  # [rows*pitch*N,out]
    kernel = []
    for row in range(size):
        for column in range(size):
            first = ((above + border - row) * pitch + border - column) * images
            kernel.append(tf.matmul(x, tf.slice(gradient, [first, 0], [pixels, outputs])))  # [in,out]
    return tf.reshape(tf.stack(kernel), [size, size, inputs, outputs])


def with_kernel_gradient(convolution: Map, transposed: Map, to_kernel: Map) -> tuple[Map, Map]:
    """A convolution and its transpose, both (x, kernel) -> y, with `to_kernel` (x, gradient) in all their gradients.

    The three are one sum over x, kernel and y, by turns with one of them left open: of each the gradients are the
    other two, and so on as often as anybody derives.
    """

    @tf.custom_gradient
    def forward(x, kernel):
        return convolution(x, kernel), lambda y: (backward(y, kernel), kernels(x, y))

    @tf.custom_gradient
    def backward(y, kernel):
        return transposed(y, kernel), lambda x: (forward(x, kernel), kernels(x, y))

    @tf.custom_gradient
    def kernels(x, y):
        return to_kernel(x, y), lambda kernel: (backward(y, kernel), forward(x, kernel))

    return forward, backward
