"""Which networks their families cannot make: refused in a line, before anything is built."""

import pytest

from pgan_tf.config import Config, ConfigError
from pgan_tf.networks.families import FAMILIES
from pgan_tf.networks.mlp import DenseGenerator
from pgan_tf.networks.progressive import check_feature_maps
from pgan_tf.stages import Size, sizes
from pgan_tf.training.plan import make_plan


def test_every_resolution_needs_a_feature_map():
    check_feature_maps(Config.from_values({"fmap_base": 16}), [Size(32, 32, 0)])
    with pytest.raises(ConfigError, match=r"--fmap_base=8 .* no feature map is left at 32x32; raise --fmap_base"):
        check_feature_maps(Config.from_values({"fmap_base": 8}), [Size(32, 32, 0)])


@pytest.mark.parametrize(("units", "fits"), [(32, True), (30, False), (3, False)])
def test_units_of_narrower_networks_are_whole_numbers(units, fits):
    config = Config.from_values(dict(family="mlp", grow="channels", hidden_units=units))
    rungs = sizes("channels", 16, 32, 4)
    if fits:
        return FAMILIES["mlp"].check(config, rungs)
    with pytest.raises(ConfigError, match=f"^--grow=channels: --hidden_units={units} cannot be divided by 4, as at"):
        FAMILIES["mlp"].check(config, rungs)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_latent_size_of_0_is_the_same_to_the_schedule_and_to_the_network(family):
    config = Config.from_values(dict(family=family, grow="none"))
    assert FAMILIES[family].generator().latent_size == config.model.latent_components


def test_latents_of_points_grow_without_a_size_given(tmp_path):
    from pgan_tf.data.sources.planar import create_planar

    create_planar(tmp_path / "set", "gaussians8", 20, None, 0)
    plan = make_plan(Config.from_values(dict(
        dataset=str(tmp_path / "set"), family="mlp", grow="latent", resolution=16, mbstd_group_size=0,
    )))  # fmt: skip
    used = [phase.stage.size.latent_size for phase in plan.schedule.phases()]
    assert used[0] == 8
    assert used[-1] == DenseGenerator(num_channels=2).latent_size == 32
