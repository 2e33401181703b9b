"""Measures generated images: the snapshots of a run, or any two sets. `evaluate.py --help` explains."""

from __future__ import annotations

import argparse
from pathlib import Path

from pgan_tf.programs.loading import load_tensorflow

INTERRUPTED = "interrupted; what is in a file is kept, and the same command goes on"
EPILOG = """\
Examples:

  evaluate.py --run=results/00000-quickstart-s1000
  evaluate.py --run=results/00000-quickstart-s1000 --snapshots=all --metrics=swd,fid,is --images=5000
  evaluate.py --run=results/00000-quickstart-s1000 --baselines --metrics=swd
  evaluate.py --reals=datasets/emoji64 --fakes=my_pictures/ --metrics=swd,kid --output=scores.jsonl
  evaluate.py --reals=statistics.npz --fakes=samples.npy --metrics=fid --extractor=inception-2015

A set is a folder of pictures, a data set of dataset_tool.py, a .npy or .npz array uint8 [N,H,W,C], or a .npz of
pytorch-fid with `mu` and `sigma`. Results go to metrics.jsonl in the run and to TensorBoard, or to --output; what is
there already is not measured again. docs/metrics.md says what each metric is and what it notices."""


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__, epilog=EPILOG,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    found.add_argument("--run", help="folder of a training run")
    found.add_argument("--snapshots", default="latest", help="of the run: latest (default), all, or a .keras file")
    found.add_argument("--dataset", help="real images for the run; default: those it was trained on")
    found.add_argument("--reals", help="a set of real images, instead of --run")
    found.add_argument("--fakes", help="the set to hold against it")
    found.add_argument("--metrics", default="swd,fid", help="swd, fid, kid, is, pr, ms_ssim, neighbors, modes")
    found.add_argument("--baselines", action="store_true", help="also measure one half of the reals against the other")
    found.add_argument("--images", type=int, help="of each set; default: as in the literature, or all there are")
    found.add_argument("--resolution", type=int, help="level of the data sets to compare; default: the highest")
    found.add_argument("--extractor", default="", help="of features; default: inception-2015 where its weights are "
                       "found, else efficientnet-lite0")  # fmt: skip
    found.add_argument("--weights", default="", help="file of the extractor's weights; default: found by itself")
    found.add_argument("--seed", type=int, default=2020, help="of latents, patches, subsets (default 2020)")
    found.add_argument("--output", help="file for the results, a line of JSON each")
    return found


def run(args: argparse.Namespace) -> int:
    from pgan_tf.config import Config
    from pgan_tf.evaluation import tasks
    from pgan_tf.evaluation.evaluator import Request
    from pgan_tf.metrics.errors import MetricError
    from pgan_tf.metrics.registry import named
    from pgan_tf.training.plan import make_strategy

    if bool(args.run) == bool(args.fakes or args.reals):
        raise MetricError("give either --run=RUN, or --reals=SET --fakes=SET")
    if args.images is not None and args.images < 2:
        raise MetricError(f"--images={args.images}: metrics need at least 2")
    if args.seed < 0:
        raise MetricError(f"--seed={args.seed}: must be at least 0")
    request = Request(tuple(named(args.metrics)), args.images, args.seed, args.extractor, args.weights)
    output = Path(args.output) if args.output else None
    with make_strategy(Config()).scope():  # features are extracted on all devices
        if args.run:
            reals = tasks.RunReals(Path(args.run), args.dataset, args.resolution)
            tasks.measure_run(reals, args.snapshots, request, output, args.baselines)
        else:
            tasks.measure_sets(args.reals, args.fakes, args.resolution, request, output, args.baselines)
    return 0


def main(argv: list[str]) -> int:
    """Measures; returns the exit status."""
    args = parser().parse_args(argv)
    load_tensorflow()
    return run(args)
