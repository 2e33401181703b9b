"""Nothing that a network knows is lost, for every family and ladder: saved, loaded, carried over, averaged, resumed.

Everything means Keras' own list of a network's variables, also those that are not trained: the averages of batch norm,
the singular vectors of spectral norm.
"""

import itertools
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from training.rounds import make_batch, make_controls, make_step

from pgan_tf import growth
from pgan_tf.config import Config, belongs
from pgan_tf.interop.weights import read_weights, write_weights
from pgan_tf.networks import FAMILIES
from pgan_tf.networks.base import Network
from pgan_tf.networks.checkpoints import load_generator
from pgan_tf.networks.saved import load_network, save_network
from pgan_tf.schedule import Schedule
from pgan_tf.stages import Stage
from pgan_tf.training import checkpoint
from pgan_tf.training.state import Counters, StageState

SMALL = dict(fmap_base=64, fmap_max=8, latent_size=8, resolution=8, mbstd_group_size=0)
# Norms and weights with variables that are not trained: moving averages, singular vectors; reference batches.
AVERAGES = dict(g_norm="batch", d_norm="batch", g_weights="spectral", d_weights="spectral")
REFERENCES = dict(
    g_norm="virtual_batch", d_norm="virtual_batch", g_weights="plain", d_weights="plain", reference_batch=4
)
UNTRAINED = {"averages": AVERAGES, "references": REFERENCES}


def ladders(family: str) -> list[str]:
    """What can grow in it, in every combination."""
    axes = sorted(FAMILIES[family].grows)
    return ["none", *(",".join(some) for k in range(len(axes)) for some in itertools.combinations(axes, k + 1))]


CASES = [(family, grow, "averages") for family in FAMILIES for grow in ladders(family)]
CASES += [(family, "none", "references") for family in FAMILIES]
every_family_and_ladder = pytest.mark.parametrize(("family", "grow", "untrained"), CASES)


def options(family: str, grow: str, untrained: str) -> Config:
    small = {name: value for name, value in SMALL.items() if belongs(name, family)}
    return Config.from_values({**small, **UNTRAINED[untrained], "family": family, "grow": grow})


def stages(config: Config) -> list[Stage]:
    return [phase.stage for phase in Schedule(config.growth, 8, latent_size=8).phases()]


def randomize(variables: list[keras.Variable], seed: int) -> None:
    """No two numbers are the same; positive, as variances are."""
    random = np.random.RandomState(seed)
    for variable in variables:
        if np.issubdtype(keras.backend.standardize_dtype(variable.dtype), np.floating):
            variable.assign(random.uniform(0.5, 1.5, variable.shape))


def network(kind: str, config: Config, stage: Stage, seed: int) -> Network:
    made = getattr(growth.NetworkFactory(config.replace(seed=seed), 3, 2), kind)(stage)
    randomize(made.variables, seed)
    return made


def assert_same(ours: keras.Model, theirs: keras.Model) -> None:
    """Every variable has the same value, and none is missing on either side."""
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        assert a.name == b.name
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


KINDS = ("generator", "discriminator")


@every_family_and_ladder
@pytest.mark.parametrize("kind", KINDS)
def test_every_variable_has_a_name_of_its_own(family, grow, untrained, kind):
    config = options(family, grow, untrained)
    for stage in stages(config):
        made = network(kind, config, stage, 1)
        named = made.variables_by_name()
        assert {id(variable) for variable in named.values()} == {id(variable) for variable in made.variables}
        assert len(named) == len(made.variables)
        trained = [variable for variable in named.values() if variable.trainable]
        assert [id(v) for v in made.parameters_by_name().values()] == [id(v) for v in made.trainable_variables]
        assert len(trained) == len(made.trainable_variables)
        again = network(kind, config, stage, 2)
        assert list(again.variables_by_name()) == list(named)  # whatever Keras has counted to by now


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("untrained", UNTRAINED)
def test_there_is_what_is_not_trained(untrained, kind):
    """Else the laws of this file would say nothing."""
    config = options("progressive", "none", untrained)
    assert network(kind, config, stages(config)[0], 1).non_trainable_variables


@every_family_and_ladder
@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded(family, grow, untrained, kind, tmp_path):
    config = options(family, grow, untrained)
    for i, stage in enumerate(stages(config)):
        made = network(kind, config, stage, 1)
        save_network(made, tmp_path / f"{i}.keras")
        assert_same(load_network(tmp_path / f"{i}.keras", Network), made)
        assert_same(growth.float32_copy(made), made)
        if kind == "generator":
            write_weights(made, tmp_path / f"{i}.npz", "")
            assert_same(read_weights(tmp_path / f"{i}.npz"), made)


def numbers(variable) -> Counter:
    return Counter(np.ravel(variable).tolist())


@every_family_and_ladder
@pytest.mark.parametrize("kind", KINDS)
def test_carried_over_from_stage_to_stage(family, grow, untrained, kind):
    """Each number of the old network is in the variable of that name; the others there are those that it began with."""
    config = options(family, grow, untrained)
    for before, after in itertools.pairwise(stages(config)):
        old, new = network(kind, config, before, 1), network(kind, config, after, 2)
        had = {name: variable.numpy() for name, variable in new.variables_by_name().items()}
        fresh = set(growth.carry(old, new))
        for name, variable in new.variables_by_name().items():
            source = old.variables_by_name().get(name)
            if source is None:
                assert name in fresh
                np.testing.assert_array_equal(variable.numpy(), had[name], err_msg=name)
            elif source.shape == variable.shape:
                np.testing.assert_array_equal(variable.numpy(), source.numpy(), err_msg=name)
            else:
                held, old_numbers = numbers(variable.numpy()), numbers(source.numpy())
                assert not old_numbers - held, name
                assert not held - old_numbers - numbers(had[name]), name


def state_of(config: Config, stage: Stage, seed: int) -> StageState:
    """Random values for all that a stage knows."""
    state = StageState(stage, config.replace(seed=seed), 3, 2)
    for made in (state.generator, state.discriminator, state.ema, state.g.optimizer, state.d.optimizer):
        randomize(made.variables, seed)
        seed += 10
    return state


@every_family_and_ladder
def test_averaged(family, grow, untrained):
    """What is trained is averaged, what is not is the generator's."""
    config = options(family, grow, untrained)
    for stage in stages(config)[-2:]:
        state = state_of(config, stage, 1)
        before = [variable.numpy() for variable in state.ema.variables]
        state.update_ema(tf.constant(0.25))
        for old, average, value in zip(before, state.ema.variables, state.generator.variables, strict=True):
            value = value.numpy()
            expected = value + (old - value) * np.float32(0.25) if average.trainable else value
            np.testing.assert_allclose(average.numpy(), expected, rtol=1e-6, err_msg=average.path)


@every_family_and_ladder
def test_resumed(family, grow, untrained, tmp_path):
    config = options(family, grow, untrained)
    for i, stage in enumerate(stages(config)[-2:]):
        state, again = state_of(config, stage, 1), state_of(config, stage, 2)
        path = checkpoint.save(tmp_path, state, Counters(images=i), 1)
        assert checkpoint.read_counters(path)[0] == stage
        checkpoint.restore(path, again)
        for name in ("generator", "discriminator", "ema"):
            assert_same(getattr(again, name), getattr(state, name))
        assert_same(again.g.optimizer, state.g.optimizer)
        assert_same(again.d.optimizer, state.d.optimizer)
        assert_same(load_generator(path), state.ema)


@every_family_and_ladder
def test_a_new_stage_takes_over_its_average(family, grow, untrained):
    """The average too, and what is not trained in it."""
    config = options(family, grow, untrained)
    for before, after in itertools.pairwise(stages(config)):
        old, new = state_of(config, before, 1), state_of(config, after, 2)
        new.carry_from(old)
        expected = network("generator", config, after, 22)  # of the seed of the new average
        growth.carry(old.ema, expected)
        assert_same(new.ema, expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_training_goes_on_as_if_it_had_not_stopped(family, tmp_path):
    def fresh():
        return make_step(family=family, **AVERAGES, mbstd_group_size=0)

    step, again = fresh(), fresh()
    began = [v.numpy() for v in step.state.generator.non_trainable_variables]
    step.rounds(make_batch(step, 2), make_controls(2))
    path = checkpoint.save(tmp_path, step.state, Counters(), 1)
    checkpoint.restore(path, again.state)
    for goes_on in (step, again):
        goes_on.rounds(make_batch(goes_on, 2), make_controls(2, first=2))
    for name in ("generator", "discriminator", "ema"):
        assert_same(getattr(again.state, name), getattr(step.state, name))
    for old, now in zip(began, step.state.generator.non_trainable_variables, strict=True):
        assert not np.array_equal(old, now.numpy()), now.path  # the law would hold for what never changes
