"""Residual blocks: the published code's numbers and sizes, the identity they start from, cascades, refusals."""

import dataclasses

import keras
import numpy as np
import pytest
import reference

from pgan_tf.config import Config, ConfigError, Model
from pgan_tf.networks import Discriminator, Generator
from pgan_tf.networks.blocks import BLOCKS, find_block

SIZES = dict(resolution=16, fmap_base=64, fmap_max=16)
OPTIONS = {
    Generator: dict(g_block="residual", latent_size=16, **SIZES),
    Discriminator: dict(d_block="residual", minibatch_statistics="moments_as_coded", **SIZES),
}
SEEDS = {Generator: 701, Discriminator: 702}


def published(kind, lod: float, dtype: str = "float32"):
    """The published code's network with its weights -> (network, alpha, enlargement to full size)."""
    factor = 2 ** int(lod)
    network = kind(**{**OPTIONS[kind], "resolution": 16 // factor, "fading": lod % 1 > 0, "dtype": dtype})
    reference.set_weights(network, reference.original_weights(kind, SEEDS[kind], OPTIONS[kind]), 16)
    return network, 1 - lod % 1, factor


@pytest.mark.parametrize("lod", ["0", "0.35", "1"])
def test_residual_images_are_the_published_codes(lod, golden):
    data = golden("fork_networks.npz")
    network, alpha, factor = published(Generator, float(lod))
    theirs = reference.nhwc(data[f"out/G_images_lod{lod}"])
    images = network(data["in/latents"][: len(theirs)], alpha=alpha).numpy()
    assert reference.deviation(reference.enlarge(images, factor), theirs) < reference.rounding(network)


@pytest.mark.parametrize("lod", ["0", "0.35", "1"])
def test_residual_scores_are_the_published_codes(lod, golden):
    """With its statistics, which divide by small deviations and so make rounding errors larger.

    In float64 the scores do not depend on the processor: there the published number's own error shows, 1.9e-5 at most.
    A float32 result of ours may err as much as that, several times over: where the sums' order differs, so do errors.
    """
    data = golden("fork_networks.npz")
    theirs, scores = data[f"out/D_scores_lod{lod}"][:, 0], {}
    for dtype in ("float32", "float64"):
        network, alpha, factor = published(Discriminator, float(lod), dtype)
        images = reference.shrink(reference.nhwc(data["in/images"]), factor).astype(dtype)
        scores[dtype] = network(images, alpha=alpha).scores
    error = reference.deviation(theirs, scores["float64"])
    assert error < 2e-5
    assert reference.deviation(scores["float32"], scores["float64"]) < max(reference.rounding(network), 4 * error)


@pytest.mark.parametrize(
    ("network", "options", "millions"),
    [
        (Generator, dict(), 22.93),
        (Generator, dict(g_block="residual"), 30.75),
        (Discriminator, dict(), 22.94),
        (Discriminator, dict(d_block="residual", minibatch_statistics="moments"), 30.77),
    ],
)
def test_sizes_at_128_are_the_published_ones(network, options, millions):
    """The published networks hold the RGB layers of all resolutions, ours that of 128."""
    made = network(resolution=128, fmap_base=8192, fmap_max=512, **options)
    maps = sum(made.maps(res, res).now for res in (4, 8, 16, 32, 64))
    others = 3 * maps + 3 * 5 if network is Generator else 3 * maps + maps
    assert round((made.count_params() + others) / 1e6, 2) == millions


def test_the_order_within_a_block():
    """Written out with numbers for layers: an activation after each convolution, none after the sum."""
    steps = [lambda x: -(x + 1), lambda x: -(3 * x), lambda x: -(x + 5), lambda x: -(7 * x)]  # with an activation each
    assert BLOCKS["plain"].apply(steps[:1], 10) == -11
    first = -(3 * -11) + 10
    assert BLOCKS["residual"].apply(steps[:2], 10) == first
    assert BLOCKS["residual"].apply(steps, 10) == -(7 * -(first + 5)) + first


def small(kind, block: str, count: int = 1, seed: int = 1, **options):
    """A network of the smallest kind with random parameters, in float64."""
    option = "g_block" if kind is Generator else "d_block"
    options = {"resolution": 16, "fmap_base": 64, "fmap_max": 8, "dtype": "float64", option: block, **options}
    network = kind(residual_blocks=count, **options)
    random = np.random.RandomState(seed)
    for variable in network.trainable_variables:
        variable.assign(random.standard_normal(variable.shape))
    return network


def outputs(network) -> np.ndarray:
    random = np.random.RandomState(0)
    if isinstance(network, Generator):
        return network(random.standard_normal([4, network.latent_size])).numpy()
    return network(random.standard_normal([4, 16, 16, 3])).scores.numpy()


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", [Generator, Discriminator])
def test_a_residual_block_whose_last_convolution_is_zero_is_not_there(kind, fused):
    """So three of them, the last two of which are zero, are one."""
    one, three = (small(kind, "residual", count, fused_scale=fused) for count in (1, 3))
    source, first = one.parameters_by_name(), 1 if kind is Generator else 0
    for name, variable in three.parameters_by_name().items():
        layer, what = name.split("/")
        if kind is Discriminator and layer.endswith(("Conv6", "Conv6_down")):  # the one that halves comes last
            layer = layer.replace("Conv6", "Conv2")
        if f"{layer}/{what}" in source:
            variable.assign(source[f"{layer}/{what}"].value)
        elif layer.endswith((f"Conv{first + 3}", f"Conv{first + 5}")):
            variable.assign(np.zeros(variable.shape))
    np.testing.assert_allclose(outputs(three), outputs(one), rtol=1e-12, atol=1e-12)
    assert np.abs(outputs(small(kind, "residual", 3, fused_scale=fused)) - outputs(one)).max() > 1e-3


@pytest.mark.parametrize("kind", [Generator, Discriminator])
def test_how_many_convolutions(kind):
    """Per resolution from 8x8 up: two in a plain network, 2n + 1 in a residual one; the 4x4 end is the same."""
    for block, count, expected in (("plain", 1, 2), ("residual", 1, 3), ("residual", 4, 9)):
        names = [name for name in small(kind, block, count).parameters_by_name() if name.endswith("weight")]
        for size in ("8x8", "16x16"):
            assert len([name for name in names if name.startswith(f"{size}_Conv")]) == expected
        assert len([name for name in names if name.startswith("4x4_Conv")]) == 1


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", [Generator, Discriminator])
def test_saved_networks_come_back(kind, fused, tmp_path):
    more = dict(minibatch_statistics="moments") if kind is Discriminator else {}
    network = small(kind, "residual", 2, fused_scale=fused, **more)
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    assert again.get_config() == network.get_config()
    assert again.options.residual_blocks == 2
    np.testing.assert_array_equal(outputs(again), outputs(network))


@pytest.mark.parametrize("option", ["g_block", "d_block"])
def test_the_table_is_what_the_options_offer(option):
    field = next(field for field in dataclasses.fields(Model) if field.name == option)
    assert list(field.metadata["choices"]) == list(BLOCKS)
    assert field.default == "plain"


def test_what_cannot_be_is_refused_with_what_can():
    with pytest.raises(ValueError, match=r"'dense'.*plain, residual"):
        find_block("dense")
    with pytest.raises(ValueError, match=r"'dense'.*plain, residual"):
        Generator(resolution=8, fmap_base=64, fmap_max=8, g_block="dense")
    with pytest.raises(ValueError, match="residual_blocks=0"):
        Discriminator(resolution=8, fmap_base=64, fmap_max=8, residual_blocks=0)
    for values, message in (
        ({"g_block": "dense"}, "g_block=dense.*plain, residual"),
        ({"g_block": "residual", "residual_blocks": 0}, "residual_blocks=0.*at least 1"),
        ({"residual_blocks": 2}, "residual_blocks=2.*g_block=residual or --d_block=residual"),
    ):
        with pytest.raises(ConfigError, match=message):
            Config.from_values(values)
    Config.from_values({"d_block": "residual", "residual_blocks": 2})
