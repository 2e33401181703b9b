"""From one stage of growth to the next: which networks, and what they take over."""

from __future__ import annotations

import inspect

import keras

from pgan_tf.config import Config
from pgan_tf.networks import Discriminator, Generator
from pgan_tf.networks.progressive import ProgressiveNetwork
from pgan_tf.schedule import Stage

POLICIES = {"float32": "float32", "float64": "float64", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def network_options(config: Config, num_channels: int, label_size: int) -> dict:
    """The networks' keyword arguments that no growth changes."""
    options = {**vars(config.model), "num_channels": num_channels, "label_size": label_size}
    return {**options, "seed": config.run.seed, "dtype": POLICIES[config.optim.precision]}


def build(kind: type, stage: Stage, options: dict) -> keras.Model:
    """A Generator or Discriminator for `stage`, with the options that it knows."""
    known = {*inspect.signature(kind).parameters, *inspect.signature(ProgressiveNetwork).parameters, "dtype"}
    options = {name: value for name, value in options.items() if name in known}
    return kind(resolution=stage.resolution, fading=stage.fading, **options)


def build_generator(stage: Stage, options: dict) -> Generator:
    return build(Generator, stage, options)


def build_discriminator(stage: Stage, options: dict) -> Discriminator:
    return build(Discriminator, stage, options)


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
