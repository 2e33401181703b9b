"""Named sets of defaults: the options of a run that it does not say itself are those of its --recipe."""

from __future__ import annotations

from typing import Any

# paper: Karras et al. 2018, which is what the options' own defaults are. small_data: the loss and the penalty of
# StyleGAN2 (Karras et al. 2020), its penalty in every 4th step, and StyleGAN2-ADA's augmentation, for few images; its
# gamma is what did best of 0.05, 0.2 and 1 on 2,261 emoji people at 32x32, one seed (docs/recipes.md), and what
# StyleGAN2-ADA's rule, 0.0002 resolution^2 / minibatch, gives for 128x128 and 16 images.
RECIPES: dict[str, dict[str, Any]] = {
    "paper": {},
    "small_data": {
        "loss": "non_saturating",
        "penalty": "r1",
        "penalty_gamma": 0.2,
        "penalty_interval": 4,
        "wgan_epsilon": 0.0,
        "augment": "ada",
        "ada_kimg": 50.0,
    },
}
DECIDED = {name for recipe in RECIPES.values() for name in recipe}

# A default that says nothing unless another option has one of these values.
PARTS = {
    "penalty_gamma": ("penalty", ("r1", "r2", "r1_r2")),
    "penalty_interval": ("penalty", ("r1", "r2", "r1_r2", "gradient")),
    "ada_kimg": ("augment", ("ada",)),
}


def with_recipe(values: dict[str, Any]) -> dict[str, Any]:
    """The options that are given, and those of the recipe among them that are not. An unknown recipe has none."""
    recipe = values.get("recipe", "paper")
    whole = {**(RECIPES.get(recipe, {}) if isinstance(recipe, str) else {}), **values}
    for name, (owner, fitting) in PARTS.items():
        if name not in values and whole.get(owner) not in fitting:
            whole.pop(name, None)
    return whole


def fallen(values: dict[str, Any], changes: dict[str, Any]) -> set[str]:
    """The recipe's own parts in a whole config whose owners change to what the parts say nothing for."""
    recipe = RECIPES[values["recipe"]]
    return {
        name
        for name, (owner, fitting) in PARTS.items()
        if name not in changes and changes.get(owner, values[owner]) not in fitting and values[name] == recipe.get(name)
    }


def unsaid(values: dict[str, Any]) -> dict[str, Any]:
    """What the recipe of a whole config gives where it is not said: the parts by the owners that the config has."""
    recipe, owners = RECIPES[values["recipe"]], {owner for owner, _ in PARTS.values()}
    whole = with_recipe({name: values[name] for name in ("recipe", *owners)})
    return {**whole, **{name: value for name, value in recipe.items() if name in owners}}
