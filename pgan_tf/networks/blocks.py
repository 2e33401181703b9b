"""Blocks: what a network does at one resolution, beside the convolution that resamples.

The generator enters a resolution with an up-sampling convolution, then comes the block; in the discriminator the
block comes first, then the down-sampling convolution. So one table serves both. A block changes neither the
resolution nor the number of feature maps: N images [N,R,R,C] -> [N,R,R,C].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

Step = Callable[[tf.Tensor], tf.Tensor]  # a convolution with its activation and norm


class Block(NamedTuple):
    convolutions: Callable[[int], int]  # how many, given the number of residual blocks per resolution
    apply: Callable[[Sequence[Step], tf.Tensor], tf.Tensor]  # (one step per convolution, x) -> x


def plain(steps: Sequence[Step], x: tf.Tensor) -> tf.Tensor:
    """One convolution after another: the original's."""
    for step in steps:
        x = step(x)
    return x


def residual(steps: Sequence[Step], x: tf.Tensor) -> tf.Tensor:
    """x + step(step(x)) for each pair of convolutions, with nothing after the sum. He et al. 2016, identity skips."""
    for first, second in zip(steps[::2], steps[1::2], strict=True):
        x = second(first(x)) + x
    return x


BLOCKS = {
    "plain": Block(lambda residual_blocks: 1, plain),
    "residual": Block(lambda residual_blocks: 2 * residual_blocks, residual),
}


def find_block(name: str) -> Block:
    """The block of that name. Raises ValueError, which lists the known ones."""
    if name not in BLOCKS:
        raise ValueError(f"block {name!r}: choose one of {', '.join(BLOCKS)}")
    return BLOCKS[name]
