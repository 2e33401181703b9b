"""What a dry run says of memory holds for runs that were measured."""

import numpy as np
import pytest

from pgan_tf.config import Config
from pgan_tf.stages import layer_stage
from pgan_tf.training.costs import stage_costs
from pgan_tf.training.peak import IMPORTS_BYTES, peak_bytes, stage_bytes

QUICK = dict(fmap_base=512, fmap_max=128, latent_size=64, precision="bfloat16")
EMOJI = {**QUICK, "fmap_base": 1024}
WIDE = dict(fmap_base=4096, fmap_max=256, latent_size=64)
PAPER = dict(fmap_base=8192, fmap_max=512, latent_size=512)
# Options, minibatch, channels, labels: {resolution: peak resident MB at the end of its stages}. TensorFlow 2.21, a CPU
# of 2 cores. FULL is an environment with the extras `quickstart` and `test`; Keras loads some of their packages, and
# BARE, without them, takes 190 MB less.
FULL = {
    "quickstart": (QUICK, 16, 1, 10, {4: 860, 8: 934, 16: 989, 32: 1058}),
    "emoji32": (EMOJI, 16, 3, 0, {4: 862, 8: 939, 16: 1023, 32: 1153}),
}
BARE = {
    "quickstart": (QUICK, 16, 1, 10, {4: 671, 8: 733, 16: 795, 32: 882}),
    "emoji64": (EMOJI, 16, 3, 0, {4: 674, 8: 757, 16: 784, 32: 913, 64: 1135}),
    "wide": (WIDE, 32, 1, 10, {4: 730, 8: 895, 16: 1198}),
    "batch": ({**QUICK, "precision": "float32"}, 128, 1, 10, {4: 691, 8: 862, 16: 1122}),
    "paper": (PAPER, 16, 1, 10, {4: 1002, 8: 1485}),
}


def estimates(options: dict, minibatch: int, channels: int, labels: int, peaks: dict) -> dict[int, float]:
    """{resolution: MB} of the fade-in, the larger of a resolution's two stages, counted as the second one."""
    config, found = Config.from_values(options), {}
    for resolution in peaks:
        stage = layer_stage(resolution, fading=resolution > 4)
        stages = 2 * int(np.log2(resolution)) - 3
        costs = stage_costs(config.model, stage, channels, labels)
        found[resolution] = peak_bytes(costs, config.optim.precision, minibatch, stages) / 2**20
    return found


@pytest.mark.parametrize("name", FULL)
def test_memory_errs_high_and_not_much(name):
    for resolution, estimate in estimates(*FULL[name]).items():
        assert 1 <= estimate / FULL[name][-1][resolution] < 1.1, resolution


@pytest.mark.parametrize("name", BARE)
def test_what_a_run_adds_to_the_imports_errs_high_and_not_much(name):
    """Less the imports of either environment; those of the bare one, 640 MB, take part in the 20%."""
    for resolution, estimate in estimates(*BARE[name]).items():
        assert 1 <= (estimate - IMPORTS_BYTES / 2**20 + 640) / BARE[name][-1][resolution] < 1.2, resolution


def test_half_precision_halves_the_activations_only():
    stage, found = layer_stage(16), {}
    for precision in ("float32", "bfloat16", "float16"):
        for minibatch in (0, 16):
            costs = stage_costs(Config.from_values(QUICK).model, stage, 1, 0)
            found[precision, minibatch] = peak_bytes(costs, precision, minibatch, 1)
    whole = found["float32", 16] - found["float32", 0]
    for half in ("bfloat16", "float16"):
        assert found[half, 0] == found["float32", 0]
        assert found[half, 16] - found[half, 0] == whole / 2 > 0


# benchmarks/memory.py, the paper's networks, minibatch 4: {(resolution, devices, remat): peak resident GB}
MEASURED = {
    (1024, 1, False): 14.01,
    (1024, 1, True): 8.51,
}


@pytest.mark.parametrize("case", MEASURED)
def test_the_paper_s_largest_networks_take_what_is_said(case):
    resolution, devices, remat = case
    config = Config.from_values({**PAPER, "remat": remat})
    found = stage_bytes(config, layer_stage(resolution), 4, devices, 3, 0) / 2**30
    assert 0.8 < found / MEASURED[case] < 1.2


def test_less_at_once_takes_less():
    def gigabytes(devices=1, limit=16, **options):
        config = Config.from_values({**QUICK, "max_minibatch_per_device": {0: limit}, **options})
        return stage_bytes(config, layer_stage(64), 16, devices, 1, 0) / 2**30

    assert gigabytes(limit=4) < gigabytes(limit=8) < gigabytes()
    assert gigabytes(remat=True) < gigabytes() < gigabytes(precision="float32")
    assert gigabytes(limit=4, remat=True) < min(gigabytes(limit=4), gigabytes(remat=True))
    assert gigabytes() < gigabytes(devices=2)  # on the same images, but with the weights twice
