#!/usr/bin/env python3
"""How good are a run's pictures of each kind, and how many are there? For runs that learned several kinds together.

    python benchmarks/kinds.py datasets/people3d64 datasets/hands3d64,datasets/moving3d64 results/00000-people3d64-s1000

A kind is a data set of some of the pictures of the whole; what is in none is "the others". A generated picture is of
the kind of the real one nearest to it (features of efficientnet-lite0; reals and their mirror images), and is compared
with the reals of that kind: Kernel Inception Distance (unbiased, so that different numbers of them can be compared).
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

OTHERS = "the others"
FAKES, FEWEST = 4096, 64  # pictures that are drawn; of a kind with fewer nothing is said but their number


def read(folder: str) -> np.ndarray:
    """All pictures of a data set, uint8 [N,H,W,C]."""
    import pgan_tf

    dataset = pgan_tf.open_dataset(folder)
    return dataset.read(dataset.resolution, np.arange(dataset.count))


def kinds_of(whole: np.ndarray, folders: list[str]) -> np.ndarray:
    """The folder of `folders` that has each picture of [N,H,W,C], or OTHERS -> str [N]."""
    known = {picture.tobytes(): folder for folder in folders for picture in read(folder)}
    found = np.array([known.get(picture.tobytes(), OTHERS) for picture in whole])
    if missing := [folder for folder in folders if folder not in found]:
        sys.exit(f"{', '.join(missing)}: none of its pictures is in the whole data set; make both in the same way")
    return found


def compare(fakes: np.ndarray, reals: np.ndarray) -> str:
    """Features [N,F] and [M,F] of one kind -> what is said of them."""
    from pgan_tf.metrics import kid

    if len(fakes) < FEWEST:
        return "too few to measure"
    distance, _ = kid.kernel_inception_distance(fakes, reals, subset_size=min(len(fakes), len(reals)) // 2)
    return f"KID x1e3 {1e3 * distance:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("whole", help="data set that has all kinds")
    parser.add_argument("kinds", help="data sets of one kind of its pictures each, with commas between them")
    parser.add_argument("networks", nargs="+", help="folders of runs, or .keras files")
    args = parser.parse_args()

    from pgan_tf.metrics import extractors, features, neighbors

    import pgan_tf

    extractor = extractors.load("efficientnet-lite0")

    def describe(pictures: np.ndarray) -> np.ndarray:
        return features.extract(extractor, pictures, progress=False).features  # [N,F]

    whole, folders = read(args.whole), args.kinds.split(",")
    kinds = np.tile(kinds_of(whole, folders), 2)  # [2N]
    reals = describe(np.concatenate([whole, whole[:, :, ::-1]]))  # [2N,F]
    for network in args.networks:
        fakes = describe(pgan_tf.Generator.open(network).sample(FAKES, seed=1))  # [FAKES,F]
        kinds_of_fakes = kinds[neighbors.nearest(fakes, reals, 1).indices[:, 0]]  # [FAKES]
        for kind in (*folders, OTHERS):
            among, real = kinds_of_fakes == kind, kinds == kind
            found = compare(fakes[among], reals[real])
            print(f"{network}, {kind}: {among.mean():.1%} (of the reals {real.mean():.1%}), {found}", flush=True)


if __name__ == "__main__":
    main()
