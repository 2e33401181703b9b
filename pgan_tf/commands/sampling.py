"""Flags of the commands that use a trained network, and what they stand for."""

from __future__ import annotations

import argparse
from pathlib import Path

from pgan_tf.commands.flags import anywhere, location, number, seed
from pgan_tf.option import shown

NETWORK = "folder of a run, a .keras file, or folder of an imported network"

STILLS = (".png", ".webp")  # what pictures may be written as; the keys of inference.output.PICTURES


def add_network(parser: argparse.ArgumentParser, out: str) -> None:
    """NETWORK, OUT, and what every command on a network has. `out`: help for OUT."""
    add = parser.add_argument
    add("network", type=anywhere, metavar="NETWORK", help=NETWORK)
    add(
        "out",
        type=location,
        metavar="OUT",
        nargs="?",
        help=f"{out} (default: named after the network, in the current folder)",
    )
    add("--seed", type=seed, default=0, help="every random number follows from it (default: 0)")
    add("--labels", default="", help="classes in turn, as in 3 or 0,1,2; all; random (the default)")
    add("--overwrite", action="store_true", help="replace an existing output")


def add_latents(parser: argparse.ArgumentParser) -> None:
    """Where the latents come from, what becomes of them, and truncation."""
    parser.add_argument(
        "--truncation",
        type=number(0, 1),
        default=1.0,
        metavar="T",
        help="below 1: more typical, less varied (default: 1)",
    )
    add_latent_files(parser)


def add_latent_files(parser: argparse.ArgumentParser) -> None:
    """Where the latents come from, and what becomes of them."""
    add = parser.add_argument
    add("--latents", type=location, metavar="FILE.npy", help="latents [N,size] to use instead of random ones")
    add("--save_latents", type=location, metavar="FILE.npy", help="write the latents of all images shown, row by row")


DURATION, FPS = 10.0, 30.0  # of a video, where nobody says


def add_video(parser: argparse.ArgumentParser) -> None:
    """How long a video is; None where nobody says, as a still has neither."""
    add = parser.add_argument
    add("--duration", type=positive_number, metavar="SECONDS", help=f"(default: {DURATION:g})")
    add("--fps", type=positive_number, help=f"frames per second (default: {FPS:g})")


positive_number = number(0, 1e6, above=True)


def seeds(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < 2:
        raise argparse.ArgumentTypeError(f"{shown(text)}: give two seeds or more, as in 1,2,3")
    return [seed(part) for part in parts]


def out_path(args: argparse.Namespace, command: str, suffix: str) -> Path:
    """OUT, or a name that says which network, command and seed, in the current folder."""
    network = Path(args.network).resolve()
    name = network.stem if network.suffix == ".keras" else network.name
    return Path(args.out or f"{name}-{command}-seed{args.seed}{suffix}")


def open_drawing(args: argparse.Namespace, path: Path | None = None, kind: str = "images"):
    """The Drawing that the flags of `add_network` and `add_latents` ask for; `path`: of another network; `kind`: see
    load_generator."""
    from pgan_tf.inference.drawing import Drawing
    from pgan_tf.inference.load import load_generator

    loaded, truncation = load_generator(path or Path(args.network), kind), getattr(args, "truncation", 1.0)
    return Drawing(loaded, args.seed, truncation, args.labels, args.latents)


def check_outputs(args: argparse.Namespace, out: Path, suffixes) -> None:
    """Before any work: that OUT and --save_latents can be written."""
    from pgan_tf.inference.errors import GenerateError
    from pgan_tf.inference.output import check_file

    check_file(out, suffixes, args.overwrite)
    if args.save_latents:
        check_file(Path(args.save_latents), [".npy"], args.overwrite)
        if out.resolve() == Path(args.save_latents).resolve():
            raise GenerateError(f"--save_latents={args.save_latents}: is OUT as well; give it another name")


def save_latents(args: argparse.Namespace, latents) -> None:
    """Where --save_latents asks for it. `latents`: float32 [N,L]."""
    from pgan_tf.inference.inputs import save_latents

    if args.save_latents:
        save_latents(Path(args.save_latents), latents)
        print(f"wrote {args.save_latents}")
