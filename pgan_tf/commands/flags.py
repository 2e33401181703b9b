"""Flags that several commands share."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import shlex
from collections.abc import Callable, Iterator

from pgan_tf import __version__
from pgan_tf.called import page
from pgan_tf.errors import UserError
from pgan_tf.mirror import fetched
from pgan_tf.option import ConfigError, parse_grid_size, shown, whole_number
from pgan_tf.places import is_stored, place

MOST = 10**9  # of what can be counted; what is larger was mistyped
LARGEST_SEED, LARGEST_SIDE, MOST_BYTES = 2**63 - 1, 2**14, 2**40


class UsageError(UserError):
    """Words on the command line that mean nothing."""


class Parser(argparse.ArgumentParser):
    """One that says in one line what is wrong, as our programs do of everything; flags are written in full."""

    def __init__(self, *args, **options):
        super().__init__(*args, **{"allow_abbrev": False, **options})

    def error(self, message: str):
        text = " ".join(message.split())
        text = text if len(text) <= 300 else f"{text[:140]} ... {text[-140:]}"
        raise UsageError(f"{text}; see {self.prog} --help")


def program_parser(doc: str, epilog: str, prog: str | None = None) -> argparse.ArgumentParser:
    """The parser of a program.

    doc: what it does and where more is said; epilog: examples, naming it by its script; prog: how the program is
    called, where that is not how this process was.
    """
    parser = Parser(prog=prog, description=page(doc), epilog=page(epilog),
                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--version", action="version", version=f"pgan_tf {__version__}")
    return parser


def command(commands, name: str, run, text: str) -> argparse.ArgumentParser:
    """A sub-command: `run(args)` does it and returns the exit status, `text` says what it does."""
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(run=run)
    return parser


# ---- types of arguments ----------------------------------------------------------------------------------------------


def whole(minimum: int, maximum: int = MOST) -> Callable[[str], int]:
    """The type of a whole number within bounds, both included."""

    def parse(text: str) -> int:
        value = whole_number(text)
        if value is None or value < minimum:
            raise argparse.ArgumentTypeError(f"{shown(text)}: must be {minimum} or more")
        if value > maximum:
            raise argparse.ArgumentTypeError(f"{shown(text)}: must be at most {maximum}")
        return value

    return parse


positive, seed = whole(1), whole(0, LARGEST_SEED)


def number(minimum: float, maximum: float, above: bool = False) -> Callable[[str], float]:
    """The type of a number within bounds; `above`: without the lower one."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not minimum <= value <= maximum or (above and value == minimum):
            least = f"above {minimum:g}" if above else f"{minimum:g} or more"
            raise argparse.ArgumentTypeError(f"{shown(text)}: must be a number, {least}, at most {maximum:g}")
        return value

    return parse


def grid_size(text: str) -> tuple[int, int]:
    """The type of columns x rows."""
    try:
        return parse_grid_size(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error).partition("=")[2]) from None


def anywhere(text: str) -> str:
    """The type of a file or folder of the disk or of a store: not empty, and ~ is the user's own."""
    if not text:
        raise argparse.ArgumentTypeError("is empty; give the name of a file or folder")
    return os.path.expanduser(text)


def location(text: str) -> str:
    """The type of a file or folder of the disk."""
    if is_stored(text):
        raise argparse.ArgumentTypeError(f"{shown(text)}: has to be on a disk; copy it there, or give a local name")
    return anywhere(text)


MISSING = {
    "network": "no such file or folder; give a run's folder, a .keras file or an imported network",
    "file": "no such file; give a .pkl of the original",
}


@contextlib.contextmanager
def networks_here(args: argparse.Namespace) -> Iterator[None]:
    """Within, the command's NETWORK, or several, are on the disk: of those on a store copies."""
    given = getattr(args, "network", None)
    with contextlib.ExitStack() as held:
        here = [str(held.enter_context(fetched(place(path)))) if is_stored(path) else path for path in _listed(given)]
        if given is not None:
            args.network = here if isinstance(given, list) else here[0]
        yield


def _listed(given: str | list[str] | None) -> list[str]:
    return given if isinstance(given, list) else [given] if given is not None else []


def check_network(args: argparse.Namespace) -> None:
    """UsageError where a command's NETWORK or FILE is not there: before TensorFlow, which takes seconds to load."""
    for name, text in MISSING.items():
        for path in _listed(getattr(args, name, None)):
            if not (place(path).exists() if is_stored(path) else os.path.lexists(path)):
                raise UsageError(f"{path}: {text}")


OUT = "folder to make; must not exist or be empty; it names the data set"

# ---- flags -----------------------------------------------------------------------------------------------------------


def add_out(parser: argparse.ArgumentParser, shuffle: int = 1, kind=anywhere, **out) -> None:
    """OUT, and how it is written; `output` reads them back. `shuffle`: the default, as the original's tool has it.

    kind: of places that OUT may be. out: what argparse is told of it besides.
    """
    add = parser.add_argument
    add(
        "out",
        **out,
        type=kind,
        metavar="OUT",
        help=OUT,
    )
    add(
        "--shuffle",
        type=int,
        choices=(0, 1),
        default=shuffle,
        help="1: shuffle by a fixed seed; 0: keep the order (default: %(default)s)",
    )
    add("--strict", action="store_true", help="stop at the first unreadable picture instead of skipping it")
    add("--workers", type=whole(1, 1024), metavar="N", help="processes (default: one for each core)")
    add("--shards", type=whole(1, 10_000), default=1, metavar="N", help="files per resolution (default: %(default)s)")
    add("--engine", choices=("local", "beam"), default="local", help="beam: an Apache Beam pipeline (default: local)")
    add("--beam_options", default="", metavar="'FLAGS'", help="of Beam, such as '--runner=FlinkRunner'")


def output(args: argparse.Namespace):
    """The engine's Output that the flags of `add_out` ask for."""
    from pgan_tf.data.engine import Output
    from pgan_tf.data.parallel import cores

    return Output(
        shuffle=bool(args.shuffle),
        strict=args.strict,
        workers=args.workers or cores(),
        shards=args.shards,
        engine=args.engine,
        beam_options=_words("--beam_options", args.beam_options),
    )


def _words(flag: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:  # a quotation mark that is never closed
        raise UsageError(f"{flag}={shown(text)}: {str(error).lower()}") from None


def add_partial(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--allow_partial", action="store_true", help="take fewer images than the set has")


def add_own_size(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--own_size", action="store_true", help=f"{what}, for networks that do not grow")


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """How pictures of any size become square; `picture_options` reads them back."""
    from_most = "side, a power of two (default: the largest that half of the pictures have, to 1024)"
    add = parser.add_argument
    add("--resolution", type=whole(1, LARGEST_SIDE), help=from_most)
    add_own_size(parser, "a --resolution that is no power of two")
    add("--fit", choices=("crop", "pad", "stretch"), default="crop", help="how to make it square (default: crop)")
    add("--background", default="white", metavar="COLOUR", help="behind transparency and padding: a name or #rrggbb")
    add("--mode", choices=("rgb", "grey"), default="rgb", help="what to store (default: rgb)")
    of_deep = "samples that are black and white where they have more than 8 bits, such as 0,4095 (default: all of 16)"
    add("--range", metavar="LOW,HIGH", help=of_deep)
    frames = "of animations and of TIFF files of several pages (default: first)"
    add("--frames", choices=("first", "all"), default="first", help=frames)
    pixels = "larger pictures are skipped (default: 2^26)"
    add("--max_pixels", type=whole(1, MOST_BYTES), default=2**26, metavar="N", help=pixels)
    larger = "larger members of an archive are skipped (default: 2^27)"
    add("--max_file_bytes", type=whole(1, MOST_BYTES), default=2**27, metavar="N", help=larger)
    labels = "larger files with the labels of all pictures are refused, beside each from a 64th on (default: 2^26)"
    add("--max_side_bytes", type=whole(1, MOST_BYTES), default=2**26, metavar="N", help=labels)


def picture_options(args: argparse.Namespace):
    """The Options that the flags of `add_out` and `add_pictures` ask for."""
    from pgan_tf.data.sources.images import Options

    return Options(
        resolution=args.resolution,
        fit=args.fit,
        background=args.background,
        mode=args.mode,
        range=args.range,
        frames=args.frames,
        max_pixels=args.max_pixels,
        max_file_bytes=args.max_file_bytes,
        max_side_bytes=args.max_side_bytes,
        output=output(args),
        own_size=args.own_size,
    )
