"""Dense networks: as many layers and parameters as their table says, norms where they belong, points and no images."""

import keras
import numpy as np
import pytest

from pgan_tf.config import Config, ConfigError
from pgan_tf.growth import NetworkFactory
from pgan_tf.networks.mlp import DenseDiscriminator, DenseGenerator
from pgan_tf.networks.unit import Unit
from pgan_tf.stages import layer_stage

PLANE = {"family": "mlp", "mbstd_group_size": 0, "g_norm": "batch", "d_norm": "batch", "precision": "float64"}
MODELS = {"M0": dict(layers=2, blocks=0), "M1": dict(layers=1, blocks=7)}


def networks(model: str, **options):
    values = {f"{part}_{name}": value for part in "gd" for name, value in MODELS[model].items()}
    factory = NetworkFactory(Config.from_values({**PLANE, **values, **options}), 2, 0)
    return factory.generator(layer_stage(4)), factory.discriminator(layer_stage(4))


@pytest.mark.parametrize(("model", "layers"), [("M0", 3), ("M1", 16)])
def test_table_a1(model, layers):
    """Weights and biases of each layer, and gain and bias of each norm: all hidden layers, but D's first."""
    hidden = layers - 1
    for network, inputs, outputs, norms in zip(networks(model), (32, 2), (2, 1), (hidden, hidden - 1), strict=True):
        weights = [name for name in network.parameters_by_name() if name.endswith("/weight")]
        assert len(weights) == layers
        expected = (inputs + 1) * 32 + (hidden - 1) * 33 * 32 + 33 * outputs + norms * 64
        assert sum(int(np.prod(v.shape)) for v in network.trainable_variables) == expected


def test_every_parameter_is_used():
    """What has no gradient would be there for nothing."""
    import tensorflow as tf

    generator, discriminator = networks("M1", max_label_size=0)
    for network, x in ((generator, np.ones([4, 32])), (discriminator, np.ones([4, 2]))):
        with tf.GradientTape() as tape:
            out = network(np.random.RandomState(0).standard_normal(x.shape), training=True)
            total = tf.reduce_sum(tf.square(out if network is generator else out.scores))
        gradients = tape.gradient(total, [v.value for v in network.trainable_variables])
        assert None not in gradients


def test_a_block_whose_second_layer_is_zero_is_not_there():
    one, other = (networks(model, g_norm="none", d_norm="none")[0] for model in ("M1", "M1"))
    z = np.random.RandomState(0).standard_normal([4, 32])
    for pair in other.blocks[1:]:
        pair[1].weight.assign(np.zeros(pair[1].weight.shape))
    for pair in one.blocks[1:]:
        one.units[pair[1].name] = Unit(lambda x, **_: x * 0, lambda x: x, None, False)
    np.testing.assert_allclose(one(z), other(z), rtol=1e-12)


@pytest.mark.parametrize("kind", [DenseGenerator, DenseDiscriminator])
def test_saved_networks_come_back(kind, tmp_path):
    made = kind(num_channels=2, latent_size=3, label_size=2) if kind is DenseGenerator else kind(num_channels=2)
    made.save(tmp_path / "n.keras")
    again = keras.saving.load_model(tmp_path / "n.keras")
    assert again.get_config() == made.get_config()
    for name, variable in made.variables_by_name().items():
        np.testing.assert_array_equal(again.variables_by_name()[name], variable)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"family": "mlp", "fmap_base": 64}, "--fmap_base: is an option of --family=progressive, not of mlp"),
        ({"g_blocks": 2}, "--g_blocks: is an option of --family=dcgan or mlp, not of progressive"),
    ],
)
def test_an_option_of_another_family_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        Config.from_values(options)
