"""From one stage of growth to the next: which networks, and what they take over."""

from __future__ import annotations

import numpy as np

from pgan_tf.config import Config, network_options
from pgan_tf.layers import widening
from pgan_tf.networks import FAMILIES, Network, reference
from pgan_tf.networks.base import DiscriminatorNetwork, GeneratorNetwork
from pgan_tf.stages import Stage

POLICIES = {"float32": "float32", "float64": "float64", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}

COMPUTING = ("resampling", "jit", "remat")  # options of how networks compute, not what


class NetworkFactory:
    """Makes the networks of a run: what no growth changes is said once, the stage at each call."""

    def __init__(self, config: Config, num_channels: int, label_size: int):
        self.family = FAMILIES[config.model.family]
        self.model = config.model
        self.resampling, self.compiled, self.remat = (getattr(config.optim, name) for name in COMPUTING)
        self.common = {
            "num_channels": num_channels,
            "label_size": label_size,
            "seed": config.run.seed,
            "dtype": POLICIES[config.optim.precision],
        }

    def generator(self, stage: Stage) -> GeneratorNetwork:
        return self._build(self.family.generator, stage)

    def discriminator(self, stage: Stage) -> DiscriminatorNetwork:
        return self._build(self.family.discriminator, stage)

    def _build(self, kind: type[Network], stage: Stage) -> Network:
        options = {name: getattr(self.model, name) for name in network_options(kind.part, kind.family)}
        network = kind(**place(stage), **options, **self.common)
        network.compute_by(self.resampling, self.compiled, self.remat)
        return network


def place(stage: Stage) -> dict:
    """A stage in the words of the networks; see networks.base.PLACE."""
    size, before = stage.size, stage.before or stage.size
    return {
        "resolution": size.resolution,
        "fading": before.resolution < size.resolution,
        "narrower": size.narrower,
        "capped": size.capped,
        "narrower_before": before.narrower if before.narrower != size.narrower else 0,
        "latents_used": size.latent_size,
        "latents_before": before.latent_size if before.latent_size != size.latent_size else 0,
    }


def carry(old: Network, new: Network) -> list[str]:
    """Copies every variable that both networks have, by name; the others keep their fresh initial values.

    Where the new network is wider the old one's values lie among fresh ones; see layers.widening. Returns the names of
    those that are fresh as a whole. Raises ValueError where a shape differs otherwise.
    """
    source, fresh = old.variables_by_name(), []
    old_axes, new_axes = old.axes_by_name(), new.axes_by_name()
    for name, variable in new.variables_by_name().items():
        if name not in source:
            fresh.append(name)
        elif source[name].shape == variable.shape:
            variable.assign(source[name].value)
        elif name.startswith(f"{reference.NAME}/"):  # which each stage chooses anew
            fresh.append(name)
        elif name in old_axes and name in new_axes:
            zeros = widening.NEW_WEIGHTS[new.options.widening].zeros
            value = np.zeros(variable.shape, variable.dtype) if zeros else variable.numpy()
            variable.assign(_wider(name, source[name].numpy(), old_axes[name], value, new_axes[name]))
        else:
            raise ValueError(f"{name}: {tuple(source[name].shape)} cannot be carried over to {tuple(variable.shape)}")
    return fresh


def _wider(name: str, *values) -> np.ndarray:
    try:
        return widening.carried(*values)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def float32_copy(network: Network, **options) -> Network:
    """The same network computing in float32, whatever it was trained in; `options` replace some of its own."""
    copy = type(network).from_config({**network.get_config(), **options, "dtype": "float32"})
    carry(network, copy)
    return copy
