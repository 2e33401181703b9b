"""The commands on a finished data set."""

from __future__ import annotations

import argparse
import sys

from pgan_tf.commands.flags import LARGEST_SIDE, add_own_size, anywhere, command, location, positive, whole


def add_commands(commands) -> None:
    """Adds them to argparse's sub-commands."""
    text = "show the first images of a data set, or its points, on the terminal, in a PNG or on a page"
    sub = command(commands, "display", _display, text)
    sub.add_argument("dataset", type=anywhere, metavar="DATASET")
    sub.add_argument(
        "--output", type=location, metavar="FILE.png", help="(without a terminal: <name>-<resolution>.png here)"
    )
    sub.add_argument(
        "--html", type=location, metavar="FILE.html", help="one page: images at every resolution, labels, statistics"
    )
    sub.add_argument("--resolution", type=whole(1, LARGEST_SIDE), help="(default: the highest)")
    sub.add_argument("--num", type=positive, help="how many (default: 64 images, all points)")

    text = "write the images of a data set as PNG files, and its labels as labels.npy"
    sub = command(commands, "extract", _extract, text)
    sub.add_argument("dataset", type=anywhere, metavar="DATASET")
    sub.add_argument("out", type=location, metavar="OUT", help="folder to make, must not exist or be empty; or a .zip")
    _add_workers(sub)

    sub = command(commands, "compare", _compare, "compare two data sets, image by image")
    sub.add_argument("dataset_a", type=anywhere, metavar="A")
    sub.add_argument("dataset_b", type=anywhere, metavar="B")

    sub = command(commands, "verify", _verify, "check every record of a data set")
    sub.add_argument("dataset", type=anywhere, metavar="DATASET")
    sub.add_argument("--cascade", action="store_true", help="also that lower resolutions are the means of the full one")

    text = "measure a data set: mean, deviation, histograms, repeated images, labels"
    sub = command(commands, "stats", _stats, text)
    sub.add_argument("dataset", type=anywhere, metavar="DATASET")

    text = "turn a data set, or a folder, archive or ImageFolder of pictures, into another kind of set"
    sub = command(commands, "convert", _convert, text)
    sub.add_argument(
        "source", type=anywhere, metavar="SOURCE", help="a data set, what extract makes, or <split>/<class>/<picture>"
    )
    sub.add_argument("out", type=anywhere, metavar="OUT", help="folder or .zip to make")
    sub.add_argument("--to", choices=("folder", "zip", "tfds", "records"), required=True, help="records: a data set")
    sub.add_argument("--split", help="of an ImageFolder that is read or made (default: train)")
    add_own_size(sub, "records of images whose size is no power of two")
    sub.add_argument("--shards", type=whole(1, 10_000), default=1, help="files per resolution, of records (default: 1)")
    _add_workers(sub)


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=whole(1, 1024), metavar="N", help="processes (default: one for each core)")


def _display(args: argparse.Namespace) -> int:
    from pgan_tf.data.tools import display

    for path in display(args.dataset, args.output, args.resolution, args.num, args.html, sys.stdout):
        print(f"wrote {path}")
    return 0


def _extract(args: argparse.Namespace) -> int:
    from pgan_tf.data.parallel import cores
    from pgan_tf.data.tools import extract

    print(f"wrote {extract(args.dataset, args.out, args.workers or cores())} images to {args.out}")
    return 0


def _compare(args: argparse.Namespace) -> int:
    from pgan_tf.data.tools import compare

    comparison = compare(args.dataset_a, args.dataset_b)
    print(comparison)
    return 0 if comparison.equal else 1


def _verify(args: argparse.Namespace) -> int:
    from pgan_tf.data.verify import verify

    verification = verify(args.dataset, args.cascade)
    print(verification)
    return 1 if verification.problems else 0


def _stats(args: argparse.Namespace) -> int:
    from pgan_tf.data.tools import stats

    print(stats(args.dataset))
    return 0


def _convert(args: argparse.Namespace) -> int:
    from pgan_tf.data.engine import Output
    from pgan_tf.data.parallel import cores
    from pgan_tf.data.tools import convert

    output = Output(workers=args.workers or cores(), shards=args.shards)
    count = convert(args.source, args.out, args.to, args.split, output, args.own_size)
    print(f"wrote {count} images to {args.out}")
    return 0
