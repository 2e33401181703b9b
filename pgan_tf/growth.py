"""From one stage of growth to the next: which networks, and what they take over."""

from __future__ import annotations

from pgan_tf.config import Config
from pgan_tf.networks import Discriminator, Generator
from pgan_tf.networks.progressive import ProgressiveNetwork
from pgan_tf.stages import Stage

POLICIES = {"float32": "float32", "float64": "float64", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


# Which options each network knows, by their names in config.Model.
SHARED = ("fmap_base", "fmap_decay", "fmap_max", "use_wscale", "fused_scale", "residual_blocks")
OPTIONS = {
    Generator: (
        *SHARED, "latent_size", "normalize_latents", "use_pixelnorm", "pixelnorm_epsilon", "use_leakyrelu", "g_block",
    ),
    Discriminator: (*SHARED, "mbstd_group_size", "minibatch_statistics", "d_block"),
}  # fmt: skip


class NetworkFactory:
    """Makes the networks of a run: what no growth changes is said once, the stage at each call."""

    def __init__(self, config: Config, num_channels: int, label_size: int):
        self.model, self.resampling = config.model, config.optim.resampling
        self.common = {
            "num_channels": num_channels,
            "label_size": label_size,
            "seed": config.run.seed,
            "dtype": POLICIES[config.optim.precision],
        }

    def generator(self, stage: Stage) -> Generator:
        return self._build(Generator, stage)

    def discriminator(self, stage: Stage) -> Discriminator:
        return self._build(Discriminator, stage)

    def _build(self, kind: type, stage: Stage):
        options = {name: getattr(self.model, name) for name in OPTIONS[kind]}
        network = kind(resolution=stage.resolution, fading=stage.fading, **options, **self.common)
        network.resample_by(self.resampling)
        return network


def carry(old: ProgressiveNetwork, new: ProgressiveNetwork) -> list[str]:
    """Copies every parameter that both networks have, by name; the others keep their fresh initial values.

    Returns the names of the latter. Raises ValueError where a shape differs.
    """
    source, fresh = old.parameters_by_name(), []
    for name, variable in new.parameters_by_name().items():
        if name not in source:
            fresh.append(name)
        elif source[name].shape != variable.shape:
            raise ValueError(f"{name}: {tuple(source[name].shape)} cannot be carried over to {tuple(variable.shape)}")
        else:
            variable.assign(source[name].value)
    return fresh


def float32_copy(network: ProgressiveNetwork, **options) -> ProgressiveNetwork:
    """The same network computing in float32, whatever it was trained in; `options` replace some of its own."""
    copy = type(network).from_config({**network.get_config(), **options, "dtype": "float32"})
    carry(network, copy)
    return copy
