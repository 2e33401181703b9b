"""Networks of the original's files compute here what they computed there."""

import hashlib
import json
import re

import keras
import numpy as np
import nv_pickles
import pytest
import reference

from pgan_tf.data import DataError
from pgan_tf.grids import to_uint8
from pgan_tf.interop import nvidia
from pgan_tf.interop.nvidia_file import read_file
from pgan_tf.interop.nvidia_tables import ROLES, name_in_original, read_options, variable_shapes
from pgan_tf.networks import Discriminator, Generator

GOLDEN = ["nv_network_nosrc.pkl", "nv_network_numpy1_p4_nosrc.pkl"]
EXACT = 1e-5


@pytest.fixture
def read(tmp_path):
    """Reads a file with the given content."""

    def call(content: bytes):
        path = tmp_path / "network.pkl"
        path.write_bytes(content)
        return read_file(path)

    return call


def option_names(config: str) -> dict:
    """Options of a golden configuration, as the original was given them."""
    return dict(reference.CONFIGS[config][0])


def stored(read, config: str, role: str, lod: float, weights: dict, **changes):
    """One network of a golden configuration, through a file."""
    states = nv_pickles.tiny()
    states[role] = nv_pickles.state(role, {**option_names(config), **changes}, weights, lod)
    return read(nv_pickles.network_file(states)).networks[role]


# ---- the golden files ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=GOLDEN)
def imported(request, tmp_path_factory):
    """The folder that a golden file becomes."""
    out = tmp_path_factory.mktemp("imported") / "network"
    lines = nvidia.import_nvidia(reference.SMALL / request.param, out)
    assert [line.split(":")[0] for line in lines] == [str(out / part.file) for part in nvidia.PARTS.values()]
    return out


def load(folder, role: str):
    return keras.saving.load_model(folder / nvidia.PARTS[role].file)


@pytest.mark.parametrize("role", ["G", "Gs"])
def test_images_of_the_golden_files(imported, golden, role):
    data = golden("nv_network.npz")
    images = load(imported, role)(data["in/latents"]).numpy()
    assert np.abs(images - reference.nhwc(data[f"out/{role}_images"])).max() < EXACT


def test_scores_of_the_golden_files(imported, golden):
    data = golden("nv_network.npz")
    output = load(imported, "D")(reference.nhwc(data["in/images"]))
    assert np.abs(output.scores - data["out/D_scores"][:, 0]).max() < EXACT
    assert output.labels.shape == data["out/D_labels"].shape


def test_pixels_of_the_golden_files(imported, golden):
    """uint8 pictures differ at most where the rounding hangs on the last digits."""
    data = golden("nv_network.npz")
    images = load(imported, "Gs")(data["in/latents"]).numpy()
    pictures = {1: images, 2: reference.shrink(images, 2).astype(np.float32)}
    for factor, key in ((1, "out/Gs_images_uint8"), (2, "out/Gs_images_uint8_shrink2")):
        exact = (reference.shrink(reference.nhwc(data["out/Gs_images"]), factor) + 1) * 127.5
        near_half = np.abs(exact - np.floor(exact) - 0.5) < 1e-4
        differs = to_uint8(pictures[factor]) != reference.nhwc(data[key])
        assert not (differs & ~near_half).any()


def test_card_of_the_golden_files(imported):
    card = json.loads((imported / "card.json").read_text())
    source = next(reference.SMALL / name for name in GOLDEN if name == card["source"]["file"])
    assert card["source"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert card["source"]["bytes"] == source.stat().st_size
    assert list(card["networks"]) == ["generator_ema.keras", "generator.keras", "discriminator.keras"]
    for name, facts in card["networks"].items():
        assert facts["sha256"] == hashlib.sha256((imported / name).read_bytes()).hexdigest()
        assert (facts["lod"], facts["lod_of_the_file"], facts["resolution"]) == (0.25, 0.25, 16)
        assert (facts["alpha"], facts["fading"], facts["final_resolution"]) == (0.75, True, 16)
        assert facts["parameters"] == keras.saving.load_model(imported / name).count_params()
    page = (imported / "README.md").read_text()
    assert card["source"]["sha256"] in page
    assert all(f"`{name}`" in page for name in card["networks"])


def test_the_code_on_the_card_runs(imported, monkeypatch):
    code = re.search(r"```python\n(.*?)```", (imported / "README.md").read_text(), re.DOTALL)[1]
    monkeypatch.chdir(imported)
    names = {}
    exec(code, names)
    assert names["images"].shape == (4, 16, 16, 3)
    assert "# [4, 16, 16, 3], -1..1" in code


def test_the_embedded_source_is_never_run():
    """The golden files' raises if it is; and it is in them."""
    for name in GOLDEN:
        assert b"raise RuntimeError('embedded source executed!')" in (reference.SMALL / name).read_bytes()
        assert read_file(reference.SMALL / name).networks.keys() == {"G", "D", "Gs"}


# ---- every option, every lod -----------------------------------------------------------------------------------------


def lods(path, what: str) -> list[tuple[str, float]]:
    found = [(key, re.fullmatch(rf"out/{what}_lod([\d.]+)", key)) for key in reference.load(path)]
    return [(key, float(match[1])) for key, match in found if match]


def changed(config: str, weights: dict) -> tuple[dict, dict]:
    """c is a without fused scaling."""
    return (reference.unfused(weights), {"fused_scale": False}) if config == "c" else (weights, {})


@pytest.mark.parametrize("path", reference.files("networks_[abcdt]_*.npz"))
def test_images_at_every_lod(path, read):
    config, data = path.stem.split("_")[1], reference.load(path)
    weights = nv_pickles.weights("G", option_names(config), reference.CONFIGS[config][1])
    weights, changes = changed(config, weights)
    latents = data["in/latents"]
    labels = data.get("in/labels", np.zeros((len(latents), 0), np.float32))[: len(latents)]
    assert len(lods(path, "G_images")) >= 3
    for key, lod in lods(path, "G_images"):
        network = nvidia.rebuild(stored(read, config, "G", lod, weights, **changes))
        images = reference.enlarge(network((latents, labels)).numpy(), 2 ** int(lod))
        assert reference.deviation(images, reference.nhwc(data[key])) < EXACT, key


@pytest.mark.parametrize("path", reference.files("networks_[abcdt]_*.npz"))
def test_scores_at_every_lod(path, read):
    config, data = path.stem.split("_")[1], reference.load(path)
    kwargs = {name: value for name, value in option_names(config).items() if name != "latent_size"}
    weights, changes = changed(config, nv_pickles.weights("D", kwargs, reference.CONFIGS[config][2]))
    for key, lod in lods(path, "D_scores"):
        network = nvidia.rebuild(stored(read, config, "D", lod, weights, **changes))
        images = reference.shrink(reference.nhwc(data["in/images"]), 2 ** int(lod)).astype(np.float32)
        output = network(images)
        assert reference.deviation(output.scores, data[key][:, 0]) < EXACT, key
        if key.replace("scores", "labels") in data:
            assert reference.deviation(output.labels, data[key.replace("scores", "labels")]) < EXACT, key


OPTIONS = {
    "nowscale": {"use_wscale": False},
    "nopixelnorm": {"use_pixelnorm": False},
    "relu": {"use_leakyrelu": False},
    "nonormlat": {"normalize_latents": False},
    "fmapdecay0.5": {"fmap_decay": 0.5},
}


@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_the_generator(option, read, golden):
    data, kwargs = golden("networks_f_options_res16.npz"), {**option_names("f"), **OPTIONS[option]}
    weights = nv_pickles.weights("G", kwargs, 909)
    network = nvidia.rebuild(stored(read, "f", "G", 0.0, weights, **OPTIONS[option]))
    images = network(data["in/latents"]).numpy()
    assert reference.deviation(images, reference.nhwc(data[f"{option}/out/G_images"])) < EXACT


@pytest.mark.parametrize("group", [None, 2, 16])
def test_group_of_the_minibatch_statistics(group, read, golden):
    data, changes = golden("networks_e_batches.npz"), {"mbstd_group_size": group} if group else {}
    kwargs = {name: value for name, value in option_names("e").items() if name != "latent_size"}
    weights = nv_pickles.weights("D", kwargs, 202)
    network = nvidia.rebuild(stored(read, "e", "D", 0.0, weights, **changes))
    key = f"out/D_scores_batch16_group{group}" if group else "out/D_scores_batch16"
    assert reference.deviation(network(reference.nhwc(data["in/images"])[:16]).scores, data[key][:, 0]) < EXACT


def test_defaults_are_the_originals():
    """What a file leaves out has the value that the original's functions have there."""
    shared = {
        "num_channels": 1, "resolution": 32, "label_size": 0, "fmap_base": 8192, "fmap_decay": 1.0, "fmap_max": 512,
        "use_wscale": True, "fused_scale": True,
    }  # fmt: skip
    generator = {
        "latent_size": 512, "normalize_latents": True, "use_pixelnorm": True, "pixelnorm_epsilon": 1e-8,
        "use_leakyrelu": True,
    }  # fmt: skip
    assert read_options("G", {}) == read_options("Gs", {}) == {**shared, **generator}
    assert read_options("D", {}) == {**shared, "mbstd_group_size": 4}


@pytest.mark.parametrize("kwargs", [
    {"structure": "linear"}, {"structure": "recursive"}, {"structure": None}, {"is_template_graph": True},
    {"dtype": "float16"}, {"mbstd_group_size": 16}, {"latent_size": None},
], ids=str)  # fmt: skip
def test_options_without_effect_on_the_generator_are_accepted(kwargs):
    assert read_options("G", kwargs) == read_options("G", {})


def test_options_without_effect_on_the_discriminator_are_accepted():
    assert read_options("D", {"normalize_latents": False, "latent_size": 99}) == read_options("D", {})


def test_epsilon_and_latent_size_arrive(read):
    states = nv_pickles.tiny(latent_size=5, pixelnorm_epsilon=0.25)
    network = nvidia.rebuild(read(nv_pickles.network_file(states)).networks["Gs"])
    assert (network.latent_size, network.options.pixelnorm_epsilon) == (5, 0.25)


VARIANTS = {
    "plain": {}, "unfused": {"fused_scale": False}, "labels": {"label_size": 3}, "grey": {"num_channels": 1},
    "uneven": {"fmap_decay": 0.5, "fmap_max": 11}, "latents": {"latent_size": 5},
    "no statistics": {"mbstd_group_size": 1}, "four pixels": {"resolution": 4},
}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("role", ["G", "D"])
def test_tables_of_variables_are_those_of_our_networks(role, variant):
    """At all resolutions together, our networks have the variables that the tables expect in a file, and no other."""
    options = read_options(role, {**nv_pickles.TINY, **VARIANTS[variant]})
    kind, final, found = (Discriminator if role == "D" else Generator), options["resolution"], {}
    for k in range(2, int(np.log2(final)) + 1):
        network = kind(**{**options, "resolution": 2**k})
        found |= {name_in_original(n, final): tuple(v.shape) for n, v in network.parameters_by_name().items()}
    assert variable_shapes(role, options) == found


# ---- other lods, and what is kept ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lod", [None, 0.0, 0.5, 1.0])
def test_nothing_of_a_file_is_lost(lod, tmp_path):
    """Each variable is in a network or in unshown.npz, with its value."""
    states = nv_pickles.tiny(lod=0.25, label_size=2)
    (tmp_path / "n.pkl").write_bytes(nv_pickles.network_file(states))
    out = tmp_path / "out"
    nvidia.import_nvidia(tmp_path / "n.pkl", out, lod)
    kept = dict(np.load(out / "unshown.npz")) if (out / "unshown.npz").exists() else {}
    assert set(kept) == set(json.loads((out / "card.json").read_text())["unshown"])
    for role in ROLES:
        network = load(out, role)
        found = {name_in_original(n, 8): v.numpy() for n, v in network.parameters_by_name().items()}
        rest = {name.split("/", 1)[1]: value for name, value in kept.items() if name.startswith(f"{role}/")}
        assert not set(found) & set(rest)
        expected = dict(states[role]["variables"][1:])
        assert {**found, **rest}.keys() == expected.keys()
        for name, value in {**found, **rest}.items():
            np.testing.assert_array_equal(value, expected[name])
        shown = 0.25 if lod is None else lod
        assert (network.resolution, network.fading) == (8 >> int(shown), shown % 1 > 0)
        assert network.alpha == 1 - shown % 1


def test_each_network_stands_at_its_own_lod(read):
    states = {**nv_pickles.tiny(0.25), "D": nv_pickles.tiny(1.0)["D"]}
    networks = read(nv_pickles.network_file(states)).networks
    assert [nvidia.rebuild(networks[role]).resolution for role in ROLES] == [8, 4, 8]


@pytest.mark.parametrize("lod", [-0.5, 1.5, 3.0, float("nan")])
def test_a_lod_that_the_network_does_not_have(lod, tmp_path):
    (tmp_path / "n.pkl").write_bytes(nv_pickles.network_file(nv_pickles.tiny()))
    with pytest.raises(DataError, match=r"--lod=.*: give 0 \.\. 1, the levels of a network of 8 pixels"):
        nvidia.import_nvidia(tmp_path / "n.pkl", tmp_path / "out", lod)
    assert [path.name for path in tmp_path.iterdir()] == ["n.pkl"]


def test_the_card_says_what_lod_means(tmp_path):
    (tmp_path / "n.pkl").write_bytes(nv_pickles.network_file(nv_pickles.tiny(1.0, label_size=2)))
    nvidia.import_nvidia(tmp_path / "n.pkl", tmp_path / "out")
    page = (tmp_path / "out" / "README.md").read_text()
    assert "networks are those of 4 pixels" in page
    assert "final 8 pixels, each pixel 2x2 times" in page
    assert "fading" not in page
    assert "np.eye(2" in page


def test_other_floats_become_float32(read):
    states = nv_pickles.tiny()
    for role, kind in (("G", np.float64), ("D", np.float16)):
        states[role]["variables"][1:] = [(name, value.astype(kind)) for name, value in states[role]["variables"][1:]]
    networks = read(nv_pickles.network_file(states)).networks
    for role in ("G", "D"):
        for name, value in states[role]["variables"][1:]:
            assert networks[role].variables[name].dtype == np.float32
            np.testing.assert_array_equal(networks[role].variables[name], value.astype(np.float32))


# ---- the folder ------------------------------------------------------------------------------------------------------


def test_overwrite_and_only_an_imported_network(tmp_path):
    (tmp_path / "n.pkl").write_bytes(nv_pickles.network_file(nv_pickles.tiny()))
    out = tmp_path / "out"
    out.mkdir()
    nvidia.import_nvidia(tmp_path / "n.pkl", out)  # an empty folder is none in the way
    before = (out / "card.json").read_text()
    with pytest.raises(DataError, match=r"out: exists already; add --overwrite"):
        nvidia.import_nvidia(tmp_path / "n.pkl", out, 1.0)
    assert (out / "card.json").read_text() == before
    nvidia.import_nvidia(tmp_path / "n.pkl", out, 1.0, overwrite=True)
    assert load(out, "Gs").resolution == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["n.pkl", "out"]
    home = tmp_path / "home"
    home.mkdir()
    (home / "diary.txt").write_text("precious")
    for target in (home, home / "diary.txt"):
        with pytest.raises(DataError, match=r"is no imported network; choose another folder"):
            nvidia.import_nvidia(tmp_path / "n.pkl", target, overwrite=True)
    assert (home / "diary.txt").read_text() == "precious"
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match=r"out: holds thesis.txt, which no import writes"):
        nvidia.import_nvidia(tmp_path / "n.pkl", out, overwrite=True)
    assert (out / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("overwrite", [False, True])
def test_all_or_nothing(overwrite, tmp_path, monkeypatch):
    (tmp_path / "n.pkl").write_bytes(nv_pickles.network_file(nv_pickles.tiny()))
    out = tmp_path / "deep" / "out"
    if overwrite:
        nvidia.import_nvidia(tmp_path / "n.pkl", out)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nvidia.card, "write", full)
    with pytest.raises(OSError, match="No space"):
        nvidia.import_nvidia(tmp_path / "n.pkl", out, overwrite=overwrite)
    assert [path.name for path in out.parent.iterdir()] == (["out"] if overwrite else [])
    if overwrite:
        assert load(out, "Gs").resolution == 8
