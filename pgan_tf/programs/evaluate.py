"""Measures generated images: the snapshots of a run, or any two sets. `evaluate.py --help` explains."""

from __future__ import annotations

import argparse
from pathlib import Path

from pgan_tf import mirror
from pgan_tf.commands.flags import anywhere, location, number, program_parser, whole
from pgan_tf.config import ConfigError
from pgan_tf.places import place
from pgan_tf.programs.loading import load_tensorflow

STRATEGY = "mirrored"
# Those of metrics/registry.py, which loads TensorFlow.
OF_IMAGES = "swd, fid, kid, is, pr, ms_ssim, neighbors, modes, saliency"
OF_POINTS = "mixture, swiss_roll, wasserstein, first_axis"
OF_EACH = "planar = those that fit the data set's distribution"
IMAGES, SEEDS = (2, 10_000_000), (0, 2**32 - 1)  # least and most
INTERRUPTED = "interrupted; what is in a file is kept, and the same command goes on"
EPILOG = """\
Examples:

  evaluate.py --run=results/00000-quickstart-s1000
  evaluate.py --run=results/00000-quickstart-s1000 --snapshots=all --metrics=swd,fid,is --images=5000
  evaluate.py --run=results/00000-quickstart-s1000 --baselines --metrics=swd
  evaluate.py --reals=datasets/emoji64 --fakes=my_pictures/ --metrics=swd,kid --output=scores.jsonl
  evaluate.py --reals=statistics.npz --fakes=samples.npy --metrics=fid --extractor=inception-2015
  evaluate.py --reals=datasets/ring --fakes=points.npy --metrics=planar

A set is a folder of pictures, a data set of dataset_tool.py, a .npy or .npz array uint8 [N,H,W,C] (or of points in the
plane, float [N,2]), or a .npz of pytorch-fid with `mu` and `sigma`. Results go to metrics.jsonl in the run and to
TensorBoard, or to --output; what is there already is not measured again. docs/metrics.md says what each metric is and
what it notices."""


def parser() -> argparse.ArgumentParser:
    root = program_parser(__doc__, EPILOG)
    add = root.add_argument
    add("--run", type=anywhere, help="folder of a training run")
    add(
        "--snapshots",
        type=location,
        metavar="WHICH",
        help="of the run: latest (default), all, or a .keras file, also by its name in the folder",
    )
    add("--dataset", type=anywhere, metavar="SET", help="real images for the run; default: those it was trained on")
    add("--reals", type=anywhere, metavar="SET", help="a set of real images, instead of --run")
    add("--fakes", type=anywhere, metavar="SET", help="the set to hold against it")
    text = f"{OF_IMAGES} (default: swd,fid); of points in the plane: {OF_POINTS}; {OF_EACH} (default)"
    add(
        "--mirror_augment",
        action="store_true",
        help="with --reals: mirror half of them, at random, as the reals of a run with this option are",
    )
    add(
        "--held_out",
        type=number(0, 1),
        metavar="SHARE",
        default=0.0,
        help="measure against this share of the reals alone: what runs that learn from this data set with --holdout of "
        "as much have never seen",
    )
    add("--metrics", metavar="NAMES", help=text)
    add(
        "--baselines",
        action="store_true",
        help="also measure one half of the reals, or what --held_out leaves, against the other",
    )
    add(
        "--images",
        type=whole(*IMAGES),
        metavar="N",
        help="of each set; default: as in the literature, or all there are",
    )
    add(
        "--resolution",
        type=whole(1, 2**14),
        metavar="N",
        help="level of the data sets to compare; default: the highest",
    )
    extractors = "of features; default: inception-2015 where its weights are found, else efficientnet-lite0"
    add("--extractor", metavar="NAME", default="", help=extractors)
    add("--weights", type=location, metavar="FILE", help="file of the extractor's weights; default: found by itself")
    add(
        "--seed",
        type=whole(*SEEDS),
        metavar="N",
        default=2020,
        help="of latents, patches, subsets (default 2020)",
    )
    add("--output", type=location, metavar="FILE", help="file for the results, a line of JSON each")
    return root


def run(args: argparse.Namespace) -> int:
    check(args)
    load_tensorflow(STRATEGY)
    from pgan_tf.devices import make_strategy
    from pgan_tf.evaluation import tasks
    from pgan_tf.evaluation.evaluator import Request
    from pgan_tf.metrics.registry import named

    metrics = () if args.metrics is None else tuple(named(args.metrics))
    request = Request(metrics, args.images, args.seed, args.extractor, args.weights or "")
    output = Path(args.output) if args.output else None
    with make_strategy(STRATEGY).scope():  # features are extracted on all devices
        if args.run:
            with mirror.working(place(args.run)) as folder:
                reals = tasks.RunReals(folder, args.dataset, args.resolution, args.held_out)
                tasks.measure_run(reals, args.snapshots or "latest", request, output, args.baselines)
        else:
            tasks.measure_sets(
                args.reals, args.fakes, args.resolution, request, output, args.baselines, mirror=args.mirror_augment,
                held_out=args.held_out,
            )  # fmt: skip
    return 0


def check(args: argparse.Namespace) -> None:
    """ConfigError for what needs no TensorFlow to be seen: it takes seconds to load."""
    if bool(args.run) == bool(args.fakes or args.reals):
        raise ConfigError("give either --run=RUN, or --reals=SET --fakes=SET")
    for name in ("snapshots", "dataset"):
        if getattr(args, name) and not args.run:
            raise ConfigError(f"--{name}: goes with --run=RUN; two sets are --reals=SET --fakes=SET, and no more")
    if args.weights and not Path(args.weights).is_file():
        raise ConfigError(f"--weights={args.weights}: no such file; leave it out, and they are found by themselves")
    if args.mirror_augment and not args.reals:
        raise ConfigError("--mirror_augment goes with --reals=SET; of a run its own --mirror_augment decides")
    if args.held_out and not (args.run or args.reals):
        raise ConfigError("--held_out is a part of real images: give --run=RUN or --reals=SET")
    if args.run and not place(args.run).exists():
        raise ConfigError(f"--run={args.run}: no config.json there; give the folder of a run")


def main(argv: list[str]) -> int:
    """Measures; returns the exit status."""
    return run(parser().parse_args(argv))
