"""Laws of the settings that --preset chooses."""

import itertools

import pytest

from pgan_tf import presets
from pgan_tf.config import Config, ConfigError
from pgan_tf.experiments.suite_file import read_flagfile
from pgan_tf.presets import Facts, Speed, choose
from pgan_tf.recipes import RECIPES
from pgan_tf.schedule import Schedule
from pgan_tf.stages import layer_stage

FACTS = [
    Facts(60, 64), Facts(60, 64, devices=4), Facts(5000, 32, 1, 10), Facts(1, 4), Facts(300, 8), Facts(30000, 1024),
    Facts(2000, 256, devices=3),
]  # fmt: skip
HOURS = (0.001, 0.1, 0.5, 1, 1.7, 10, 300)


def speed(factor: float = 1.0) -> Speed:
    """A machine that takes four times as long at twice the resolution."""
    return Speed({r: factor * 400 / 4**i for i, r in enumerate((4, 8, 16, 32, 64, 128, 256, 512, 1024))}, 8.0)


def images(options: dict) -> float:
    return options["total_kimg"]


def schedule(options: dict, facts: Facts) -> Schedule:
    return Schedule(Config.from_values(options).growth, facts.resolution, facts.devices)


CASES = [(name, facts) for name in presets.PRESETS for facts in FACTS]


@pytest.mark.parametrize(("name", "facts"), CASES)
def test_more_hours_never_give_fewer_images_nor_other_networks(name, facts):
    found = [choose(name, facts, speed(), hours) for hours in HOURS]
    assert [images(o) for o in found] == sorted(images(o) for o in found)
    assert images(found[0]) < images(found[-1])
    assert len({(o["fmap_base"], o["fmap_max"], o["latent_size"]) for o in found}) == 1
    for shorter, longer in itertools.pairwise(found):
        for name_of in ("lod_training_kimg_dict", "lod_transition_kimg_dict"):
            assert all(shorter[name_of][r] <= longer[name_of][r] for r in shorter[name_of])


@pytest.mark.parametrize(("name", "facts"), CASES)
def test_a_faster_machine_never_gives_fewer_images(name, facts):
    totals = [images(choose(name, facts, speed(factor), 2)) for factor in (0.1, 0.5, 1, 3, 40)]
    assert totals == sorted(totals)


@pytest.mark.parametrize(("name", "facts"), CASES)
@pytest.mark.parametrize("hours", [0.001, 1, 300])
def test_the_run_goes_through_all_phases_with_enough_rounds_in_each(name, facts, hours):
    options = choose(name, facts, speed(), hours)
    phases = schedule(options, facts).phases()
    assert phases[-1].stage == layer_stage(facts.resolution)
    assert len(phases) == 2 * len({phase.stage.resolution for phase in phases}) - 1
    assert phases[-1].end == pytest.approx(sum(phase.end - phase.start for phase in phases)) == images(options)
    for phase in phases:
        minibatch = schedule(options, facts).minibatch(phase.stage.resolution)
        assert 1000 * (phase.end - phase.start) / minibatch >= presets.MIN_ROUNDS - 0.1
        assert minibatch % facts.devices == 0
        assert facts.devices == 1 or minibatch // facts.devices % 4 == 0


@pytest.mark.parametrize("grow", ["none", "latent", "layers,channels"])
@pytest.mark.parametrize("start", [4, 16, 32])
def test_the_time_is_dealt_out_over_the_levels_of_any_ladder(grow, start):
    facts, given = Facts(5000, 32), {"grow": grow, "lod_initial_resolution": start}
    options = choose("small", facts, speed(), 1, given=given)
    config = Config.from_values(options)
    phases = Schedule(config.growth, 32, latent_size=config.model.latent_components).phases()
    assert len(phases) == (1 if grow == "none" else {4: 7, 16: 3, 32: 1}[start])
    assert phases[-1].end == pytest.approx(images(options))
    seconds = sum(1000 * (p.end - p.start) / speed().rates[p.stage.size.level] * 1.06 + 8.0 for p in phases)
    assert seconds == pytest.approx(3600, rel=0.02)


@pytest.mark.parametrize(("name", "facts"), CASES)
def test_the_run_ends_in_about_the_hours_or_takes_the_least(name, facts):
    for hours in HOURS:
        options = choose(name, facts, speed(), hours)
        rates = speed().rates
        seconds = sum(
            1000 * (phase.end - phase.start) / rates[phase.stage.resolution] * (1 + presets.WASTE) + 8.0
            for phase in schedule(options, facts).phases()
        )
        wanted = max(3600 * hours, 3600 * presets.least_hours(name, facts, speed()))
        assert seconds == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("facts", FACTS)
def test_a_larger_preset_is_never_narrower(facts):
    found = [presets.networks(name, facts) for name in ("small", "medium", "paper")]
    for name in ("fmap_base", "fmap_max", "latent_size"):
        assert [o[name] for o in found] == sorted(o[name] for o in found)


@pytest.mark.parametrize("name", presets.PRESETS)
def test_more_images_never_give_narrower_networks(name):
    found = [presets.networks(name, Facts(n, 64)) for n in (1, 60, 999, 1000, 50000)]
    assert [o["fmap_max"] for o in found] == sorted(o["fmap_max"] for o in found)


@pytest.mark.parametrize(("name", "facts"), CASES)
def test_what_is_chosen_is_a_flagfile_that_reads_as_the_same(name, facts, tmp_path):
    options = choose(name, facts, speed(), given={"dataset": "some/set"})
    path = tmp_path / "preset.flags"
    path.write_text(presets.flagfile(options, "a title"))
    assert read_flagfile(path) == Config.from_values(options)


def test_what_the_user_gives_wins_and_counts():
    given = {"minibatch_base": 64, "fmap_max": 32, "mirror_augment": False, "dataset": "x", "tick_kimg_dict": {4: 1}}
    options = choose("small", Facts(60, 16), speed(), 0.001, given=given)
    assert given.items() <= options.items()
    assert options["lod_training_kimg_dict"][4] == 64 * presets.MIN_ROUNDS / 1000


@pytest.mark.parametrize("total", [5.0, 33.3, 1000.0])
def test_a_total_replaces_the_hours(total):
    options = choose("small", Facts(60, 32), speed(), total_kimg=total)
    assert options["total_kimg"] == pytest.approx(total, rel=1e-3)
    assert schedule(options, Facts(60, 32)).phases()[-1].stage.resolution == 32


@pytest.mark.parametrize("facts", FACTS)
def test_the_grid_shows_no_more_cells_than_there_are_images(facts):
    columns, rows = map(int, presets.networks("small", facts)["grid_size"].split("x"))
    assert 1 <= columns * rows <= facts.images


@pytest.mark.parametrize(("name", "facts"), CASES)
def test_every_phase_has_a_tick_of_its_own(name, facts):
    for hours in HOURS:
        options = choose(name, facts, speed(), hours)
        for phase in schedule(options, facts).phases():
            assert 0 < options["tick_kimg_dict"][phase.stage.resolution] < phase.end - phase.start


def test_neither_pictures_with_labels_nor_many_are_mirrored():
    assert "mirror_augment" not in presets.networks("small", Facts(60, 32, 1, 10))
    assert "mirror_augment" not in presets.networks("small", Facts(70000, 32))
    assert presets.networks("small", Facts(60, 32))["mirror_augment"]
    assert "mirror_augment" not in presets.networks("small", Facts(60, 32, labelled=True))  # though none are learned


def chosen(images: int, name: str = "small", **given) -> tuple[str, float]:
    options = choose(name, Facts(images, 16), speed(), 1, given=given)
    config = Config.from_values(options)
    return config.loss.recipe, config.growth.g_lrate_base


@pytest.mark.parametrize("name", ["small", "medium"])
def test_few_pictures_get_the_recipe_for_few_and_its_rate(name):
    rates = presets.PRESETS[name].rates
    for images in (1, 999, presets.MANY - 1):
        assert chosen(images, name) == ("small_data", rates["small_data"])
        assert chosen(images, name, recipe="paper") == ("paper", rates["paper"])
    assert chosen(presets.MANY, name) == ("paper", rates["paper"])
    assert chosen(presets.MANY, name, recipe="small_data") == ("small_data", rates["small_data"])
    assert chosen(1, name, g_lrate_base=0.5) == ("small_data", 0.5)


def test_the_papers_preset_keeps_its_recipe():
    assert chosen(60, "paper") == ("paper", 0.001)


CLIP = {"constraint": "clip", "penalty": "none", "clip": 1.0}
GIVEN = [{"loss": "wgan"}, {"loss": "lsgan"}, {"penalty": "gradient"}, CLIP,
         {"unroll_steps": 3}, {"wgan_lambda": 20.0}]  # fmt: skip


@pytest.mark.parametrize("given", GIVEN)
def test_who_says_what_is_minimised_gets_no_part_of_a_recipe(given):
    options = choose("small", Facts(60, 16), speed(), 1, given=given)
    changes = Config.from_values(options).changes().keys()
    assert not (changes & RECIPES["small_data"].keys()) - given.keys()


PARTS = [
    {"augment": "none"}, {"augment": "diffaugment"}, {"augment": "ada"}, {"penalty_gamma": 1.0}, {"ada_kimg": 100.0},
    {"penalty_interval": 8}, {"real_target": 0.9},
]  # fmt: skip


@pytest.mark.parametrize("given", PARTS)
def test_a_part_of_the_recipe_can_be_changed_alone(given):
    assert given.items() <= Config.from_values(given, complete=False).values().items()
    config = Config.from_values(choose("small", Facts(60, 16), speed(), 1, given=given))
    assert config.loss.recipe == "small_data"
    assert given.items() <= config.values().items()


def test_few_pictures_are_called_few():
    assert "60 images are few" in presets.remarks(Facts(60, 64), False)[0]
    assert presets.remarks(Facts(70000, 64), False) == []


@pytest.mark.parametrize("images", [60, 600, 6000, 60000])
def test_mirroring_is_said_however_many_the_pictures(images):
    said = presets.remarks(Facts(images, 64), True)
    assert said[:-1] == presets.remarks(Facts(images, 64), False)
    assert "--nomirror_augment" in said[-1]


def test_an_unknown_preset_is_refused():
    with pytest.raises(ConfigError, match="--preset=large: choose one of small, medium, paper"):
        choose("large", Facts(60, 64), speed())


@pytest.mark.parametrize("family", ["dcgan", "mlp"])
def test_other_networks_have_no_preset(family):
    presets.check_family("small", "progressive")
    with pytest.raises(ConfigError, match=f"--preset=small: has settings for --family=progressive; for {family} leave"):
        presets.check_family("small", family)
