"""The commands of generate.py for networks that make points in the plane."""

from __future__ import annotations

import argparse
from pathlib import Path

from pgan_tf.commands import sampling
from pgan_tf.commands.flags import anywhere, command, whole

MOST = 10_000_000  # points
ARRAY = ".npy"


def add_commands(commands) -> None:
    """Adds them to argparse's sub-commands."""
    for name, (run, text, out) in COMMANDS.items():
        sub = command(commands, name, run, text)
        sampling.add_network(sub, out)
        sampling.add_latent_files(sub)
        add = sub.add_argument
        few = "how many points (default: as many as the data, 10,000 at most, or the rows of --latents)"
        add("--num", type=whole(1, MOST), metavar="N", help=few)
        add("--dataset", type=anywhere, metavar="SET", help="the data (default: those that the run was trained on)")


def _samples(args: argparse.Namespace) -> int:
    from pgan_tf.inference import output
    from pgan_tf.inference.pictures import points

    out = sampling.out_path(args, "samples", ".png")
    sampling.check_outputs(args, out, [*sampling.STILLS, ARRAY])
    drawing = sampling.open_drawing(args, kind="points")
    if out.suffix == ARRAY:
        latents = drawing.latents(args.num or drawing.given or points.MOST_POINTS)
        output.save_array(out, drawing.sampler.points(latents, drawing.labels(len(latents))))
    else:
        data = points.scatter(drawing.loaded, args.dataset)
        latents = drawing.latents(args.num or drawing.given or data.count)
        output.save_picture(out, points.over_data(drawing, data, latents, drawing.labels(len(latents))))
    print(f"wrote {out}")
    sampling.save_latents(args, latents)
    return 0


def _field(args: argparse.Namespace) -> int:
    from pgan_tf.inference import output
    from pgan_tf.inference.pictures import points

    out = sampling.out_path(args, "field", ".png")
    sampling.check_outputs(args, out, sampling.STILLS)
    drawing = sampling.open_drawing(args, points.checkpoint_of(Path(args.network)), "points")
    data = points.scatter(drawing.loaded, args.dataset)
    latents, picture = points.field(drawing, data, args.num or drawing.given or data.count)
    output.save_picture(out, picture)
    print(f"wrote {out}")
    sampling.save_latents(args, latents)
    return 0


COMMANDS = {  # name: (what runs it, what it does, what OUT is)
    "samples": (
        _samples, "draw points in the plane over the data that they were learned from, or write them as numbers",
        "picture to write, .png or .webp; .npy: the points, float32 [N,2]",
    ),
    "field": (
        _field, "draw what a run's discriminator says of every place of the plane, and of what is made of which latent",
        "picture to write, .png or .webp",
    ),
}  # fmt: skip
