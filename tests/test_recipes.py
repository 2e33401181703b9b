"""Recipes: defaults that what is said wins over, told in full, and not guessed anew when a run is read again."""

import json

import pytest
from absl import flags

from pgan_tf import presets
from pgan_tf.config import Config, ConfigError
from pgan_tf.option_flags import define_flags, flag_lines, given_options
from pgan_tf.recipes import RECIPES


def by_flags(*words: str) -> Config:
    values = flags.FlagValues()
    define_flags(flags, values)
    values(["train.py", *words])
    return Config.from_values(given_options(values))


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


@pytest.mark.parametrize(
    "said",
    [
        {"augment": "none"},
        {"penalty_interval": 1},
        {"wgan_epsilon": 0.001},
        {"penalty": "gradient"},
        {"loss": "wgan", "augment": "diffaugment"},
        {"penalty": "none", "augment": "none", "loss": "hinge"},
        {"ada_kimg": 500.0, "penalty_gamma": 10.0},
    ],
)
@pytest.mark.parametrize("recipe", RECIPES)
def test_what_is_to_be_said_again_gives_the_same(recipe, said):
    """Also where an option was set back to the paper's, which the recipe would change."""
    config = Config.from_values({"recipe": recipe, **said})
    assert Config.from_values(config.changes()) == config
    assert by_flags(*flag_lines(config.changes()).splitlines()) == config


def test_another_recipe_is_another_one():
    said = Config.from_values({"dataset": "x", "augment": "none"})
    changed = said.replace(recipe="small_data")
    assert changed == Config.from_values({"dataset": "x", "augment": "none", "recipe": "small_data"})
    assert changed.replace(recipe="paper") == said
    assert changed.replace(recipe="small_data") == changed


@pytest.mark.parametrize(
    "said", [{"augment": "none"}, {"augment": "diffaugment"}, {"penalty": "gradient"}, {"penalty": "none"}]
)
def test_a_part_of_a_run_can_be_left_out_later(said):
    """Also of one read from its config.json, which does not tell what was said; what was said stays, and is refused."""
    run = Config.from_json(Config.from_values({"recipe": "small_data"}).to_json())
    assert run.replace(**said) == Config.from_values({"recipe": "small_data", **said})
    stubborn = Config.from_values({"recipe": "small_data", "ada_kimg": 50.0, "penalty_gamma": 0.2})
    with pytest.raises(ConfigError, match=r"--ada_kimg: add --augment=ada|--penalty_gamma=0.2 is for"):
        stubborn.replace(**said)


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


@pytest.mark.parametrize(
    ("options", "advised"),
    [
        ({"loss": "hinge"}, "--recipe=small_data"),
        ({"loss": "wgan"}, "--augment=diffaugment"),
        ({"loss": "relativistic", "penalty": "r1_r2"}, "--augment=diffaugment"),
        ({"constraint": "clip", "penalty": "none", "clip": 1.0}, "--recipe=small_data"),
        ({"unroll_steps": 5}, ""),
    ],
)
def test_what_is_advised_goes_with_what_is_said(options, advised):
    """Followed, it is taken."""
    (line, *_) = *presets.advice(500, Config.from_values(options)), ""
    assert advised in line
    assert bool(advised) == bool(line)
    if advised:
        name, value = advised.removeprefix("--").split("=")
        Config.from_values({**options, name: value})
