"""How fast are data sets written? `create_from_images` against the original's steps written plainly, in one thread.

    python benchmarks/dataset_throughput.py                            # 2,000 PNGs of 256x256
    python benchmarks/dataset_throughput.py --images=8000 --plain=0    # memory: must not depend on the number

The PNGs are made up: smooth colours, shapes, noise. The original rounds all levels as they come, so those of the full
resolution in bytes, for which numpy takes its slow half precision; `faster` is the same without that. Prints images/s
and the peak memory of ours: of the process that writes, and of the largest worker times their number. Only an idle
machine gives numbers to quote.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["PGAN_TF_NO_KERAS"] = "1"  # as dataset_tool.py does
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def make_pictures(folder: Path, images: int, resolution: int) -> None:
    """Writes made-up PNGs that compress about as well as photographs of that size."""
    random = np.random.RandomState(0)
    for index in range(images):
        colours = random.randint(0, 256, (8, 8, 3)).astype(np.uint8)
        picture = Image.fromarray(colours).resize((resolution, resolution), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(picture)
        for _ in range(12):
            x, y, radius = random.randint(0, resolution, 3) // (1, 1, 4)
            colour = tuple(int(value) for value in random.randint(0, 256, 3))
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)
        noise = random.randint(-8, 9, (resolution, resolution, 3))
        pixels = (np.asarray(picture, int) + noise).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:06d}.png")


def write_plainly(out: Path, pictures: Path, resolution: int, workers: int, full: type = np.uint8) -> None:
    """The original's steps, one after the other, in one thread.

    Decode, cascade of means in float32, round, tf.train.Example, one TFRecordWriter for each resolution. full: type in
    which the full resolution is rounded.
    """
    import tensorflow as tf

    out.mkdir()
    levels = range(resolution.bit_length() - 1, 1, -1)
    writers = [tf.io.TFRecordWriter(str(out / f"{out.name}-r{level:02d}.tfrecords")) for level in levels]
    for file in sorted(pictures.iterdir()):
        means = np.asarray(Image.open(file)).transpose(2, 0, 1).astype(full)  # [C,R,R]
        for index, writer in enumerate(writers):
            if index:
                means = means.astype(np.float32)
                means = 0.25 * (means[:, ::2, ::2] + means[:, ::2, 1::2] + means[:, 1::2, ::2] + means[:, 1::2, 1::2])
            pixels = np.rint(means).clip(0, 255).astype(np.uint8)
            shape = tf.train.Feature(int64_list=tf.train.Int64List(value=pixels.shape))
            data = tf.train.Feature(bytes_list=tf.train.BytesList(value=[pixels.tobytes()]))
            features = tf.train.Features(feature={"shape": shape, "data": data})
            writer.write(tf.train.Example(features=features).SerializeToString())
    for writer in writers:
        writer.close()


def write_ours(out: Path, pictures: Path, resolution: int, workers: int) -> None:
    from pgan_tf.data.sources.images import Options, create_from_images

    create_from_images(out, pictures, Options(resolution=resolution, shuffle=False, workers=workers))


WAYS = {"ours": write_ours, "original": write_plainly, "faster": partial(write_plainly, full=np.float32)}


def own_peak() -> float:
    """MB. Not by getrusage: what a process starts with there is the size of the one that started it."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith("VmHWM:"))


def measure(way: str, out: Path, pictures: Path, resolution: int, workers: int) -> dict[str, float]:
    """In this process, which should be a fresh one: seconds, those of all cores together, and peak memory in MB."""
    if way != "ours":
        import tensorflow  # noqa: F401 (not counted)
    start, busy = time.monotonic(), time.process_time()
    WAYS[way](out, pictures, resolution, workers)
    seconds, busy = time.monotonic() - start, time.process_time() - busy
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": seconds,
        "busy": busy + children.ru_utime + children.ru_stime,
        "parent": own_peak(),
        "worker": children.ru_maxrss / 1e3,  # of the largest one
    }


def in_a_fresh_process(way: str, out: Path, pictures: Path, args: argparse.Namespace) -> dict[str, float]:
    out.parent.mkdir(exist_ok=True)
    sizes = [f"--resolution={args.resolution}", f"--workers={args.workers}"]
    command = [sys.executable, __file__, "--one", way, str(out), str(pictures), *sizes]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def same_records(a: Path, b: Path) -> bool:
    from pgan_tf.data.tools import compare

    return compare(a, b).equal


def main() -> None:
    from pgan_tf.data.parallel import cores

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--plain", type=int, choices=(0, 1), default=1, help="0: without the original's procedure")
    parser.add_argument("--rounds", type=int, default=3, help="of both in turn; the best counts (default: 3)")
    parser.add_argument("--one", nargs=3, metavar=("WAY", "OUT", "PICTURES"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        way, out, pictures = args.one
        print(json.dumps(measure(way, Path(out), Path(pictures), args.resolution, args.workers)))
        return

    with tempfile.TemporaryDirectory() as folder:
        root, pictures = Path(folder), Path(folder, "pictures")
        pictures.mkdir()
        make_pictures(pictures, args.images, args.resolution)
        size = sum(file.stat().st_size for file in pictures.iterdir()) / args.images
        print(f"{args.images} PNGs of {args.resolution}x{args.resolution}, {size / 1e3:.0f} kB on average")
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS if way == "ours" or args.plain}
        for number in range(args.rounds):
            outs = {way: root / f"{way}{number}" / "set" for way in runs}
            for way, out in outs.items():
                runs[way].append(in_a_fresh_process(way, out, pictures, args))
            same = all(same_records(outs["ours"], out) for out in outs.values())
            print(f"round {number + 1}: the same records: {same}")
            for out in outs.values():
                shutil.rmtree(out)
        best = {way: min(run["seconds"] for run in found) for way, found in runs.items()}
        busy = {way: min(run["busy"] for run in found) for way, found in runs.items()}
        for way in runs:
            rate, core = args.images / best[way], args.images / busy[way]
            print(f"{way:8}  {rate:7.1f} images/s, {core:7.1f} images per second of one core's work")
            if way != "ours":
                print(f"          ours is {best[way] / best['ours']:.2f} times as fast, with {args.workers} workers")
        parent, worker = (max(run[name] for run in runs["ours"]) for name in ("parent", "worker"))
        total = parent + args.workers * worker
        print(f"peak memory of ours: {parent:.0f} MB + {args.workers} x {worker:.0f} MB = {total:.0f} MB")


if __name__ == "__main__":
    main()
