"""The Inception network of 2015 as a table: its blocks, their branches, and what both published files call each weight.

Szegedy et al. 2015, 'Rethinking the Inception Architecture', figures 5 to 7 and table 1, in the variant that was
published as inception-2015-12-05 and that FID is measured with: the last block pools its maximum, the average pools do
not count the padding, and the classifier has 1008 outputs.
"""

from __future__ import annotations

from typing import NamedTuple


class Conv(NamedTuple):
    """A convolution, its batch normalisation and ReLU."""

    name: str  # in the .pth files, after the block's name
    const: str  # in the GraphDef, after the block's name there
    filters: int
    kernel: tuple[int, int] = (1, 1)
    strides: int = 1
    padding: str = "same"


class Pool(NamedTuple):
    """Pools 3x3; an average leaves out the padding."""

    name: str
    kind: str  # 'average' or 'max'
    strides: int = 1
    padding: str = "same"


class Fork(NamedTuple):
    """Two convolutions of the same input, side by side."""

    left: Conv
    right: Conv


Branch = tuple  # of Conv, Pool and Fork: one after the other


class Block(NamedTuple):
    name: str  # in the .pth files
    const: str  # in the GraphDef
    branches: tuple[Branch, ...]  # side by side, concatenated


STEM = (
    Conv("Conv2d_1a_3x3", "conv", 32, (3, 3), 2, "valid"),
    Conv("Conv2d_2a_3x3", "conv_1", 32, (3, 3), 1, "valid"),
    Conv("Conv2d_2b_3x3", "conv_2", 64, (3, 3)),
    Pool("MaxPool_1", "max", 2, "valid"),
    Conv("Conv2d_3b_1x1", "conv_3", 80),
    Conv("Conv2d_4a_3x3", "conv_4", 192, (3, 3), 1, "valid"),
    Pool("MaxPool_2", "max", 2, "valid"),
)


def _block_35(pool: int) -> tuple[Branch, ...]:
    return (
        (Conv("branch1x1", "conv", 64),),
        (Conv("branch5x5_1", "tower/conv", 48), Conv("branch5x5_2", "tower/conv_1", 64, (5, 5))),
        (
            Conv("branch3x3dbl_1", "tower_1/conv", 64),
            Conv("branch3x3dbl_2", "tower_1/conv_1", 96, (3, 3)),
            Conv("branch3x3dbl_3", "tower_1/conv_2", 96, (3, 3)),
        ),
        (Pool("pool", "average"), Conv("branch_pool", "tower_2/conv", pool)),
    )


def _block_17(width: int) -> tuple[Branch, ...]:
    return (
        (Conv("branch1x1", "conv", 192),),
        (
            Conv("branch7x7_1", "tower/conv", width),
            Conv("branch7x7_2", "tower/conv_1", width, (1, 7)),
            Conv("branch7x7_3", "tower/conv_2", 192, (7, 1)),
        ),
        (
            Conv("branch7x7dbl_1", "tower_1/conv", width),
            Conv("branch7x7dbl_2", "tower_1/conv_1", width, (7, 1)),
            Conv("branch7x7dbl_3", "tower_1/conv_2", width, (1, 7)),
            Conv("branch7x7dbl_4", "tower_1/conv_3", width, (7, 1)),
            Conv("branch7x7dbl_5", "tower_1/conv_4", 192, (1, 7)),
        ),
        (Pool("pool", "average"), Conv("branch_pool", "tower_2/conv", 192)),
    )


def _block_8(pool: str) -> tuple[Branch, ...]:
    return (
        (Conv("branch1x1", "conv", 320),),
        (
            Conv("branch3x3_1", "tower/conv", 384),
            Fork(
                Conv("branch3x3_2a", "tower/mixed/conv", 384, (1, 3)),
                Conv("branch3x3_2b", "tower/mixed/conv_1", 384, (3, 1)),
            ),
        ),
        (
            Conv("branch3x3dbl_1", "tower_1/conv", 448),
            Conv("branch3x3dbl_2", "tower_1/conv_1", 384, (3, 3)),
            Fork(
                Conv("branch3x3dbl_3a", "tower_1/mixed/conv", 384, (1, 3)),
                Conv("branch3x3dbl_3b", "tower_1/mixed/conv_1", 384, (3, 1)),
            ),
        ),
        (Pool("pool", pool), Conv("branch_pool", "tower_2/conv", 192)),
    )


_TO_17 = (
    (Conv("branch3x3", "conv", 384, (3, 3), 2, "valid"),),
    (
        Conv("branch3x3dbl_1", "tower/conv", 64),
        Conv("branch3x3dbl_2", "tower/conv_1", 96, (3, 3)),
        Conv("branch3x3dbl_3", "tower/conv_2", 96, (3, 3), 2, "valid"),
    ),
    (Pool("pool", "max", 2, "valid"),),
)
_TO_8 = (
    (Conv("branch3x3_1", "tower/conv", 192), Conv("branch3x3_2", "tower/conv_1", 320, (3, 3), 2, "valid")),
    (
        Conv("branch7x7x3_1", "tower_1/conv", 192),
        Conv("branch7x7x3_2", "tower_1/conv_1", 192, (1, 7)),
        Conv("branch7x7x3_3", "tower_1/conv_2", 192, (7, 1)),
        Conv("branch7x7x3_4", "tower_1/conv_3", 192, (3, 3), 2, "valid"),
    ),
    (Pool("pool", "max", 2, "valid"),),
)

BLOCKS = (
    Block("Mixed_5b", "mixed", _block_35(pool=32)),
    Block("Mixed_5c", "mixed_1", _block_35(pool=64)),
    Block("Mixed_5d", "mixed_2", _block_35(pool=64)),
    Block("Mixed_6a", "mixed_3", _TO_17),
    Block("Mixed_6b", "mixed_4", _block_17(width=128)),
    Block("Mixed_6c", "mixed_5", _block_17(width=160)),
    Block("Mixed_6d", "mixed_6", _block_17(width=160)),
    Block("Mixed_6e", "mixed_7", _block_17(width=192)),
    Block("Mixed_7a", "mixed_8", _TO_8),
    Block("Mixed_7b", "mixed_9", _block_8(pool="average")),
    Block("Mixed_7c", "mixed_10", _block_8(pool="max")),
)

CONST_OF = {  # of a convolution: the .pth files' tensor -> the GraphDef's node
    "conv.weight": "conv2d_params",
    "bn.weight": "batchnorm/gamma",
    "bn.bias": "batchnorm/beta",
    "bn.running_mean": "batchnorm/moving_mean",
    "bn.running_var": "batchnorm/moving_variance",
}


def convolutions() -> dict[str, str]:
    """{name in the .pth files: name in the GraphDef} of all 94 convolutions."""
    names = {step.name: step.const for step in STEM if isinstance(step, Conv)}
    for block in BLOCKS:
        for branch in block.branches:
            steps = [part for step in branch for part in (step if isinstance(step, Fork) else (step,))]
            convs = [step for step in steps if isinstance(step, Conv)]
            names.update({f"{block.name}.{step.name}": f"{block.const}/{step.const}" for step in convs})
    return names


def node_names() -> dict[str, str]:
    """{name of a tensor in the .pth files: name of its node in the GraphDef}, all 472."""
    names = {
        f"{conv}.{tensor}": f"{node}/{const}"
        for conv, node in convolutions().items()
        for tensor, const in CONST_OF.items()
    }
    return {**names, "fc.weight": "softmax/weights", "fc.bias": "softmax/biases"}
