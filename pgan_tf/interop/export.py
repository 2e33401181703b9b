"""The ways out: a trained generator as a file for another runtime."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from pgan_tf.files import clear_away, names_besides, new_file, new_folder
from pgan_tf.inference.load import load_generator
from pgan_tf.interop import model_card, note, web_page
from pgan_tf.interop.runtimes import SAVED_MODEL_NAMES, write_onnx, write_saved_model, write_tflite
from pgan_tf.interop.web_page import CDN, write_web
from pgan_tf.interop.weights import write_weights
from pgan_tf.networks.saved import NetworkError, digest
from pgan_tf.text import shown


class Format(NamedTuple):
    """`suffix`: of the file's name; '' for a folder, which then holds `names`, the first of them always.

    `packages`: what writing needs. `tag`: what huggingface.co calls such files. `options`: names of what `write` takes
    besides.
    """

    suffix: str
    write: Callable[..., None]  # (network, where to, note, options)
    run: str  # the lines of Python that run it
    tag: str
    packages: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


FORMATS = {
    "saved_model": Format("", write_saved_model, note.SAVED_MODEL, "tensorflow", names=SAVED_MODEL_NAMES),
    "tflite": Format(".tflite", write_tflite, note.TFLITE, "tflite"),
    "onnx": Format(".onnx", write_onnx, note.ONNX, "onnx", packages=("onnx",)),
    "web": Format("", write_web, note.WEB, "onnx", packages=("onnx",), names=web_page.NAMES, options=("runtime",)),
    "weights": Format(".npz", write_weights, note.WEIGHTS, "numpy"),
}


def export(
    source: Path, out: Path, format: str, overwrite: bool = False, data_license: str = "", runtime: str = CDN
) -> str:  # fmt: skip
    """Writes the generator of `source` (see load_generator) to `out`; returns the Python that runs it.

    `out` and its model card beside it (`card_path`), which states `data_license` as that of the training images,
    appear when both are complete. NetworkError, one line: no generator there, an unknown format, a name that is not
    the format's, something in the way, a package that is missing, a place that cannot be written. `runtime`: of a web
    page, see web_page.write_web.
    """
    kind, card = _find(format), card_path(out)
    options = {"runtime": runtime} if "runtime" in kind.options else {}
    if runtime != CDN and not options:
        raise NetworkError(f"--runtime={runtime}: is for --format=web; leave it out")
    clear_away(out)
    clear_away(card)
    _check_out(out, kind, format, overwrite)
    _check_card(card, overwrite)
    _check_packages(kind, format)
    loaded = load_generator(source)
    network, file, _ = loaded
    page = note.page(kind.run, out.name, network, file.name, digest(file))
    about = model_card.page(loaded, out.name, kind.tag, note.code(kind.run, out.name, network), data_license)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with new_file(card) as beside, new_file(out) if kind.suffix else new_folder(out) as temporary:
            beside.write_text(about, encoding="utf-8")
            kind.write(network, temporary, page, **options)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise NetworkError(f"{out}: cannot be written: {reason}") from None
    return note.code(kind.run, str(out), network)


def card_path(out: Path) -> Path:
    """Where the model card of an export lies: digits.onnx.card.md."""
    return out.with_name(out.name + model_card.SUFFIX)


def _find(format: str) -> Format:
    if format not in FORMATS:
        raise NetworkError(f"--format={format}: choose one of {', '.join(FORMATS)}")
    return FORMATS[format]


def _check_out(out: Path, kind: Format, format: str, overwrite: bool) -> None:
    if out.suffix != kind.suffix and (kind.suffix or out.suffix in {other.suffix for other in FORMATS.values()}):
        named = f"a file named *{kind.suffix}" if kind.suffix else "a folder"
        raise NetworkError(f"{out}: --format={format} writes {named}; choose another name or another format")
    if not out.exists() or (not kind.suffix and out.is_dir() and not any(out.iterdir())):
        return
    if not overwrite:
        raise NetworkError(f"{out}: exists already; add --overwrite, or choose another name")
    if not (out.is_file() if kind.suffix else (out / kind.names[0]).is_file()):
        raise NetworkError(f"{out}: is not what --format={format} writes, so it stays; choose another name")
    if not kind.suffix and (others := names_besides(out, kind.names)):
        raise NetworkError(f"{out}: holds {shown(others[0])}, which no --format={format} writes; choose another name")


def _check_card(card: Path, overwrite: bool) -> None:
    if card.is_dir():
        raise NetworkError(f"{card}: a folder where the model card would lie; choose another name for the export")
    if card.exists() and not overwrite:
        raise NetworkError(f"{card}: exists already; add --overwrite, or choose another name for the export")


def _check_packages(kind: Format, format: str) -> None:
    for package in kind.packages:
        try:
            importlib.import_module(package)
        except ModuleNotFoundError:
            raise NetworkError(f"--format={format} needs the package {package}: pip install {package}") from None
        except Exception as error:  # an old version beside a newer NumPy or protobuf
            command = f"pip install -U {' '.join(kind.packages)}"
            raise NetworkError(f"--format={format}: {package} cannot be imported ({error}): {command}") from None
