"""How much of a training step is waiting for a slow store? Each request waits 50 ms, each file gives 20 MB/s.

    python benchmarks/slow_store.py                                      # 256x256, 16 shards, a step of 320 ms
    python benchmarks/slow_store.py --resolution=1024 --images=256 --minibatch=8 --step_ms=400 --workers=2
    python benchmarks/slow_store.py --resolution=32 --images=20000 --minibatch=64 --step_ms=80 --shards=1 --kept_mb=512

A set of random pictures is made on the disk and read as if it lay on a store: a file system of fsspec that sleeps,
before every answer for the latency, and for the bytes of a file as long as it gives them, one reader after the other.
Each of the workers reads its share of the minibatches as in a training, whose step is a sleep. Prints the time to open
the set and to the first data, and then the share of the time that the steps wait for data; then
the same of the disk, for what is not the store's fault. `--kept_mb`: a smaller
resolution is kept in memory; by default none is, as if the set were large. As what is measured are
sleeps, a busy machine changes little as long as it can hash and copy what is read.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import numpy as np
from fsspec.implementations.local import LocalFileSystem

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


class SlowFileSystem(LocalFileSystem):
    """The disk as a store that is far away. cat_file, info and ls are all that a reader of data sets asks for."""

    protocol = "slow"
    latency, rate = 0.05, 20e6
    _locks: dict[str, threading.Lock] = {}

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(os.fspath(path).removeprefix("slow:/"))

    def _wait(self) -> None:
        time.sleep(self.latency)

    def info(self, path, **kwargs):
        self._wait()
        return super().info(path, **kwargs)

    def ls(self, path, detail=False, **kwargs):
        self._wait()
        return super().ls(path, detail, **kwargs)

    def cat_file(self, path, start=None, end=None, **kwargs):
        self._wait()
        content = super().cat_file(path, start, end, **kwargs)
        with self._locks.setdefault(path, threading.Lock()):  # those who read a file share what it gives
            time.sleep(len(content) / self.rate)
        return content


def make_set(folder: Path, args: argparse.Namespace) -> None:
    """Only the one resolution that is read, of noise."""
    from pgan_tf.data import DatasetWriter

    rng = np.random.default_rng(0)
    shape = (args.resolution, args.resolution, 3)
    with DatasetWriter(folder, args.resolution, 3, args.shards, args.images) as writer:
        for _ in range(args.images):
            writer.add(rng.integers(0, 256, shape, np.uint8))


def train(dataset, share: np.ndarray, args: argparse.Namespace) -> tuple[float, float]:
    """One worker. -> seconds to the first data, and of waiting in all steps after these."""
    from pgan_tf.data.pipeline import Reals

    began = time.monotonic()
    stream = Reals(dataset, seed=1).stream(0, args.resolution, args.minibatch, rounds=4, d_repeats=1, own=share)
    with contextlib.closing(stream):
        steps = len(next(stream).reals)
        first, waited = time.monotonic() - began, 0.0
        for _ in range(args.pieces):
            time.sleep(steps * args.step_ms / 1e3)
            began = time.monotonic()
            next(stream)
            waited += time.monotonic() - began
    return first, waited


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (
        ("resolution", 256), ("images", 2000), ("shards", 16), ("minibatch", 32), ("step_ms", 320), ("workers", 1),
        ("pieces", 40), ("kept_mb", 0),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    from pgan_tf.data import RecordDataset, remote
    from pgan_tf.layers.minibatch import deal

    remote.KEPT = args.kept_mb * 10**6
    fsspec.register_implementation("slow", SlowFileSystem)
    shares = np.sort(deal(args.minibatch, args.workers, 4), axis=1)
    print(f"{args.images} images of {args.resolution}x{args.resolution} in {args.shards} files, {args.workers} workers")
    with tempfile.TemporaryDirectory() as folder:
        make_set(Path(folder, "noise"), args)
        for place in (f"slow:/{folder}/noise", f"{folder}/noise"):
            began = time.monotonic()
            dataset = RecordDataset(place)
            opened = time.monotonic() - began
            with ThreadPoolExecutor(args.workers) as pool:
                results = list(pool.map(train, [dataset] * args.workers, shares, [args] * args.workers))
            report(place, args, opened, results)


def report(place: str, args: argparse.Namespace, opened: float, results: list[tuple[float, float]]) -> None:
    computing = args.pieces * 4 * args.step_ms / 1e3
    share = max(waited / (waited + computing) for _, waited in results)
    first, rate = max(first for first, _ in results), args.minibatch / args.step_ms * 1e3
    where = "store" if place.startswith("slow") else "disk "
    print(f"{where}: opened in {opened:.2f} s, the first data after {first:.2f} s more")
    print(f"       at {rate:.0f} images/s input is {100 * share:.2f} % of the time")


if __name__ == "__main__":
    main()
