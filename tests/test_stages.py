"""Laws of the ladders: which sizes the networks have one after another, whatever grows."""

import itertools
import json

import pytest

from pgan_tf.config import SECTIONS, Config, ConfigError
from pgan_tf.option import NONE
from pgan_tf.schedule import Schedule, sizes_of
from pgan_tf.stages import LADDERS, Fade, Size, Stage, layer_stage, levels, share, sizes, span

COMBINATIONS = [",".join(names) for n in (1, 2, 3) for names in itertools.combinations(LADDERS, n)]
PLACES = [(4, 32), (8, 64), (16, 16), (4, 1024)]  # first and last level


def test_the_option_names_the_ladders():
    field = SECTIONS["growth"].__dataclass_fields__["grow"]
    assert list(field.metadata["choices"]) == list(LADDERS)


@pytest.mark.parametrize(("first", "last"), PLACES)
@pytest.mark.parametrize("grow", COMBINATIONS)
def test_every_ladder_has_a_rung_for_each_doubling(grow, first, last):
    """At the last one all networks are the same; before, what grows is half as large, and nothing else changes."""
    found = sizes(grow, last, 512, first)
    assert [size.level for size in found] == levels(grow, last, first)
    assert found[0].level == first
    assert (found[-1].level, found[-1].resolution, found[-1].narrower) == (last, last, 1)
    for size, larger in itertools.pairwise(found):
        assert larger.level == 2 * size.level
        for name, ratio in {
            "layers": larger.resolution / size.resolution,
            "latent": larger.latent_size / size.latent_size if size.latent_size else 1,
            "channels": size.narrower / larger.narrower,
        }.items():
            assert ratio == (2 if name in grow.split(",") else 1), name
    assert found[-1].latent_size == (512 if "latent" in grow else 0)


@pytest.mark.parametrize(("first", "last"), PLACES)
def test_growth_by_layers_is_that_of_the_original(first, last):
    found = sizes("layers", last, 0, first)
    assert found == [layer_stage(size.level).size for size in found]
    for before, size in itertools.pairwise(found):
        assert Stage(size, before) == layer_stage(size.level, True)


@pytest.mark.parametrize(("first", "last"), [*PLACES, (4, 28), (64, 32)])
def test_what_does_not_grow_is_whole_from_the_start(first, last):
    assert sizes(NONE, last, 512, first) == [Size(last, last, 0)]


@pytest.mark.parametrize("grow", COMBINATIONS)
def test_the_order_of_the_words_does_not_matter(grow):
    for words in itertools.permutations(grow.split(",")):
        for text in (",".join(words), " , ".join(words)):
            assert Config.from_values({"grow": text}).growth.grow == grow
        assert sizes(",".join(words), 32, 64, 4) == sizes(grow, 32, 64, 4)


WRONG = {
    "": "--grow=: any of layers, latent, channels with commas between, or none; not ''",
    "layer": "not 'layer'",
    "Layers": "not 'Layers'",
    "layers,": "not ''",
    "layers latent": "not 'layers latent'",
    "layers,latent,layers": "--grow=layers,latent,layers: has layers twice",
    "none,layers": "not 'none'",
    "none,none": "not 'none'",
    "layers\nlatent": "any of layers",
}


@pytest.mark.parametrize("text", WRONG)
def test_other_words_are_refused_in_a_line(text):
    with pytest.raises(ConfigError) as error:
        Config.from_values({"grow": text})
    assert WRONG[text] in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("latents", "first", "last"), [(20, 4, 32), (1, 16, 32), (100, 4, 1024), (255, 8, 16)])
def test_latents_that_cannot_be_halved_are_refused_with_a_way_out(latents, first, last):
    options = {"grow": "latent", "latent_size": latents, "lod_initial_resolution": first}
    with pytest.raises(ConfigError, match=f"--latent_size={latents}: --grow=latent") as error:
        sizes_of(Config.from_values(options), last)
    fitting = int(str(error.value).split("=")[-1])
    found = sizes_of(Config.from_values({**options, "lod_initial_resolution": fitting}), last)
    assert all(size.latent_size >= 1 for size in found)
    assert fitting == 2 * first or latents % (last // (fitting // 2)), "a lower one would do"


def test_the_first_level_is_at_most_the_last():
    for grow in COMBINATIONS:
        with pytest.raises(ConfigError, match=r"--lod_initial_resolution=64: .*32"):
            sizes(grow, 32, 512, 64)


# ---- the schedule by other ladders -----------------------------------------------------------------------------------


def schedule(grow: str) -> Schedule:
    options = dict(grow=grow, latent_size=64, lod_training_kimg=1, lod_transition_kimg=2, total_kimg=20)
    config = Config.from_values(options)
    return Schedule(config.growth, 32, latent_size=config.model.latent_components)


@pytest.mark.parametrize("grow", COMBINATIONS)
def test_all_ladders_have_the_same_schedule(grow):
    """But for the networks, a run by another ladder does the same at the same time."""
    ours, original = schedule(grow), schedule("layers")
    assert [(p.start, p.end) for p in ours.phases()] == [(p.start, p.end) for p in original.phases()]
    for images in range(0, 20_000, 333):
        now, then = ours.at(images), original.at(images)
        assert now.stage.size.level == then.stage.size.level
        assert now.stage.fading == then.stage.fading
        assert (now.fade, now.lod, now.minibatch, now.tick_kimg) == (
            then.fade,
            then.lod,
            then.minibatch,
            then.tick_kimg,
        )


@pytest.mark.parametrize("grow", [*COMBINATIONS, NONE])
def test_a_fade_goes_from_nothing_to_all(grow):
    plan, seen = schedule(grow), set()
    for images in range(0, 20_001, 100):
        now = plan.at(images)
        fade = now.fade
        if now.stage.fading:
            seen.add(now.stage)
            assert 0 < fade.alpha < 1
            assert (fade.beta, fade.tau) == (fade.alpha, fade.alpha / 2)
            assert plan.sizes.index(now.stage.size) == plan.sizes.index(now.stage.before) + 1
        else:
            assert fade == Fade(1, 1, 0.5) == Fade()
    assert len(seen) == len(plan.sizes) - 1


# ---- stages in files, and in words -----------------------------------------------------------------------------------


@pytest.mark.parametrize("grow", [*COMBINATIONS, NONE])
def test_a_stage_comes_back_from_a_file(grow):
    for phase in schedule(grow).phases():
        assert Stage.from_record(json.loads(json.dumps(phase.stage.to_record()))) == phase.stage


@pytest.mark.parametrize("fading", [False, True])
def test_a_stage_of_the_first_version_is_one_of_growth_by_layers(fading):
    assert Stage.from_record({"resolution": 16, "fading": fading}) == layer_stage(16, fading)


WORDS = {
    "layers": ("4x4 to 32x32", ["4x4 stabilise", "8x8 fade-in", "8x8 stabilise"]),
    "latent": ("32x32, latents of 8 to 64", ["level 4 stabilise", "level 8 fade-in", "level 8 stabilise"]),
    "layers,channels": ("4x4 to 32x32, 1/8 to all of the feature maps", ["4x4 stabilise", "8x8 fade-in"]),
    NONE: ("32x32", ["32x32 stabilise"]),
}


@pytest.mark.parametrize("grow", WORDS)
def test_sizes_in_words(grow):
    words, stages = WORDS[grow]
    plan = schedule(grow)
    assert span(plan.sizes[0], plan.sizes[-1]) == words
    assert [str(phase.stage) for phase in plan.phases()][: len(stages)] == stages
    assert len({str(phase.stage) for phase in plan.phases()}) == len(plan.phases())
    assert share(plan.sizes[-1].narrower) == "all"
