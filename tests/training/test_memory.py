"""What no machine could hold is refused by name, before anything is built."""

import pytest

from pgan_tf.config import Config, ConfigError
from pgan_tf.option import option_text
from pgan_tf.schedule import Schedule
from pgan_tf.training import memory
from pgan_tf.training.peak import stage_bytes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(fmap_max=2**16, fmap_base=2**20), "--fmap_max=65536: takes .* GB of memory at 4x4, this machine has 8; "),
        (dict(latent_size=2**20), "--latent_size=1048576: .* would fit"),
        (dict(latent_size=2**20, grow="latent"), "--latent_size=1048576: takes .* GB of memory at level 4.* would fit"),
        (dict(g_block="residual", residual_blocks=32, fmap_max=1024), "--residual_blocks=32: "),
        (dict(minibatch_base=2**20, accumulate=False), r"--minibatch_base=1048576: .* 8; \d+ would fit"),
        (dict(minibatch_dict={32: 2**19}, d_norm="batch"), r"--minibatch_dict=32:524288: .* at 32x32, .* 8; \d+ would"),
        (dict(family="dcgan", grow="none", image_maps=2**14, fmap_max=2**16), "--fmap_max=65536: .* would fit"),
        (dict(family="mlp", grow="none", hidden_units=2**16), "--hidden_units=65536: .* would fit"),
        (dict(minibatch_repeats=1000, D_repeats=1000), "--minibatch_repeats=1000 --D_repeats=1000: 16000000 images"),
    ],
)
def test_what_cannot_fit_is_named_with_what_would(options, message, monkeypatch):
    monkeypatch.setattr(memory, "machine_bytes", lambda: 8 * 2**30)
    config = Config.from_values({"total_kimg": 15000, **options})
    with pytest.raises(ConfigError, match=message) as caught:
        memory.check(config, Schedule(config.growth, 32, latent_size=config.model.latent_components), 3, 10)
    assert "\n" not in str(caught.value)


def refusal(config: Config, resolution: int = 32) -> str:
    """What is said of it."""
    with pytest.raises(ConfigError) as caught:
        memory.check(config, Schedule(config.growth, resolution), 3, 0)
    return str(caught.value)


def test_the_value_that_would_fit_fits(monkeypatch):
    monkeypatch.setattr(memory, "machine_bytes", lambda: 8 * 2**30)
    config = Config.from_values({"minibatch_base": 2**20, "accumulate": False})
    fitting = int(refusal(config).split("; ")[-1].split()[0])
    config = config.replace(minibatch_dict={4: fitting, 8: 16, 16: 16, 32: 16}, minibatch_repeats=1)
    memory.check(config, Schedule(config.growth, 4), 3, 0)


SMALL = dict(fmap_base=1024, fmap_max=64, latent_size=64)
LIMIT = "max_minibatch_per_device"
# (options, what is proposed on a machine with just enough memory for it); 64x64
RELIEF = [
    (dict(minibatch_base=96), {LIMIT: {64: 48}}),
    (dict(minibatch_base=96, max_minibatch_per_device={0: 48}), {LIMIT: {0: 48, 64: 24}}),
    (dict(minibatch_base=96, max_minibatch_per_device={64: 48}, remat=True), {LIMIT: {64: 32}}),
    (dict(minibatch_base=96), {LIMIT: {32: 48, 64: 12}}),
    (dict(minibatch_base=96, d_norm="batch"), {"remat": True}),
    (dict(minibatch_base=96, accumulate=False), {"remat": True}),
    (dict(minibatch_base=128, mbstd_group_size=64), {LIMIT: {64: 64}, "remat": True}),
    (dict(minibatch_base=4096, mbstd_group_size=64), {LIMIT: {16: 1024, 32: 256, 64: 64}, "remat": True}),
]


def most(config: Config) -> float:
    """Bytes of the run's largest stage, by the estimate."""
    phases = enumerate(Schedule(config.growth, 64).phases(), start=1)
    batch = config.growth.minibatch_base
    return max(stage_bytes(config, phase.stage, batch, 1, 3, 0, number) for number, phase in phases)


@pytest.mark.parametrize(("options", "lighter"), RELIEF)
def test_what_changes_no_numbers_is_proposed_first_and_fits(options, lighter, monkeypatch):
    config = Config.from_values({**SMALL, **options})
    proposed = config.replace(**lighter)
    have = 1.001 * most(proposed)
    monkeypatch.setattr(memory, "machine_bytes", lambda: have)
    said = f"--{LIMIT}={option_text(proposed.growth.max_minibatch_per_device)}" if LIMIT in lighter else ""
    said += " --remat" if "remat" in lighter else ""
    line = memory.advice(config, Schedule(config.growth, 64), 3, 0)
    assert line.endswith(f"; {said.strip()} would fit, with the same numbers")
    memory.check(proposed, Schedule(proposed.growth, 64), 3, 0)
    assert memory.advice(proposed, Schedule(proposed.growth, 64), 3, 0) is None
    for level in (4, 64):
        assert Schedule(config.growth, 64).minibatch(level) == Schedule(proposed.growth, 64).minibatch(level)
    if config.growth.minibatch_base == 4096:
        assert refusal(config, 64).endswith(f"; {said.strip()} would fit")


@pytest.mark.parametrize("options", [dict(d_norm="batch", jit=True), dict(d_norm="batch", remat=True), {}])
def test_where_nothing_helps_nothing_is_proposed(options, monkeypatch):
    config = Config.from_values({**SMALL, "minibatch_base": 96, **options})
    have = most(config) - 1 if options else 2**20
    monkeypatch.setattr(memory, "machine_bytes", lambda: have)
    line = memory.advice(config, Schedule(config.growth, 64), 3, 0)
    assert line.endswith("; make the minibatch or the networks smaller")


def test_the_papers_largest_networks_fit_a_small_machine(monkeypatch):
    monkeypatch.setattr(memory, "machine_bytes", lambda: 8 * 2**30)
    config = Config.from_values({"max_minibatch_per_device": {256: 16, 512: 8, 1024: 4}})
    memory.check(config, Schedule(config.growth, 1024), 3, 0)


def test_this_machine_has_some_memory():
    assert 2**28 < memory.machine_bytes() < 2**60
