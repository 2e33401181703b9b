"""Generator and discriminator compute what the original's compute, at every level of detail."""

import re

import numpy as np
import pytest
import reference

from pgan_tf.networks import Discriminator, Generator

FLOAT64 = 1e-6  # of the greatest value; the float64 numbers come from float32 constants
OPTIONS = {
    "nowscale": dict(use_wscale=False),
    "nopixelnorm": dict(use_pixelnorm=False),
    "relu": dict(use_leakyrelu=False),
    "nonormlat": dict(normalize_latents=False),
    "fmapdecay0.5": dict(fmap_decay=0.5),
}


def config_of(path) -> str:
    return path.stem.split("_")[1]


def lods_of(path, what: str) -> list[tuple[str, float]]:
    """The keys of a file such as out/G_images_lod0.35, with their lod."""
    found = [(key, re.fullmatch(rf"(out|out64)/{what}_lod([\d.]+)", key)) for key in reference.load(path)]
    return [(key, float(match[2])) for key, match in found if match]


def dtype_of(key: str) -> str:
    return "float64" if key.startswith("out64/") else "float32"


def tolerance(network) -> float:
    return FLOAT64 if network.compute_dtype == "float64" else reference.rounding(network)


FILES = reference.files("networks_[abcdt]_*.npz")


def changes_of(path) -> dict:
    return {"fused_scale": False} if config_of(path) == "c" else {}


def inputs_of(path):
    data = reference.load(path)
    latents = data["in/latents"]
    labels = data.get("in/labels", np.zeros((len(latents), 0), np.float32))[: len(latents)]
    return latents, labels, reference.nhwc(data["in/images"])


@pytest.mark.parametrize("path", FILES)
def test_images(path, record_property):
    latents, labels, _ = inputs_of(path)
    worst = {}
    for key, lod in lods_of(path, "G_images"):
        dtype = dtype_of(key)
        network, alpha, factor = reference.build(Generator, config_of(path), lod, dtype, **changes_of(path))
        images = reference.enlarge(network((latents, labels), alpha=alpha).numpy(), factor)
        worst[key] = reference.deviation(images, reference.nhwc(reference.load(path)[key])) / tolerance(network)
    record_property("worst", float(max(worst.values())))
    assert len(worst) >= 3
    assert max(worst.values()) < 1, worst


@pytest.mark.parametrize("path", FILES)
def test_scores_and_labels(path, record_property):
    _, _, images = inputs_of(path)
    data, worst = reference.load(path), {}
    for key, lod in lods_of(path, "D_scores"):
        dtype = dtype_of(key)
        network, alpha, factor = reference.build(Discriminator, config_of(path), lod, dtype, **changes_of(path))
        output = network(reference.shrink(images, factor).astype(dtype), alpha=alpha)
        worst[key] = reference.deviation(output.scores, data[key][:, 0]) / tolerance(network)
        labels_key = key.replace("scores", "labels")
        if labels_key in data:
            worst[labels_key] = reference.deviation(output.labels, data[labels_key]) / tolerance(network)
    record_property("worst", float(max(worst.values())))
    assert len(worst) >= 3
    assert max(worst.values()) < 1, worst


@pytest.mark.parametrize("path", [p for p in FILES if "networks_c" not in p.id and "small-networks_a" not in p.id])
def test_scores_of_the_generators_own_images(path):
    latents, labels, _ = inputs_of(path)
    data = reference.load(path)
    keys = lods_of(path, "D_scores_of_G")
    assert keys
    for key, lod in keys:
        generator, alpha, _ = reference.build(Generator, config_of(path), lod)
        discriminator, _, _ = reference.build(Discriminator, config_of(path), lod)
        output = discriminator(generator((latents, labels), alpha=alpha), alpha=alpha)
        allowed = tolerance(generator) + tolerance(discriminator)
        assert reference.deviation(output.scores, data[key][:, 0]) < allowed, key
        if labels.shape[1]:
            assert reference.deviation(output.labels, data[key.replace("scores", "labels")]) < allowed, key


@pytest.mark.parametrize("path", reference.files("networks_e_*.npz"))
def test_minibatch_statistics_at_every_batch_size(path):
    data = reference.load(path)
    images = reference.nhwc(data["in/images"])
    keys = [key for key in data if key.startswith("out/D_scores_batch")]
    assert len(keys) == 9
    for key in keys:
        batch, group = re.fullmatch(r"out/D_scores_batch(\d+)(?:_group(\d+))?", key).groups()
        network, _, _ = reference.build(Discriminator, "e", mbstd_group_size=int(group or 4))
        scores = network(images[: int(batch)]).scores
        assert reference.deviation(scores, data[key][:, 0]) < tolerance(network), key


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("path", reference.files("networks_f_*.npz"))
def test_generator_options(path, option):
    data = reference.load(path)
    network, _, _ = reference.build(Generator, "f", **OPTIONS[option])
    images = network(data["in/latents"]).numpy()
    assert reference.deviation(images, reference.nhwc(data[f"{option}/out/G_images"])) < tolerance(network)


def test_unfused_generator_is_the_fused_one_with_flipped_weights():
    latents = np.random.RandomState(0).standard_normal([2, 16])
    labels = np.eye(3)[:2]
    fused, _, _ = reference.build(Generator, "t", dtype="float64")
    unfused, _, _ = reference.build(Generator, "t", dtype="float64", fused_scale=False)
    assert reference.deviation(unfused((latents, labels)), fused((latents, labels))) < 1e-6


@pytest.mark.parametrize("path", reference.files("networks_*.npz"))
def test_weights_follow_from_their_seeds(path):
    """The small golden files hold no weights: these are pseudo-random, and equal to the stored ones where there are."""
    data = reference.load(path)
    for prefix, network in (("G", Generator), ("D", Discriminator)):
        stored = {key[2:]: value for key, value in data.items() if key.startswith(f"{prefix}/")}
        if stored:
            options, *seeds = reference.CONFIGS[config_of(path)]
            options = reference.options_for(network, options)
            weights = reference.original_weights(network, seeds[prefix == "D"], options)
            weights = reference.unfused(weights) if config_of(path) == "c" else weights
            assert weights.keys() == stored.keys()
            assert all(np.array_equal(weights[name], stored[name]) for name in stored)


def test_missing_alpha_means_the_networks_own():
    latents = np.random.RandomState(0).standard_normal([2, 16]).astype(np.float32)
    network = Generator(resolution=8, fading=True, alpha=0.25, fmap_base=64, fmap_max=16)
    np.testing.assert_array_equal(network(latents), network(latents, alpha=0.25))
    assert np.abs(network(latents) - network(latents, alpha=1.0)).max() > 1e-3


@pytest.mark.parametrize("resolution", [0, 2, 6, 24])
def test_resolution_must_be_a_power_of_two(resolution):
    with pytest.raises(ValueError, match=f"resolution={resolution}.*power of two"):
        Generator(resolution=resolution)


def test_labels_come_after_the_latents_and_before_the_normalisation():
    """The first rows of the first layer are the latents', the last the labels'; both share one hypersphere."""
    network, _, _ = reference.build(Generator, "t", lod=2.0, dtype="float64")
    latents = np.random.RandomState(0).standard_normal([2, 16])
    labels = np.eye(3)[:2]
    joined = np.concatenate([latents, labels], axis=1)
    np.testing.assert_array_equal(network((latents, labels)), network(joined))
    np.testing.assert_allclose(network((latents, labels)), network((5 * latents, 5 * labels)), rtol=1e-6, atol=1e-6)
    assert np.abs(network((latents, labels)) - network((5 * latents, labels))).max() > 1e-3


def test_the_seed_alone_decides_the_initial_weights():
    def weights(**options):
        network = Generator(**{**dict(resolution=8, fmap_base=64, fmap_max=16, seed=1), **options})
        return {name: v.value.numpy() for name, v in network.parameters_by_name().items()}

    one = weights()
    assert all(np.array_equal(one[name], value) for name, value in weights().items())
    other = weights(seed=2)
    assert not any(np.array_equal(one[name], other[name]) for name in one if name.endswith("weight"))
    assert abs(np.std(one["4x4_Conv/weight"]) - 1) < 0.1
    small = weights(use_wscale=False)["4x4_Conv/weight"]
    assert abs(np.std(small) / (np.sqrt(2 / (9 * 16))) - 1) < 0.1
