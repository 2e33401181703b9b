"""A saved network loads with plain Keras in a process that has only imported the package."""

import itertools

import numpy as np
import pytest

from pgan_tf.networks import Discriminator, Generator
from pgan_tf.networks.saved import load_network, save_network

LOADER = """
import sys
import keras, numpy as np
import pgan_tf
folder = sys.argv[1]
data = np.load(folder + "/inputs.npz")
outputs = {}
for name in sys.argv[2:]:
    network = keras.saving.load_model(f"{folder}/{name}.keras")
    latents, labels, images = (data[f"{name}/{key}"] for key in ("latents", "labels", "images"))
    if name.startswith("G"):
        outputs[name] = np.array(network((latents, labels) if labels.shape[1] else latents))
    else:
        out = network(images)
        outputs[name] = np.concatenate([np.array(x) for x in (out.scores[:, None], out.labels, out.features)], 1)
np.savez(folder + "/outputs.npz", **outputs)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Every kind of network, saved: {name: network}, the inputs, the folder."""
    folder = tmp_path_factory.mktemp("saved")
    random, networks, inputs = np.random.RandomState(0), {}, {}
    kinds = itertools.product((Generator, Discriminator), (0, 3), (False, True), (False, True))
    for kind, labels, fading, plain in kinds:
        name = f"{kind.__name__}-{labels}-{fading}-{plain}"
        options = dict(resolution=8, fmap_base=64, fmap_max=16, num_channels=1 if plain else 3, seed=3)
        options |= dict(label_size=labels, fading=fading, alpha=0.3 if fading else 1.0, fused_scale=not plain)
        if plain and kind is Generator:
            options |= dict(latent_size=8, normalize_latents=False, use_pixelnorm=False, use_leakyrelu=False)
        elif plain:
            options |= dict(mbstd_group_size=2, use_wscale=False, fmap_decay=0.5)
        network = networks[name] = kind(**options)
        for variable in network.trainable_variables:  # also the biases, which begin as zeros
            variable.assign(random.standard_normal(variable.shape))
        latent_size = getattr(network, "latent_size", 16)
        inputs[f"{name}/latents"] = random.standard_normal([4, latent_size]).astype(np.float32)
        inputs[f"{name}/labels"] = np.eye(max(labels, 1), dtype=np.float32)[[0] * 4][:, :labels]
        inputs[f"{name}/images"] = random.standard_normal([4, 8, 8, options["num_channels"]]).astype(np.float32)
        network.save(folder / f"{name}.keras")
    np.savez(folder / "inputs.npz", **inputs)
    return networks, inputs, folder


def test_networks_load_in_a_fresh_process(saved, fresh_process):
    networks, inputs, folder = saved
    fresh_process(LOADER, folder, *networks)
    outputs = np.load(folder / "outputs.npz")
    for name, network in networks.items():
        latents, labels, images = (inputs[f"{name}/{key}"] for key in ("latents", "labels", "images"))
        if isinstance(network, Generator):
            expected = network((latents, labels) if labels.shape[1] else latents)
        else:
            out = network(images)
            expected = np.concatenate([out.scores[:, None], out.labels, out.features], 1)
        np.testing.assert_allclose(outputs[name], expected, rtol=1e-6, atol=1e-6, err_msg=name)


def test_config_says_everything(saved):
    for name, network in saved[0].items():
        again = type(network).from_config(network.get_config())
        assert again.get_config() == network.get_config(), name
        assert [v.shape for v in again.weights] == [v.shape for v in network.weights], name


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_precision_survives_saving(policy, tmp_path):
    import keras

    network = Generator(resolution=8, fmap_base=64, fmap_max=16, dtype=policy)
    network.save(tmp_path / "g.keras")
    again = keras.saving.load_model(tmp_path / "g.keras")
    latents = np.random.RandomState(0).standard_normal([2, 16])
    assert again.compute_dtype == network.compute_dtype
    assert again.variable_dtype == network.variable_dtype
    np.testing.assert_array_equal(again(latents).numpy().astype(float), network(latents).numpy().astype(float))


SMALL = dict(resolution=8, fading=True, fmap_base=16, fmap_max=4)


@pytest.mark.parametrize("kind", [Generator, Discriminator])
def test_equal_networks_make_equal_files(tmp_path, kind):
    """However many there were before, and whenever they are saved."""
    for name in ("a", "b"):
        save_network(kind(**SMALL), tmp_path / f"{name}.keras")
    content = (tmp_path / "a.keras").read_bytes()
    assert (tmp_path / "b.keras").read_bytes() == content
    save_network(load_network(tmp_path / "a.keras", kind), tmp_path / "a.keras")
    assert (tmp_path / "a.keras").read_bytes() == content
    kind(**SMALL, seed=1).save(tmp_path / "keras.keras")
    assert (tmp_path / "keras.keras").read_bytes() != content


@pytest.mark.parametrize("kind", [Generator, Discriminator])
def test_a_file_with_the_number_of_its_network_is_read(tmp_path, kind):
    """As Keras, and earlier versions of this package, name and save them."""
    network = kind(**SMALL, name=f"{kind.__name__.lower()}_3")
    layer = network.pixel_norm if kind is Generator else network.statistics
    layer.name += "_7"
    network.save(tmp_path / "old.keras")
    read = load_network(tmp_path / "old.keras", kind).parameters_by_name()
    for name, variable in network.parameters_by_name().items():
        np.testing.assert_array_equal(read[name], variable, err_msg=name)
