#!/usr/bin/env python3
"""Processor time of the resampling convolutions in all forms, with their gradients: python benchmarks/resampling.py.

Of 16 images of 128 maps, 8x8 to 16x16 and back, float32; what else runs on the machine does not count.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import tensorflow as tf

from pgan_tf import probe
from pgan_tf.layers.fused import FORMS


@tf.function
def gradients(convolution, images, kernel):
    with tf.GradientTape() as tape:
        tape.watch([images, kernel])
        result = convolution(images, kernel)
    return [tf.reduce_sum(g) for g in tape.gradient(result, [images, kernel], output_gradients=result)]


def main() -> None:
    kernel = tf.random.stateless_normal([4, 4, 128, 128], [1, 2])
    images = {"up": tf.random.stateless_normal([16, 8, 8, 128], [3, 4]),
              "down": tf.random.stateless_normal([16, 16, 16, 128], [5, 6])}  # fmt: skip
    steps = {
        f"{way}, {name}": partial(gradients, getattr(form, way), images[way], kernel)
        for way in images
        for name, form in FORMS.items()
    }
    for name, seconds in probe.seconds(steps, budget=5).items():
        print(f"{name}: {1000 * seconds:.1f} ms")


if __name__ == "__main__":
    main()
