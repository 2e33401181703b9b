"""Exported weights: NumPy reads them, the generator comes back bit for bit, a file that does not fit is refused."""

import json
import zipfile

import numpy as np
import pytest

from pgan_tf.interop.weights import read_weights, write_weights
from pgan_tf.networks import Generator
from pgan_tf.networks.saved import NetworkError

OPTIONS = {
    "plain": {"label_size": 2},
    "other": {"fading": True, "alpha": 0.3, "fused_scale": False, "g_block": "residual", "use_wscale": False},
}


def generator(options, **more):
    network = Generator(**{"resolution": 8, "fmap_base": 32, "fmap_max": 4, "num_channels": 2, **options, **more})
    random = np.random.default_rng(5)
    for variable in network.trainable_variables:
        variable.assign(random.standard_normal(variable.shape))
    return network


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_round_trip_is_exact(options, tmp_path):
    network = generator(options)
    write_weights(network, tmp_path / "g.npz", "note")
    again = read_weights(tmp_path / "g.npz")
    mine, its = ({**x.get_config(), "name": ""} for x in (network, again))
    assert mine == its
    latents = np.random.default_rng(0).standard_normal([3, 4 + network.label_size]).astype(np.float32)
    np.testing.assert_array_equal(again(latents).numpy(), network(latents).numpy())


def test_a_half_precision_network_keeps_its_float32_weights(tmp_path):
    network = generator({}, dtype="mixed_bfloat16")
    write_weights(network, tmp_path / "g.npz", "note")
    again = read_weights(tmp_path / "g.npz")
    assert again.compute_dtype == "float32"
    for name, variable in network.parameters_by_name().items():
        np.testing.assert_array_equal(again.parameters_by_name()[name].numpy(), variable.numpy())


def test_numpy_alone_reads_names_arrays_and_options(tmp_path):
    network = generator(OPTIONS["plain"])
    write_weights(network, tmp_path / "g.npz", "a note")
    file = np.load(tmp_path / "g.npz", allow_pickle=False)
    layers = ["4x4_Dense", "4x4_Conv", "8x8_Conv0_up", "8x8_Conv1", "ToRGB_8x8"]
    assert {name for name in file.files if "/" in name} == {f"{x}/{v}" for x in layers for v in ("weight", "bias")}
    assert {file[name].dtype for name in file.files if "/" in name} == {np.dtype(np.float32)}
    options = json.loads(file["config.json"])
    assert (options["label_size"], options["latent_size"], options["resolution"]) == (2, 4, 8)
    assert file["README.md"] == b"a note"


def spoil(path, change):
    """Writes the file again with its arrays and options changed."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if "/" in name}
        options = json.loads(file["config.json"])
    change(arrays, options)
    np.savez(path, **arrays)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", json.dumps(options))


WRONG = {
    "8x8_Conv1/bias is missing": lambda arrays, options: arrays.pop("8x8_Conv1/bias"),
    "9x9/bias is no weight of this network": lambda arrays, options: arrays.update({"9x9/bias": np.zeros(1)}),
    r"4x4_Conv/bias is \[5\], not \[4\]": lambda arrays, options: arrays.update({"4x4_Conv/bias": np.zeros(5)}),
    "cannot be read as exported weights": lambda arrays, options: options.update(resolution=7),
    "its options are of no network": lambda arrays, options: options.update(fmap_base=2**40, fmap_max=2**30),
    "resolution is 1048576": lambda arrays, options: options.update(resolution=2**20),
    "cannot be read as exported .*shiny": lambda arrays, options: options.update(shiny=7),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_file_that_does_not_fit_is_refused_in_one_line(message, tmp_path):
    write_weights(generator({}), tmp_path / "g.npz", "note")
    spoil(tmp_path / "g.npz", WRONG[message])
    with pytest.raises(NetworkError, match=rf"^{tmp_path}/g.npz: .*{message}") as error:
        read_weights(tmp_path / "g.npz")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04broken"])
def test_a_file_of_something_else_is_refused(content, tmp_path):
    (tmp_path / "g.npz").write_bytes(content)
    with pytest.raises(NetworkError, match="cannot be read as exported weights"):
        read_weights(tmp_path / "g.npz")
