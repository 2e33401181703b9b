"""What the networks of a stage cost, asked of the networks themselves, which are built without their values."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import keras
import tensorflow as tf

from pgan_tf import growth
from pgan_tf.config import Config, Model
from pgan_tf.stages import Stage


class Costs(NamedTuple):
    """Of G and D at one stage."""

    parameters: tuple[int, int]  # of G, of D
    flops: tuple[float, float]  # floating-point operations of one image's forward pass, in the matrix products
    d_outputs: int  # numbers that D's layers give for one image
    d_kept: int = 0  # those of them that D keeps with --remat
    d_block: int = 0  # those of the block that has most
    image: int = 0  # numbers in a sample


def costs(g: keras.Model, d: keras.Model) -> Costs:
    """Of these networks."""
    blocks = [[_outputs(layer) for layer in layers] for layers in d.block_layers()]
    outputs, within = sum(map(_outputs, d.layers)), [sum(block) for block in blocks]
    kept = outputs - sum(within) + sum(block[-1] for block in blocks)
    parameters, flops = (g.count_params(), d.count_params()), (_flops(g), _flops(d))
    return Costs(parameters, flops, outputs, kept, max(within, default=0), math.prod(d.sample_shape))


@functools.cache
def stage_costs(model: Model, stage: Stage, num_channels: int, label_size: int) -> Costs:
    """Of the networks that a run with these options has at this stage."""
    factory = growth.NetworkFactory(Config(model=model), num_channels, label_size)
    with tf.Graph().as_default():  # where variables have shapes and take no memory
        return costs(factory.generator(stage), factory.discriminator(stage))


def number_bytes(precision: str) -> int:
    """Of a number that a layer puts out."""
    return 2 if precision in ("bfloat16", "float16") else 4


def _outputs(layer: keras.layers.Layer) -> int:
    """Numbers that a layer gives for one image."""
    return getattr(layer, "outputs_per_image", 0)


def _flops(network: keras.Model) -> float:
    return float(sum(getattr(layer, "flops", 0) for layer in network.layers))
