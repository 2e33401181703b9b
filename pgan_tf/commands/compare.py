"""The commands of generate.py that hold a network against given images."""

from __future__ import annotations

import argparse
from pathlib import Path

from pgan_tf.commands import sampling
from pgan_tf.commands.flags import anywhere, command, location, number, seed, whole

DONE, INTERRUPTED = 0, 130  # exit statuses


def add_commands(commands) -> None:
    """Adds them to argparse's sub-commands."""
    text = "show the training images nearest to generated ones: has the network learned them by heart?"
    sub = command(commands, "neighbors", _neighbors, text)
    sampling.add_network(sub, "picture to write, .png or .webp; the numbers go into a .json beside it")
    sampling.add_latents(sub)
    add = sub.add_argument
    add("--num", type=whole(1, 100_000), metavar="N", help="generated images (default: 8, or the rows of --latents)")
    add("--neighbors", type=whole(1, 1000), default=5, metavar="K", help="of each, by each measure (default: 5)")
    add(
        "--dataset",
        type=anywhere,
        metavar="SET",
        help="the training images (default: those that the run was trained on)",
    )
    add("--mirror", action="store_true", help="count mirrored copies too (done by itself if the run mirrored)")
    extractors = "network for the features, a name of docs/metrics.md, or none (default: the best that can be had)"
    add("--extractor", default="", metavar="NAME", help=extractors)
    add("--weights", type=location, metavar="FILE", help="of the extractor (default: found by itself)")

    sub = command(commands, "project", _project, "find the latent whose image comes nearest to a given picture")
    add = sub.add_argument
    add("network", type=anywhere, metavar="NETWORK", help=sampling.NETWORK)
    add("image", type=location, metavar="IMAGE", help="picture file of any size")
    add(
        "out",
        type=location,
        metavar="OUT",
        nargs="?",
        help="picture to write, .png or .webp; the latent goes into a .npy, numbers into a .json",
    )
    add("--labels", default="", help="classes to try, as in 3 or 0,1,2 (default: all)")
    add("--steps", type=whole(1, 1_000_000), default=500, metavar="N", help="(default: 500)")
    add("--starts", type=whole(1, 10_000), default=4, metavar="N", help="descents side by side (default: 4)")
    add(
        "--candidates",
        type=whole(1, 100_000),
        default=512,
        metavar="N",
        help="random latents to choose them from (default: 512)",
    )
    add("--learning_rate", type=sampling.positive_number, default=0.1, metavar="X", help="of Adam (default: 0.1)")
    add("--pixel_weight", type=number(0, 1e6), default=5.0, metavar="X", help="of the pixels in the loss (default: 5)")
    add("--feature_weight", type=number(0, 1e6), default=1.0, metavar="X", help="of the features; 0: none (default: 1)")
    add("--weights", type=location, metavar="FILE", help="of the network of the features (default: found by itself)")
    add("--fit", choices=("crop", "pad", "stretch"), default="crop", help="how to make it square (default: crop)")
    add("--background", default="white", metavar="COLOUR", help="behind transparency and padding: a name or #rrggbb")
    add("--seed", type=seed, default=0, help="every random number follows from it (default: 0)")
    add("--overwrite", action="store_true", help="replace existing outputs")


def _neighbors(args: argparse.Namespace) -> int:
    from pgan_tf.inference.facts import write_together
    from pgan_tf.inference.output import check_size
    from pgan_tf.inference.search import overfitting

    out = sampling.out_path(args, "neighbors", ".png")
    sampling.check_outputs(args, out, sampling.STILLS)
    _check_beside(args, out, [".json"])
    drawing = sampling.open_drawing(args)
    count = args.num or drawing.given or 8
    measures = 1 if args.extractor == overfitting.PIXELS_ONLY else 2
    size = overfitting.least_size(count, args.neighbors, measures, drawing.network.resolution)
    check_size(out, *size, f"--num={count} --neighbors={args.neighbors}")
    reals = overfitting.training_set(drawing.loaded, args.dataset)
    extractor = overfitting.load_extractor(args.extractor, args.weights or "")
    config = drawing.loaded.config
    mirror = args.mirror or bool(config and config.data.mirror_augment)
    picture, facts = overfitting.check(drawing, reals, count, args.neighbors, extractor, mirror)
    write_together(picture, facts, out)
    print(overfitting.summary(facts))
    print(f"wrote {out} and {out.with_suffix('.json')}")
    sampling.save_latents(args, drawing.latents(count))
    return DONE


def _project(args: argparse.Namespace) -> int:
    from pgan_tf.inference.errors import GenerateError
    from pgan_tf.inference.facts import write_together
    from pgan_tf.inference.load import load_generator
    from pgan_tf.inference.output import check_file
    from pgan_tf.inference.search import targets
    from pgan_tf.inference.search.projection import Search
    from pgan_tf.inference.search.watching import watched

    out = sampling.out_path(args, f"project-{Path(args.image).stem}", ".png")
    check_file(out, sampling.STILLS, args.overwrite)
    _check_beside(args, out, [".json", ".npy"])
    if not args.pixel_weight and not args.feature_weight:
        raise GenerateError("--pixel_weight=0 --feature_weight=0: nothing is left to compare; give one of them")
    loaded = load_generator(Path(args.network))
    target = targets.load_target(args.image, loaded.network, args.fit, args.background)
    labels = targets.labels_to_try(args.labels, loaded.network)
    search = Search(args.steps, args.candidates, args.starts, args.learning_rate, args.seed)
    weights = targets.Weights(args.pixel_weight, args.feature_weight, args.weights or "")
    with watched() as watch:
        picture, facts, latent = targets.find(loaded, target, search, weights, labels, watch)
    write_together(picture, {"image": args.image, **facts}, out, [(out.with_suffix(".npy"), latent)])
    print(targets.summary(facts))
    print(f"wrote {out}, {out.with_suffix('.npy')} and {out.with_suffix('.json')}")
    return INTERRUPTED if facts["interrupted"] else DONE


def _check_beside(args: argparse.Namespace, out: Path, suffixes: list[str]) -> None:
    """That what stands beside OUT can be written."""
    from pgan_tf.inference.output import check_file

    for suffix in suffixes:
        check_file(out.with_suffix(suffix), [suffix], args.overwrite)
