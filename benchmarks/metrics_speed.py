#!/usr/bin/env python3
"""How fast are the metrics' parts? Run it on an idle machine: python benchmarks/metrics_speed.py

The Inception network has made-up weights (tests/inception_recipe.py): the time is that of the real ones.
"""

import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def report(what: str, work, amount: float = 0, unit: str = "") -> None:
    work()  # trace, warm up
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    print(f"| {what} | {seconds:.2f} s |" + (f" {amount / seconds:.1f} {unit} |" if amount else " |"), flush=True)


def features(name: str, images: int, weights=None) -> None:
    from pgan_tf.metrics import extractors
    from pgan_tf.metrics.features import extract

    extractor = extractors.load(name, weights)
    pictures = np.random.default_rng(0).integers(0, 256, (images, 64, 64, 3), np.uint8)
    report(f"features, {name}", lambda: extract(extractor, pictures, progress=False), images, "images/s")


def inception(images: int) -> None:
    import inception_recipe
    import keras
    import tensorflow as tf
    from pgan_tf.metrics.extractors import inception_2015
    from pgan_tf.metrics.extractors.base import Activations, Extractor
    from pgan_tf.metrics.features import extract

    tensors = {name: inception_recipe.tensor(name, shape) for name, shape in inception_recipe.shapes().items()}
    whole = inception_2015.network(tensors)
    model = keras.Model(whole.input, [whole.output["2048"], whole.output["logits_unbiased"]])

    def compute(batch: tf.Tensor) -> Activations:
        return Activations(*model(inception_2015.original_input(batch), training=False))

    extractor = Extractor("inception-2015", "", 2048, 1008, compute)
    pictures = np.random.default_rng(0).integers(0, 256, (images, 64, 64, 3), np.uint8)
    report("features, inception-2015", lambda: extract(extractor, pictures, progress=False), images, "images/s")


def formulae() -> None:
    from pgan_tf.metrics import kid
    from pgan_tf.metrics.frechet import Statistics, frechet_distance
    from pgan_tf.metrics.precision_recall import precision_recall

    random = np.random.default_rng(0)
    ours, theirs = (np.abs(random.standard_normal((2500, 2048))) * scale for scale in (0.4, 0.45))
    a, b = Statistics.of(ours), Statistics.of(theirs)
    report("Fréchet distance, 2048 features", lambda: frechet_distance(a, b))
    report("covariance of 2500 x 2048", lambda: Statistics.of(ours))
    report("KID, 10 subsets of 1000 x 2048", lambda: kid.kernel_inception_distance(ours, theirs, subsets=10))
    report("precision and recall, 2500 x 2048", lambda: precision_recall(ours, theirs))


def main() -> None:
    print("| what | time | rate |\n|---|---|---|")
    inception(128)
    features("efficientnet-lite0", 512)
    formulae()


if __name__ == "__main__":
    main()
