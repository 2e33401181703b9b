"""The commands of network_tool.py."""

from __future__ import annotations

import argparse
from pathlib import Path

from pgan_tf.commands.flags import anywhere, command, location, number
from pgan_tf.text import shown


def add_commands(commands) -> None:
    """Adds them to argparse's sub-commands."""
    for name, add_flags, run, text in COMMANDS:
        add_flags(command(commands, name, run, text))


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--overwrite", action="store_true", help="replace what OUT holds")


# ---- import ----------------------------------------------------------------------------------------------------------


def _import_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("format", metavar="FORMAT", choices=("nvidia",), help="nvidia: a pickle (G, D, Gs) of the original ProGAN")
    add("file", metavar="FILE", type=location, help="what to read; nothing in it is executed")
    add("out", metavar="OUT", type=location, help="folder to make: generator_ema.keras, generator.keras, ...")
    text = "level of detail to rebuild the networks at: 0 = the final resolution (default: the file's own)"
    add("--lod", type=number(0, 16), help=text)
    add_overwrite(parser)


def _import(args: argparse.Namespace) -> int:
    from pgan_tf.interop.nvidia import import_nvidia

    print(*import_nvidia(Path(args.file), Path(args.out), args.lod, args.overwrite), sep="\n")
    return 0


# ---- info ------------------------------------------------------------------------------------------------------------


def _info_flags(parser: argparse.ArgumentParser) -> None:
    text = "a run folder, a .keras file, the folder of an imported network, or a .pkl of the original"
    parser.add_argument("network", metavar="NETWORK", type=anywhere, help=text)


def _info(args: argparse.Namespace) -> int:
    from pgan_tf.interop.info import print_info

    print_info(Path(args.network))
    return 0


# ---- export ----------------------------------------------------------------------------------------------------------

LONGEST_LICENSE = 200
FORMATS = ("saved_model", "tflite", "onnx", "web", "weights")  # those of interop/export.py, which loads TensorFlow


def _export_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "network", metavar="NETWORK", type=anywhere, help="a run folder, a .keras file, or an imported network's folder"
    )
    add(
        "out",
        metavar="OUT",
        type=location,
        help="to write: NAME.tflite, NAME.onnx, NAME.npz; a folder for saved_model and web",
    )
    text = "saved_model: TensorFlow without Keras; web: a page that draws in the browser; weights: NumPy arrays by name"
    add("--format", choices=FORMATS, required=True, help=text)
    text = "of --format=web: cdn; npm, which fetches it now to lie beside the page; or the unpacked onnxruntime-web"
    add("--runtime", type=location, default="cdn", metavar="cdn|npm|FOLDER", help=f"{text} (default: cdn)")
    text = "of the training images, such as cc-by-4.0; for the model card (default: not stated)"
    add("--data_license", type=_license, metavar="NAME", help=text)
    add_overwrite(parser)


def _license(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > LONGEST_LICENSE:
        wanted = f"one line of text, at most {LONGEST_LICENSE} characters: a licence or its https:// address"
        raise argparse.ArgumentTypeError(f"{shown(text[:LONGEST_LICENSE])}: must be {wanted}")
    return text.strip()


def _export(args: argparse.Namespace) -> int:
    from pgan_tf.interop.export import card_path, export

    license = args.data_license or ""
    code = export(Path(args.network), Path(args.out), args.format, args.overwrite, license, args.runtime)
    if args.format == "web":
        print(f"open {Path(args.out) / 'index.html'} in a browser, or put the folder on any web server")
    print(f"wrote {args.out} and its model card {card_path(Path(args.out))}; in Python:\n\n{code}")
    return 0


COMMANDS = (  # name, its flags, what it does (returns the exit status), what it says of itself
    ("import", _import_flags, _import, "turn a network file of another program into ours"),
    ("info", _info_flags, _info, "say what a network is: layers, parameters, resolution, options, sha256"),
    (
        "export",
        _export_flags,
        _export,
        "write a generator for other runtimes: TensorFlow, TFLite, ONNX, the web, NumPy",
    ),
)
