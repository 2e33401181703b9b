"""A generator as a page that draws in the visitor's browser: a folder of static files.

index.html      the page
network.onnx    the generator, with an input for the truncation
network.js      the same as a script: from file:// browsers fetch nothing, but run scripts
runtime/        onnxruntime-web, where it is not to come from the content delivery network that the page names
"""

from __future__ import annotations

import base64
import html
import json
import shutil
import string
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from pgan_tf import growth
from pgan_tf.inference.truncation import centres
from pgan_tf.interop import onnx_graph
from pgan_tf.networks import Generator
from pgan_tf.networks.saved import NetworkError

VERSION = "1.23.2"  # of onnxruntime-web
CDN, NPM = "cdn", "npm"
ADDRESS = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{VERSION}/dist/"
FILE, INTEGRITY = "ort.wasm.min.js", "sha384-GSOBGQg6kVsuMyYDF1UYiugU8KYEJbLtrPF9QBOQHugO+rqTdyBe+Fay31Jb/KRJ"
WASM = "ort-wasm-simd-threaded"  # .mjs and .wasm, which FILE loads
FILES = (FILE, f"{WASM}.mjs", f"{WASM}.wasm")
SECONDS = 300  # that npm may take
PAGE = Path(__file__).parent / "web" / "page.html"
NAMES = ("index.html", "network.onnx", "network.js", "runtime")  # all that the folder ever holds


def write_web(network: Generator, folder: Path, note: str, runtime: str = CDN) -> None:
    """Writes the page to `folder`, which exists; the first line of `note` is its title.

    runtime: "cdn" = the page names it; "npm" = fetched now, to lie beside the page; or the folder of the unpacked
    package onnxruntime-web, to be copied there. NetworkError, one line.
    """
    network = growth.float32_copy(network)
    rows = np.eye(max(1, network.label_size), network.label_size, dtype=np.float32)  # [K,K]
    model = onnx_graph.build(network, note, centres(network, rows)).SerializeToString()
    (folder / "network.onnx").write_bytes(model)
    (folder / "network.js").write_text(f'window.pganNetwork = "{base64.b64encode(model).decode()}";\n')
    title = note.splitlines()[0].lstrip("# ")
    facts = json.dumps(_facts(network), indent=2).replace("<", "\\u003c")
    page = string.Template(PAGE.read_text(encoding="utf-8")).substitute(title=html.escape(title), network=facts)
    (folder / "index.html").write_text(page, encoding="utf-8")
    if runtime == NPM:
        with tempfile.TemporaryDirectory() as temporary:
            _copy_runtime(_fetched(Path(temporary)), folder / "runtime", "npm")
    elif runtime != CDN:
        _copy_runtime(Path(runtime), folder / "runtime", runtime)


def _facts(network: Generator) -> dict:
    """What the page knows of the network."""
    size, classes = network.resolution, network.label_size
    of_classes = f", {classes} classes" if classes else ""
    return {
        "latent_size": network.latent_size, "label_size": classes, "resolution": size,
        "num_channels": network.num_channels, "latents": network.options.latents,
        "classes": [str(i) for i in range(classes)],
        "about": f"{network.latent_size} random numbers to {size}x{size} pixels{of_classes}",
        "runtime": {"cdn": ADDRESS, "file": FILE, "integrity": INTEGRITY},
    }  # fmt: skip


def _copy_runtime(package: Path, out: Path, given: str) -> None:
    """What the page needs of the package onnxruntime-web: its files, and the two that are loaded later as a script."""
    found = next((folder for folder in (package / "dist", package) if (folder / FILE).is_file()), None)
    if found is None or not all((found / name).is_file() for name in FILES):
        raise NetworkError(
            f"--runtime={given}: holds no {FILE}; give cdn, npm or the unpacked onnxruntime-web {VERSION}"
        )
    out.mkdir()
    for name in FILES:
        shutil.copyfile(found / name, out / name)
    kept = {suffix: base64.b64encode((found / f"{WASM}.{suffix}").read_bytes()).decode() for suffix in ("mjs", "wasm")}
    (out / "as_script.js").write_text(f"window.pganRuntime = {json.dumps(kept)};\n")


def _fetched(folder: Path) -> Path:
    """Has npm fetch the package, which checks its hash -> its folder."""
    program = shutil.which("npm")
    if program is None:
        raise NetworkError("--runtime=npm: npm is not installed; give cdn, or the folder of onnxruntime-web")
    command = [program, "pack", "--silent", "--ignore-scripts", f"onnxruntime-web@{VERSION}"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
        with tarfile.open(next(folder.glob("*.tgz"))) as file:
            for member in file:  # by their names alone: early Pythons of each version have no filter for extractall
                name = Path(member.name).name
                if member.isfile() and name in FILES:
                    (folder / name).write_bytes(file.extractfile(member).read())
    except (OSError, StopIteration, subprocess.SubprocessError, tarfile.TarError):
        raise NetworkError(
            f"--runtime=npm: npm cannot fetch onnxruntime-web {VERSION}; try again, or give cdn"
        ) from None
    return folder
