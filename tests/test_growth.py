"""The law of growth: a new stage at alpha = 0 computes what the stage before computed."""

import itertools

import numpy as np
import pytest
import reference

from pgan_tf import growth
from pgan_tf.config import Config
from pgan_tf.networks import Discriminator, Generator
from pgan_tf.stages import Stage, layer_stage

VARIANTS = {
    "fused": dict(),
    "unfused": dict(fused_scale=False),
    "labels": dict(label_size=3),
    "grey": dict(num_channels=1),
    "no_statistics": dict(mbstd_group_size=0),
    "plain": dict(use_wscale=False, use_pixelnorm=False, normalize_latents=False, use_leakyrelu=False),
    "uneven_widths": dict(fmap_decay=0.5, fmap_max=48),
    "residual": dict(g_block="residual", d_block="residual"),
    "residual_cascade": dict(g_block="residual", d_block="residual", residual_blocks=3, fused_scale=False),
    "residual_discriminator": dict(d_block="residual", label_size=2),
    "moments": dict(minibatch_statistics="moments"),
    "moments_as_coded": dict(minibatch_statistics="moments_as_coded", g_block="residual", d_block="residual"),
    "labels_unfused_grey": dict(label_size=2, num_channels=1, fused_scale=False),
}
STAGES = [layer_stage(4), layer_stage(8, True), layer_stage(8), layer_stage(16, True), layer_stage(16)]


def factory(variant: str, seed: int = 0) -> growth.NetworkFactory:
    """Makes both networks; another seed means other fresh layers."""
    changes = {"num_channels": 3, "label_size": 0, **VARIANTS[variant]}
    model = {k: v for k, v in changes.items() if k not in ("num_channels", "label_size")}
    values = {"fmap_base": 128, "fmap_max": 16, "latent_size": 8, "precision": "float64", "seed": seed}
    config = Config.from_values({**values, **model})
    return growth.NetworkFactory(config, changes["num_channels"], changes["label_size"])


def randomize(network, seed: int) -> None:
    """Also the biases, which begin as zeros."""
    random = np.random.RandomState(seed)
    for variable in network.trainable_variables:
        variable.assign(random.standard_normal(variable.shape))


def inputs(variant: str, resolution: int):
    random, made = np.random.RandomState(1), factory(variant).common
    latents = random.standard_normal([8, 8])
    labels = np.eye(max(made["label_size"], 1))[random.randint(0, max(made["label_size"], 1), 8)][
        :, : made["label_size"]
    ]
    return (latents, labels), random.standard_normal([8, resolution, resolution, made["num_channels"]])


def carried(kind: str, variant: str, old_stage: Stage, new_stage: Stage):
    old, new = getattr(factory(variant), kind)(old_stage), getattr(factory(variant, seed=1), kind)(new_stage)
    randomize(old, 2), randomize(new, 3)
    fresh = growth.carry(old, new)
    return old, new, fresh


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("old_stage", "new_stage"), list(itertools.pairwise(STAGES)), ids=str)
def test_generator_goes_on_where_it_was(variant, old_stage, new_stage):
    """A fade at 0 shows the old images, enlarged; the stage after the fade shows those of the fade at 1."""
    old, new, _ = carried("generator", variant, old_stage, new_stage)
    x, _ = inputs(variant, 4)
    factor = new_stage.resolution // old_stage.resolution
    expected = reference.enlarge(old(x, alpha=1.0).numpy(), factor)
    np.testing.assert_allclose(new(x, alpha=0.0 if factor == 2 else 1.0), expected, rtol=1e-9, atol=1e-9)
    if factor == 2:
        assert np.abs(new(x, alpha=1.0) - expected).max() > 1e-3  # the new layers do say something else


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("old_stage", "new_stage"), list(itertools.pairwise(STAGES)), ids=str)
def test_discriminator_goes_on_where_it_was(variant, old_stage, new_stage):
    """A fade at 0 says of an image what the old stage said of the image made smaller."""
    old, new, _ = carried("discriminator", variant, old_stage, new_stage)
    _, images = inputs(variant, new_stage.resolution)
    factor = new_stage.resolution // old_stage.resolution
    before, after = old(reference.shrink(images, factor), alpha=1.0), new(images, alpha=0.0 if factor == 2 else 1.0)
    for ours, expected in zip(after, before, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("variant", ["fused", "residual", "residual_cascade"])
@pytest.mark.parametrize("kind", ["generator", "discriminator"])
def test_parameters_keep_their_names(kind, variant):
    """A stage has the parameters of the one before, save an RGB layer that has faded out, and never loses a block."""
    names = [set(getattr(factory(variant), kind)(stage).parameters_by_name()) for stage in STAGES]
    for (before, after), (old, new) in zip(itertools.pairwise(names), itertools.pairwise(STAGES), strict=False):
        if new.fading:
            assert before < after
        else:
            lost = before - after
            assert after < before
            assert all(f"RGB_{old.resolution // 2}x" in name for name in lost), lost


@pytest.mark.parametrize("kind", ["generator", "discriminator"])
@pytest.mark.parametrize(("old_stage", "new_stage"), list(itertools.pairwise(STAGES)), ids=str)
def test_carry_copies_what_both_have_and_names_the_rest(kind, old_stage, new_stage):
    old, new, fresh = carried(kind, "labels", old_stage, new_stage)
    source, target = old.parameters_by_name(), new.parameters_by_name()
    assert set(fresh) == set(target) - set(source)
    assert bool(fresh) == new_stage.fading
    for name in set(source) & set(target):
        np.testing.assert_array_equal(target[name].numpy(), source[name].numpy(), err_msg=name)
    other = getattr(factory("labels", seed=1), kind)(new_stage)
    randomize(other, 3)
    for name in fresh:
        np.testing.assert_array_equal(target[name].numpy(), other.parameters_by_name()[name].numpy(), err_msg=name)


def test_carry_refuses_another_shape_and_names_the_parameter():
    old, new = factory("uneven_widths").generator(layer_stage(4)), factory("fused").generator(layer_stage(8, True))
    with pytest.raises(ValueError, match=r"4x4_.*cannot be carried over"):
        growth.carry(old, new)


def test_networks_get_the_options_that_they_know():
    generator, discriminator = (
        factory("plain").generator(layer_stage(8, True)), factory("plain").discriminator(layer_stage(8, True))
    )  # fmt: skip
    assert isinstance(generator, Generator)
    assert isinstance(discriminator, Discriminator)
    assert (generator.latent_size, generator.options.g_norm, generator.options.g_activation) == (8, "none", "relu")
    assert not generator.options.normalize_latents
    assert discriminator.options.d_weights == "plain"
    assert generator.fading
    assert discriminator.resolution == 8
    assert discriminator.options.mbstd_group_size == 4
    assert generator.variable_dtype == "float64"
