"""The memory that a process takes at its peak, by what a step of training keeps."""

from __future__ import annotations

from pgan_tf.config import Config
from pgan_tf.stages import Stage
from pgan_tf.training.costs import Costs, number_bytes, stage_costs
from pgan_tf.training.microbatches import microbatches_at

IMPORTS_BYTES = 830 * 2**20  # TensorFlow, Keras and what it finds; 640 where the extras are not installed
STAGE_BYTES = 45 * 2**20  # each stage's graphs, which stay
# The constants below are told by measured peaks, which tests/training/test_peak.py holds them to.
STATE_COPIES = 7  # weights of G, its average and D, Adam's two moments of G and D: of the mean of G's and D's weights
# In a step: gradients, and weights as layers use them, scaled and with wider kernels, in D's pass, in the penalty and
# in the gradients of either.
STEP_COPIES = 7
LEFT_COPIES = 3  # of a stage before: what its weights leave behind in the heap
# Of what D's layers give for an image, and of the image itself. Reals and fakes go through in one pass, of which each
# layer's activation is kept: 2. The penalty's images: 1, and 2 for its inner gradient. The rest are gradients that are
# under way. (G's step keeps less.)
ACTIVATION_COPIES = 8
# With --remat the same of what is kept between the blocks, and of the one block that is computed again.
REMAT_COPIES = 5
# Several devices of a process are not at their peaks at the same moment: what a step of each more adds to that of one.
OTHER_DEVICE = 0.4


def stage_bytes(
    config: Config, stage: Stage, minibatch: int, devices: int, channels: int, labels: int, stages: int = 1
) -> float:
    """Peak memory of the process that trains this stage as its `stages`-th, on so many devices whose memory is its."""
    costs = stage_costs(config.model, stage, channels, labels)
    local = minibatch / devices / microbatches_at(config, stage.size.level, devices, minibatch)
    return peak_bytes(costs, config.optim.precision, local, stages, devices, config.optim.remat)


def peak_bytes(costs: Costs, precision: str, local: float, stages: int, devices: int = 1, remat: bool = False) -> float:
    """Peak memory of the process at its `stages`-th stage, with `local` images at once on each device."""
    weights = number_bytes("float32") * sum(costs.parameters) / 2
    outputs = ACTIVATION_COPIES * (costs.d_outputs + costs.image)
    if remat:
        outputs = min(outputs, REMAT_COPIES * (costs.d_kept + costs.d_block + costs.image))
    kept = devices * weights * (STATE_COPIES + (LEFT_COPIES if stages > 1 else 0))
    step = weights * STEP_COPIES + number_bytes(precision) * local * outputs
    return IMPORTS_BYTES + STAGE_BYTES * stages + kept + step * (1 + OTHER_DEVICE * (devices - 1))
