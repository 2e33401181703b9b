"""The five models of latent space growing (Sandstroem 2019) compute what the published code does, in every stage."""

import json
import re

import latent_growing as published
import numpy as np
import pytest
import reference

from pgan_tf.config import Config
from pgan_tf.growth import NetworkFactory
from pgan_tf.stages import Fade, Stage

TABLES = json.loads((reference.SMALL / "latent_growing.json").read_text())
STAGES = {  # by the key of the golden numbers: resolution, latents, maps at 4x4 of the last stage; rung of this one
    **{f"clgGAN/{res}": (128, 256, 256, i) for i, res in enumerate((4, 8, 16, 32))},
    **{f"lgGAN/{res}": (128, 256, 256, i) for i, res in enumerate((4, 8, 16))},
    **{f"cgGAN/res16_z{z}": (16, 32, 32, i) for i, z in enumerate((8, 16, 32))},
    **{f"cgGAN/res128_z{z}": (128, 256, 256, i) for i, z in enumerate((8, 16))},
    **{f"bgGAN/res8_z{z}": (8, 16, 256, i) for i, z in enumerate((8, 16))},
    "bgGAN/res128_z16": (128, 256, 256, 1),
    "bGAN/res8_z256": (8, 256, 256, 0),
    "bGAN/res128_z8": (128, 8, 256, 0),
}


def stage_of(key: str) -> tuple[Stage, dict]:
    """The stage, as it fades in where there was one before, and the options of its networks."""
    resolution, latents, widest, rung = STAGES[key]
    sizes, options = published.ladder(key.split("/")[0], resolution, latents, widest)
    return Stage(sizes[rung], sizes[rung - 1] if rung else None), options


def fade_of(key: str, case: str) -> Fade:
    """'a0.3_b0.3_t0.15' -> the fade; 'n' is all of it. cgGAN has no tau but where its name says so."""
    parts = {name: float(value) for name, value in re.findall(r"([abt])([\d.]+)", case)}
    return Fade(parts.get("a", 1.0), parts.get("b", 1.0), parts.get("t", 0.5))


def golden_cases() -> list[tuple[str, str]]:
    found = dict.fromkeys(tuple(name.rsplit("/", 2)[:2]) for name in reference.small("latent_growing.npz"))
    assert {key for key, _ in found} == set(STAGES)
    return list(found)


@pytest.mark.parametrize(("key", "case"), golden_cases())
def test_images_and_scores(key, case):
    data = reference.small("latent_growing.npz")
    stage, options = stage_of(key)
    generator, discriminator = published.pair(key.split("/")[0], stage, options, TABLES["seed_of_G"][key])
    fade, prefix = fade_of(key, case).options(), f"{key}/{case}/"
    n = len(data[f"{prefix}D"])
    x = generator(published.used(generator, published.latents(n, 256)).astype(np.float64), **fade)
    scores = discriminator(published.images(stage.resolution, n).astype(np.float64), **fade).scores
    ours = {
        "G": x, "G_sum_per_image": np.sum(x, axis=(1, 2, 3)), "G_corner8": x[:, :8, :8], "D": scores,
        "D_of_G": discriminator(x, **fade).scores,
    }  # fmt: skip
    names = [name.removeprefix(prefix) for name in data if name.startswith(prefix)]
    assert {"D", "D_of_G"} < set(names)
    for name in names:
        expected = data[prefix + name]
        worst = np.abs(ours[name][: len(expected)] - expected).max()
        assert worst < 1e-6 * max(1, np.abs(expected).max()), name


def test_what_is_described_differs_while_new_weights_fade_in_and_only_then():
    """The published code leaves some of the new weights whole; at the end of the fade nothing is left of that."""
    stage, options = stage_of("clgGAN/8")
    (as_coded, d_as_coded), (all_new, d_all_new) = (
        published.pair("clgGAN", stage, {**options, "widening": row}, 108) for row in ("as_coded", "all")
    )
    z, x = published.used(as_coded, published.latents(16, 256)), published.images(8, 16)
    for fade, differs in ((Fade(0.3, 0.3, 0.15), True), (Fade(1, 0.3, 0.5), True), (Fade(), False)):
        difference = np.abs(as_coded(z, **fade.options()) - all_new(z, **fade.options())).max()
        assert (difference > 1e-3) == differs, fade
        np.testing.assert_array_equal(d_as_coded(x, **fade.options()).scores, d_all_new(x, **fade.options()).scores)
    before = published.ladder("clgGAN", 128, 256)[0][0]
    assert stage.before == before


# ---- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", TABLES["parameters"])
def test_parameters(key):
    """Of every stage of every model at 128x128: those of tables 2 to 15, and of the layers that fade out."""
    model, place = key.split("/")
    resolution, latents = map(int, re.fullmatch(r"res(\d+)_z(\d+)", place).groups())
    sizes, options = published.ladder(model, 128, latents if model == "bGAN" else 256)
    rung = next(i for i, size in enumerate(sizes)
                if size.resolution == resolution and (size.latent_size or latents) == latents)  # fmt: skip
    factory = NetworkFactory(Config.from_values(options), 3, 0)
    *expected, g_fade, d_fade = TABLES["parameters"][key]
    for stage, less in ((Stage(sizes[rung], sizes[rung - 1] if rung else None), (0, 0)),
                        (Stage(sizes[rung]), (g_fade, d_fade))):  # fmt: skip
        networks = factory.generator(stage), factory.discriminator(stage)
        assert [network.count_params() for network in networks] == [
            count - fading for count, fading in zip(expected, less, strict=True)
        ]


WIDTHS = {  # of the layers of a generator after another, tables 2, 4, 10, 12 and 14
    ("lgGAN", 0): [256, 256],
    ("bgGAN", 0): [256, 256, 128, 128, 64, 64, 32, 32, 16, 16, 8, 8],
    ("cgGAN", 0): [8] * 12,
    ("cgGAN", 1): [16] * 10 + [8, 8],
    ("cgGAN", 4): [128] * 4 + [64, 64, 32, 32, 16, 16, 8, 8],
    ("clgGAN", 0): [8, 8],
    ("clgGAN", 1): [16, 16, 8, 8],
    ("clgGAN", 2): [32, 32, 16, 16, 8, 8],
}


@pytest.mark.parametrize(("model", "rung"), WIDTHS)
def test_widths_are_those_of_the_tables(model, rung):
    sizes, options = published.ladder(model, 128, 256)
    factory = NetworkFactory(Config.from_values(options), 3, 0)
    generator, discriminator = factory.generator(Stage(sizes[rung])), factory.discriminator(Stage(sizes[rung]))
    widths = WIDTHS[model, rung]

    def outputs(network, names):
        return [network.get_layer(name).output_size[-1] for name in names if not name.startswith("ToRGB")]

    assert outputs(generator, published.generator_name(model, len(widths)))[: len(widths)] == widths
    names = [name for name in published.discriminator_name(model, len(widths) + 1) if "Dense1" not in name]
    assert outputs(discriminator, names[: len(widths) + 1]) == [*reversed(widths), widths[0]]


# ---- initial weights -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["he_as_coded", "he_2015"])
@pytest.mark.parametrize("key", TABLES["initial_sd"])
@pytest.mark.parametrize("fused", [False, True])
def test_initial_weights(key, row, fused):
    """Their standard deviations, to what the number of weights allows."""
    model, place = key.split("/")
    resolution, latents = map(int, re.fullmatch(r"res(\d+)_z(\d+)", place).groups())
    sizes, options = published.ladder(model, 128, 256)
    rung = next(i for i, size in enumerate(sizes)
                if size.resolution == resolution and (size.latent_size or latents) == latents)  # fmt: skip
    stage = Stage(sizes[rung], sizes[rung - 1] if rung else None)
    factory = NetworkFactory(Config.from_values({**options, "initializer": row, "fused_scale": fused}), 3, 0)
    column, layers = ["he_as_coded", "he_2015"].index(row), published.LAYERS[resolution]
    for network, names in (
        (factory.generator(stage), published.generator_name(model, layers)),
        (factory.discriminator(stage), published.discriminator_name(model, layers + 1)),
    ):
        for name, variable in network.parameters_by_name().items():
            layer, kind = name.replace("_up/", "/").replace("_down/", "/").split("/")
            if layer == f"ToRGB_{resolution // 2}x{resolution // 2}":
                continue  # of the stage before; theirs stands behind the up-sampling, where its map is larger
            if kind == "weight":
                theirs = published.their_name(f"{layer}/weight", names)
                expected = TABLES["initial_sd"][key][f"{network.part}/{theirs}"][column]
                count = variable.shape.num_elements()
                assert np.std(variable) == pytest.approx(expected, rel=4 / np.sqrt(count)), name
            else:
                assert not np.any(variable.numpy()), name
