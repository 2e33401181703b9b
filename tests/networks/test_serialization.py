"""A saved network loads with plain Keras in a process that has only imported the package."""

import itertools
import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

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


def old_form(path, latent_size):
    """The file as older versions wrote it: one shape for all inputs."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    config = json.loads(parts["config.json"])
    config["build_config"] = {"input_shape": [None, latent_size]}
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
@pytest.mark.parametrize("labels", [0, 3])
def test_keras_own_export_takes_what_the_network_takes(labels, old, tmp_path):
    """Right after loading, also of a file of an older version; any number of samples; the same numbers."""
    network = Generator(resolution=8, fmap_base=64, fmap_max=16, label_size=labels, fading=True, alpha=0.3)
    network.save(tmp_path / "g.keras")
    if old:
        old_form(tmp_path / "g.keras", 16)
    inputs = [np.random.RandomState(0).standard_normal([5, 16]).astype(np.float32)]
    inputs += [np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]] if labels else []
    expected = network(inputs if labels else inputs[0]).numpy()
    for load in (lambda path: keras.saving.load_model(path), load_network):
        loaded = load(tmp_path / "g.keras")
        assert all(np.array_equal(a, b) for a, b in zip(loaded.get_weights(), network.get_weights(), strict=True))
        loaded.export(tmp_path / "saved", verbose=False)
        exported = tf.saved_model.load(str(tmp_path / "saved"))
        found = exported.serve(inputs if labels else inputs[0])
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_discriminator_exports(tmp_path):
    network = Discriminator(resolution=8, fmap_base=64, fmap_max=16, label_size=3)
    network.export(tmp_path / "saved", verbose=False)
    images = np.random.RandomState(0).standard_normal([4, 8, 8, 3]).astype(np.float32)
    exported = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(exported.serve(images)[0], network(images).scores, rtol=1e-4, atol=1e-5)


WRONG = {  # what a network is called with, and what it says it wants
    "no labels": ((Generator, 3), [(2, 16)], r"wants latents \[N,16\] and labels \[N,3\], not \[2,16\]"),
    "other labels": ((Generator, 3), [(2, 16), (2, 4)], r"labels \[N,3\], not \[2,16\] and \[2,4\]"),
    "other latents": ((Generator, 0), [(2, 8)], r"wants latents \[N,16\], not \[2,8\]"),
    "labels for none": ((Generator, 0), [(2, 16), (2, 3)], r"wants latents \[N,16\], not"),
    "one latent": ((Generator, 0), [(16,)], r"wants latents \[N,16\], not \[16\]"),
    "other images": ((Discriminator, 0), [(2, 16, 16, 3)], r"wants images \[N,8,8,3\], not \[2,16,16,3\]"),
    "grey images": ((Discriminator, 3), [(2, 8, 8, 1)], r"wants images \[N,8,8,3\], not \[2,8,8,1\]"),
}


@pytest.mark.parametrize(("kind", "shapes", "message"), WRONG.values(), ids=WRONG)
def test_a_call_of_another_shape_says_what_the_network_wants(kind, shapes, message):
    network = kind[0](resolution=8, fmap_base=64, fmap_max=16, label_size=kind[1])
    given = [np.zeros(shape, np.float32) for shape in shapes]
    with pytest.raises(ValueError, match=message) as caught:
        network(given if len(given) > 1 else given[0])
    assert "\n" not in str(caught.value)


def test_labels_of_no_components_are_no_labels():
    network = Generator(resolution=4, fmap_base=64, fmap_max=16)
    latents = np.ones([2, 16], np.float32)
    np.testing.assert_array_equal(network((latents, np.zeros([2, 0], np.float32))), network(latents))


@pytest.mark.parametrize("kind", [Generator, Discriminator])
@pytest.mark.parametrize("fused", [False, True])
def test_the_summary_shows_every_shape(kind, fused):
    lines, network = [], kind(resolution=8, fmap_base=64, fmap_max=16, label_size=3, fading=True, fused_scale=fused)
    network.summary(print_fn=lines.append, line_length=120)
    text = "\n".join(lines)
    assert "?" not in text
    assert "unbuilt" not in text
    for layer in network.layers:
        if hasattr(layer, "output_size"):
            row = next(line for line in text.splitlines() if f" {layer.name} " in line)
            assert f"(None, {', '.join(map(str, layer.output_size))})" in row
