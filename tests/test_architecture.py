"""Imports point down. This file reads them, so that a wrong arrow fails here and not in a reader's head."""

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEVELS = [
    {"errors", "heap", "html_page", "metrics", "notebook", "registration", "signals", "text"},
    {"former", "option", "pickles", "progress", "recipes"},
    {
        "called",
        "config",
        "files",
        "flagfiles",
        "grids",
        "hdf5",
        "mirror",
        "places",
        "plain",
        "plane",
        "quiet",
        "rules",
        "stamps",
    },
    {"endings", "mirror", "option_flags", "stages", "workers"},
    {"schedule", "presets", "latents", "layers", "devices", "probe"},
    {"augment", "networks", "losses", "precision", "resampling"},
    {"growth"},
    {"data"},
    {"evaluation"},
    {"training"},
    {"inference", "interop", "experiments"},
    {"explore"},
    {"commands"},
    {"programs"},
    {"api"},
    {"__main__"},
]
RANK = {module: level for level, modules in enumerate(LEVELS) for module in modules}
# Within a package, where it is large: what stands lower is imported by what stands higher.
INNER = {
    "data": [
        {"errors", "memory", "pyramid"},
        {"files", "holdout", "label_rows", "parallel", "pictures", "remote", "stored"},
        {"tfrecord"},
        {"dataset"},
        {"points"},
        {"samples"},
        {"identity", "pipeline", "verify", "writer"},
        {"creation_report", "source"},
        {"prepare"},
        {"beam"},
        {"engine"},
        {"sources"},
        {"celebahq", "faces", "tools"},
    ],
    "training": [
        {"bars", "costs", "curves", "deciding", "export", "microbatches", "rundir", "speeds", "stopping", "unroll"},
        {"console", "peak", "player"},
        {"memory", "run_report"},
        {"extras"},
        {"state"},
        {"blocks", "checkpoint", "critic", "feed", "measuring", "records", "together"},
        {"compiled", "gauge"},
        {"failures", "initial", "plan", "reference", "saving", "step"},
        {"calls", "clock", "estimate"},
        {"ticks", "trial"},
        {"begin", "loop"},
        {"launch"},
    ],
    "workers": [{"cluster", "wire"}, {"team"}, {"meeting", "mirrored", "shared"}],
    "inference": [
        {"errors", "load", "spaces"},
        {"inputs", "output"},
        {"facts", "truncation"},
        {"sample"},
        {"drawing"},
        {"pictures", "search"},
    ],
    "explore": [
        {"engine"},
        {"onnx_engine"},
        {"opening"},
        {"points", "training_set"},
        {"painter", "uploads"},
        {"networks"},
        {"handlers"},
        {"parts"},
        {"tabs"},
        {"page"},
        {"serve"},
    ],
}
FRAMEWORKS = {"tensorflow", "keras"}


def sources(root: Path) -> dict[str, Path]:
    """{'pgan_tf.layers.fade': its file, 'train': its file, 'pgan_tf.metrics.fid': ...}: all code but the tests."""
    files = [*root.glob("*.py"), *root.glob("pgan_tf/**/*.py"), *root.glob("metrics/**/*.py")]
    names = {path: path.relative_to(root).with_suffix("").parts for path in files}
    names = {path: ("pgan_tf", *parts) if parts[0] == "metrics" else parts for path, parts in names.items()}
    return {".".join(parts[:-1] if parts[-1] == "__init__" else parts): path for path, parts in names.items()}


parsed = functools.cache(ast.parse)


def imports(module: str, path: Path, known: dict[str, Path], at_import_only: bool = False) -> set[str]:
    """Everything that a file imports, as absolute names; `at_import_only` leaves out what functions import."""
    tree, found, package = parsed(path.read_text()), set(), module.split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        if at_import_only and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        nodes.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            found.add(base)  # and those of its names that are modules
            found.update(f"{base}.{alias.name}" for alias in node.names if f"{base}.{alias.name}" in known)
    return found


def rank(module: str) -> int | None:
    """How high a module of ours stands; None for the package itself, which is everyone's door."""
    parts = module.split(".")
    if parts[0] != "pgan_tf":
        return len(LEVELS)  # a script
    return RANK[parts[1]] if len(parts) > 1 else None


def violations(root: Path) -> list[str]:
    """One line for every import that breaks a law."""
    known, wrong = sources(root), []
    scripts = {name for name in known if "." not in name and name != "pgan_tf"}
    for module, path in sorted(known.items()):
        if module.startswith("pgan_tf.") and module.split(".")[1] not in RANK:
            wrong.append(f"{module}: has no place in the order; give it one in {Path(__file__).name}")
            continue
        for target in sorted(imports(module, path, known)):
            top = target.split(".")[0]
            if module.startswith("pgan_tf.metrics"):
                if (top == "pgan_tf" and not target.startswith("pgan_tf.metrics")) or top in scripts:
                    wrong.append(f"{module} imports {target}: metrics stand apart")
            elif module.startswith("pgan_tf."):
                if top in scripts:
                    wrong.append(f"{module} imports {target}: a script")
                elif target.startswith("pgan_tf.") and target.split(".")[1] in RANK and rank(target) > rank(module):
                    wrong.append(f"{module} imports {target}: points up")
    return [*wrong, *inner(known), *circles(known), *heavy(known)]


def inner(known: dict[str, Path]) -> list[str]:
    """The imports within a package that point up in its own order (INNER)."""
    wrong = []
    for package, levels in INNER.items():
        ranks = {f"pgan_tf.{package}.{name}": level for level, names in enumerate(levels) for name in names}
        for module, targets in arrows(known, f"pgan_tf.{package}").items():
            if module not in ranks:
                wrong.append(f"{module}: has no place in the order of {package}; give it one in {Path(__file__).name}")
            wrong += [
                f"{module} imports {target}: points up in {package}"
                for target in targets if module in ranks and target in ranks and ranks[target] > ranks[module]
            ]  # fmt: skip
    return wrong


def arrows(known: dict[str, Path], package: str) -> dict[str, set[str]]:
    """{part of a package, a module or a package itself: the other parts that it imports}."""
    depth, found = package.count(".") + 2, {}
    for module, path in known.items():
        if module.startswith(f"{package}."):
            part = ".".join(module.split(".")[:depth])
            targets = {
                ".".join(target.split(".")[:depth])
                for target in imports(module, path, known) if target.startswith(f"{package}.")
            }  # fmt: skip
            found.setdefault(part, set()).update(targets - {part})
    return found


def circles(known: dict[str, Path]) -> list[str]:
    """The packages of which some parts import each other in a circle."""
    wrong = []
    for package in sorted({module.rpartition(".")[0] for module in known} - {"", "pgan_tf"}):
        left = arrows(known, package)
        while free := [part for part, targets in left.items() if not targets & left.keys()]:
            for part in free:
                del left[part]
        if left:
            wrong.append(f"{package}: a circle among {', '.join(sorted(left))}")
    return wrong


def heavy(known: dict[str, Path]) -> list[str]:
    """The modules that must start fast, and load TensorFlow all the same, themselves or through ours."""
    light = {
        name for name in known
        if name in ("pgan_tf.config", "pgan_tf.schedule", "pgan_tf.presets")
        or name.startswith(("pgan_tf.data", "pgan_tf.commands", "pgan_tf.programs", "pgan_tf.workers"))
    } - {"pgan_tf.data.pipeline", "pgan_tf.workers.mirrored"}  # fmt: skip
    wrong = []
    for start in sorted(light):
        seen, queue = {"pgan_tf"}, [(start, start)]
        while queue:
            module, way = queue.pop()
            if module in seen or module not in known:
                continue
            seen.add(module)
            for target in imports(module, known[module], known, at_import_only=True):
                if target.split(".")[0] in FRAMEWORKS:
                    wrong.append(f"{start} loads {target} (by {way})")
                queue.append((target, f"{way} > {target}"))
    return wrong


def test_the_house_is_in_order():
    assert sources(ROOT).keys() >= {"pgan_tf.config", "pgan_tf.metrics.swd", "pgan_tf.training.step"}
    assert not violations(ROOT), "\n".join(violations(ROOT))


def test_config_imports_nothing_of_ours_but_what_options_are():
    known = sources(ROOT)
    found = {name for name in imports("pgan_tf.config", known["pgan_tf.config"], known) if name.startswith("pgan_tf")}
    assert found == {"pgan_tf.former", "pgan_tf.option", "pgan_tf.recipes", "pgan_tf.rules", "pgan_tf.text"}


WRONG = {
    "pgan_tf/layers/fade.py": [
        "from pgan_tf.networks import Generator",
        "from pgan_tf import networks",
        "import pgan_tf.growth",
    ],
    "pgan_tf/losses/penalties.py": ["from ..training import step", "def f():\n    from pgan_tf.data import dataset"],
    "pgan_tf/config.py": ["from .schedule import Stage", "import tensorflow as tf"],
    "pgan_tf/programs/train.py": ["import tensorflow", "from pgan_tf.training import loop"],
    "pgan_tf/schedule.py": ["from keras import ops", "if True:\n    import keras"],
    "pgan_tf/training/loop.py": ["import train", "from pgan_tf.inference import load"],
    "pgan_tf/training/state.py": ["from pgan_tf.training import loop", "from .ticks import TICKS"],
    "pgan_tf/data/tfrecord.py": [
        "import tensorflow",
        "from pgan_tf.layers import fade",
        "from pgan_tf.data import pipeline",
    ],
    "pgan_tf/mystery.py": ["x = 1"],
    "pgan_tf/data/mystery.py": ["x = 1"],
    "pgan_tf/data/engine.py": ["from pgan_tf.data.sources import celeba", "from .tools.show import show"],
    "pgan_tf/networks/blocks.py": ["from pgan_tf.networks import progressive"],
    "pgan_tf/inference/load.py": ["from pgan_tf.inference import sample", "from .pictures import sheets"],
    "metrics/other.py": ["from . import fid", "from .fid import frechet"],
    "metrics/fid.py": ["from pgan_tf.config import Config", "from ..config import Config", "import train"],
}
RIGHT = {
    "pgan_tf/layers/fade.py": "import tensorflow",
    "pgan_tf/schedule.py": "from pgan_tf.config import ScheduleOptions\nfrom pgan_tf import config",
    "pgan_tf/networks/__init__.py": "from pgan_tf.layers import fade\nimport keras",
    "pgan_tf/data/pipeline.py": "import tensorflow\nfrom pgan_tf.schedule import x",
    "pgan_tf/data/tfrecord.py": "def late():\n    import tensorflow",
    "pgan_tf/data/engine.py": "from pgan_tf.data import tfrecord",
    "pgan_tf/data/sources/celeba.py": "from pgan_tf.data.engine import write",
    "pgan_tf/data/tools/show.py": "from pgan_tf.data.sources import celeba",
    "pgan_tf/inference/sample.py": "from .load import x",
    "pgan_tf/inference/pictures/sheets.py": "from pgan_tf.inference import sample",
    "pgan_tf/networks/blocks.py": "from pgan_tf.layers import fade",
    "pgan_tf/networks/progressive.py": "from .blocks import x",
    "pgan_tf/training/state.py": "from pgan_tf.training import export",
    "pgan_tf/training/loop.py": "import pgan_tf.metrics.fid\nfrom pgan_tf.data import pipeline\nimport tensorflow",
    "pgan_tf/__init__.py": "from pgan_tf import networks as networks",
    "metrics/fid.py": "import numpy\nfrom . import other",
    "metrics/other.py": "",
    "train.py": "from pgan_tf.training import loop\nimport pgan_tf.metrics",
    "pgan_tf/programs/train.py": "def run():\n    from pgan_tf.training import loop",
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_house_in_order_passes(tmp_path):
    assert violations(write(tmp_path, RIGHT)) == []


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in WRONG.items() for text in texts])
def test_a_wrong_import_fails(name, text, tmp_path):
    assert len(violations(write(tmp_path, {**RIGHT, name: text}))) >= 1
