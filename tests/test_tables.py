"""A variant is a row of a table: what an option or a flag may be are a table's keys, and the docs have them all."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from pgan_tf.metrics.extractors import EXTRACTORS
from pgan_tf.metrics.registry import IMAGES, METRICS, POINTS

from pgan_tf.augment import AUGMENTS
from pgan_tf.commands import generate as generate_commands
from pgan_tf.config import FIELDS
from pgan_tf.data.engine import ENGINES
from pgan_tf.data.sources import planar
from pgan_tf.data.sources.frames import FRAMES
from pgan_tf.data.sources.picture import FITS, MODES
from pgan_tf.data.tools.conversion import KINDS
from pgan_tf.devices import STRATEGIES
from pgan_tf.growth import POLICIES
from pgan_tf.inference.output import IMAGE_FORMATS
from pgan_tf.interop.export import FORMATS
from pgan_tf.latents import LATENTS
from pgan_tf.layers.activations import ACTIVATIONS, OUTPUTS
from pgan_tf.layers.discrimination import MINIBATCH
from pgan_tf.layers.fused import FORMS
from pgan_tf.layers.norms import NORMS
from pgan_tf.layers.weights import INITIALIZERS, WEIGHTS
from pgan_tf.layers.widening import NEW_WEIGHTS
from pgan_tf.losses import LOSSES, PENALTIES, REGULARIZERS
from pgan_tf.networks import FAMILIES
from pgan_tf.networks.blocks import BLOCKS
from pgan_tf.networks.dcgan import LAST
from pgan_tf.presets import PRESETS
from pgan_tf.programs import dataset_tool, evaluate, experiment, generate, network_tool, train
from pgan_tf.recipes import RECIPES
from pgan_tf.stages import LADDERS
from pgan_tf.training.player import CONSTRAINTS, OPTIMIZERS

ROOT = Path(__file__).resolve().parents[1]

# ---- options of a run ------------------------------------------------------------------------------------------------

OPTIONS = {
    "family": FAMILIES,
    "latents": LATENTS,
    "g_weights": WEIGHTS,
    "d_weights": WEIGHTS,
    "initializer": set(INITIALIZERS) - {"unit"},  # which is what equalized weights begin with
    "g_norm": NORMS,
    "d_norm": NORMS,
    "g_activation": ACTIVATIONS,
    "d_activation": ACTIVATIONS,
    "g_output": OUTPUTS,
    "g_last": LAST,
    "minibatch_statistics": MINIBATCH,
    "g_block": BLOCKS,
    "d_block": BLOCKS,
    "grow": LADDERS,
    "widening": NEW_WEIGHTS,
    "loss": LOSSES,
    "recipe": RECIPES,
    "penalty": PENALTIES,
    "augment": AUGMENTS,
    "diffaugment_policy": AUGMENTS["diffaugment"],
    "ada_pipeline": AUGMENTS["ada"],
    "optimizer": OPTIMIZERS,
    "constraint": CONSTRAINTS,
    "regularizer": REGULARIZERS,
    "precision": ["auto", *POLICIES],
    "resampling": ["auto", *FORMS],
    "strategy": STRATEGIES,
}
# Which of two things is done, or to which of the two networks: no table.
OF_TWO = {"nan": ("stop", "skip"), "repelling_features": ("critic", "generator")}


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.metadata["choices"]])
def test_the_choices_of_an_option_are_the_keys_of_its_table(name):
    assert set(FIELDS[name].metadata["choices"]) == set({**OPTIONS, **OF_TWO}[name])


def test_every_table_has_an_option_whose_default_is_a_row():
    for name, table in OPTIONS.items():
        words = FIELDS[name].default.split(",") if FIELDS[name].metadata["combination"] else [FIELDS[name].default]
        assert set(words) <= set(table), name


# ---- flags of the tools ----------------------------------------------------------------------------------------------

FLAGS = {
    "--fit": FITS,
    "--mode": MODES,
    "--frames": FRAMES,
    "--engine": ENGINES,
    "--to": KINDS,
    "--source": generate_commands._FROM,
    "generate images --format": IMAGE_FORMATS,
    "network_tool export --format": FORMATS,
    "distribution": planar.DISTRIBUTIONS,
}
# As above, and what there is one of.
FEW = {"--shuffle": (0, 1), "--split": ("train", "test"), "format": ("nvidia",)}


def flags(parser: argparse.ArgumentParser, where: str) -> list[tuple[str, argparse.Action]]:
    """(the command, its flag or argument) of all commands below."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                found += flags(sub, f"{where} {name}")
        elif action.choices is not None:
            found.append((where, action))
    return found


TOOLS = (dataset_tool, evaluate, experiment, generate, network_tool)
CHOSEN = [row for tool in TOOLS for row in flags(tool.parser(), tool.__name__.split(".")[-1])]


@pytest.mark.parametrize(("where", "action"), CHOSEN, ids=[f"{where} {action.dest}" for where, action in CHOSEN])
def test_the_choices_of_a_flag_are_the_keys_of_its_table(where, action):
    name = action.option_strings[0] if action.option_strings else action.dest
    tables = {**FLAGS, **FEW}
    table = tables[f"{where} {name}"] if f"{where} {name}" in tables else tables[name]
    assert set(action.choices) == set(table)


# ---- where the names are written out ---------------------------------------------------------------------------------


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w-]+", text))


@pytest.mark.parametrize(("text", "kind"), [(evaluate.OF_IMAGES, IMAGES), (evaluate.OF_POINTS, POINTS)])
def test_the_help_of_metrics_names_all(text, kind):
    assert words(text) == {name for name, metric in METRICS.items() if metric.of == kind}
    assert any(text in (action.help or "") for action in evaluate.parser()._actions if action.dest == "metrics")


def test_the_help_of_presets_names_all():
    assert set(PRESETS) <= words(train.FLAGS["preset"].help)


def rows(page: str) -> set[str]:
    """The names that begin the rows of a page's tables."""
    return set(re.findall(r"^\| `([^`]+)` \|", (ROOT / page).read_text(), re.M))


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("docs/metrics.md", METRICS),
        ("docs/metrics.md", EXTRACTORS),
        ("docs/datasets.md", planar.DISTRIBUTIONS),
        ("docs/losses.md", LOSSES),
        ("docs/losses.md", PENALTIES),
        ("docs/losses.md", AUGMENTS),
        ("docs/losses.md", REGULARIZERS),
        ("docs/losses.md", OPTIMIZERS),
        ("docs/losses.md", CONSTRAINTS),
    ],
    ids=[
        "metrics",
        "extractors",
        "planar",
        "losses",
        "penalties",
        "augments",
        "regularizers",
        "optimizers",
        "constraints",
    ],
)
def test_the_docs_have_a_row_for_each(page, table):
    assert set(table) <= rows(page)
