"""Recipes: defaults that what is said wins over, told in full, and not guessed anew when a run is read again."""

import json

import pytest
from absl import flags

from pgan_tf import presets
from pgan_tf.config import Config, ConfigError
from pgan_tf.option_flags import define_flags, flag_options
from pgan_tf.recipes import RECIPES


def by_flags(*words: str) -> Config:
    values = flags.FlagValues()
    define_flags(flags, values)
    values(["train.py", *words])
    return Config.from_values(flag_options(values))


def test_the_papers_is_the_default_and_changes_nothing():
    assert by_flags() == Config() == by_flags("--recipe=paper")
    assert RECIPES["paper"] == {}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_told_in_full_and_read_back(name):
    config = by_flags(f"--recipe={name}")
    assert config == Config.from_values({"recipe": name})
    assert config.changes() == {**({"recipe": name} if RECIPES[name] else {}), **RECIPES[name]}
    sections = json.loads(config.to_json())
    said = {option: value for section in sections.values() for option, value in section.items()}
    assert {option: said[option] for option in RECIPES[name]} == RECIPES[name]
    assert Config.from_json(config.to_json()) == config


def test_what_is_said_wins_also_where_it_is_the_papers():
    config = by_flags("--recipe=small_data", "--penalty_interval=1", "--loss=hinge", "--ada_kimg=500")
    assert (config.loss.penalty_interval, config.loss.loss, config.augment.ada_kimg) == (1, "hinge", 500)
    assert config.loss.penalty == "r1"
    assert Config.from_json(config.to_json()) == config
    assert config.replace(seed=7).changes() == {**config.changes(), "seed": 7}


def test_an_option_that_a_run_did_not_have_is_not_filled_in_by_its_recipe():
    """config.json of an older version: what it lacks is as it was then."""
    sections = json.loads(by_flags("--recipe=small_data").to_json())
    del sections["loss"]["penalty_interval"]
    assert Config.from_json(json.dumps(sections)).loss.penalty_interval == 1


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        (["--augment=none"], {"ada_kimg"}),
        (["--augment=diffaugment"], {"ada_kimg"}),
        (["--penalty=none"], {"penalty_gamma", "penalty_interval"}),
        (["--penalty=gradient"], {"penalty_gamma"}),
        (["--penalty=r1_r2"], set()),
    ],
)
def test_what_belongs_to_a_part_goes_with_it(words, gone):
    changed = by_flags("--recipe=small_data", *words).changes()
    assert set(RECIPES["small_data"]) - set(changed) - {"augment", "penalty"} == gone


def test_a_combination_that_cannot_work_is_refused():
    with pytest.raises(ConfigError, match="--augment=ada goes by the sign"):
        by_flags("--recipe=small_data", "--loss=wgan")


def test_a_preset_takes_it_too():
    facts = presets.Facts(images=500, resolution=16)
    speed = presets.Speed({4: 500.0, 8: 400.0, 16: 300.0})
    options = presets.choose("small", facts, speed, 0.1, given={"recipe": "small_data"})
    text = presets.flagfile(options, "small")
    assert {"--recipe=small_data", "--augment=ada", "--penalty=r1"} <= set(text.splitlines())
    assert by_flags(*text.splitlines()[1:]) == Config.from_values(options)


@pytest.mark.parametrize(
    ("images", "options", "said"),
    [
        (500, {}, True),
        (10_000, {}, False),
        (500, {"recipe": "small_data"}, False),
        (500, {"augment": "diffaugment"}, False),
    ],
)
def test_few_images_are_advised(images, options, said):
    lines = presets.advice(images, Config.from_values(options))
    assert bool(lines) == said
    assert all(len(line) <= 100 and "--recipe=small_data" in line for line in lines)
