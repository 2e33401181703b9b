"""What no machine could hold is refused by name, before anything is built."""

import pytest

from pgan_tf.config import Config, ConfigError
from pgan_tf.schedule import Schedule
from pgan_tf.training import memory


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(fmap_max=2**16, fmap_base=2**20), "--fmap_max=65536: takes .* GB of memory at 4x4, this machine has 8; "),
        (dict(latent_size=2**20), "--latent_size=1048576: .* would fit"),
        (dict(latent_size=2**20, grow="latent"), "--latent_size=1048576: takes .* GB of memory at level 4.* would fit"),
        (dict(g_block="residual", residual_blocks=32, fmap_max=1024), "--residual_blocks=32: "),
        (dict(minibatch_base=2**20), r"--minibatch_base=1048576: .* would fit"),
        (dict(minibatch_dict={32: 2**19}), r"--minibatch_dict=32:524288: .* at 32x32, this machine has 8; \d+ would"),
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


def test_the_value_that_would_fit_fits(monkeypatch):
    monkeypatch.setattr(memory, "machine_bytes", lambda: 8 * 2**30)
    config = Config.from_values({"minibatch_base": 2**20})
    with pytest.raises(ConfigError) as caught:
        memory.check(config, Schedule(config.growth, 32), 3, 0)
    fitting = int(str(caught.value).split("; ")[-1].split()[0])
    config = config.replace(minibatch_dict={4: fitting, 8: 16, 16: 16, 32: 16}, minibatch_repeats=1)
    memory.check(config, Schedule(config.growth, 4), 3, 0)


def test_the_papers_largest_networks_fit_a_small_machine(monkeypatch):
    monkeypatch.setattr(memory, "machine_bytes", lambda: 8 * 2**30)
    config = Config.from_values({"max_minibatch_per_device": {256: 16, 512: 8, 1024: 4}})
    memory.check(config, Schedule(config.growth, 1024), 3, 0)


def test_this_machine_has_some_memory():
    assert 2**28 < memory.machine_bytes() < 2**60
