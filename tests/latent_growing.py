"""The golden numbers of networks that grow in latents (Sandstroem 2019), and the way from their names to ours.

The weights behind them are pseudo-random, and made again here: no file holds them.
"""

from __future__ import annotations

import functools

import numpy as np

from pgan_tf.config import Config
from pgan_tf.growth import NetworkFactory
from pgan_tf.layers.widening import length
from pgan_tf.stages import Size, Stage, sizes

# The options that make our networks the published ones. Unfused: their up-sampling is beside the convolution.
OPTIONS = dict(
    g_weights="plain", d_weights="plain", g_norm="none", normalize_latents=False, g_output="tanh", fused_scale=False,
    widening="as_coded",
)  # fmt: skip
WHOLE = 256  # latents, and feature maps at 4x4
LAYERS = {4: 2, 8: 4, 16: 6, 32: 8, 64: 10, 128: 12}  # of the generator; the discriminator has one more
GROW = {"clgGAN": "layers,latent,channels", "lgGAN": "layers", "cgGAN": "latent,channels", "bgGAN": "latent",
        "bGAN": "none"}  # fmt: skip


def ladder(model: str, resolution: int, latents: int, widest: int = WHOLE) -> tuple[list[Size], dict]:
    """The sizes of a model, and the options of its networks; feature maps go from `widest` at 4x4 by halves."""
    options = {**OPTIONS, "latent_size": latents, "fmap_base": 2 * widest, "fmap_max": widest, "grow": GROW[model]}
    options["mbstd_group_size"] = 4 if model in ("lgGAN", "bGAN") else 16
    return sizes(GROW[model], resolution, latents, 4), options


def generator_name(model: str, layers: int) -> dict[str, str]:
    """{our layer: theirs} of a generator with so many layers, and the output layer of the one before."""
    names, level = {"4x4_Dense": "g_h1", "4x4_Conv": "g_h2"}, 8
    for layer in range(3, layers, 2):
        names |= {f"{level}x{level}_Conv0": f"g_h{layer}", f"{level}x{level}_Conv1": f"g_h{layer + 1}"}
        level *= 2
    last = level // 2
    return {**names, **{f"ToRGB_{res}x{res}": "g_out" if model == "cgGAN" else f"g_out{count}"
                        for res, count in ((last, layers), (last // 2, layers - 2)) if res >= 4}}  # fmt: skip


def discriminator_name(model: str, layers: int) -> dict[str, str]:
    """The same of a discriminator: theirs count from the output in clgGAN, from the image in the others."""
    last = next(res for res, count in LAYERS.items() if count + 1 == layers)
    ours = [f"FromRGB_{last}x{last}"]
    for k in range(int(np.log2(last)), 2, -1):
        ours += [f"{2**k}x{2**k}_Conv0", f"{2**k}x{2**k}_Conv1"]
    ours += ["4x4_Conv", "4x4_Dense0"]
    if model == "clgGAN":
        theirs = [f"d_h{layers}_{layers}", *(f"d_h{i}" for i in range(layers - 1, 2, -1)), "d_std_h2", "d_h1"]
    else:
        statistics = "d_std_h" if model == "cgGAN" else "d_h"
        first = f"d_h1_{layers}" if model == "lgGAN" else "d_h1"
        middle = [f"d_h{i}" for i in range(2, layers - 1)]
        theirs = [first, *middle, f"{statistics}{layers - 1}", f"d_h{layers}"]
    names = {**dict(zip(ours, theirs, strict=True)), "4x4_Dense1": "d_out"}
    before = f"d_h{layers - 2}_{layers - 2}" if model == "clgGAN" else f"d_h1_{layers - 2}"
    return {**names, f"FromRGB_{last // 2}x{last // 2}": before}


def their_name(ours: str, names: dict[str, str]) -> str:
    layer, variable = ours.split("/")
    theirs = names[layer]
    if variable == "bias":
        return f"{theirs}/bias" if theirs == "d_out" else f"{theirs}/biases"
    return f"{theirs}/{'kernel' if theirs in ('g_h1', 'd_out') else 'w'}"


def to_ours(name: str, value: np.ndarray) -> np.ndarray:
    """Their layout -> ours, by our name."""
    if name == "4x4_Dense/weight":
        return value.reshape(len(value), 4, 4, -1).transpose(0, 3, 1, 2).reshape(len(value), -1)  # [z,C*4*4]
    if name == "4x4_Dense0/weight":
        return value.transpose(2, 0, 1, 3).reshape(-1, value.shape[-1])  # [C*4*4,F]
    return value


def to_theirs(name: str, value: np.ndarray) -> np.ndarray:
    if name == "4x4_Dense/weight":
        return value.reshape(len(value), -1, 4, 4).transpose(0, 2, 3, 1).reshape(len(value), -1)
    if name == "4x4_Dense0/weight":
        return value.reshape(-1, 4, 4, value.shape[-1]).transpose(1, 2, 0, 3)
    return value


def fill(network, names: dict[str, str], seed: int) -> None:
    """Gives a network, which must have the layers that fade out too, the pseudo-random weights."""
    theirs = {their_name(name, names): name for name in network.parameters_by_name()}
    random, variables = np.random.RandomState(seed), network.parameters_by_name()
    for their, ours in sorted(theirs.items()):
        value = random.standard_normal(to_theirs(ours, variables[ours].numpy()).shape)
        if their.endswith(("bias", "biases")):
            value = value * 0.1
        else:
            gain = 0.5 if their.startswith("g_out") else np.sqrt(2.0)
            value = value * (gain / np.sqrt(np.prod(value.shape[:-1])))
        variables[ours].assign(to_ours(ours, value.astype(np.float32)))


@functools.cache
def latents(count: int, size: int) -> np.ndarray:
    return np.random.RandomState(7).standard_normal((16, WHOLE)).astype(np.float32)[:count, :size]


@functools.cache
def images(resolution: int, count: int) -> np.ndarray:
    shape = (16, resolution, resolution, 3)
    return np.random.RandomState(1000 + resolution).uniform(-1, 1, shape).astype(np.float32)[:count]


def pair(model: str, stage: Stage, options: dict, seed: int, precision: str = "float64"):
    """Generator and discriminator of a stage with the weights of `seed`, and of that + 1."""
    factory = NetworkFactory(Config.from_values({**options, "precision": precision}), 3, 0)
    layers = LAYERS[stage.resolution]
    generator, discriminator = factory.generator(stage), factory.discriminator(stage)
    fill(generator, generator_name(model, layers), seed)
    fill(discriminator, discriminator_name(model, layers + 1), seed + 1)
    return generator, discriminator


def used(network, z: np.ndarray) -> np.ndarray:
    """Latents of the size that the network takes, whose first components are these."""
    size = length(network.input_axis())
    return np.pad(z[:, :size], ((0, 0), (0, network.latent_size - size)))
