#!/usr/bin/env python3
"""Processor time of convolutions in all forms of layers/fused.py, with their gradients: milliseconds.

    python benchmarks/resampling.py
    python benchmarks/resampling.py --precision=bfloat16 --images=64 --maps=256 --side=4

`up` and `down` resample between this side and twice as many pixels, `same` stays at it; what else runs on the machine
does not count.
"""

from __future__ import annotations

import argparse
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--maps", type=int, default=128, help="feature maps on both sides (default: 128)")
    parser.add_argument("--side", type=int, default=8, help="of the smaller images (default: 8)")
    args = parser.parse_args()

    def random(*shape: int) -> tf.Tensor:
        return tf.cast(tf.random.stateless_normal(shape, [1, 2]), args.precision)

    for way, side, window in (("same", args.side, 3), ("down", 2 * args.side, 4), ("up", args.side, 4)):
        images, kernel = random(args.images, side, side, args.maps), random(window, window, args.maps, args.maps)
        steps = {name: partial(gradients, getattr(form, way), images, kernel) for name, form in FORMS.items()}
        best = probe.seconds(steps, budget=2)
        print(f"{way}: " + ", ".join(f"{name} {1000 * seconds:.2f}" for name, seconds in best.items()))


if __name__ == "__main__":
    main()
