"""The memory that a process takes at its peak, by what a step of training keeps."""

from __future__ import annotations

from pgan_tf.config import Config
from pgan_tf.stages import Stage
from pgan_tf.training.costs import Costs, number_bytes, stage_costs
from pgan_tf.training.microbatches import microbatches_at

# Fitted to the peak resident memory of seven runs on a CPU (tests/training/test_estimate.py), so that they err high.
IMPORTS_BYTES = 830 * 2**20  # TensorFlow, Keras and what it finds; 640 where the extras are not installed
STAGE_BYTES = 30 * 2**20  # each stage's graphs, which stay
# Weights of G, EMA and D with Adam's two moments and gradients; twice, as a stage begins beside the one before.
G_COPIES, D_COPIES = 2 * 5, 2 * 4
# D's activations and their kin: of reals and fakes in one pass, then of the penalty with its inner gradient.
ACTIVATION_COPIES = 10
KEPT_COPIES, BLOCK_COPIES = 5, 7.8  # with --remat: of what is kept between blocks, and of the largest block's


def stage_bytes(
    config: Config, stage: Stage, minibatch: int, devices: int, channels: int, labels: int, stages: int = 1
) -> float:
    """Peak memory of the process that trains this stage as its `stages`-th, on so many devices whose memory is its."""
    costs = stage_costs(config.model, stage, channels, labels)
    local = minibatch / devices / microbatches_at(config, stage.size.level, devices, minibatch)
    return peak_bytes(costs, config.optim.precision, local, stages, devices, config.optim.remat)


def peak_bytes(
    costs: Costs, precision: str, local: float, stages: int, devices: int = 1, remat: bool = False
) -> float:
    """Peak memory of the process at its `stages`-th stage, with `local` images at once on each device."""
    weights = 4 * (G_COPIES * costs.parameters[0] + D_COPIES * costs.parameters[1])
    outputs = ACTIVATION_COPIES * costs.d_outputs
    if remat:
        outputs = min(outputs, KEPT_COPIES * costs.d_kept + BLOCK_COPIES * costs.d_block)
    return IMPORTS_BYTES + STAGE_BYTES * stages + devices * (weights + number_bytes(precision) * local * outputs)
