"""The golden numbers of the original, and the way from its names and layout to ours.

`tests/golden` holds the small set. A wider one, if there is one, is the folder named by PGAN_TF_GOLDEN, else
`../shared/golden/nvidia` beside the repository; its files are tested in addition to the small ones.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pgan_tf.interop.nvidia_tables import name_in_original

TESTS = Path(__file__).resolve().parent
SMALL = TESTS / "golden"
WIDE = Path(os.environ.get("PGAN_TF_GOLDEN", TESTS.parents[1] / "shared" / "golden" / "nvidia"))

TINY = dict(resolution=16, label_size=3, num_channels=3, fmap_base=64, fmap_max=16, latent_size=16)
WIDER = dict(resolution=32, label_size=0, num_channels=3, fmap_base=256, fmap_max=64, latent_size=64)
# The original's configurations: our options, and the seeds of its pseudo-random weights (of G and D).
CONFIGS = {
    "a": (WIDER, 101, 202),
    "b": ({**WIDER, "label_size": 10}, 303, 404),
    "c": (WIDER, 101, 202),  # unfused, with the weights of a
    "d": ({**WIDER, "resolution": 16, "num_channels": 1}, 505, 606),
    "e": (WIDER, 101, 202),
    "f": ({**TINY, "label_size": 0}, 909, None),
    "t": (TINY, 707, 808),
}
EMA_SEED = 810  # of the averaged generator of t


def small(name: str):
    return load(SMALL / name)


@functools.lru_cache(maxsize=4)
def load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def files(pattern: str) -> list:
    """pytest parameters: every golden file that matches, of the small set and of the wide one where it is."""
    paths = [(path, f"small-{path.stem}") for path in sorted(SMALL.glob(pattern))]
    assert paths, f"no {pattern} in {SMALL}"
    ours = {path.name: path.read_bytes() for path, _ in paths}
    for path in sorted(WIDE.glob(pattern)):
        if ours.get(path.name) != path.read_bytes():
            paths.append((path, f"wide-{path.stem}"))
    return [pytest.param(path, id=label) for path, label in paths]


def original_weights(network, seed: int, options: dict) -> dict[str, np.ndarray]:
    """The weights that the original had when the golden numbers were made, by its names.

    RandomState(seed), variables in the sorted order of their names, standard normal, biases x 0.1. Needs the
    network of the final resolution, with one RGB layer for every resolution: `network` is the class.
    """
    shapes = {}
    for k in range(2, int(np.log2(options["resolution"])) + 1):
        # Each stage adds its block and its RGB layer.
        stage = network(**{**options, "resolution": 2**k})
        for name, variable in stage.parameters_by_name().items():
            shapes[name_in_original(name, options["resolution"])] = tuple(variable.shape)
    random, weights = np.random.RandomState(seed), {}
    for name in sorted(shapes):
        value = random.standard_normal(shapes[name]).astype(np.float32)
        weights[name] = value * np.float32(0.1) if name.endswith("bias") else value
    return weights


@functools.cache
def _weights(network, seed: int, options: tuple) -> dict[str, np.ndarray]:
    return original_weights(network, seed, dict(options))


def set_weights(network, weights: dict[str, np.ndarray], resolution: int, prefix: str = "") -> None:
    """Fills one of our networks with weights by the original's names; `resolution` is the final one."""
    for name, variable in network.parameters_by_name().items():
        variable.assign(weights[prefix + name_in_original(name, resolution)])


def options_for(network, options: dict) -> dict:
    """The options that the class knows: a discriminator has no latents."""
    return options if network.__name__ == "Generator" else {k: v for k, v in options.items() if k != "latent_size"}


def build(network, config: str, lod: float = 0.0, dtype: str = "float32", seed: int | None = None, **changes):
    """One of the original's networks at `lod`, with its weights -> (network, alpha, enlargement to full size)."""
    options, g_seed, d_seed = CONFIGS[config]
    generator = network.__name__ == "Generator"
    options = options_for(network, {**options, **changes})
    seed = seed or (g_seed if generator else d_seed)
    full, factor, alpha = options["resolution"], 2 ** int(lod), 1 - lod % 1
    sizes = {k: v for k, v in options.items() if k not in ("fused_scale", "mbstd_group_size")}
    if not options.get("mbstd_group_size", 4) > 1:
        sizes["mbstd_group_size"] = options["mbstd_group_size"]
    weights = _weights(network, seed, tuple(sizes.items()))
    if not options.get("fused_scale", True):
        weights = unfused(weights)
    options = {**options, "resolution": full // factor, "fading": lod % 1 > 0, "dtype": dtype}
    made = network(**options)
    set_weights(made, weights, full)
    return made, alpha, factor


def unfused(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights of the network without fused resampling: G the same function, D another one."""
    result = {}
    for name, value in weights.items():
        if name.endswith("Conv0_up/weight"):
            value = value[::-1, ::-1].transpose(0, 1, 3, 2)
        result[name.replace("Conv0_up", "Conv0").replace("Conv1_down", "Conv1")] = value
    return result


def nhwc(images: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(images, -3, -1))


def enlarge(images: np.ndarray, factor: int) -> np.ndarray:
    """[..,H,W,C] -> [..,fH,fW,C]: each pixel becomes factor x factor; images of a stage at the final resolution."""
    return images.repeat(factor, -3).repeat(factor, -2)


def shrink(images: np.ndarray, factor: int) -> np.ndarray:
    """[..,H,W,C] -> [..,H/f,W/f,C], the means of boxes; computed in float64."""
    *lead, h, w, c = images.shape
    boxes = images.astype(np.float64).reshape(*lead, h // factor, factor, w // factor, factor, c)
    return boxes.mean((-4, -2))


def deviation(ours, theirs) -> float:
    """Greatest difference, as part of their greatest value."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def rounding(network) -> float:
    """How far two float32 results of a network may lie apart, as part of the greatest value.

    The rounding errors of sums grow with the root of the number of terms, one after another; in which order a sum is
    taken, and with which of its terms at once, is the processor's affair. 2^-24 is half a unit in the last place; the
    four stand for two results and for what is not a sum.
    """
    layers = [layer for layer in network.layers if getattr(layer, "flops", 0)]
    terms = sum(layer.flops / 2 / layer.outputs_per_image for layer in layers)
    return 4 * 2.0**-24 * float(np.sqrt(terms))


def fresh_process(script: str | Path, *arguments, timeout: float = 300.0) -> str:
    """Runs a script, given as a file or as source text, in a new Python; returns what it printed."""
    command = [str(script)] if isinstance(script, Path) else ["-c", script]
    path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    environment = {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    environment.pop("PGAN_TF_NO_KERAS", None)  # another test may have imported the data tool
    command = [sys.executable, *command, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout
