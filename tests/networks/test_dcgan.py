"""Convolutional networks of one size: the layers and parameters of their table, Keras' values, sizes that fit."""

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pgan_tf.config import Config, ConfigError
from pgan_tf.growth import NetworkFactory
from pgan_tf.inference.search.targets import load_target
from pgan_tf.layers import StridedConv2D, box_downsample, nearest_upsample
from pgan_tf.networks import dcgan
from pgan_tf.networks.dcgan import ConvolutionalDiscriminator, ConvolutionalGenerator
from pgan_tf.stages import Size, Stage

SOURCE = {
    "family": "dcgan", "grow": "none", "mbstd_group_size": 0, "g_norm": "batch", "d_norm": "batch",
    "g_weights": "plain", "d_weights": "plain", "g_activation": "relu", "g_output": "tanh", "normalize_latents": False,
    "initializer": "normal", "precision": "float64",
}  # fmt: skip


def networks(resolution=28, channels=1, blocks=0, labels=0, **options):
    values = {**SOURCE, "g_blocks": blocks, "d_blocks": blocks, **options}
    factory, stage = (
        NetworkFactory(Config.from_values(values), channels, labels),
        Stage(Size(resolution, resolution, 0)),
    )
    return factory.generator(stage), factory.discriminator(stage)


# ---- the table -------------------------------------------------------------------------------------------------------

# By resolution, channels and blocks: parameters of G and D with batch norm in both; the docs have the same numbers.
PARAMETERS = {
    (28, 1): [(759_681, 138_689), (804_929, 294_721), (878_913, 590_145), (952_897, 885_569), (1_026_881, 1_180_993),
              (1_100_865, 1_476_417)],
    (32, 3): [(1_068_931, 663_361), (1_294_787, 1_442_753), (1_664_195, 2_918_849), (2_033_603, 4_394_945)],
}  # fmt: skip
MODELS = [(*size, blocks) for size, rows in PARAMETERS.items() for blocks in range(len(rows))]


def conv(taps, inputs, outputs, normed=True):
    """Parameters of a layer: with gain and bias of its norm, or with its own bias."""
    return taps * inputs * outputs + outputs * (2 if normed else 1)


def stage(inputs, outputs, blocks):
    """Of a hidden stage."""
    if not blocks:
        return conv(16, inputs, outputs)
    later = (2 * blocks - 1) * conv(9, outputs, outputs)
    return conv(16, inputs, outputs) + later + conv(1, inputs, outputs, normed=False)


@pytest.mark.parametrize(("resolution", "channels", "blocks"), MODELS)
def test_table_a2(resolution, channels, blocks):
    """Layer by layer as the table has them: the widths from the latents to the picture, and back to one number."""
    widths = {28: [128, 64], 32: [256, 128, 64]}[resolution]
    base = {28: 7, 32: 4}[resolution]
    pairs = list(itertools.pairwise(widths))
    g = conv(base**2, 100, widths[0]) + sum(stage(*pair, blocks) for pair in pairs)
    g += conv(16, 64, channels, normed=False)
    d = conv(16, channels, 64, normed=False) + sum(stage(b, a, blocks) for a, b in pairs) + base**2 * widths[0] + 1
    made = networks(resolution, channels, blocks)
    trained = tuple(sum(int(np.prod(v.shape)) for v in network.trainable_variables) for network in made)
    assert trained == (g, d) == PARAMETERS[resolution, channels][blocks]


def keras_networks():
    """M0 for 28x28, in Keras' own layers, which have a bias everywhere."""
    layers, same = keras.layers, {"strides": 2, "padding": "same"}
    g = keras.Sequential([
        layers.Input([100], dtype="float64"), layers.Dense(7 * 7 * 128, use_bias=False), layers.Reshape([128, 7, 7]),
        layers.Permute([2, 3, 1]), layers.BatchNormalization(epsilon=1e-5), layers.ReLU(),
        layers.Conv2DTranspose(64, 4, use_bias=False, **same), layers.BatchNormalization(epsilon=1e-5), layers.ReLU(),
        layers.Conv2DTranspose(1, 4, activation="tanh", **same),
    ])  # fmt: skip
    d = keras.Sequential([
        layers.Input([28, 28, 1], dtype="float64"), layers.Conv2D(64, 4, **same), layers.LeakyReLU(0.2),
        layers.Conv2D(128, 4, use_bias=False, **same), layers.BatchNormalization(epsilon=1e-5), layers.LeakyReLU(0.2),
        layers.Flatten(), layers.Dense(1),
    ])  # fmt: skip
    return g, d


@pytest.fixture
def float64():
    """Keras' own default, while a test runs."""
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("training", [True, False])
def test_the_plain_one_is_keras_own(training, float64):
    """With the same weights, a batch norm behind each hidden layer but D's first, before the activation."""
    theirs = keras_networks()
    random = np.random.RandomState(0)
    inputs = random.standard_normal([4, 100]), random.standard_normal([4, 28, 28, 1])
    for ours, other, x in zip(networks(), theirs, inputs, strict=True):
        for layer in other.layers:
            norm = isinstance(layer, keras.layers.BatchNormalization)
            layer.set_weights(
                [random.uniform(0.5 if norm else -0.1, 1 if norm else 0.1, w.shape) for w in layer.weights]
            )
        values = ours.variables_by_name()
        plain = [
            layer for layer in other.layers if layer.weights and not isinstance(layer, keras.layers.BatchNormalization)
        ]
        norms = [layer for layer in other.layers if isinstance(layer, keras.layers.BatchNormalization)]
        names = [name.removesuffix("/weight") for name in values if name.endswith("/weight")]
        for name, layer in zip(names, plain, strict=True):
            for suffix, value in zip(("weight", "bias"), layer.get_weights(), strict=False):
                values[f"{name}/{suffix}"].assign(value)
        for norm, layer in zip(ours.norms, norms, strict=True):
            for variable, value in zip((norm.gain, norm.bias, norm.moving_mean, norm.moving_variance),
                                       layer.get_weights(), strict=True):  # fmt: skip
                variable.assign(value)
        out, expected = ours(x, training=training), other(x, training=training)
        out = out.scores[:, None] if ours.part == "discriminator" else out
        np.testing.assert_allclose(out, expected, rtol=1e-9, atol=1e-9)


# ---- blocks ----------------------------------------------------------------------------------------------------------


def test_every_parameter_is_used():
    """What has no gradient would be there for nothing, and a bias before a batch norm has none."""
    for network, x in zip(networks(blocks=2), ([4, 100], [4, 28, 28, 1]), strict=True):
        x = np.random.RandomState(0).standard_normal(x)
        with tf.GradientTape() as tape:
            out = network(x, training=True)
            total = tf.reduce_sum(tf.square(out if network.part == "generator" else out.scores))
        gradients = tape.gradient(total, [v.value for v in network.trainable_variables])
        for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
            assert np.abs(gradient.numpy()).max() > 1e-12, variable.path


@pytest.mark.parametrize("which", [0, 1])
def test_a_block_whose_residual_is_zero_is_its_shortcut(which):
    """Without a norm, whose bias would be there: identity, or a 1x1 convolution and a change of size."""
    network = networks(blocks=2, g_norm="none", d_norm="none")[which]
    (hidden,) = [stage for stage in network.stages if stage.shortcut is not None]
    for layer in (hidden.layers[1], hidden.layers[3]):
        layer.weight.assign(np.zeros(layer.weight.shape))
    x = np.random.RandomState(0).standard_normal(((2, 7, 7, 128), (2, 14, 14, 64))[which])
    small = hidden.shortcut(x if which == 0 else box_downsample(x, 2))
    expected = nearest_upsample(small) if which == 0 else small
    np.testing.assert_allclose(network.through(hidden, tf.constant(x), network.fade()), expected, rtol=1e-12)


def test_unbalanced_pairs():
    g, d = networks(g_blocks=3, d_blocks=1)
    assert (g.count_params(), d.count_params()) == (
        networks(blocks=3)[0].count_params(),
        networks(blocks=1)[1].count_params(),
    )


# ---- the tiny networks of Metz et al. --------------------------------------------------------------------------------

TINY = {"image_maps": 8, "stage_kernel": 3, "g_last": "plain", "latent_size": 256}


@pytest.mark.parametrize(("maps", "most"), [(2, 600), (4, 2000)])
@pytest.mark.parametrize("resolution", [28, 32])
def test_the_tiny_pair_of_metz(maps, most, resolution):
    """K/4 and K/2: 'about 500' and 'about 2,000' parameters say Karras et al. 2018, of images of 28 or 32 pixels."""
    g, d = networks(resolution, 3, d_image_maps=maps, **TINY)
    smallest = 4 if resolution == 32 else 7
    halved = 3 if resolution == 32 else 2
    widths = [8 << i for i in reversed(range(halved + 1))]  # 64, 32, 16, 8 from 4x4 to 32x32
    expected = 256 * smallest**2 * widths[0] + 2 * widths[0]
    expected += sum(conv(9, *pair) for pair in itertools.pairwise(widths)) + conv(9, 8, 3, normed=False)
    assert sum(int(np.prod(v.shape)) for v in g.trainable_variables) == expected
    widths = [maps << i for i in range(halved)]
    expected = conv(9, 3, maps, normed=False) + sum(conv(9, *pair) for pair in itertools.pairwise(widths))
    expected += smallest**2 * widths[-1] + 1
    assert sum(int(np.prod(v.shape)) for v in d.trainable_variables) == expected
    assert resolution == 28 or most / 2 < expected < most


@pytest.mark.parametrize("form", ["strided", "shuffled"])
@pytest.mark.parametrize("resample", ["down", "up"])
def test_kernels_of_three_are_keras_own(resample, form, float64):
    kind = {"down": keras.layers.Conv2D, "up": keras.layers.Conv2DTranspose}[resample]
    x = tf.constant(np.random.RandomState(0).standard_normal([2, 6, 8, 3]))
    ours, theirs = StridedConv2D(5, resample, kernel_size=3, gain=1.0), kind(5, 3, strides=2, padding="same")
    ours.form = form
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.kernel.assign(ours.scaled_weight())
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-6, atol=1e-6)
    assert tuple(ours(x).shape[1:]) == ours.output_size


def test_other_kernels_are_refused():
    with pytest.raises(ValueError, match="kernel_size=5: choose 3 or 4"):
        StridedConv2D(5, "up", kernel_size=5)


def test_blocks_of_a_generator_whose_stages_all_are_hidden():
    config = Config.from_values({**SOURCE, "g_last": "plain", "g_blocks": 1})
    dcgan.check_blocks(config, [Size(8, 8, 0)])
    g, _ = networks(8, 1, g_last="plain", g_blocks=1)
    assert [len(stage.layers) for stage in g.stages] == [2]
    with pytest.raises(ConfigError, match="--d_blocks=1: takes the place of a hidden stage"):
        dcgan.check_blocks(config.replace(d_blocks=1), [Size(8, 8, 0)])


# ---- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("resolution", "times", "smallest"), [
    (8, 1, 4), (10, 1, 5), (14, 1, 7), (16, 2, 4), (20, 2, 5), (28, 2, 7), (32, 3, 4), (56, 3, 7), (64, 4, 4),
    (96, 4, 6), (128, 5, 4),
])  # fmt: skip
def test_sizes_that_can_be_halved(resolution, times, smallest):
    assert dcgan.halvings(resolution) == times
    assert resolution == smallest * 2**times


@pytest.mark.parametrize(
    ("resolution", "near"), [(1, 8), (4, 8), (7, 8), (9, 8), (27, 24), (30, 28), (33, 32), (100, 96)]
)
def test_sizes_that_cannot(resolution, near):
    dcgan.halvings(near)
    with pytest.raises(ConfigError, match=f"^--family=dcgan: {resolution}x.* cannot be halved .*; {near}x{near} can"):
        dcgan.check_blocks(Config.from_values(SOURCE), [Size(resolution, resolution, 0)])


@pytest.mark.parametrize("option", ["g_blocks", "d_blocks"])
def test_blocks_need_a_hidden_stage(option):
    config = Config.from_values({**SOURCE, option: 2})
    dcgan.check_blocks(config, [Size(16, 16, 0)])
    with pytest.raises(ConfigError, match=f"--{option}=2: takes the place of a hidden stage, and images of 8x8 "):
        dcgan.check_blocks(config, [Size(8, 8, 0)])


def test_widths_double_up_to_the_most():
    g, _ = networks(64, 3, image_maps=8, fmap_max=32, latent_size=5)
    shapes = {name: tuple(variable.shape) for name, variable in g.parameters_by_name().items() if "weight" in name}
    assert shapes == {
        "4x4_Dense/weight": (5, 16 * 32), "8x8_Deconv/weight": (4, 4, 32, 32), "16x16_Deconv/weight": (4, 4, 16, 32),
        "32x32_Deconv/weight": (4, 4, 8, 16), "Out/weight": (4, 4, 3, 8),
    }  # fmt: skip


# ---- what all families have ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [
    {}, {"stage_kernel": 3, "d_image_maps": 4}, {"g_norm": "pixel", "d_norm": "layer", "mbstd_group_size": 2},
    {"g_norm": "none", "g_weights": "spectral"},
    {"g_norm": "virtual_batch", "d_norm": "virtual_batch", "reference_batch": 4, "mbstd_group_size": 2},
    {"minibatch_statistics": "discrimination", "mbstd_group_size": 4},
])  # fmt: skip
def test_shapes(options):
    g, d = networks(20, 3, 1, labels=5, image_maps=4, **options)
    z, labels = np.zeros([4, 100]), np.eye(5)[:4]
    images, features = g((z, labels), training=True, with_features=True)
    assert (images.shape, features.shape) == ((4, 20, 20, 3), (4, 10, 10, 4))
    scores, said, features = d(images, training=True)
    assert (scores.shape, said.shape, features.shape) == ((4,), (4, 5), (4, 5 * 5 * 8))


@pytest.mark.parametrize("norm", ["batch", "virtual_batch"])
def test_the_first_layer_apart(norm):
    """What truncation works on."""
    g, _ = networks(g_norm=norm, reference_batch=4)
    z = np.random.RandomState(0).standard_normal([4, 100])
    np.testing.assert_allclose(g.synthesize(g.project(z)), g(z), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", [ConvolutionalGenerator, ConvolutionalDiscriminator])
def test_saved_networks_come_back(kind, tmp_path):
    made = kind(num_channels=3, resolution=28, image_maps=4, label_size=2)
    made.save(tmp_path / "n.keras")
    again = keras.saving.load_model(tmp_path / "n.keras")
    assert again.get_config() == made.get_config()
    for name, variable in made.variables_by_name().items():
        np.testing.assert_array_equal(again.variables_by_name()[name], variable)


@pytest.mark.parametrize(("options", "message"), [
    ({"family": "dcgan", "fmap_base": 64}, "--fmap_base: is an option of --family=progressive, not of dcgan"),
    ({"image_maps": 8}, "--image_maps: is an option of --family=dcgan, not of progressive"),
    ({"family": "mlp", "fmap_max": 8}, "--fmap_max: is an option of --family=progressive or dcgan, not of mlp"),
])  # fmt: skip
def test_an_option_of_another_family_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        Config.from_values(options)


@pytest.mark.parametrize(("jit", "in_one"), [(False, True), (True, False)])
def test_batch_norm_is_in_one_operation_where_xla_does_not_compile(jit, in_one):
    g, d = networks(jit=jit)
    assert {norm.in_one for norm in (*g.norms, *d.norms)} == {in_one}


@pytest.mark.parametrize("size", PARAMETERS)
def test_the_docs_have_the_table(size):
    rows = Path(dcgan.__file__).parents[2].joinpath("docs", "families.md").read_text()
    for name, numbers in zip(("generator", "discriminator"), zip(*PARAMETERS[size], strict=True), strict=True):
        assert f"| {name} | {' | '.join(f'{number:,}' for number in numbers)} |" in rows


def test_a_picture_to_search_for_has_the_network_s_size(tmp_path):
    """Also where it is no power of two."""
    Image.fromarray(np.zeros([40, 50, 3], np.uint8)).save(tmp_path / "p.png")
    assert load_target(tmp_path / "p.png", networks()[0], "crop", "white").shape == (28, 28, 1)
