"""How fast is metrics/swd.py? Against the paper's formula written plainly in numpy, on two sets of noise.

    python benchmarks/swd.py                        # 2 x 8192 images of 64x64, ours and the plain one in turn
    python benchmarks/swd.py --images=16384 --resolution=128 --plain=0    # memory at the paper's size

Prints seconds and the peak memory of the process (ours is measured first).
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

FILTER = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def noise(images: int, resolution: int, seed: int):
    """A stream of made-up images, in batches of 64, that can be read again: memory is then the metric's own."""

    class Stream:
        def __iter__(self):
            random = np.random.default_rng(seed)
            for start in range(0, images, 64):
                yield random.integers(0, 256, (min(64, images - start), resolution, resolution, 3), np.uint8)

    return Stream()


def plain_swd(reals, fakes, seed: int) -> list[float]:
    """The formula, line by line, as one writes it in numpy: convolve, pick patches, normalise, project, sort."""
    random = np.random.RandomState(seed)
    clouds = [plain_patches(images, random) for images in (reals, fakes)]
    return [1e3 * plain_distance(a, b, random) for a, b in zip(*clouds, strict=True)]


def plain_patches(images, random) -> list[np.ndarray]:
    from scipy.ndimage import convolve

    levels = []
    for batch in images:
        image = np.moveaxis(np.asarray(batch, np.float32), 3, 1)  # [N,C,H,W]
        pyramid = [image]
        while pyramid[-1].shape[-1] > 16:
            small = convolve(pyramid[-1], FILTER[None, None], mode="mirror")[:, :, ::2, ::2]
            zeros = np.zeros_like(pyramid[-1])
            zeros[:, :, ::2, ::2] = small
            pyramid[-1] = pyramid[-1] - convolve(zeros, 4 * FILTER[None, None], mode="mirror")
            pyramid.append(small)
        for index, level in enumerate(pyramid):
            levels.append([]) if index == len(levels) else None
            levels[index].append(plain_pick(level, random))
    return [plain_normalise(np.concatenate(level)) for level in levels]


def plain_pick(level, random, patches: int = 128) -> np.ndarray:
    count, channels, side, _ = level.shape
    image, channel, y, x = np.ogrid[: count * patches, :channels, -3:4, -3:4]
    y = y + random.randint(3, side - 3, (count * patches, 1, 1, 1))
    x = x + random.randint(3, side - 3, (count * patches, 1, 1, 1))
    return level[image // patches, channel, y, x]  # [N*128,C,7,7]


def plain_normalise(patches) -> np.ndarray:
    patches -= patches.mean((0, 2, 3), keepdims=True)
    patches /= patches.std((0, 2, 3), keepdims=True)
    return patches.reshape(len(patches), -1)  # [N*128,C*49]


def plain_distance(ours, theirs, random) -> float:
    found = []
    for _ in range(4):
        directions = random.standard_normal((ours.shape[1], 128))
        directions = (directions / np.sqrt((directions**2).sum(0))).astype(np.float32)
        sorted_pair = [np.sort(cloud @ directions, axis=0) for cloud in (ours, theirs)]
        found.append(np.abs(sorted_pair[0] - sorted_pair[1]).mean())
    return float(np.mean(found))


def timed(name: str, work) -> float:
    start, processor = time.perf_counter(), time.process_time()
    values = work()
    seconds, busy = time.perf_counter() - start, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{name}: {seconds:.1f} s ({busy:.1f} s of processor), peak {peak:.2f} GB, {values}", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=8192)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--plain", type=int, default=1, help="how often to time the plain formula")
    options = parser.parse_args()

    from pgan_tf.metrics import swd

    sets = [noise(options.images, options.resolution, seed) for seed in (1, 2)]
    swd.sliced_wasserstein(*[noise(64, options.resolution, seed) for seed in (1, 2)])  # trace
    ours = [timed("this", lambda: swd.sliced_wasserstein(*sets)) for _ in range(2)]
    theirs = [timed("plain numpy", lambda: plain_swd(*sets, seed=1)) for _ in range(options.plain)]
    if theirs:
        print(f"ratio {min(theirs) / min(ours):.1f}")


if __name__ == "__main__":
    main()
