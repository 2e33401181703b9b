"""What a stage costs is what its networks have."""

import itertools

import pytest

from pgan_tf import growth
from pgan_tf.config import Config
from pgan_tf.schedule import sizes_of
from pgan_tf.stages import Stage, layer_stage
from pgan_tf.training.costs import costs, stage_costs

SMALL = dict(fmap_base=64, fmap_max=16, latent_size=16)


NETWORKS = [{}, dict(mbstd_group_size=0, g_block="residual"), dict(g_norm="none", d_norm="layer")]


@pytest.mark.parametrize("resolution", [4, 16])
@pytest.mark.parametrize("options", NETWORKS)
def test_networks_without_values_cost_what_those_with_values_do(options, resolution):
    config, stage = Config.from_values({**SMALL, **options}), layer_stage(resolution, True)
    factory = growth.NetworkFactory(config, 3, 2)
    found = stage_costs(config.model, stage, 3, 2)
    assert found == costs(factory.generator(stage), factory.discriminator(stage))
    assert min(found.parameters) > 0 < min(found.flops)


# ladder: what of (parameters of G, of D, operations of G, of D, outputs of D) rises from rung to rung
RISES = {"layers": (0, 1, 2, 3, 4), "latent": (0, 2), "channels": (0, 1, 2, 3, 4)}


@pytest.mark.parametrize("grow", RISES)
def test_what_grows_costs_more_at_each_rung(grow):
    config = Config.from_values({**SMALL, "grow": grow})
    found = [stage_costs(config.model, Stage(size), 1, 0) for size in sizes_of(config, 16)]
    rows = [(*one.parameters, *one.flops, one.d_outputs) for one in found]
    for row, larger in itertools.pairwise(rows):
        for i, (less, more) in enumerate(zip(row, larger, strict=True)):
            assert less < more if i in RISES[grow] else less == more, i
