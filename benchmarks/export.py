#!/usr/bin/env python3
"""Each exported format beside Keras: size, largest difference, milliseconds per image.

    python benchmarks/export.py results/00000-quickstart-s1000

The runtimes take turns and the shortest time of each counts, so that other work on the machine disturbs all alike.
Every runtime has its default number of threads, LiteRT as many as there are cores.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from pgan_tf.inference.load import load_generator
from pgan_tf.interop.export import FORMATS, export
from pgan_tf.interop.signature import Signature

BATCHES = (1, 16)


def keras(network):
    generate = Signature(network).generate
    return lambda **inputs: {name: x.numpy() for name, x in generate(**_tensors(inputs)).items()}


def saved_model(path):
    generate = tf.saved_model.load(str(path)).signatures["serving_default"]
    return lambda **inputs: {name: x.numpy() for name, x in generate(**_tensors(inputs)).items()}


def tflite(path):
    return Interpreter(str(path), num_threads=os.cpu_count()).get_signature_runner()


def onnx(path):
    session = onnxruntime.InferenceSession(str(path))
    names = [output.name for output in session.get_outputs()]
    return lambda **inputs: dict(zip(names, session.run(names, inputs), strict=True))


RUNTIMES = {"saved_model": saved_model, "tflite": tflite, "onnx": onnx}


def _tensors(inputs):
    return {name: tf.constant(x) for name, x in inputs.items()}


def size(path: Path) -> float:
    """Megabytes of a file or folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def inputs_for(network, count: int) -> dict[str, np.ndarray]:
    inputs = {"latents": np.random.default_rng(count).standard_normal([count, network.latent_size], np.float32)}
    if network.label_size:
        inputs["labels"] = np.eye(network.label_size, dtype=np.float32)[np.arange(count) % network.label_size]
    return inputs


def shortest(runs: dict, inputs: dict, rounds: int) -> dict[str, float]:
    """{name: milliseconds per image}."""
    times = {name: [] for name in runs}
    for _ in range(rounds + 1):  # the first warms up
        for name, run in runs.items():
            start = time.perf_counter()
            run(**inputs)
            times[name].append(time.perf_counter() - start)
    return {name: 1000 * min(found[1:]) / len(inputs["latents"]) for name, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=Path, help="a run folder, a .keras file, or an imported network's folder")
    parser.add_argument("--rounds", type=int, default=20, help="(default: %(default)s)")
    args = parser.parse_args()
    network, file, _ = load_generator(args.network)
    runs, sizes = {"keras": keras(network)}, {"keras": size(file)}
    with tempfile.TemporaryDirectory() as folder:
        for format, kind in FORMATS.items():
            path = Path(folder) / f"network{kind.suffix}"
            export(file, path, format)
            sizes[format] = size(path)
            if format in RUNTIMES:
                runs[format] = RUNTIMES[format](path)
        expected = runs["keras"](**inputs_for(network, 16))
        times = [shortest(runs, inputs_for(network, count), args.rounds) for count in BATCHES]
        columns = " | ".join(f"ms/image, batch {count}" for count in BATCHES)
        print(
            f"| format | MB | largest difference | other pixels | {columns} |\n|---|---|---|---|{'---|' * len(BATCHES)}"
        )
        for name, run in runs.items():
            found = run(**inputs_for(network, 16))
            worst = np.abs(found["images_nchw"] - expected["images_nchw"]).max()
            other = np.mean(found["images"] != expected["images"])
            each = " | ".join(f"{found[name]:.2f}" for found in times)
            print(f"| {name} | {sizes[name]:.2f} | {worst:.1e} | {other:.1e} | {each} |")
        print(f"| weights | {sizes['weights']:.2f} | | | |{' |' * (len(BATCHES) - 1)}")


if __name__ == "__main__":
    main()
