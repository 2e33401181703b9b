#!/usr/bin/env python3
"""Images per second of `generate.py images` beside the plain batched forward pass of the same network.

    python benchmarks/sampling.py NETWORK

Both run by turns, several times, so that a busy machine slows both; the medians are compared. Nothing else should run.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main(work: str) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", help="a run, a .keras file or an imported network")
    parser.add_argument("--num", type=int, default=512, help="images of one turn (default: 512)")
    parser.add_argument("--turns", type=int, default=9, help="of each (default: 9)")
    parser.add_argument("--format", choices=("none", "png", "webp", "records"), default="png",
                        help="none: pictures in memory")  # fmt: skip
    args = parser.parse_args()

    import tensorflow as tf

    from pgan_tf.inference.drawing import Drawing
    from pgan_tf.inference.load import load_generator
    from pgan_tf.inference.output import IMAGE_FORMATS

    drawing = Drawing(load_generator(Path(args.network)))
    network, batch = drawing.network, drawing.sampler.batch
    count = args.num // batch * batch
    latents, labels = drawing.latents(count), drawing.labels(count)
    shape = (network.resolution, network.resolution, network.num_channels)
    forward = tf.function(lambda latents, labels: network((latents, labels)))

    def plain() -> None:
        for begin in range(0, count, batch):
            forward(tf.constant(latents[begin : begin + batch]), tf.constant(labels[begin : begin + batch])).numpy()

    folders = (Path(work) / f"{i}" for i in itertools.count())

    def sampled() -> None:
        pictures = drawing.sampler.stream(latents, labels)
        if args.format == "none":
            for _ in pictures:
                pass
            return
        IMAGE_FORMATS[args.format](next(folders), pictures, labels, shape)

    seconds: dict[str, list[float]] = {"plain forward pass": [], f"sampling to {args.format}": []}
    for turn in range(args.turns + 1):
        for name, run in zip(seconds, (plain, sampled), strict=True):
            start = time.perf_counter()
            run()
            if turn:  # the first one warms up
                seconds[name].append(time.perf_counter() - start)
    plain_time, sampled_time = (statistics.median(times) for times in seconds.values())
    for name, times in seconds.items():
        print(f"{name:20} {count / statistics.median(times):8.1f} images/s")
    print(f"ratio of the medians {plain_time / sampled_time:8.3f}, batch {batch}, {shape}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        main(work)
